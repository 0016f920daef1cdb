/* A network with its decoder, and the same network with a whole output as input, for the tests. */
#ifndef SEQ2SEQ_DECODING_H
#define SEQ2SEQ_DECODING_H

#include "seq2seq_help.h"

#include "seq2seq_attention/decoder.h"

enum { V_SOURCE = 9, V = 8, SOURCES = 4, LIMIT = 9 };

/* A network and its decoder; must not be moved. */
typedef struct {
    Network *n;
    Seq2seqDecoder decoder;
    Translator translator;
} Decoding;

static inline Decoding *decoding_new(const Seq2seqConfig *c, int source_vocab, int vocab)
{
    Decoding *d = xmalloc(sizeof *d);
    d->n = network_new(c, source_vocab, vocab);
    d->decoder = seq2seq_decoder_init(&d->n->net);
    d->translator = seq2seq_decoder_translator(&d->decoder);
    return d;
}

static inline void decoding_free(Decoding *d)
{
    seq2seq_decoder_free(&d->decoder);
    network_free(d->n);
    free(d);
}

static inline void read_source(const Decoding *d, const int *source, int S)
{
    d->translator.read(d->translator.self, source, S);
}

/* --- the whole output at once --------------------------------------------------------------------- */

static inline Batch batch_of_one(const int *source, int S, const int *output, int T)
{
    Batch b = batch_of(S, T + 1, 1);
    pair_put(source, S, output, T, &b, 0);
    return b;
}

/* Writes the logits (T+1,V) of the token after each prefix of an output, from the empty one to the whole. */
static inline real *forced(const Decoding *d, const int *source, int S, const int *output, int T)
{
    Batch b = batch_of_one(source, S, output, T);
    real *logits = logits_of(d->n, &b);
    batch_free(&b);
    return logits;
}

/* Returns log p of an output, as the training loss computes it; without EOS if it is not finished. */
static inline double forced_log_p(const Decoding *d, const int *source, int S, const int *output,
                                  int T, bool finished)
{
    Batch b = batch_of_one(source, S, output, T);
    Tape tp = {.frozen = true};
    if (!finished) b.y[T] = -1;
    const double loss = (double)model_loss(&tp, &d->n->model, &b, NULL, NULL).mean->data[0];
    tape_free(&tp), batch_free(&b);
    return -loss * (T + finished);
}

static inline void ck_logits(const char *what, const real *got, const real *want)
{
    for (int k = 0; k < V; k++)
        ck_assert_msg(fabs((double)(got[k] - want[k])) < 1e-5, "%s: logit %d is %g, not %g", what,
                      k, (double)got[k], (double)want[k]);
}

#endif
