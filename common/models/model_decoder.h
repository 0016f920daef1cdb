/* A model as a decoder (decoding/decode.h): any model that can continue a sequence token by token, with a
 * state that it carries or with a key/value cache, behind one contract. */
#ifndef MODEL_DECODER_H
#define MODEL_DECODER_H

#include "models/model.h"

/* Can the model continue a sequence? False for one that needs a source. */
bool model_decodes(const Model *m);

/* A decoder of ids below vocab, with `start` and `close`; its BOS, EOS and PAD are -1. It borrows m. CHECKs
 * model_decodes. */
Decoder model_decoder(const Model *m, int vocab);

#endif
