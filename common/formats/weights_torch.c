/* PyTorch's recurrent layers in a safetensors file (docs of torch.nn.LSTM, "Variables"): the rows of
 * weight_ih_l0 (gH,C) and weight_hh_l0 (gH,H) are the gates, i f g o of an LSTM, r z n of a GRU; two
 * biases, bias_ih_l0 and bias_hh_l0 (gH). nn.RNN is taken to have its default tanh. */
#include "formats/weights.h"

#include <stdio.h>
#include <string.h>

#include "formats/safetensors.h"

typedef struct {
    Foreign *f;
    const Safetensors *st;
    const char *path;
    char prefix[200]; /* of the recurrent tensors, "lstm." */
} Reader;

/* A matrix is read transposed. NULL and a message when it is missing or not as it should be. */
static Tensor *take(Reader *r, const char *name, int rows, int columns, Error *err)
{
    const StTensor *t = safetensors_find(r->st, name);
    if (!t) return error_set(err, "%s has no tensor %s", r->path, name), NULL;
    const bool fits = columns ? t->axes == 2 && t->d[0] == rows && t->d[1] == columns
                              : t->axes == 1 && t->d[0] == rows;
    if (fits && t->len > 1 << 30) return error_set(err, "%s: %s is too large", r->path, name), NULL;
    Tensor *raw =
        fits ? tape_tensor(&r->f->memory, columns ? SHAPE(rows, columns) : SHAPE(rows)) : NULL;
    if (!fits || !safetensors_get(t, raw->data))
        return error_set(err, "%s: %s must be (%d%s%.0d) of numbers we read", r->path, name, rows,
                         columns ? "," : "", columns),
               NULL;
    return columns ? op_transpose(&r->f->memory, raw) : raw;
}

static bool find_prefix(Reader *r, Error *err)
{
    static const char first[] = "weight_ih_l0";
    for (int i = 0; i < r->st->n; i++) {
        const char *name = r->st->tensor[i].name;
        if (strstr(name, "_reverse") || strstr(name, "weight_hr_l"))
            return error_set(err, "%s: %s: two directions and projections are not read", r->path,
                             name);
        const size_t len = strlen(name), tail = sizeof first - 1;
        if (len < tail || strcmp(name + len - tail, first) != 0 || len - tail >= sizeof r->prefix)
            continue;
        snprintf(r->prefix, sizeof r->prefix, "%.*s", (int)(len - tail), name);
    }
    for (int i = 0; i < r->st->n; i++) {
        char name[256];
        snprintf(name, sizeof name, "%s%s", r->prefix, first);
        if (strcmp(name, r->st->tensor[i].name) == 0) return true;
    }
    return error_set(err, "%s: no tensor is called ...%s, as in nn.RNN, nn.LSTM, nn.GRU", r->path,
                     first);
}

static const StTensor *recurrent(const Reader *r, const char *what, int layer)
{
    char name[256];
    snprintf(name, sizeof name, "%s%s_l%d", r->prefix, what, layer);
    return safetensors_find(r->st, name);
}

/* Sizes and the kind of cell from the shapes of layer 0. */
static bool read_sizes(Reader *r, Error *err)
{
    Foreign *f = r->f;
    const StTensor *w = recurrent(r, "weight_ih", 0), *u = recurrent(r, "weight_hh", 0);
    if (!u || w->axes != 2 || u->axes != 2 || u->d[1] < 1 || u->d[1] > 65536 || w->d[1] < 1 ||
        w->d[1] > 65536 || w->d[0] != u->d[0] || u->d[0] % u->d[1] != 0)
        return error_set(err, "%s: weight_ih_l0 and weight_hh_l0 must be (gH,C) and (gH,H)",
                         r->path);
    f->C = (int)w->d[1], f->H = (int)u->d[1];
    switch (u->d[0] / u->d[1]) {
    case 1: f->cell = "rnn", f->gates = "h"; break;
    case 3: f->cell = "gru", f->gates = "r z n"; break;
    case 4: f->cell = "lstm", f->gates = "i f g o"; break;
    default:
        return error_set(err, "%s: %lld blocks of %d rows; an nn.RNN has 1, a GRU 3, an LSTM 4",
                         r->path, (long long)(u->d[0] / u->d[1]), f->H);
    }
    while (recurrent(r, "weight_ih", f->layers)) f->layers++;
    return f->layers <= FOREIGN_MAX_LAYERS ||
           error_set(err, "%s: %d layers; at most %d", r->path, f->layers, FOREIGN_MAX_LAYERS);
}

static bool read_layer(Reader *r, int i, Error *err)
{
    Foreign *f = r->f;
    ForeignLayer *l = &f->layer[i];
    const int N = (int)recurrent(r, "weight_hh", 0)->d[0], C = i ? f->H : f->C;
    char name[4][256];
    static const char *const what[] = {"weight_ih", "weight_hh", "bias_ih", "bias_hh"};
    for (int k = 0; k < 4; k++)
        snprintf(name[k], sizeof name[k], "%s%s_l%d", r->prefix, what[k], i);
    l->w = take(r, name[0], N, C, err);
    l->u = l->w ? take(r, name[1], N, f->H, err) : NULL;
    if (!l->u) return false;
    if (!safetensors_find(r->st, name[2])) return l->bx = tape_zeros(&f->memory, SHAPE(N)), true;
    l->bx = take(r, name[2], N, 0, err);
    l->bh = l->bx ? take(r, name[3], N, 0, err) : NULL;
    return l->bh != NULL;
}

/* The other matrices (V,..): the one with a bias beside it is the head; else names decide. */
static bool read_ends(Reader *r, Error *err)
{
    Foreign *f = r->f;
    char embed[256] = "", head[256] = "", bias[256] = "";
    for (int i = 0; i < r->st->n; i++) {
        const StTensor *t = &r->st->tensor[i];
        const char *dot = strrchr(t->name, '.');
        if (t->axes != 2 || strstr(t->name, "weight_ih_l") || strstr(t->name, "weight_hh_l"))
            continue;
        char beside[256];
        snprintf(beside, sizeof beside, "%.*s.bias", dot ? (int)(dot - t->name) : 0, t->name);
        const bool has_bias = safetensors_find(r->st, beside) != NULL;
        const bool is_head = t->d[1] == f->H && (has_bias || !strstr(t->name, "emb"));
        const bool is_embed = t->d[1] == f->C && !has_bias && (!is_head || !embed[0]);
        if (is_head && (has_bias || !is_embed)) {
            snprintf(head, sizeof head, "%s", t->name);
            snprintf(bias, sizeof bias, "%s", has_bias ? beside : "");
        } else if (is_embed) {
            snprintf(embed, sizeof embed, "%s", t->name);
        }
    }
    const StTensor *rows = safetensors_find(r->st, head);
    f->V = rows && rows->d[0] <= 1 << 20 ? (int)rows->d[0] : 0;
    if (!embed[0] || !head[0] || f->V < 1)
        return error_set(err,
                         "%s: needs an embedding (V,%d) and a linear layer (V,%d) with its bias",
                         r->path, f->C, f->H);
    Tensor *e = take(r, embed, f->V, f->C, err);
    f->embed = e ? op_transpose(&f->memory, e) : NULL;
    f->head.w = f->embed ? take(r, head, f->V, f->H, err) : NULL;
    if (f->head.w && bias[0]) f->head.b = take(r, bias, f->V, 0, err);
    return f->head.w && (f->head.b || !bias[0]);
}

bool foreign_read_torch(Foreign *f, const char *path, Error *err)
{
    Safetensors st;
    if (!safetensors_open(&st, path, err)) return false;
    Reader r = {.f = f, .st = &st, .path = path};
    bool ok = find_prefix(&r, err) && read_sizes(&r, err);
    for (int i = 0; ok && i < f->layers; i++) ok = read_layer(&r, i, err);
    ok = ok && read_ends(&r, err);
    safetensors_close(&st);
    return ok;
}
