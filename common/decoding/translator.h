/* A model that turns a source into an output, behind one contract: what the eval programs of all
 * sequence-to-sequence architectures need of it. */
#ifndef TRANSLATOR_H
#define TRANSLATOR_H

#include "decoding/decode.h"

typedef struct {
    void *self;
    Decoder decoder; /* goes on from the source that was read last */
    int longest;     /* steps of a source or an output, at most; 0: any */
    void (*read)(void *self, const int *source, int S);
    /* weight (T,S): how much step t of the output, ids y1 .. yT, looks at each step of the source.
     * NULL: the model has no attention. */
    void (*align)(void *self, const int *source, int S, const int *output, int T, real *weight);
} Translator;

#endif
