/* Chooses the next token from logits. */
#ifndef SAMPLE_H
#define SAMPLE_H

#include "base/real.h"
#include "base/rng.h"

typedef struct {
    double temperature; /* 0: always the most likely token */
    int top_k;          /* draw from the k most likely tokens only; 0: from all */
    double top_p;       /* draw from the smallest set of tokens with total probability >= p only
                           (nucleus sampling, Holtzman et al. 2020); 1: from all */
    double min_p; /* draw from the tokens with at least this part of the largest probability only
                           (Nguyen et al. 2024); 0: from all */
    double repetition; /* penalty on tokens that occurred, by sample_penalise; 0 or 1: none */
} Sampling;

/* Draws an id of 0 .. V-1 from softmax(logits / temperature), cut to the top k, then to the top p,
 * then by min_p.
 * Ties go to the lower id. An id whose logit is -inf or NaN is never drawn, unless all are. Uses exactly one number of rng, whatever the options are. */
int sample_token(const real *logits, int V, const Sampling *s, Rng *rng);

/* Makes the tokens of ids[0] .. ids[n-1] less likely (Keskar et al. 2019, s4.1): divides a positive logit by
 * the penalty and multiplies a negative one by it, once for each token however often it occurs. */
void sample_penalise(real *logits, int V, const int *ids, int n, double penalty);

#endif
