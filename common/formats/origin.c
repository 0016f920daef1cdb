#include "formats/origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/checksum.h"
#include "system/file.h"

/* The entries of config.json that hold the vocabularies (data/data.h). */
static const char *const vocabulary[] = {"vocab", "source_vocab", "target_vocab", "longest_pair"};

static Checksum vocabulary_sum(const json_t *config)
{
    json_t *all = json_object();
    for (int i = 0; i < LEN(vocabulary); i++) {
        json_t *value = json_object_get(config, vocabulary[i]);
        if (value) json_object_set(all, vocabulary[i], value);
    }
    char *text = json_dumps(all, JSON_COMPACT | JSON_SORT_KEYS);
    if (!text) too_large("out of memory: the vocabularies are too large");
    const Checksum sum = checksum_of(text, strlen(text));
    free(text);
    json_decref(all);
    return sum;
}

json_t *origin_of(const json_t *config, const json_t *options)
{
    char *text = json_dumps(options, JSON_COMPACT | JSON_REAL_PRECISION(17));
    const char *data = json_string_value(json_object_get(config, "data_fingerprint"));
    json_t *origin = text ? json_pack("{s:s, s:s, s:s}", "options", text, "data", data ? data : "",
                                      "vocabulary", vocabulary_sum(config).text)
                          : NULL;
    if (!origin) too_large("out of memory: the options of the run need more");
    free(text);
    return origin;
}

/* --- comparing -------------------------------------------------------------------------------- */

typedef struct {
    int n;
    char text[400];
} Differences;

static void differ(Differences *d, const char *name, const char *there, const char *here)
{
    const size_t at = strlen(d->text);
    snprintf(d->text + at, sizeof d->text - at, "%s%s is %.40s, in config.json %.40s",
             d->n++ ? "; " : "", safetensors_text(name).text, there, here);
}

/* 1 and 1.0 are equal: a person may have written config.json. */
static bool equal(const json_t *a, const json_t *b)
{
    if (json_is_number(a) && json_is_number(b)) return json_number_value(a) == json_number_value(b);
    return json_equal(a, b);
}

static void compare_options(Differences *d, const json_t *options, const json_t *config)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)options, key, value)
    {
        const json_t *here = json_object_get(config, key);
        if (here && equal(value, here)) continue;
        char *a = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15));
        char *b = json_dumps(here, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15));
        differ(d, key, a ? a : "?", b ? b : "missing");
        free(a), free(b);
    }
}

bool origin_fits(const json_t *metadata, const json_t *config, bool other_data, Error *err)
{
    const char *text = json_string_value(json_object_get(metadata, "options"));
    if (!text) return true;
    const char *data = json_string_value(json_object_get(metadata, "data"));
    const char *words = json_string_value(json_object_get(metadata, "vocabulary"));
    const char *here = json_string_value(json_object_get(config, "data_fingerprint"));
    json_t *options = json_loads(text, 0, NULL);
    Differences d = {0};
    if (!options) return error_set(err, "the metadata \"options\" are no JSON");
    compare_options(&d, options, config);
    json_decref(options);
    if (data && !other_data && (!here || strcmp(data, here) != 0))
        differ(&d, "data_fingerprint", data, here ? here : "missing");
    const Checksum sum = vocabulary_sum(config);
    if (words && strcmp(words, sum.text) != 0)
        differ(&d,
               "the checksum of the vocabulary (vocab, source_vocab, target_vocab, longest_pair)",
               words, sum.text);
    return !d.n || error_set(err,
                             "the file is of another run than config.json, or one of them was "
                             "changed: %s; put the run's own file back",
                             d.text);
}

bool origin_check_file(const char *path, const json_t *config, bool other_data, Error *err)
{
    Safetensors st;
    if (!file_exists(path)) return true;
    if (!safetensors_peek(&st, path, err)) return false;
    bool ok = true;
    if (json_is_true(json_object_get(config, "checksums")) && !safetensors_has_checksums(&st))
        ok = error_set(err, "the file has no checksums, so the run did not write it; put the run's "
                            "own file back");
    ok = ok && origin_fits(st.metadata, config, other_data, err);
    safetensors_close(&st);
    return ok || error_in(err, path);
}

bool origin_is(const char *path, const json_t *metadata)
{
    static const char *const keys[] = {"options", "data", "vocabulary"};
    Safetensors st;
    Error err;
    if (!safetensors_peek(&st, path, &err)) return false;
    bool same = safetensors_has_checksums(&st);
    for (int i = 0; i < LEN(keys); i++)
        same = same && json_equal(json_object_get(st.metadata, keys[i]),
                                  json_object_get(metadata, keys[i]));
    safetensors_close(&st);
    return same;
}
