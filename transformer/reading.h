/* Where all heads of a Transformer look in one held-out sequence or pair. */
#ifndef READING_H
#define READING_H

#include "data.h"
#include "heads.h"
#include "transformer.h"

/* Its decoder reads the true target, not its own output. */
typedef struct {
    Tape tp; /* what the parts point to lives here */
    Batch batch;
    Looks looks;
    int parts; /* 3: encoder, decoder, cross; 1: decoder */
    HeadMap part[3];
} Reading;

/* Held-out sequence i; unless it is a pair, no more than its first `most` steps. */
void reading_open(Reading *r, const Data *d, const Transformer *m, int i, int most);
void reading_close(Reading *r);

#endif
