/* The encoder runs once a source. The decoder's keys and values of the steps so far are kept outside of
 * the tapes (the key/value cache), a row a hypothesis, so that a hypothesis goes on from whichever row is
 * its parent's: each step costs one step, not all of them again. */
#include "cache.h"

#include <stdlib.h>
#include <string.h>

#include "lexicon.h"

Cache cache_init(const Transformer *m)
{
    const Tape frozen = {.frozen = true};
    return (Cache){.m = m, .source_tape = frozen, .step_tape = frozen};
}

void cache_free(Cache *s)
{
    tape_free(&s->source_tape);
    tape_free(&s->step_tape);
    free(s->past);
    *s = (Cache){0};
}

static void read_source(void *self, const int *source, int S)
{
    Cache *s = self;
    tape_reset(&s->source_tape);
    s->len = S;
    s->memory = transformer_read(&s->source_tape, s->m, source, &s->len, S, 1);
    s->n = 1;
    s->t = 0;
}

/* x (1,S,C) n times: (n,S,C). */
static Tensor *repeated(Tape *tp, Tensor *x, int n)
{
    if (n == 1) return x;
    Tensor *y = tape_tensor(tp, SHAPE(n, x->shape.d[1], x->shape.d[2]));
    for (int i = 0; i < n; i++)
        memcpy(y->data + (size_t)i * x->len, x->data, (size_t)x->len * sizeof *y->data);
    return y;
}

static KeyValues memory_for(Cache *s, int n)
{
    KeyValues memory = {0};
    for (int i = 0; i < s->m->config.layers; i++) {
        memory.k[i] = repeated(&s->step_tape, s->memory.k[i], n);
        memory.v[i] = repeated(&s->step_tape, s->memory.v[i], n);
    }
    return memory;
}

/* --- what is carried ------------------------------------------------------------------------------ */

/* Tensor j of the 2L: layer j / 2's keys, or its values. */
static Tensor **part(KeyValues *kv, int j)
{
    return j % 2 ? &kv->v[j / 2] : &kv->k[j / 2];
}

static KeyValues restore(Cache *s, int n, const int *parent)
{
    KeyValues past = {0};
    const size_t row = (size_t)s->t * s->m->config.channels;
    for (int j = 0; j < 2 * s->m->config.layers && s->t > 0; j++) {
        Tensor *x = *part(&past, j) =
            tape_tensor(&s->step_tape, SHAPE(n, s->t, s->m->config.channels));
        for (int i = 0; i < n; i++)
            memcpy(x->data + i * row, s->past + ((size_t)j * s->n + parent[i]) * row,
                   row * sizeof *s->past);
    }
    return past;
}

static void keep(Cache *s, KeyValues *past, int n)
{
    const int parts = 2 * s->m->config.layers;
    s->n = n;
    s->t++;
    const size_t len = (size_t)n * s->t * s->m->config.channels;
    s->past = xrealloc(s->past, parts * len * sizeof *s->past);
    for (int j = 0; j < parts; j++)
        memcpy(s->past + j * len, (*part(past, j))->data, len * sizeof *s->past);
}

static void step(void *self, int n, const int *parent, const int *token, real *logits)
{
    Cache *s = self;
    tape_reset(&s->step_tape);
    int *len = tape_save(&s->step_tape, (size_t)n * sizeof *len);
    for (int i = 0; i < n; i++) len[i] = s->len;
    const KeyValues memory = memory_for(s, n);
    KeyValues past = restore(s, n, parent);
    const Tensor *z = transformer_step(&s->step_tape, s->m, &memory, len, token, n, s->t, &past);
    memcpy(logits, z->data, (size_t)z->len * sizeof *logits);
    keep(s, &past, n);
}

/* --- where it looked ---------------------------------------------------------------------------------- */

/* The mean over all heads of the last layer's cross-attention. */
static void align(void *self, const int *source, int S, const int *output, int T, real *weight)
{
    Cache *s = self;
    tape_reset(&s->step_tape);
    int *x = tape_save(&s->step_tape, (size_t)T * sizeof *x);
    int *from = tape_save(&s->step_tape, (size_t)S * sizeof *from);
    for (int t = 0; t < T; t++) x[t] = t ? output[t - 1] : BOS;
    memcpy(from, source, (size_t)S * sizeof *from);
    const Batch pair = {.T = T, .B = 1, .x = x, .S = S, .s = from, .s_len = &S};
    const int H = s->m->config.heads, last = s->m->config.layers - 1;
    const real *p = transformer_looks(&s->step_tape, s->m, &pair).cross[last]; /* (H,T,S) */
    memset(weight, 0, (size_t)T * S * sizeof *weight);
    for (int h = 0; h < H; h++)
        for (int i = 0; i < T * S; i++) weight[i] += p[(size_t)h * T * S + i] / (real)H;
}

Translator cache_translator(Cache *s)
{
    const int vocab = s->m->target_embed->shape.d[0];
    return (Translator){
        .self = s,
        .longest = s->m->target_place ? s->m->config.longest : 0,
        .decoder = {.self = s, .vocab = vocab, .bos = BOS, .eos = EOS, .pad = PAD, .step = step},
        .read = read_source,
        .align = align};
}
