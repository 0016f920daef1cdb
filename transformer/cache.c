/* The encoder runs once for each source. The key/value cache of the decoder has one row for each
 * hypothesis, so that a hypothesis continues from the row of its parent (common/decoding/step_tapes.h). */
#include "transformer/cache.h"

#include <stdlib.h>
#include <string.h>

#include "tokens/tokenizer.h"

TransformerCache transformer_cache_init(const Transformer *m)
{
    return (TransformerCache){.m = m, .source_tape = {.frozen = true}};
}

void transformer_cache_free(TransformerCache *s)
{
    tape_free(&s->source_tape);
    step_tapes_free(&s->steps);
    *s = (TransformerCache){0};
}

static void read_source(void *self, const int *source, int S)
{
    TransformerCache *s = self;
    tape_reset(&s->source_tape);
    s->len = S;
    s->memory = transformer_read(&s->source_tape, s->m, source, &s->len, S, 1);
    s->past = (KeyValues){0};
    s->t = 0;
}

/* --- a step ----------------------------------------------------------------------------------------- */

static KeyValues memory_for(Tape *tp, const TransformerCache *s, int n)
{
    KeyValues memory = {0};
    for (int i = 0; i < s->m->config.layers; i++) {
        memory.k[i] = step_tapes_repeat(tp, s->memory.k[i], 0, n); /* (n,S,C) */
        memory.v[i] = step_tapes_repeat(tp, s->memory.v[i], 0, n);
    }
    return memory;
}

static KeyValues past_for(Tape *tp, const TransformerCache *s, int n, const int *parent)
{
    KeyValues past = {0};
    for (int i = 0; i < s->m->config.layers; i++) {
        past.k[i] = step_tapes_rows(tp, s->past.k[i], n, parent); /* (n,t,C) */
        past.v[i] = step_tapes_rows(tp, s->past.v[i], n, parent);
    }
    return past;
}

static void step(void *self, int n, const int *parent, const int *token, real *logits)
{
    TransformerCache *s = self;
    Tape *tp = step_tapes_next(&s->steps);
    const bool has_source = s->m->has_encoder;
    int *len = tape_save(tp, (size_t)n * sizeof *len);
    for (int i = 0; i < n; i++) len[i] = s->len;
    const KeyValues memory = has_source ? memory_for(tp, s, n) : (KeyValues){0};
    s->past = past_for(tp, s, n, parent);
    const Tensor *z =
        transformer_step(tp, s->m, has_source ? &memory : NULL, len, token, n, s->t++, &s->past);
    memcpy(logits, z->data, (size_t)z->len * sizeof *logits);
}

/* --- without a source --------------------------------------------------------------------------------- */

static void start(void *self, int n, const int *token, real *logits)
{
    TransformerCache *s = self;
    CHECK(n >= 1, "transformer: %d tokens to start with", n);
    s->past = (KeyValues){0};
    s->t = 0;
    for (int i = 0; i < n; i++) step(s, 1, &(int){0}, &token[i], logits);
}

static void close_own(void *self)
{
    transformer_cache_free(self);
    free(self);
}

static int longest_of(const Transformer *m)
{
    return m->target_position ? m->config.longest : 0;
}

Decoder transformer_decoder(const void *self, int vocab)
{
    const Transformer *m = self;
    CHECK(!m->has_encoder, "transformer_decoder: the network reads a source first");
    TransformerCache *s = xmalloc(sizeof *s);
    *s = transformer_cache_init(m);
    return (Decoder){.self = s,
                     .vocab = vocab,
                     .bos = -1,
                     .eos = -1,
                     .pad = -1,
                     .unk = -1,
                     .step = step,
                     .start = start,
                     .longest = longest_of(m),
                     .close = close_own};
}

/* --- attention weights ---------------------------------------------------------------------------------- */

/* Computes the mean of the last layer's cross-attention weights over the heads. It uses a tape of its
 * own, because a search continues from the tensors on the steps' tapes. */
static void align(void *self, const int *source, int S, const int *output, int T, real *weight)
{
    const TransformerCache *s = self;
    Tape tp = {.frozen = true};
    int *x = tape_save(&tp, (size_t)T * sizeof *x);
    int *from = tape_save(&tp, (size_t)S * sizeof *from);
    for (int t = 0; t < T; t++) x[t] = t ? output[t - 1] : BOS;
    memcpy(from, source, (size_t)S * sizeof *from);
    const Batch pair = {.T = T, .B = 1, .x = x, .S = S, .s = from, .s_len = &S};
    const int H = s->m->config.heads, last = s->m->config.layers - 1;
    const real *p = transformer_attention_weights(&tp, s->m, &pair).cross[last]; /* (H,T,S) */
    memset(weight, 0, (size_t)T * S * sizeof *weight);
    for (int h = 0; h < H; h++)
        for (int i = 0; i < T * S; i++) weight[i] += p[(size_t)h * T * S + i] / (real)H;
    tape_free(&tp);
}

Translator transformer_cache_translator(TransformerCache *s)
{
    const int vocab = s->m->target_embed->shape.d[0];
    return (Translator){.self = s,
                        .longest = longest_of(s->m),
                        .decoder = {.self = s,
                                    .vocab = vocab,
                                    .bos = BOS,
                                    .eos = EOS,
                                    .pad = PAD,
                                    .unk = UNK,
                                    .step = step},
                        .read = read_source,
                        .align = align};
}
