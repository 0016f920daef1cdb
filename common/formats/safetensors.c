/* Reads safetensors files (github.com/huggingface/safetensors):
 *
 *     u64 N | N bytes of JSON, padded with spaces | the values of all tensors, end to end
 *     {"__metadata__":{"format":"pt"},"wx":{"dtype":"F32","shape":[3,4],"data_offsets":[0,48]}}
 *
 * Files are not trusted. Each number is checked when it is read, against the size of the file and
 * for overflow, and the caller gets no tensor before the whole file is found valid. Text from a
 * file is escaped before it is put into a message, because control characters could change the
 * terminal. */
#include "formats/safetensors.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "formats/checksum.h"

#define MAX_FILE ((size_t)1 << 36) /* bytes */

enum { LENGTH_BYTES = 8, MAX_TENSORS = 65536 };

/* Reads the length of the header from the first `read` bytes of a file of `len` bytes. */
static bool read_header_length(const char *bytes, size_t read, size_t len, size_t *header,
                               Error *err)
{
    if (read < LENGTH_BYTES)
        return error_set(err, "%zu bytes, too short for the 8 bytes of the header's length", read);
    uint64_t n = 0;
    for (int i = 0; i < LENGTH_BYTES; i++) n |= (uint64_t)(unsigned char)bytes[i] << (8 * i);
    if (n > ST_MAX_HEADER)
        return error_set(err, "a header of %" PRIu64 " bytes; at most %d are allowed", n,
                         ST_MAX_HEADER);
    if (n > len - LENGTH_BYTES)
        return error_set(err, "a header of %" PRIu64 " bytes, of which only %zu are there", n,
                         len - LENGTH_BYTES);
    *header = (size_t)n;
    return true;
}

static bool read_metadata(Safetensors *st, json_t *object, Error *err)
{
    if (!json_is_object(object)) return error_set(err, "__metadata__ must be an object");
    for (void *it = json_object_iter(object); it; it = json_object_iter_next(object, it))
        if (!json_is_string(json_object_iter_value(it)))
            return error_set(err, "__metadata__: the value of \"%s\" must be a string",
                             safetensors_text(json_object_iter_key(it)).text);
    st->metadata = object;
    return true;
}

static bool is_count(const json_t *j)
{
    return json_is_integer(j) && json_integer_value(j) >= 0;
}

static bool read_dtype(StTensor *t, const json_t *dtype, Error *err)
{
    if (!dtype) return safetensors_refuse(err, t->name, "dtype is missing");
    if (!json_is_string(dtype)) return safetensors_refuse(err, t->name, "dtype must be a string");
    t->dtype = json_string_value(dtype);
    return true;
}

static bool read_shape(StTensor *t, const json_t *shape, Error *err)
{
    if (!shape) return safetensors_refuse(err, t->name, "shape is missing");
    if (!json_is_array(shape)) return safetensors_refuse(err, t->name, "shape must be a list");
    const size_t axes = json_array_size(shape);
    if (axes > ST_MAX_AXES)
        return safetensors_refuse(err, t->name, "%zu axes; at most %d are allowed", axes,
                                  ST_MAX_AXES);
    t->axes = (int)axes;
    for (int i = 0; i < t->axes; i++) {
        const json_t *d = json_array_get(shape, (size_t)i);
        if (!is_count(d))
            return safetensors_refuse(err, t->name, "axis %d of shape must be an integer >= 0", i);
        t->d[i] = json_integer_value(d);
    }
    return true;
}

/* Reads data_offsets, of `data` bytes in all, and sets t->begin. t->size is set already, from dtype and
 * shape. */
static bool read_offsets(StTensor *t, const json_t *offsets, size_t data, Error *err)
{
    if (!offsets) return safetensors_refuse(err, t->name, "data_offsets are missing");
    const json_t *first = json_array_get(offsets, 0), *second = json_array_get(offsets, 1);
    if (json_array_size(offsets) != 2 || !is_count(first) || !is_count(second))
        return safetensors_refuse(err, t->name, "data_offsets must be two integers >= 0");
    const size_t begin = (size_t)json_integer_value(first);
    const size_t end = (size_t)json_integer_value(second);
    if (begin > end)
        return safetensors_refuse(err, t->name, "data_offsets [%zu,%zu] are reversed", begin, end);
    if (end > data)
        return safetensors_refuse(err, t->name,
                                  "data_offsets [%zu,%zu] reach beyond the %zu bytes of data",
                                  begin, end, data);
    if (end - begin != t->size)
        return safetensors_refuse(err, t->name,
                                  "data_offsets [%zu,%zu] give it %zu bytes; its dtype and shape "
                                  "ask for %zu",
                                  begin, end, end - begin, t->size);
    t->begin = begin;
    return true;
}

static bool read_tensor(StTensor *t, const char *name, json_t *entry, size_t data, Error *err)
{
    *t = (StTensor){.name = name};
    if (!json_is_object(entry)) return safetensors_refuse(err, name, "must be an object");
    for (void *it = json_object_iter(entry); it; it = json_object_iter_next(entry, it)) {
        const char *key = json_object_iter_key(it);
        if (strcmp(key, "dtype") && strcmp(key, "shape") && strcmp(key, "data_offsets"))
            return safetensors_refuse(err, name, "unknown key \"%s\"", safetensors_text(key).text);
    }
    return read_dtype(t, json_object_get(entry, "dtype"), err) &&
           read_shape(t, json_object_get(entry, "shape"), err) && safetensors_measure(t, err) &&
           read_offsets(t, json_object_get(entry, "data_offsets"), data, err);
}

/* Orders tensors by the start of their data; an empty tensor comes before one with the same
 * start. */
static int compare_places(const void *a, const void *b)
{
    const StTensor *s = a, *t = b;
    if (s->begin != t->begin) return s->begin < t->begin ? -1 : 1;
    if (s->size != t->size) return s->size < t->size ? -1 : 1;
    return strcmp(s->name, t->name);
}

/* Checks that every byte of data belongs to exactly one tensor: in order of position, each tensor
 * must start where the previous one ends, and the last one must end where the file ends. */
static bool check_cover(const Safetensors *st, size_t data, Error *err)
{
    size_t at = 0;
    for (int i = 0; i < st->n; i++) {
        const StTensor *t = &st->tensor[i];
        if (t->begin > at)
            return safetensors_refuse(err, t->name, "a hole of %zu bytes lies before its data",
                                      t->begin - at);
        if (t->begin < at)
            return safetensors_refuse(err, t->name, "its data overlaps that of \"%s\"",
                                      safetensors_text(st->tensor[i - 1].name).text);
        at = t->begin + t->size;
    }
    if (at < data) return error_set(err, "the last %zu bytes belong to no tensor", data - at);
    return true;
}

static bool read_tensors(Safetensors *st, size_t data, Error *err)
{
    const size_t count = json_object_size(st->header);
    if (count > MAX_TENSORS)
        return error_set(err, "%zu tensors; at most %d are allowed", count, MAX_TENSORS);
    st->tensor = xcalloc(count + 1, sizeof *st->tensor);
    for (void *it = json_object_iter(st->header); it; it = json_object_iter_next(st->header, it)) {
        const char *name = json_object_iter_key(it);
        json_t *entry = json_object_iter_value(it);
        if (strcmp(name, "__metadata__") == 0) {
            if (!read_metadata(st, entry, err)) return false;
        } else {
            if (!read_tensor(&st->tensor[st->n++], name, entry, data, err)) return false;
        }
    }
    qsort(st->tensor, (size_t)st->n, sizeof *st->tensor, compare_places);
    return check_cover(st, data, err);
}

/* Parses the `header` bytes of JSON that precede `data` bytes of data. */
static bool read_header(Safetensors *st, const char *json, size_t header, size_t data, Error *err)
{
    json_error_t why;
    st->header = json_loadb(json, header, JSON_REJECT_DUPLICATES, &why);
    if (!st->header)
        return error_set(err, "header, line %d, column %d: %s", why.line, why.column,
                         safetensors_text(why.text).text);
    const bool ok = json_is_object(st->header)
                        ? read_tensors(st, data, err) && checksum_check_header(st, err)
                        : error_set(err, "the header must be a JSON object");
    if (!ok) safetensors_close(st);
    return ok;
}

static void set_data(Safetensors *st, const char *start)
{
    for (int i = 0; i < st->n; i++) st->tensor[i].data = start + st->tensor[i].begin;
}

bool safetensors_parse(Safetensors *st, const char *bytes, size_t len, Error *err)
{
    *st = (Safetensors){0};
    size_t header = 0;
    if (!read_header_length(bytes, len, len, &header, err)) return false;
    const size_t start = LENGTH_BYTES + header;
    if (!read_header(st, bytes + LENGTH_BYTES, header, len - start, err)) return false;
    set_data(st, bytes + start);
    return true;
}

/* Reads the header of a file, and sets *size to the bytes of the file and *start to those before its
 * data. */
static bool peek(Safetensors *st, const char *path, size_t *size, size_t *start, Error *err)
{
    FileMap file;
    size_t header = 0;
    Error why;
    *st = (Safetensors){0};
    if (!file_map_start(path, LENGTH_BYTES, &file, size, err)) return false;
    bool ok =
        *size <= MAX_FILE || error_set(&why, "%zu bytes; at most %zu are allowed", *size, MAX_FILE);
    ok = ok && read_header_length(file.bytes, file.len, *size, &header, &why);
    *start = LENGTH_BYTES + header;
    file_unmap(&file);
    if (ok && !file_map_start(path, *start, &file, size, err)) return false;
    if (ok)
        ok = file.len == *start
                 ? read_header(st, file.bytes + LENGTH_BYTES, header, *size - *start, &why)
                 : error_set(&why, "the file became shorter while it was read");
    file_unmap(&file);
    return ok || error_set(err, "%s: damaged, or not a safetensors file: %s", path, why.text);
}

bool safetensors_peek(Safetensors *st, const char *path, Error *err)
{
    size_t size, start;
    return peek(st, path, &size, &start, err);
}

bool safetensors_open(Safetensors *st, const char *path, Error *err)
{
    size_t size, start;
    if (!peek(st, path, &size, &start, err)) return false;
    bool ok = file_map(path, MAX_FILE, &st->file, err);
    if (ok && st->file.len != size)
        ok = error_set(err, "%s: the file changed while it was read", path);
    if (ok)
        set_data(st, st->file.bytes + start);
    else
        safetensors_close(st);
    return ok;
}

void safetensors_close(Safetensors *st)
{
    free(st->tensor);
    json_decref(st->header);
    file_unmap(&st->file);
    *st = (Safetensors){0};
}

const StTensor *safetensors_find(const Safetensors *st, const char *name)
{
    for (int i = 0; i < st->n; i++)
        if (strcmp(st->tensor[i].name, name) == 0) return &st->tensor[i];
    return NULL;
}
