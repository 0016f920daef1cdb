/* Decoding: from a model that says what comes next to a whole output, greedily or by beam search.
 *
 * Greedy decoding takes the likeliest token at each step; the sequence it ends up with need not be
 * the likeliest. Beam search keeps the K likeliest beginnings instead of one (Graves 2012; Sutskever
 * et al. 2014). Any architecture can be decoded that can feed a token to a copy of a hypothesis's
 * state. */
#ifndef DECODE_H
#define DECODE_H

#include "base/base.h"
#include "base/real.h"

typedef struct {
    void *self;
    int vocab;    /* ids are 0 .. vocab-1 */
    int bos, eos; /* BOS is never produced */
    int pad;      /* nor is PAD; -1: there is none */
    /* Feeds token[i] to a copy of hypothesis parent[i] of the previous call and writes the logits
     * of what comes next, (n,V); what was hypothesis i of this call is parent i of the next. First
     * call: n = 1, parent 0 is the source just read, the token BOS. A parent may stand several
     * times or not at all; n varies from call to call, up to the width of the beam. */
    void (*step)(void *self, int n, const int *parent, const int *token, real *logits);
    /* Begins a sequence without a source: forgets all hypotheses, feeds n >= 1 tokens to a single one, and
     * writes the logits (V) of what comes next. NULL: the decoder goes on from a source. */
    void (*start)(void *self, int n, const int *token, real *logits);
    int longest;               /* tokens that a hypothesis can be fed, at most; 0: any number */
    void (*close)(void *self); /* frees self; NULL: it belongs to somebody else */
} Decoder;

/* The likeliest token at each step, ties to the lower id, until EOS. At most `limit` (>= 1) steps
 * are made, the one that gives EOS included; out has room for them. Returns the length without EOS:
 * `limit` says that the output was cut off before its EOS. *log_probability (may be NULL): in nats,
 * of all tokens produced, EOS included. What the model gives to BOS and PAD is lost, not shared out:
 * the sum is minus the loss of a model that is fed this very output. */
int decode_greedy(const Decoder *d, int limit, int *out, double *log_probability);

typedef struct {
    int width;    /* K >= 1 */
    double alpha; /* >= 0, length normalisation: score = log p / ((5 + |Y|) / 6)^alpha, where |Y|
                     counts EOS (Wu et al. 2016, eq 14); 0: plain log p, which favours short outputs;
                     0.6 to 0.7 are usual */
} Beam;

typedef struct {
    int *token; /* without BOS and EOS; owned */
    int len;
    bool finished; /* ended by EOS; false: cut off at the limit */
    double log_probability, score;
} Hypothesis;

/* Beam search. At each step the K best continuations of all hypotheses are kept (by log p; ties to
 * the better parent, then to the lower id). Those that end with EOS are finished and collected, the
 * others are fed on; so a beam of 1 is decode_greedy, to the last bit.
 *
 * The search stops when no unfinished hypothesis can win any more: one of log p = s can at best go
 * on with certainty to the limit, which gives s / lp(limit); a finished one that scores as much has
 * won. At the limit (counted as in decode_greedy) the unfinished compete too, with the |Y| = limit
 * tokens that they have. Of equal scores the one found first wins. hypothesis_free the result. */
Hypothesis decode_beam(const Decoder *d, Beam beam, int limit);
void hypothesis_free(Hypothesis *h);

#endif
