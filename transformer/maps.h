/* The attention weights of all heads of a Transformer for one held-out sequence or pair. The decoder
 * reads the true target of a pair, not its own output. */
#ifndef TRANSFORMER_MAPS_H
#define TRANSFORMER_MAPS_H

#include "data/data.h"
#include "figures/heads.h"
#include "transformer/transformer.h"

/* Must not be copied or moved, because `part` points into `weights`. */
typedef struct {
    Tape tp; /* the weights and the tokens' strings live here */
    Batch batch;
    AttentionWeights weights;
    int parts; /* 3: encoder, decoder, cross; 1: decoder */
    HeadMap part[3];
} TransformerMaps;

/* Fills in *r, which transformer_maps_close frees, with number i >= 0 of the test data (a table of pairs
 * begins again at its end). A pair is whole, however long; of one sequence no more than the first `most`
 * steps. */
void transformer_maps_open(TransformerMaps *r, const Data *d, const Transformer *m, int i,
                           int most);
void transformer_maps_close(TransformerMaps *r);

#endif
