/* One held-out sequence or pair, and where all heads of a Transformer look in it. Of a pair the decoder
 * reads the true target, not its own output. */
#ifndef READING_H
#define READING_H

#include "data/data.h"
#include "figures/heads.h"
#include "transformer/transformer.h"

/* Must not be copied or moved: the parts' weights point into `looks` beside them. */
typedef struct {
    Tape tp; /* the weights and the tokens' strings live here */
    Batch batch;
    Looks looks;
    int parts; /* 3: encoder, decoder, cross; 1: decoder */
    HeadMap part[3];
} Reading;

/* Fills in *r, which reading_close frees, with number i >= 0 of the test data (a table of pairs begins again
 * at its end). A pair is whole, however long; of one sequence no more than the first `most` steps. */
void reading_open(Reading *r, const Data *d, const Transformer *m, int i, int most);
void reading_close(Reading *r);

#endif
