/* Counting language models: p(w | the previous n-1 tokens) from counts. They are the baseline that every
 * later model must beat (Shannon 1951). */
#ifndef NGRAM_H
#define NGRAM_H

#include "base/base.h"
#include "base/rng.h"

enum { NGRAM_MAX = 8, NGRAM_UNPADDED = -1 };

typedef struct {
    int n;            /* tokens of an n-gram */
    int first, V;     /* the outcomes: ids first .. first+V-1 */
    double smoothing; /* added to every count (Lidstone) */
    struct NgramTable *table;
} Ngram;

/* Counts every n-gram of ids[0..len-1]. Contexts reaching before the start are filled with `pad`
 * tokens; with NGRAM_UNPADDED the first n-1 tokens are context only, in counting and in the loss, so
 * that models of different n score different tokens.
 *
 * Smoothing spreads over the V ids first .. first+V-1, the outcomes. Every token counted or scored
 * is one of them, else the probabilities would not sum to 1. In a character vocabulary the unknown
 * token, id 0, is an outcome only if a text has one (text_outcomes). */
Ngram ngram_train(int n, int first, int V, double smoothing, const int *ids, int len, int pad);
void ngram_free(Ngram *m);

/* log p(ids[t] | ids[t-n+1 .. t-1]) in nats: log((c + s) / (total + s V)). After a context never
 * seen that is -log V; so it is for s = 0. */
double ngram_logp(const Ngram *m, const int *ids, int t, int pad);

/* Returns the mean of -log p in nats per token; NAN if there is no token to score. */
double ngram_loss(const Ngram *m, const int *ids, int len, int pad);

/* p[k] for token first + k at position t, k = 0 .. V-1. ids[t] is not read. */
void ngram_next(const Ngram *m, const int *ids, int t, int pad, double *p);

int64_t ngram_contexts(const Ngram *m); /* distinct contexts seen */

#endif
