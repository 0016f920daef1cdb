/* The level that a model of language must beat: the best counting model on the same data. */
#ifndef NGRAM_LEVEL_H
#define NGRAM_LEVEL_H

#include "data/data.h"

/* The best counting model of 1 to 4 tokens, with smoothing 0.1, on the held-out part: the line to
 * beat in the picture. It has counted the first million training tokens at most. The loss is NAN for
 * generated tasks. */
typedef struct {
    int n;
    double loss;
} NgramLevel;
NgramLevel ngram_level(const Data *d);

#endif
