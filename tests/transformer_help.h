/* Helpers of the suites about Transformers: small networks and batches. */
#ifndef TRANSFORMER_HELP_H
#define TRANSFORMER_HELP_H

#include "transformer/transformer.h"
#include "suite.h"

enum { B = 3, S = 7, T = 6, V = 11 };

typedef struct {
    Params ps;
    Transformer m;
    Model model;
} Net;

static inline Net *net_new(TransformerConfig config, bool has_encoder)
{
    const Task task = {.source_vocab = has_encoder ? V : 0, .vocab = V, .outputs = V};
    Net *n = xmalloc(sizeof *n);
    n->ps = params_init(5);
    n->m = transformer_init(&n->ps, &config, &task);
    n->model = transformer_model(&n->m);
    return n;
}

static inline void net_free(Net *n)
{
    params_free(&n->ps);
    free(n);
}

static inline TransformerConfig small(NormPlace norm, Positions positions)
{
    TransformerConfig c = transformer_defaults();
    c.layers = 2, c.channels = 16, c.heads = 4, c.ffn = 24, c.longest = 32;
    c.norm = norm, c.positions = positions;
    return c;
}

typedef struct {
    int s[S * B], s_len[B], x[T * B], y[T * B];
    Batch batch;
} Data;

static inline void draw(Data *d, bool has_source)
{
    Rng rng = rng_make(3, RNG_TEST, 0);
    for (int i = 0; i < S * B; i++) d->s[i] = rng_below(&rng, V);
    for (int i = 0; i < T * B; i++) d->x[i] = rng_below(&rng, V), d->y[i] = rng_below(&rng, V);
    for (int b = 0; b < B; b++) d->s_len[b] = S - 2 * b;
    d->batch = (Batch){.T = T, .B = B, .x = d->x, .y = d->y};
    if (has_source) d->batch.S = S, d->batch.s = d->s, d->batch.s_len = d->s_len;
}

/* Returns a copy of the logits as (T,B,V). */
static inline void logits(const Net *n, const Batch *batch, real *z)
{
    Tape tp = {.frozen = true};
    Batch b = batch_major(batch);
    const Tensor *out = n->model.forward(&tp, n->model.self, &b, NULL, NULL);
    time_major_logits(out->data, b.T, b.B, V, z);
    batch_free(&b);
    tape_free(&tp);
}

static const NormPlace norms[] = {POST_NORM, PRE_NORM, NO_NORM};
static const Positions positions[] = {SINUSOID, LEARNED, ROTARY, ALIBI, NO_POSITIONS};

#endif
