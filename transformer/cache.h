/* Decoding with a Transformer (common/decoding/decode.h): one source, several hypotheses at once, of which each
 * step's keys and values are kept (the key/value cache). */
#ifndef TRANSFORMER_CACHE_H
#define TRANSFORMER_CACHE_H

#include "decoding/step_tapes.h"
#include "transformer/transformer.h"
#include "decoding/translator.h"

typedef struct {
    const Transformer *m; /* borrowed */
    Tape source_tape;     /* reset with every source */
    StepTapes steps;      /* of a step and the one after it */
    int len;              /* S, the source's steps */
    KeyValues memory;     /* (1,S,C) each: what cross-attention looks at */
    KeyValues past;       /* (n,t,C) each, of the n hypotheses of the last step */
    int t;                /* steps so far, BOS included */
} TransformerCache;

TransformerCache transformer_cache_init(
    const Transformer *m); /* m must outlive it and stay where it is */
void transformer_cache_free(TransformerCache *s);

/* Points to s (as `self`), which from here on must not be moved or copied. `align` gives the mean over the
 * heads of the last layer's cross-attention. */
Translator transformer_cache_translator(TransformerCache *s);

#endif
