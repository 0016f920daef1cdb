/* Choosing the next token from logits. */
#ifndef SAMPLE_H
#define SAMPLE_H

#include "base/real.h"
#include "base/rng.h"

typedef struct {
    double temperature; /* 0: always the most likely token */
    int top_k;          /* only the k most likely; 0: all */
    double top_p;       /* only the smallest set of total probability >= p (Holtzman et al. 2020);
                           1: all */
} Sampling;

/* An id of 0 .. V-1: softmax(logits / temperature), cut to the top k, then to the top p, drawn from
 * rng. Ties go to the lower id. One number of rng is used, whatever the options. */
int sample_token(const real *logits, int V, const Sampling *s, Rng *rng);

#endif
