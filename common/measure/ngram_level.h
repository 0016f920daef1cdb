/* The loss that a language model must beat: that of the best counting model on the same data. */
#ifndef NGRAM_LEVEL_H
#define NGRAM_LEVEL_H

#include "data/data.h"
#include "measure/ngram.h"

/* The counting model of 1 to 4 tokens with the lowest loss on held-out data, with smoothing 0.1, trained
 * on at most the first million training tokens. Every order scores the tokens that the network scores
 * (text_scored). Pictures show the loss as a line. The loss is NAN for generated tasks. */
typedef struct {
    int n;
    double loss;
    int trained; /* training tokens that it was counted on */
} NgramLevel;
NgramLevel ngram_level(const Data *d);

/* Returns the mean of -log p over the scored tokens of a split, in nats; NAN if there is none. pad: the id
 * of the newline, which stands before a text. */
double ngram_text_loss(const Ngram *m, const Text *t, Split split, int pad);

#endif
