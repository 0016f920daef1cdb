#include "formats/weights_files.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_SHARDS = 1024 };

static bool add_file(WeightFiles *f, const char *path, Error *err)
{
    Safetensors *st = &f->file[f->n_files];
    if (!safetensors_open(st, path, err)) return false;
    if (!safetensors_verify(st, err)) return safetensors_close(st), error_in(err, path);
    f->n_files++;
    f->tensor = xrealloc(f->tensor, (size_t)(f->n + st->n + 1) * sizeof *f->tensor);
    for (int i = 0; i < st->n; i++) f->tensor[f->n++] = (WeightTensor){st, &st->tensor[i]};
    return true;
}

/* Opens a shard when the index first names it. `names` maps each file's name to its number in
 * f->file. */
static bool open_shard(WeightFiles *f, json_t *names, const char *dir, const char *file, Error *err)
{
    if (json_object_get(names, file)) return true;
    if (!*file || strchr(file, '/') || strcmp(file, "..") == 0)
        return error_set(err, "the file \"%s\" must be in the directory of the index",
                         safetensors_text(file).text);
    if (f->n_files == MAX_SHARDS) return error_set(err, "more than %d files", MAX_SHARDS);
    json_object_set_new(names, file, json_integer(f->n_files));
    char *path = xformat("%s%s", dir, file);
    const bool ok = add_file(f, path, err);
    free(path);
    return ok;
}

/* Checks that each tensor in the index is in the file that the index gives, and that the files have
 * no other tensors. */
static bool agree(const WeightFiles *f, json_t *map, const json_t *names, Error *err)
{
    const char *tensor;
    json_t *file;
    json_object_foreach(map, tensor, file)
    {
        const json_t *number = json_object_get(names, json_string_value(file));
        if (!safetensors_find(&f->file[json_integer_value(number)], tensor))
            return safetensors_refuse(err, tensor, "is not in %s, where the index has it",
                                      safetensors_text(json_string_value(file)).text);
    }
    for (int i = 0; i < f->n; i++)
        if (!json_object_get(map, f->tensor[i].tensor->name))
            return safetensors_refuse(err, f->tensor[i].tensor->name, "is not in the index");
    return json_object_size(map) == (size_t)f->n || error_set(err, "a tensor is in two files");
}

static bool open_index(WeightFiles *f, const char *path, Error *err)
{
    json_t *index = json_read(path, err);
    if (!index) return false;
    json_t *map = json_object_get(index, "weight_map"), *names = json_object(), *file;
    const char *slash = strrchr(path, '/'), *tensor;
    char *dir = xformat("%.*s", slash ? (int)(slash - path) + 1 : 0, path);
    bool ok = json_is_object(map) || error_set(err, "weight_map is missing");
    json_object_foreach(map, tensor, file)
    {
        if (ok && !json_is_string(file))
            ok = safetensors_refuse(err, tensor, "its file must be a string");
        ok = ok && open_shard(f, names, dir, json_string_value(file), err);
    }
    ok = ok && agree(f, map, names, err);
    free(dir);
    json_decref(names);
    json_decref(index);
    return ok || error_in(err, path);
}

static bool ends_in(const char *path, const char *tail)
{
    const size_t len = strlen(path), end = strlen(tail);
    return len >= end && strcmp(path + len - end, tail) == 0;
}

bool weights_files_open(WeightFiles *f, const char *path, Error *err)
{
    struct stat st;
    *f = (WeightFiles){.file = xcalloc(MAX_SHARDS, sizeof *f->file)};
    const bool is_dir = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    char *index = xformat("%s%s", path, is_dir ? "/model.safetensors.index.json" : "");
    char *single = xformat("%s%s", path, is_dir ? "/model.safetensors" : "");
    const bool is_index = is_dir ? file_exists(index) : ends_in(path, ".json");
    const bool ok = is_index ? open_index(f, index, err) : add_file(f, single, err);
    free(index), free(single);
    if (!ok) weights_files_close(f);
    return ok;
}

void weights_files_close(WeightFiles *f)
{
    for (int i = 0; i < f->n_files; i++) safetensors_close(&f->file[i]);
    free(f->file);
    free(f->tensor);
    free(f->tensors);
    *f = (WeightFiles){0};
}
