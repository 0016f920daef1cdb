#include "programs/run_config.h"

#include <stdlib.h>
#include <string.h>

#include "system/file.h"

/* Checks an entry that is no option, if it is there. */
static bool entry_fits(const json_t *config, const char *key, bool (*is)(const json_t *),
                       const char *what, Error *err)
{
    const json_t *value = json_object_get(config, key);
    return !value || is(value) || error_set(err, "\"%s\" is not %s", key, what);
}

static bool is_name(const json_t *value)
{
    return json_is_string(value) && json_string_length(value) > 0;
}

static bool is_count(const json_t *value)
{
    return json_is_integer(value) && json_integer_value(value) >= 0;
}

static bool is_flag(const json_t *value)
{
    return json_is_boolean(value);
}

static bool is_fingerprint(const json_t *value)
{
    return json_is_string(value) && json_string_length(value) == 16 &&
           strspn(json_string_value(value), "0123456789abcdef") == 16;
}

static bool entries_fit(const json_t *config, Error *err)
{
    if (!json_is_object(config)) return error_set(err, "not a JSON object of options");
    return entry_fits(config, "arch", is_name, "the name of a model", err) &&
           entry_fits(config, "out", is_name, "a directory", err) &&
           entry_fits(config, "directory", is_name, "a directory", err) &&
           entry_fits(config, "parameters", is_count, "a whole number from 0", err) &&
           entry_fits(config, "checksums", is_flag, "true or false", err) &&
           entry_fits(config, "data_fingerprint", is_fingerprint, "16 hexadecimal digits", err);
}

json_t *run_config_read(const char *dir, Error *err)
{
    char *path = xformat("%s/config.json", dir);
    json_t *config = json_read(path, err);
    if (!config && !file_exists(path)) {
        const Error why = *err;
        error_set(err, "%s; name the directory of a run, which train wrote (--out)", why.text);
    }
    const bool ok = config && (entries_fit(config, err) || error_in(err, path));
    free(path);
    if (ok) return config;
    json_decref(config);
    return NULL;
}

json_t *run_config_tied(const json_t *config, const Option *option, int n)
{
    json_t *tied = json_object();
    json_object_set(tied, "arch", json_object_get(config, "arch"));
    json_object_set(tied, "parameters", json_object_get(config, "parameters"));
    for (int i = 0; i < n; i++) {
        const Option *o = &option[i];
        const bool is_path = o->kind == OPT_STRING && !o->choices && !o->known;
        const bool is_budget = o->kind == OPT_DURATION; /* it only sets --steps, which may change */
        if (o->kind == OPT_GROUP || o->may_change || is_path || is_budget) continue;
        const OptionName key = option_name("", o->name, '_');
        json_object_set(tied, key.text, json_object_get(config, key.text));
    }
    return tied;
}
