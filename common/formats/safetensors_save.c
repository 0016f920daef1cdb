/* Writing safetensors, byte for byte as the upstream writer does it: tensors by dtype, widest
 * first, then by name; compact JSON; the header padded so that the data starts at a multiple of 8,
 * where each value is aligned. (Upstream's order of several metadata entries is random; here
 * "format" comes first, then the caller's order.) */
#include "formats/safetensors.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

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
    CHECK(t->size == given, "safetensors_save: %s: %zu bytes given, dtype and shape ask for %zu",
          t->name, given, t->size);
}

static int compare_storage(const void *a, const void *b)
{
    const StTensor *s = a, *t = b;
    const int order = safetensors_dtype(s->dtype) - safetensors_dtype(t->dtype);
    return order ? order : strcmp(s->name, t->name);
}

static void add(json_t *object, const char *key, json_t *value)
{
    CHECK(!json_object_get(object, key), "safetensors_save: there are two tensors \"%s\"", key);
    CHECK(json_object_set_new(object, key, value) == 0, "safetensors_save: \"%s\" is not UTF-8",
          key);
}

static json_t *metadata_json(const json_t *given)
{
    json_t *all = json_pack("{s:s}", "format", "pt");
    if (given) json_object_update_missing(all, (json_t *)given);
    for (void *it = json_object_iter(all); it; it = json_object_iter_next(all, it))
        CHECK(json_is_string(json_object_iter_value(it)),
              "safetensors_save: metadata \"%s\" is not a string", json_object_iter_key(it));
    return all;
}

static json_t *tensor_json(const StTensor *t, size_t begin)
{
    json_t *shape = json_array();
    for (int i = 0; i < t->axes; i++) json_array_append_new(shape, json_integer(t->d[i]));
    return json_pack("{s:s, s:o, s:[I,I]}", "dtype", t->dtype, "shape", shape, "data_offsets",
                     (json_int_t)begin, (json_int_t)(begin + t->size));
}

/* The header of the sorted tensors, without padding; *data: bytes of all their values. */
static char *header_text(const StTensor *t, int n, const json_t *metadata, size_t *data)
{
    json_t *header = json_object();
    add(header, "__metadata__", metadata_json(metadata));
    *data = 0;
    for (int i = 0; i < n; i++) {
        const size_t begin = *data;
        CHECK(!__builtin_add_overflow(begin, t[i].size, data), "safetensors_save: sizes overflow");
        add(header, t[i].name, tensor_json(&t[i], begin));
    }
    char *text = json_dumps(header, JSON_COMPACT);
    CHECK(text, "safetensors_save: the header cannot be written as JSON");
    json_decref(header);
    return text;
}

bool safetensors_save(const char *path, const StTensor *t, int n, const json_t *metadata,
                      Error *err)
{
    StTensor *sorted = xcalloc((size_t)n + 1, sizeof *sorted);
    for (int i = 0; i < n; i++) {
        sorted[i] = t[i];
        check_tensor(&sorted[i]);
    }
    qsort(sorted, (size_t)n, sizeof *sorted, compare_storage);

    size_t data, total;
    char *text = header_text(sorted, n, metadata, &data);
    const size_t len = strlen(text), header = (len + 7) / 8 * 8;
    CHECK(header <= ST_MAX_HEADER, "safetensors_save: a header of %zu bytes", header);
    CHECK(!__builtin_add_overflow(LENGTH_BYTES + header, data, &total),
          "safetensors_save: sizes overflow");
    char *file = xmalloc(total), *at = file + LENGTH_BYTES;
    for (int i = 0; i < LENGTH_BYTES; i++) file[i] = (char)(header >> (8 * i));
    memcpy(at, text, len);
    memset(at + len, ' ', header - len);
    at += header;
    for (int i = 0; i < n; i++) {
        if (sorted[i].size) memcpy(at, sorted[i].data, sorted[i].size);
        at += sorted[i].size;
    }

    const bool ok = file_write(path, file, total, err);
    free(file);
    free(text);
    free(sorted);
    return ok;
}
