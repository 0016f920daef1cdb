/* Decodes one source with several hypotheses at once, as a Decoder of common/decoding/decode.h. The
 * key/value cache keeps the keys and values of all earlier steps, so that no step is computed twice. */
#ifndef TRANSFORMER_CACHE_H
#define TRANSFORMER_CACHE_H

#include "decoding/step_tapes.h"
#include "transformer/transformer.h"
#include "decoding/translator.h"

typedef struct {
    const Transformer *m; /* borrowed */
    Tape source_tape;     /* reset with every source */
    StepTapes steps;      /* tensors of a step and of the next one */
    int len;              /* S, the source's steps */
    KeyValues memory;     /* (1,S,C) each: keys and values of the source, for cross-attention */
    KeyValues past;       /* (n,t,C) each: keys and values of the n hypotheses of the last step */
    int t;                /* steps so far, BOS included */
} TransformerCache;

TransformerCache transformer_cache_init(
    const Transformer *m); /* m must outlive it and stay where it is */
void transformer_cache_free(TransformerCache *s);

/* Returns a translator that points to s, which must not be moved or copied from then on. Its `align`
 * gives the mean of the last layer's cross-attention weights over the heads. */
Translator transformer_cache_translator(TransformerCache *s);

#endif
