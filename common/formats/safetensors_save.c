/* Writes safetensors files, with the same bytes as the upstream writer. Tensors are ordered by
 * dtype, widest first, then by name. The JSON is compact, and the header is padded so that the data
 * starts at a multiple of 8, which aligns every value. (Upstream writes several metadata entries in
 * random order; here "format" comes first, then the others in the caller's order.) */
#include "formats/safetensors.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "formats/checksum.h"
#include "system/file.h"

enum { LENGTH_BYTES = 8 };

static void check_tensor(StTensor *t)
{
    Error err = {{0}};
    const size_t given = t->size;
    CHECK(t->axes >= 0 && t->axes <= ST_MAX_AXES, "safetensors_save: %s has %d axes", t->name,
          t->axes);
    for (int i = 0; i < t->axes; i++)
        CHECK(t->d[i] >= 0, "safetensors_save: %s: axis %d is %" PRId64, t->name, i, t->d[i]);
    CHECK(safetensors_measure(t, &err), "safetensors_save: %s", err.text);
    CHECK(t->size == given, "safetensors_save: %s: %zu bytes given, dtype and shape need %zu",
          t->name, given, t->size);
}

static int compare_storage(const void *a, const void *b)
{
    const StTensor *s = a, *t = b;
    const int order = safetensors_dtype(s->dtype) - safetensors_dtype(t->dtype);
    return order ? order : strcmp(s->name, t->name);
}

/* Adds a value to a JSON object. Returns false if memory ran out (value is then NULL, or the object
 * cannot grow); the save then fails and harms nothing. Nothing else can fail, because names have
 * been checked. */
static bool add(json_t *object, const char *key, json_t *value)
{
    CHECK(!json_object_get(object, key), "safetensors_save: two tensors are named \"%s\"", key);
    return json_object_set_new(object, key, value) == 0;
}

static json_t *metadata_json(const json_t *given)
{
    json_t *all = json_pack("{s:s}", "format", "pt");
    if (all && given && json_object_update_missing(all, (json_t *)given) != 0) {
        json_decref(all);
        return NULL;
    }
    for (void *it = json_object_iter(all); it; it = json_object_iter_next(all, it))
        CHECK(json_is_string(json_object_iter_value(it)),
              "safetensors_save: metadata \"%s\" is not a string", json_object_iter_key(it));
    return all;
}

static json_t *tensor_json(const StTensor *t, size_t begin)
{
    json_t *shape = json_array();
    bool whole = shape != NULL;
    for (int i = 0; i < t->axes; i++)
        whole = json_array_append_new(shape, json_integer(t->d[i])) == 0 && whole;
    if (whole)
        return json_pack("{s:s, s:o, s:[I,I]}", "dtype", t->dtype, "shape", shape, "data_offsets",
                         (json_int_t)begin, (json_int_t)(begin + t->size));
    json_decref(shape);
    return NULL;
}

/* Returns metadata for n tensors, with zeros in place of the checksums if there will be any. NULL: out
 * of memory. */
static json_t *metadata_of(const StTensor *t, int n, const json_t *given, bool checksums)
{
    json_t *all = metadata_json(given);
    bool whole = all != NULL;
    for (int i = 0; whole && checksums && i <= n; i++) {
        char *key = i < n ? checksum_key(t[i].name) : strdup(CHECKSUM_KEY);
        whole = key && add(all, key, json_string("0000000000000000"));
        free(key);
    }
    if (whole) return all;
    json_decref(all);
    return NULL;
}

/* Returns the header of the sorted tensors, or NULL if memory ran out. */
static json_t *header_json(const StTensor *t, int n, const json_t *metadata, bool checksums)
{
    json_t *header = json_object();
    bool whole = header && add(header, "__metadata__", metadata_of(t, n, metadata, checksums));
    size_t begin = 0;
    for (int i = 0; whole && i < n; i++) {
        whole = add(header, t[i].name, tensor_json(&t[i], begin));
        CHECK(!__builtin_add_overflow(begin, t[i].size, &begin),
              "safetensors_save: sizes overflow");
    }
    if (whole) return header;
    json_decref(header);
    return NULL;
}

static bool set_checksum(json_t *header, const char *key, const Checksum *sum)
{
    json_t *metadata = json_object_get(header, "__metadata__");
    return key && json_object_set_new(metadata, key, json_string(sum->text)) == 0;
}

/* Checks the values of one tensor, and with a header sets its checksum there. Each piece is checked and
 * summed while it is in the processor's cache. */
static bool check_values(const StTensor *t, json_t *header, Error *err)
{
    enum { PIECE = 1 << 17 }; /* bytes */
    ChecksumState *s = header ? checksum_begin() : NULL;
    bool ok = s || !header || error_set(err, "out of memory");
    for (size_t at = 0; ok && at < t->size; at += PIECE) {
        const char *piece = (const char *)t->data + at;
        const size_t len = t->size - at < PIECE ? t->size - at : PIECE;
        ok = safetensors_check_values(t, piece, len, err);
        if (s) checksum_add(s, piece, len);
    }
    if (!s) return ok;
    const Checksum sum = checksum_end(s);
    char *key = checksum_key(t->name);
    ok = ok && (set_checksum(header, key, &sum) || error_set(err, "out of memory"));
    free(key);
    return ok;
}

/* Writes the header again, with all checksums in place of the zeros. */
static bool put_checksums(FileWriter *w, json_t *header, size_t len)
{
    Checksum sum;
    if (!checksum_of_header(header, &sum) || !set_checksum(header, CHECKSUM_KEY, &sum))
        return false;
    char *text = json_dumps(header, JSON_COMPACT);
    CHECK(!text || strlen(text) == len, "safetensors_save: the header changed its length");
    if (text) file_put_at(w, LENGTH_BYTES, text, len);
    free(text);
    return text != NULL;
}

/* Writes the header length, the header padded with spaces to a multiple of 8, and the values of all
 * tensors, one after the other. */
static bool write_file(const char *path, json_t *header, const StTensor *t, int n, bool checksums,
                       Error *err)
{
    char *text = header ? json_dumps(header, JSON_COMPACT) : NULL;
    if (!text) return error_set(err, "%s: cannot be written: out of memory", path);
    const size_t len = strlen(text), padded = (len + 7) / 8 * 8;
    char length[LENGTH_BYTES];
    CHECK(padded <= ST_MAX_HEADER, "safetensors_save: a header of %zu bytes", padded);
    for (int i = 0; i < LENGTH_BYTES; i++) length[i] = (char)(padded >> (8 * i));
    FileWriter w = file_begin(path);
    file_put(&w, length, sizeof length);
    file_put(&w, text, len);
    file_put(&w, "       ", padded - len);
    free(text);
    bool ok = true;
    Error why;
    for (int i = 0; i < n; i++) file_put(&w, t[i].data, t[i].size);
    file_flush_begin(&w); /* the disk writes while the values are checked */
    for (int i = 0; ok && i < n; i++) ok = check_values(&t[i], checksums ? header : NULL, &why);
    if (ok && checksums && !put_checksums(&w, header, len)) ok = error_set(&why, "out of memory");
    if (ok || w.reason) return file_end(&w, err);
    w.reason = ECANCELED;
    file_end(&w, err);
    return error_set(err, "%s: cannot be written: %s", path, why.text);
}

static bool save(const char *path, const StTensor *t, int n, const json_t *metadata, bool checksums,
                 Error *err)
{
    StTensor *sorted = calloc((size_t)n + 1, sizeof *sorted);
    for (int i = 0; sorted && i < n; i++) {
        sorted[i] = t[i];
        check_tensor(&sorted[i]);
    }
    if (sorted) qsort(sorted, (size_t)n, sizeof *sorted, compare_storage);
    json_t *header = sorted ? header_json(sorted, n, metadata, checksums) : NULL;
    const bool ok = write_file(path, header, sorted, n, checksums, err);
    json_decref(header);
    free(sorted);
    return ok;
}

bool safetensors_save(const char *path, const StTensor *t, int n, const json_t *metadata,
                      Error *err)
{
    return save(path, t, n, metadata, false, err);
}

bool safetensors_save_with_checksums(const char *path, const StTensor *t, int n,
                                     const json_t *metadata, Error *err)
{
    return save(path, t, n, metadata, true, err);
}
