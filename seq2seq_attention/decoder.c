/* The encoder runs once for each source. The decoder's state has one row for each hypothesis, so that a
 * hypothesis continues from the row of its parent (common/decoding/step_tapes.h). */
#include "seq2seq_attention/decoder.h"

#include "tokens/tokenizer.h"

#include <string.h>

Seq2seqDecoder seq2seq_decoder_init(const Seq2seq *m)
{
    const Tape frozen = {.frozen = true};
    Seq2seqDecoder s = {.m = m, .vocab = m->head.b->len, .always = frozen, .source = frozen};
    s.words = seq2seq_words(&s.always, m);
    return s;
}

void seq2seq_decoder_free(Seq2seqDecoder *s)
{
    tape_free(&s->always);
    tape_free(&s->source);
    step_tapes_free(&s->steps);
    *s = (Seq2seqDecoder){0};
}

static void read_source(void *self, const int *source, int S)
{
    Seq2seqDecoder *s = self;
    tape_reset(&s->source);
    s->len = S;
    s->memory = seq2seq_encode(&s->source, s->m, source, &s->len, S, 1, NULL);
    s->memory.words = s->words;
    s->state = seq2seq_start(&s->source, s->m, &s->memory);
}

/* --- a step ----------------------------------------------------------------------------------------- */

static Memory memory_for(Tape *tp, const Seq2seqDecoder *s, int n)
{
    Memory memory = s->memory;
    memory.B = n;
    if (s->m->attention.kind == NO_ATTENTION) return memory;
    int *len = tape_save(tp, (size_t)n * sizeof *len);
    for (int i = 0; i < n; i++) len[i] = s->len;
    memory.len = len;
    memory.state = step_tapes_repeat(tp, memory.state, 1, n); /* (S,n,H) */
    memory.key = step_tapes_repeat(tp, memory.key, 1, n);
    return memory;
}

static DecoderState state_for(Tape *tp, const Seq2seqDecoder *s, int n, const int *parent)
{
    DecoderState d = {0};
    if (s->m->config.feed) d.fed = step_tapes_rows(tp, s->state.fed, n, parent); /* (n,H) */
    for (int i = 0; i < s->m->config.layers; i++) {
        d.cell[i].h = step_tapes_rows(tp, s->state.cell[i].h, n, parent);
        d.cell[i].c = step_tapes_rows(tp, s->state.cell[i].c, n, parent);
    }
    return d;
}

/* The logits (1,n,V) live until the step after the next one. */
static const Tensor *advance(Seq2seqDecoder *s, int n, const int *parent, const int *token)
{
    Tape *tp = step_tapes_next(&s->steps);
    const Memory memory = memory_for(tp, s, n);
    s->state = state_for(tp, s, n, parent);
    return seq2seq_step(tp, s->m, &memory, token, &s->state);
}

static void step(void *self, int n, const int *parent, const int *token, real *logits)
{
    const Tensor *z = advance(self, n, parent, token);
    memcpy(logits, z->data, (size_t)z->len * sizeof *logits);
}

/* Writes weights in the order of the source as given: those of a reversed source are reversed back. */
static void align(void *self, const int *source, int S, const int *output, int T, real *weight)
{
    Seq2seqDecoder *s = self;
    int before = BOS;
    read_source(self, source, S);
    for (int t = 0; t < T; t++) {
        advance(s, 1, &(int){0}, &before);
        for (int i = 0; i < S; i++)
            weight[(size_t)t * S + i] = s->state.weights[s->m->config.reverse ? S - 1 - i : i];
        before = output[t];
    }
}

Translator seq2seq_decoder_translator(Seq2seqDecoder *s)
{
    return (Translator){.self = s,
                        .decoder = {.self = s,
                                    .vocab = s->vocab,
                                    .bos = BOS,
                                    .eos = EOS,
                                    .pad = PAD,
                                    .unk = UNK,
                                    .step = step},
                        .read = read_source,
                        .align = s->m->attention.kind == NO_ATTENTION ? NULL : align};
}
