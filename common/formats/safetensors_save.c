/* Writes safetensors files, with the same bytes as the upstream writer. Tensors are ordered by
 * dtype, widest first, then by name. The JSON is compact, and the header is padded so that the data
 * starts at a multiple of 8, which aligns every value. (Upstream writes several metadata entries in
 * random order; here "format" comes first, then the others in the caller's order.) */
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

/* Returns the header of the sorted tensors, without padding, or NULL if memory ran out. The caller
 * frees it. */
static char *header_text(const StTensor *t, int n, const json_t *metadata)
{
    json_t *header = json_object();
    bool whole = header && add(header, "__metadata__", metadata_json(metadata));
    size_t begin = 0;
    for (int i = 0; whole && i < n; i++) {
        whole = add(header, t[i].name, tensor_json(&t[i], begin));
        CHECK(!__builtin_add_overflow(begin, t[i].size, &begin),
              "safetensors_save: sizes overflow");
    }
    char *text = whole ? json_dumps(header, JSON_COMPACT) : NULL;
    json_decref(header);
    return text;
}

/* Writes the header length, the header padded with spaces to a multiple of 8, and the values of all
 * tensors, one after the other. */
static bool write_file(const char *path, const char *text, const StTensor *t, int n, Error *err)
{
    const size_t len = strlen(text), header = (len + 7) / 8 * 8;
    char length[LENGTH_BYTES];
    CHECK(header <= ST_MAX_HEADER, "safetensors_save: a header of %zu bytes", header);
    for (int i = 0; i < LENGTH_BYTES; i++) length[i] = (char)(header >> (8 * i));
    FileWriter w = file_begin(path);
    file_put(&w, length, sizeof length);
    file_put(&w, text, len);
    file_put(&w, "       ", header - len);
    for (int i = 0; i < n; i++) file_put(&w, t[i].data, t[i].size);
    return file_end(&w, err);
}

bool safetensors_save(const char *path, const StTensor *t, int n, const json_t *metadata,
                      Error *err)
{
    StTensor *sorted = calloc((size_t)n + 1, sizeof *sorted);
    for (int i = 0; sorted && i < n; i++) {
        sorted[i] = t[i];
        check_tensor(&sorted[i]);
    }
    if (sorted) qsort(sorted, (size_t)n, sizeof *sorted, compare_storage);
    char *text = sorted ? header_text(sorted, n, metadata) : NULL;
    const bool ok = text ? write_file(path, text, sorted, n, err)
                         : error_set(err, "%s: cannot be written: out of memory", path);
    free(text);
    free(sorted);
    return ok;
}
