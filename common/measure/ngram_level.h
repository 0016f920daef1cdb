/* The loss that a language model must beat: that of the best counting model on the same data. */
#ifndef NGRAM_LEVEL_H
#define NGRAM_LEVEL_H

#include "data/data.h"

/* The counting model of 1 to 4 tokens with the lowest loss on held-out data, with smoothing 0.1, trained
 * on at most the first million training tokens. The pictures show its loss as a line. The loss is NAN
 * for generated tasks. */
typedef struct {
    int n;
    double loss;
} NgramLevel;
NgramLevel ngram_level(const Data *d);

#endif
