/* Counting language models: p(w | the previous n-1 tokens) from counts. They are the baseline that every
 * later model must beat (Shannon 1951). */
#ifndef NGRAM_H
#define NGRAM_H

#include "base/base.h"
#include "base/rng.h"

enum { NGRAM_MAX = 8, NGRAM_UNPADDED = -1 };

typedef struct {
    int n, V;         /* tokens of an n-gram; possible outcomes */
    double smoothing; /* added to every count (Lidstone) */
    struct NgramTable *table;
} Ngram;

/* Counts every n-gram of ids[0..len-1]. Contexts reaching before the start are filled with `pad`
 * tokens; with NGRAM_UNPADDED the first n-1 tokens are context only, in counting and in the loss.
 *
 * V is the number of outcomes that smoothing spreads over. Tokens are 0 .. V-1, or, where id 0 is
 * the unknown of a character vocabulary and so no outcome, 1 .. V: then V is vocab.size - 1. An
 * unknown token in held-out text costs what any other token never seen costs. */
Ngram ngram_train(int n, int V, double smoothing, const int *ids, int len, int pad);
void ngram_free(Ngram *m);

/* log p(ids[t] | ids[t-n+1 .. t-1]) in nats: log((c + s) / (total + s V)). After a context never
 * seen that is -log V; so it is for s = 0. */
double ngram_logp(const Ngram *m, const int *ids, int t, int pad);

/* Returns the mean of -log p in nats per token; NAN if there is no token to score. */
double ngram_loss(const Ngram *m, const int *ids, int len, int pad);

/* p[k] for token first + k at position t, k = 0 .. V-1; first is 0 or 1 (see above). ids[t] is not
 * read. */
void ngram_next(const Ngram *m, const int *ids, int t, int pad, int first, double *p);

int64_t ngram_contexts(const Ngram *m); /* distinct contexts seen */

#endif
