/* Reads PyTorch's recurrent layers from a safetensors file (docs of torch.nn.LSTM, "Variables").
 * The rows of weight_ih_l0 (gH,C) and weight_hh_l0 (gH,H) are the gates: i f g o for an LSTM, r z n
 * for a GRU. There are two biases, bias_ih_l0 and bias_hh_l0 (gH). An nn.RNN is assumed to use
 * tanh, its default. */
#include "formats/weights.h"

#include <stdio.h>
#include <string.h>

#include "formats/safetensors.h"
#include "formats/weights_map.h"

typedef struct {
    Weights *f;
    const Safetensors *st;
    const char *path;
    char prefix[200];         /* prefix of the recurrent tensors, "lstm." */
    const char *embed, *head; /* names of the other two matrices */
    char bias[256];           /* name of the head's bias, "" if it has none */
} Reader;

static bool find_prefix(Reader *r, Error *err)
{
    static const char first[] = "weight_ih_l0";
    for (int i = 0; i < r->st->n; i++) {
        const char *name = r->st->tensor[i].name;
        if (strstr(name, "_reverse") || strstr(name, "weight_hr_l"))
            return error_set(err, "%s: %s: bidirectional layers and projections are not supported",
                             r->path, name);
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
    return error_set(err, "%s: no tensor's name ends in %s, as in nn.RNN, nn.LSTM, nn.GRU", r->path,
                     first);
}

static const StTensor *recurrent(const Reader *r, const char *what, int layer)
{
    char name[256];
    snprintf(name, sizeof name, "%s%s_l%d", r->prefix, what, layer);
    return safetensors_find(r->st, name);
}

/* Finds the sizes and the cell from the shapes of layer 0. */
static bool read_sizes(Reader *r, Error *err)
{
    Weights *f = r->f;
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
        return error_set(
            err, "%s: weight_hh_l0 has %lld blocks of %d rows; an nn.RNN has 1, a GRU 3, an LSTM 4",
            r->path, (long long)(u->d[0] / u->d[1]), f->H);
    }
    while (recurrent(r, "weight_ih", f->layers)) f->layers++;
    return f->layers <= WEIGHTS_MAX_LAYERS ||
           error_set(err, "%s: %d layers; at most %d", r->path, f->layers, WEIGHTS_MAX_LAYERS);
}

/* --- the embedding and the head ----------------------------------------------------------------- */

/* Returns what a name says of its matrix: 1 the embedding, -1 the head, 0 nothing. The first word of the
 * list that the name contains decides: "decoder.embed" is an embedding, "unembed" and "encoder.out" are
 * none. */
static int name_says(const char *name)
{
    static const struct {
        const char *word;
        int says;
    } list[] = {{"unemb", -1}, {"head", -1},    {"output", -1}, {"softmax", -1},
                {"emb", 1},    {"decoder", -1}, {".out", -1},   {"encoder", 1}};
    for (int i = 0; i < LEN(list); i++)
        if (strstr(name, list[i].word)) return list[i].says;
    return 0;
}

/* Writes to bias the name of the bias that belongs to a weight: "NAME.bias" for "NAME.weight".
 * Returns true if the file has it. */
static bool bias_beside(const Reader *r, const char *weight, char bias[256])
{
    const char *dot = strrchr(weight, '.');
    snprintf(bias, 256, "%.*s.bias", dot ? (int)(dot - weight) : 0, weight);
    return safetensors_find(r->st, bias) != NULL;
}

/* Returns which of two matrices is the embedding: 1 the first, -1 the second, 0 unknown. The sizes decide
 * if C and H differ. Otherwise the embedding is the one without a bias, and the one whose name says so; 0
 * if these contradict each other, because the two would be exchanged without a word. */
static int which_embeds(const Reader *r, const StTensor *a, const StTensor *b)
{
    char bias[256];
    const int C = r->f->C, H = r->f->H;
    const int by_size = (a->d[1] == C && b->d[1] == H) - (b->d[1] == C && a->d[1] == H);
    const int by_bias = bias_beside(r, b->name, bias) - bias_beside(r, a->name, bias);
    const int names = name_says(a->name) - name_says(b->name);
    const int by_name = (names > 0) - (names < 0);
    if (by_size) return by_size;
    if (by_bias && by_name && by_bias != by_name) return 0;
    return by_bias ? by_bias : by_name;
}

/* Finds the embedding (V,C) and the head (V,H) among the matrices that are not recurrent. Fails if
 * it would have to guess. */
static bool find_ends(Reader *r, Error *err)
{
    const StTensor *end[2] = {NULL, NULL};
    int n = 0;
    for (int i = 0; i < r->st->n; i++) {
        const StTensor *t = &r->st->tensor[i];
        if (t->axes != 2 || strstr(t->name, "weight_ih_l") || strstr(t->name, "weight_hh_l"))
            continue;
        if (n < 2) end[n] = t;
        n++;
    }
    if (n != 2)
        return error_set(err,
                         "%s: needs an embedding (V,%d) and a linear layer (V,%d); it has %d "
                         "matrices that are not recurrent",
                         r->path, r->f->C, r->f->H, n);
    const int which = which_embeds(r, end[0], end[1]);
    if (!which)
        return error_set(
            err,
            "%s: %s and %s: bias, names and sizes do not say which is the embedding, or "
            "they contradict each other; rename it to embedding.weight, and the other "
            "to head.weight, in a copy",
            r->path, end[0]->name, end[1]->name);
    r->embed = end[which < 0]->name, r->head = end[which > 0]->name;
    if (!bias_beside(r, r->head, r->bias)) r->bias[0] = '\0';
    const int64_t V = end[0]->d[0];
    r->f->V = V <= 1 << 20 ? (int)V : 0;
    return r->f->V > 0 || error_set(err, "%s: %s has %lld rows; must be 1 to %d", r->path,
                                    end[0]->name, (long long)V, 1 << 20);
}

/* --- the rules ---------------------------------------------------------------------------------- */

/* Makes the parameters that the rules fill: matrices in our orientation, gates in PyTorch's
 * order. */
static void make_parameters(Reader *r)
{
    Weights *f = r->f;
    Params *ps = &f->theirs;
    const int N = (int)recurrent(r, "weight_hh", 0)->d[0];
    *ps = params_declare(0);
    f->embed = param(ps, SHAPE(f->V, f->C), 0, "embed");
    f->head.w = param(ps, SHAPE(f->H, f->V), 0, "head.w");
    f->head.b = r->bias[0] ? param(ps, SHAPE(f->V), 0, "head.b") : NULL;
    for (int i = 0; i < f->layers; i++) {
        WeightsLayer *l = &f->layer[i];
        l->w = param(ps, SHAPE(i ? f->H : f->C, N), 0, "l%d.w", i);
        l->u = param(ps, SHAPE(f->H, N), 0, "l%d.u", i);
        l->bx = param(ps, SHAPE(N), 0, "l%d.bx", i);
        l->bh = recurrent(r, "bias_ih", i) ? param(ps, SHAPE(N), 0, "l%d.bh", i) : NULL;
    }
    params_allocate(ps, PARAMS_LOAD);
}

static bool fill(Reader *r, Error *err)
{
    static const char *const what[] = {"weight_ih", "weight_hh", "bias_ih", "bias_hh"};
    char name[4][256];
    for (int k = 0; k < 4; k++) snprintf(name[k], sizeof name[k], "%s%s_l*", r->prefix, what[k]);
    const WeightRule rule[] = {
        {.theirs = r->embed, .ours = "embed"},
        {.theirs = r->head, .ours = "head.w", .flags = WEIGHT_TRANSPOSED},
        {.theirs = name[0], .ours = "l*.w", .flags = WEIGHT_TRANSPOSED},
        {.theirs = name[1], .ours = "l*.u", .flags = WEIGHT_TRANSPOSED},
        {.theirs = name[2], .ours = "l*.bx", .flags = WEIGHT_OPTIONAL},
        {.theirs = name[3], .ours = "l*.bh"},
        {.theirs = r->bias, .ours = "head.b"},
    };
    const WeightMap map = {.rule = rule, .n = LEN(rule) - !r->bias[0]};
    WeightReport report;
    return weights_map_load(r->path, &map, &r->f->theirs, &report, err);
}

bool weights_read_torch(Weights *f, const char *path, Error *err)
{
    Safetensors st;
    if (!safetensors_open(&st, path, err)) return false;
    Reader r = {.f = f, .st = &st, .path = path};
    bool ok = find_prefix(&r, err) && read_sizes(&r, err) && find_ends(&r, err);
    if (ok) make_parameters(&r);
    ok = ok && fill(&r, err);
    safetensors_close(&st);
    return ok;
}
