/* A TensorFlow character LSTM as deeplearn.js stored it: manifest.json, {name: {filename, shape}}, and
 * a file of little-endian float32 for each. BasicLSTMCell has one matrix (C+H,4H) for x and h
 * together, its columns i j f o (j is our g), and adds 1 to f when it runs. */
#include "formats/weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "system/file.h"

typedef struct {
    Weights *f;
    const char *dir;
    json_t *manifest;
} Reader;

/* The name of the n-th tensor (from 0) that ends so, or NULL. */
static const char *find(const Reader *r, const char *tail, int n)
{
    const char *name;
    json_t *entry;
    json_object_foreach(r->manifest, name, entry)
    {
        const size_t len = strlen(name), end = strlen(tail);
        if (len >= end && strcmp(name + len - end, tail) == 0 && n-- == 0) return name;
    }
    return NULL;
}

static bool shape_of(json_t *entry, Shape *s)
{
    const json_t *shape = json_object_get(entry, "shape");
    *s = (Shape){.n = (int)json_array_size(shape)};
    if (s->n < 1 || s->n > 2) return false;
    for (int i = 0; i < s->n; i++) {
        const json_int_t d = json_integer_value(json_array_get(shape, (size_t)i));
        if (d < 1 || d > 1 << 20) return false;
        s->d[i] = (int)d;
    }
    return s->n == 1 || (int64_t)s->d[0] * s->d[1] <= 1 << 28;
}

static Tensor *take(Reader *r, const char *name, Error *err)
{
    json_t *entry = json_object_get(r->manifest, name);
    const char *file = json_string_value(json_object_get(entry, "filename"));
    Shape s;
    char *bytes;
    size_t len;
    if (!file || !file[0] || strchr(file, '/') || strcmp(file, "..") == 0 || !shape_of(entry, &s))
        return error_set(err,
                         "%s/manifest.json: %s: needs a filename without / and a shape of one or "
                         "two sizes",
                         r->dir, name),
               NULL;
    char *path = xformat("%s/%s", r->dir, file);
    Tensor *t = NULL;
    const size_t size = (size_t)shape_len(s) * sizeof(float);
    bool ok = file_read(path, (size_t)1 << 30, &bytes, &len, err);
    if (ok && len != size)
        ok = error_set(err, "%s: %zu bytes; %s of float32 are %zu", path, len, shape_text(s).text,
                       size),
        free(bytes);
    if (ok) {
        t = tape_tensor(&r->f->memory, s);
        for (int i = 0; i < t->len; i++) {
            float x;
            memcpy(&x, bytes + (size_t)i * sizeof x, sizeof x);
            t->data[i] = x;
        }
        free(bytes);
    }
    free(path);
    return t;
}

static bool read_layer(Reader *r, Error *err)
{
    Weights *f = r->f;
    const char *weights = find(r, "lstm_cell/weights", f->layers);
    const char *biases = find(r, "lstm_cell/biases", f->layers);
    Tensor *w = take(r, weights, err), *b = w && biases ? take(r, biases, err) : NULL;
    if (!b) return biases ? false : error_set(err, "%s: %s has no biases", r->dir, weights);
    const int C = f->layers ? f->H : f->C, H = w->shape.d[0] - C;
    if (w->shape.n != 2 || H < 1 || w->shape.d[1] != 4 * H || b->len != 4 * H ||
        (f->H && f->H != H))
        return error_set(err, "%s: %s is %s, must be (%d+H,4H)", r->dir, weights,
                         shape_text(w->shape).text, C);
    f->H = H;
    f->layer[f->layers++] = (WeightsLayer){
        .w = op_rows(&f->memory, w, 0, C), .u = op_rows(&f->memory, w, C, H), .bx = b};
    return true;
}

static bool read_all(Reader *r, Error *err)
{
    Weights *f = r->f;
    const char *embed = find(r, "embedding", 0), *head = find(r, "softmax_w", 0);
    const char *bias = find(r, "softmax_b", 0);
    if (!embed || !head || !bias || !find(r, "lstm_cell/weights", 0))
        return error_set(err,
                         "%s/manifest.json: needs embedding, ...lstm_cell/weights and /biases, "
                         "softmax_w and softmax_b",
                         r->dir);
    f->embed = take(r, embed, err);
    if (!f->embed) return false;
    if (f->embed->shape.n != 2) return error_set(err, "%s: the embedding must be (V,C)", r->dir);
    f->V = f->embed->shape.d[0], f->C = f->embed->shape.d[1];
    while (f->layers < WEIGHTS_MAX_LAYERS && find(r, "lstm_cell/weights", f->layers))
        if (!read_layer(r, err)) return false;
    f->head.w = take(r, head, err);
    f->head.b = f->head.w ? take(r, bias, err) : NULL;
    if (!f->head.b) return false;
    return (shape_equal(f->head.w->shape, SHAPE(f->H, f->V)) && f->head.b->len == f->V) ||
           error_set(err, "%s: softmax_w is %s, must be (%d,%d)", r->dir,
                     shape_text(f->head.w->shape).text, f->H, f->V);
}

bool weights_read_tensorflow(Weights *f, const char *dir, Error *err)
{
    char *path = xformat("%s/manifest.json", dir);
    Reader r = {.f = f, .dir = dir, .manifest = json_read(path, err)};
    free(path);
    if (!r.manifest) return false;
    f->cell = "lstm", f->gates = "i g f o", f->forget_bias = 1;
    const bool ok = read_all(&r, err);
    json_decref(r.manifest);
    return ok;
}
