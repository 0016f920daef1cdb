/* Reads a TensorFlow character LSTM in the format of deeplearn.js: manifest.json, {name: {filename,
 * shape}}, and for each tensor a file of little-endian float32. BasicLSTMCell has one matrix
 * (C+H,4H) for x and h together. Its columns are the gates i j f o (j is our g), and it adds 1 to f
 * at run time. */
#include "formats/weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/weights_map.h"

enum { LARGEST = 1 << 30, MAX_TENSORS = 1024 };

typedef struct {
    Weights *w;
    const char *dir;
    json_t *manifest; /* owns the names */
    WeightFiles files;
} Reader;

/* --- the files -------------------------------------------------------------------------------- */

static bool read_shape(StTensor *t, const json_t *entry)
{
    const json_t *shape = json_object_get(entry, "shape");
    t->axes = (int)json_array_size(shape);
    if (!json_is_array(shape) || t->axes > 2) return false;
    for (int i = 0; i < t->axes; i++) {
        t->d[i] = json_integer_value(json_array_get(shape, (size_t)i));
        if (t->d[i] < 1 || t->d[i] > 1 << 20) return false;
    }
    return true;
}

/* Opens a raw file as a safetensors file of one tensor. */
static bool open_tensor(Reader *r, const char *name, const json_t *entry, Error *err)
{
    Safetensors *st = &r->files.file[r->files.n_files];
    StTensor *t = &r->files.tensors[r->files.n];
    const char *file = json_string_value(json_object_get(entry, "filename"));
    *t = (StTensor){.name = name, .dtype = "F32"};
    if (!file || !file[0] || strchr(file, '/') || strcmp(file, "..") == 0 || !read_shape(t, entry))
        return safetensors_refuse(err, name,
                                  "needs a filename without / and a shape with at most two axes");
    if (!safetensors_measure(t, err)) return false;
    char *path = xformat("%s/%s", r->dir, file);
    bool ok = file_map(path, LARGEST, &st->file, err);
    r->files.n_files += ok;
    if (ok && st->file.len != t->size)
        ok = error_set(err, "%s: has %zu bytes; shape %s of float32 needs %zu", path, st->file.len,
                       safetensors_shape(t).text, t->size);
    free(path);
    t->data = st->file.bytes;
    r->files.tensor[r->files.n++] = (WeightTensor){st, t};
    return ok;
}

/* Orders tensors by name, cell_2 before cell_10: the layers are numbered, whatever the manifest's order. */
static int compare_names(const void *a, const void *b)
{
    const WeightTensor *s = a, *t = b;
    return strverscmp(s->tensor->name, t->tensor->name);
}

static bool open_all(Reader *r, Error *err)
{
    const char *name;
    json_t *entry;
    const size_t n = json_object_size(r->manifest);
    if (n > MAX_TENSORS) return error_set(err, "%zu tensors; at most %d are read", n, MAX_TENSORS);
    r->files.file = xcalloc(n + 1, sizeof *r->files.file);
    r->files.tensor = xcalloc(n + 1, sizeof *r->files.tensor);
    r->files.tensors = xcalloc(n + 1, sizeof *r->files.tensors);
    json_object_foreach(r->manifest, name, entry)
    {
        if (!open_tensor(r, name, entry, err)) return false;
    }
    qsort(r->files.tensor, (size_t)r->files.n, sizeof *r->files.tensor, compare_names);
    return true;
}

/* Returns the n-th tensor (from 0) whose name ends in `tail`, or NULL. */
static const StTensor *find(const Reader *r, const char *tail, int n)
{
    for (int i = 0; i < r->files.n; i++) {
        const StTensor *t = r->files.tensor[i].tensor;
        const size_t len = strlen(t->name), end = strlen(tail);
        if (len >= end && strcmp(t->name + len - end, tail) == 0 && n-- == 0) return t;
    }
    return NULL;
}

/* --- the rules -------------------------------------------------------------------------------- */

enum { MAX_RULES = 4 + 2 * WEIGHTS_MAX_LAYERS };

typedef struct {
    WeightRule rule[MAX_RULES];
    char ours[MAX_RULES][16];
    int n;
} Rules;

/* Adds a rule for one tensor and declares the parameter that it fills. */
static Tensor *add(Rules *rules, Params *ps, const StTensor *t, Shape s, const char *ours)
{
    snprintf(rules->ours[rules->n], sizeof rules->ours[0], "%s", ours);
    rules->rule[rules->n] = (WeightRule){.theirs = t->name, .ours = rules->ours[rules->n]};
    rules->n++;
    return param(ps, s, 0, "%s", ours);
}

/* Adds the rules of all layers. both[i] is the matrix (C+H,4H) of layer i, for x and h together;
 * fill() makes a view of each part. */
static bool add_layers(Reader *r, Rules *rules, Tensor *both[WEIGHTS_MAX_LAYERS], Error *err)
{
    Weights *w = r->w;
    char ours[16];
    for (const StTensor *t; (t = find(r, "lstm_cell/weights", w->layers)); w->layers++) {
        const StTensor *b = find(r, "lstm_cell/biases", w->layers);
        const int C = w->layers ? w->H : w->C, N = t->axes == 2 ? (int)t->d[1] : 0;
        if (w->layers == WEIGHTS_MAX_LAYERS)
            return error_set(err, "more than %d layers", WEIGHTS_MAX_LAYERS);
        if (!b) return safetensors_refuse(err, t->name, "has no biases");
        if (w->layers == 0) w->H = N / 4;
        if (N < 4 || N != 4 * w->H)
            return safetensors_refuse(err, t->name, "has shape %s; must be (%d+H,4H)",
                                      safetensors_shape(t).text, C);
        snprintf(ours, sizeof ours, "l%d.w", w->layers);
        both[w->layers] = add(rules, &w->theirs, t, SHAPE(C + w->H, N), ours);
        snprintf(ours, sizeof ours, "l%d.b", w->layers);
        w->layer[w->layers].bx = add(rules, &w->theirs, b, SHAPE(N), ours);
    }
    return true;
}

static bool fill(Reader *r, Error *err)
{
    Weights *w = r->w;
    const StTensor *embed = find(r, "embedding", 0), *head = find(r, "softmax_w", 0);
    const StTensor *bias = find(r, "softmax_b", 0);
    Tensor *both[WEIGHTS_MAX_LAYERS];
    Rules rules = {.rule = {{.theirs = "Variable", .ignored = "the number of updates"}}, .n = 1};
    if (!embed || !head || !bias || !find(r, "lstm_cell/weights", 0))
        return error_set(
            err,
            "a tensor is missing; needs embedding, ...lstm_cell/weights and /biases, softmax_w and "
            "softmax_b");
    if (embed->axes != 2) return safetensors_refuse(err, embed->name, "must be (V,C)");
    w->V = (int)embed->d[0], w->C = (int)embed->d[1];
    w->theirs = params_declare(0);
    if (!add_layers(r, &rules, both, err)) return false;
    w->embed = add(&rules, &w->theirs, embed, SHAPE(w->V, w->C), "embed");
    w->head.w = add(&rules, &w->theirs, head, SHAPE(w->H, w->V), "head.w");
    w->head.b = add(&rules, &w->theirs, bias, SHAPE(w->V), "head.b");
    params_allocate(&w->theirs, PARAMS_LOAD);
    const WeightMap map = {.rule = rules.rule, .n = rules.n};
    WeightReport report;
    if (!weights_map_fill(&r->files, &map, &w->theirs, &report, err)) return false;
    for (int i = 0; i < w->layers; i++) {
        const int C = i ? w->H : w->C;
        w->layer[i].w = op_rows(&w->memory, both[i], 0, C);
        w->layer[i].u = op_rows(&w->memory, both[i], C, w->H);
    }
    return true;
}

bool weights_read_tensorflow(Weights *w, const char *dir, Error *err)
{
    char *path = xformat("%s/manifest.json", dir);
    Reader r = {.w = w, .dir = dir, .manifest = json_read(path, err)};
    if (r.manifest) {
        w->cell = "lstm", w->gates = "i g f o", w->forget_bias = 1;
        const bool ok = (open_all(&r, err) && fill(&r, err)) || error_in(err, path);
        weights_files_close(&r.files);
        json_decref(r.manifest);
        free(path);
        return ok;
    }
    free(path);
    return false;
}
