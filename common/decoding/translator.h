/* The interface of a sequence-to-sequence model: the functions that the eval programs of all such
 * architectures call. */
#ifndef TRANSLATOR_H
#define TRANSLATOR_H

#include "decoding/decode.h"

typedef struct {
    void *self;
    Decoder decoder; /* decodes the source that was read last */
    int longest;     /* the largest length of a source or an output, in steps; 0: no limit */
    /* Encodes a source of S ids. */
    void (*read)(void *self, const int *source, int S);
    /* Computes the attention weights (T,S) of each output step t (ids y1 .. yT) to each source
     * step. NULL: the model has no attention. */
    void (*align)(void *self, const int *source, int S, const int *output, int T, real *weight);
} Translator;

#endif
