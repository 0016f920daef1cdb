#include "models/model_decoder.h"

#include <stdlib.h>
#include <string.h>

/* A decoder made of forward and the state. The state of a hypothesis is one row in every block; a
 * step copies the rows of the parents. */
typedef struct {
    const Model *m;
    int vocab;
    int n;                /* hypotheses of the last call */
    real *state, *before; /* (state_blocks,n,width): the state; memory for the next state */
    Tape tp;
} StateDecoder;

static int blocks_of(const Model *m)
{
    return m->state_blocks ? m->state_blocks : 1;
}

/* Feeds T steps of n sequences and writes the logits (n,V) of the last step. */
static void feed(StateDecoder *s, int *token, int T, int n, real *logits)
{
    tape_reset(&s->tp);
    int *none = tape_save(&s->tp, (size_t)T * n * sizeof *none);
    for (int i = 0; i < T * n; i++) none[i] = -1;
    const Batch batch = {.layout = s->m->layout, .T = T, .B = n, .x = token, .y = none};
    const Tensor *z = s->m->forward(&s->tp, s->m->self, &batch, s->state, NULL);
    for (int i = 0; i < n; i++)
        memcpy(logits + (size_t)i * s->vocab, z->data + batch_at(&batch, T - 1, i) * s->vocab,
               (size_t)s->vocab * sizeof *logits);
}

static void start(void *self, int n, const int *token, real *logits)
{
    StateDecoder *s = self;
    CHECK(n >= 1, "decoder: %d tokens to start with", n);
    s->n = 1;
    s->state = xrealloc(s->state, (size_t)s->m->state_size * sizeof *s->state);
    memset(s->state, 0, (size_t)s->m->state_size * sizeof *s->state);
    int *copy = xmalloc((size_t)n * sizeof *copy);
    memcpy(copy, token, (size_t)n * sizeof *copy);
    feed(s, copy, n, 1, logits);
    free(copy);
}

static void step(void *self, int n, const int *parent, const int *token, real *logits)
{
    StateDecoder *s = self;
    const int blocks = blocks_of(s->m), width = s->m->state_size / blocks;
    real *next = xrealloc(s->before, (size_t)s->m->state_size * n * sizeof *next);
    for (int k = 0; k < blocks; k++)
        for (int i = 0; i < n; i++) {
            CHECK(parent[i] >= 0 && parent[i] < s->n, "decoder: parent %d of %d", parent[i], s->n);
            memcpy(next + ((size_t)k * n + i) * width,
                   s->state + ((size_t)k * s->n + parent[i]) * width, (size_t)width * sizeof *next);
        }
    s->before = s->state;
    s->state = next;
    s->n = n;
    int *copy = xmalloc((size_t)n * sizeof *copy);
    memcpy(copy, token, (size_t)n * sizeof *copy);
    feed(s, copy, 1, n, logits);
    free(copy);
}

static void state_decoder_close(void *self)
{
    StateDecoder *s = self;
    tape_free(&s->tp);
    free(s->state), free(s->before), free(s);
}

bool model_decodes(const Model *m)
{
    return m->decoder || m->state_size > 0;
}

Decoder model_decoder(const Model *m, int vocab)
{
    CHECK(model_decodes(m), "model_decoder: %s carries no state and has no decoder", m->name);
    if (m->decoder) return m->decoder(m->self, vocab);
    StateDecoder *s = xcalloc(1, sizeof *s);
    s->m = m;
    s->vocab = vocab;
    s->tp.frozen = true;
    return (Decoder){.self = s,
                     .vocab = vocab,
                     .bos = -1,
                     .eos = -1,
                     .pad = -1,
                     .unk = -1,
                     .step = step,
                     .start = start,
                     .close = state_decoder_close};
}
