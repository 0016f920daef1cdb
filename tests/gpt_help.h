/* Helpers of the suites about GPTs: small networks and batches. */
#ifndef GPT_HELP_H
#define GPT_HELP_H

#include "gpt/gpt.h"
#include "suite.h"

enum { B = 3, T = 6, V = 11, CONTEXT = 8 };

typedef struct {
    Params ps;
    Gpt m;
    Model model;
} Net;

static inline Net *net_new(GptConfig config)
{
    Net *n = xmalloc(sizeof *n);
    n->ps = params_init(5);
    n->m = gpt_init(&n->ps, &config, V);
    n->model = gpt_model(&n->m);
    return n;
}

static inline void net_free(Net *n)
{
    params_free(&n->ps);
    free(n);
}

static const GptConfig small = {.layers = 2,
                                .channels = 16,
                                .heads = 4,
                                .context = CONTEXT,
                                .tied = true,
                                .scaled = true,
                                .init_std = 0.3};

/* Returns variant k of 4 of the small network: both norms, tied or not, both GELUs. */
static inline GptConfig variant(int k)
{
    GptConfig c = small;
    c.norm = k % 2 ? GPT_POST_NORM : GPT_PRE_NORM;
    c.tied = k < 2;
    c.gelu = k == 1 || k == 2 ? GPT_ERF : GPT_TANH;
    return c;
}

typedef struct {
    int x[B * T], y[B * T];
    Batch batch;
} Data;

static inline void draw(Data *d)
{
    Rng rng = rng_make(3, RNG_TEST, 0);
    for (int i = 0; i < B * T; i++) d->x[i] = rng_below(&rng, V), d->y[i] = rng_below(&rng, V);
    d->batch = (Batch){.layout = BATCH_MAJOR, .T = T, .B = B, .x = d->x, .y = d->y};
}

/* Writes the logits (B,T,V). */
static inline void logits(const Net *n, const Batch *batch, real *z)
{
    Tape tp = {.frozen = true};
    const Tensor *out = n->model.forward(&tp, n->model.self, batch, NULL, NULL);
    memcpy(z, out->data, (size_t)out->len * sizeof *z);
    tape_free(&tp);
}

/* Computes the logits (V) after n tokens, read in one pass without a cache. */
static inline void read_whole(const Net *net, const int *ids, int n, real *z)
{
    int x[CONTEXT], y[CONTEXT];
    real all[CONTEXT * V];
    for (int i = 0; i < n; i++) x[i] = ids[i], y[i] = -1;
    const Batch batch = {.layout = BATCH_MAJOR, .T = n, .B = 1, .x = x, .y = y};
    logits(net, &batch, all);
    memcpy(z, all + (n - 1) * V, V * sizeof *z);
}

#endif
