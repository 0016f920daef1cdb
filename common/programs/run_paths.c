#include "programs/run_paths.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "system/file.h"

static const char *const keys[] = {"text", "valid", "pairs", "test", "directory"};
enum { PATHS = LEN(keys) - 1 };

const char *run_paths_folder(const json_t *config)
{
    return json_string_value(json_object_get(config, "directory"));
}

static bool is_missing(const char *path)
{
    return path && *path && *path != '/' && strcmp(path, "-") != 0 && !file_exists(path);
}

/* Returns the path of a file that is only in the folder, which stays allocated; otherwise the path. */
static const char *found(const char *path, const char *folder)
{
    if (!folder || !is_missing(path)) return path;
    char *there = xformat("%s/%s", folder, path);
    const char *file = file_exists(there) ? args_lasting(there) : path;
    free(there);
    return file;
}

static bool is_given(Option *option, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (option[i].kind != OPT_GROUP && strcmp(option[i].name, name) == 0)
            return option[i].given;
    return false;
}

void run_paths_find(DataConfig *data, Option *option, int n, const json_t *config)
{
    const char *folder = run_paths_folder(config);
    const char **path[PATHS] = {&data->text, data->of_pairs ? &data->pairs.valid : &data->valid,
                                &data->pairs.file, &data->pairs.test};
    if (!data->of_pairs && !data->task && !data->text) { /* a text of the project */
        const char *text = found(data_name(data), folder);
        if (*text == '/') data->text = text;
    }
    for (int i = 0; i < PATHS; i++)
        if (!is_given(option, n, keys[i])) *path[i] = found(*path[i], folder);
}

void run_paths_keep(json_t *config, const json_t *from)
{
    for (int i = 0; i < LEN(keys); i++) {
        json_t *value = json_object_get(from, keys[i]);
        if (value) json_object_set(config, keys[i], value);
    }
}

void run_paths_start(json_t *config)
{
    char *here = getcwd(NULL, 0);
    json_t *value = here ? json_string(here) : NULL; /* none if it is no UTF-8 */
    if (value) json_object_set_new(config, "directory", value);
    free(here);
}

bool run_paths_missing(const char *path, const char *folder, Error *err)
{
    const Error why = *err;
    if (!folder || !is_missing(path) || !strstr(why.text, path)) return false;
    return error_set(err, "%s (neither here nor in %s, where the run was started)", why.text,
                     folder);
}
