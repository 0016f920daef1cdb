/* Decoding: turns a model that predicts the next token into one that writes a whole output.
 *
 * Greedy decoding takes the most likely token at each step; the resulting sequence need not be the
 * most likely one. Beam search keeps the K most likely prefixes (hypotheses) instead of one (Graves
 * 2012; Sutskever et al. 2014). It works with any architecture that can copy the state of a
 * hypothesis and feed a token to the copy. */
#ifndef DECODE_H
#define DECODE_H

#include "base/base.h"
#include "base/real.h"

typedef struct {
    void *self;
    int vocab;    /* ids are 0 .. vocab-1 */
    int bos, eos; /* BOS is never produced */
    int pad;      /* PAD is never produced either; -1 if there is no PAD */
    int unk;      /* nor is UNK: no text has it as its right output; -1 if there is no UNK */
    /* Feeds token[i] to a copy of hypothesis parent[i] of the previous call, and writes the logits
     * of the next token (n,V). Hypothesis i of this call can be a parent, i, in the next call. In
     * the first call n = 1, parent 0 is the state after reading the source, and the token is BOS. A
     * parent may occur several times or not at all. n changes from call to call, up to the width of
     * the beam. */
    void (*step)(void *self, int n, const int *parent, const int *token, real *logits);
    /* Begins a sequence without a source: drops all hypotheses, feeds n >= 1 tokens to a new one,
     * and writes the logits (V) of the next token. NULL: the decoder needs a source. */
    void (*start)(void *self, int n, const int *token, real *logits);
    int longest;               /* the maximal number of tokens of a hypothesis; 0: no limit */
    void (*close)(void *self); /* frees self; NULL: the decoder does not own self */
} Decoder;

/* Decodes greedily: takes the most likely token at each step until EOS; ties go to the lower id.
 * Makes at most `limit` (>= 1) steps, the step that gives EOS included; out has room for limit ids.
 * Returns the length without EOS; `limit` means that the output was cut off before EOS.
 * *log_probability (may be NULL) is the sum over all tokens produced, EOS included, in nats. The
 * probability of BOS, PAD and UNK is not redistributed to the other tokens: so the sum is minus the
 * loss of teacher forcing on this output. */
int decode_greedy(const Decoder *d, int limit, int *out, double *log_probability);

typedef struct {
    int width; /* K >= 1 */
    /* alpha >= 0, length normalisation: score = log p / ((5 + |Y|) / 6)^alpha, where |Y| includes
     * EOS (Wu et al. 2016, eq 14). 0 is plain log p, which favours short outputs; 0.6 to 0.7 is
     * usual. */
    double alpha;
} Beam;

typedef struct {
    int *token; /* (len) without BOS and EOS; owned */
    int len;
    bool finished; /* true: ended by EOS; false: cut off at the limit */
    double log_probability, score;
} Hypothesis;

/* Decodes by beam search. Each step extends all hypotheses by every token and keeps the K with the
 * highest log p; ties go to the better parent, then to the lower id. A hypothesis that ends with
 * EOS is finished; the others are extended further. A beam of width 1 equals decode_greedy to the
 * last bit.
 *
 * The search stops when no unfinished hypothesis can win. A hypothesis with log p = s can at best
 * reach the limit with probability 1, which gives the score s / lp(limit); a finished hypothesis
 * with at least that score has won. At the limit (counted as in decode_greedy) unfinished
 * hypotheses compete too, with |Y| = limit. Of equal scores, the first one found wins. The caller
 * frees the result with hypothesis_free. */
Hypothesis decode_beam(const Decoder *d, Beam beam, int limit);
void hypothesis_free(Hypothesis *h);

#endif
