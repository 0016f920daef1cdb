/* Makes a Decoder (decoding/decode.h) of any model that can continue a sequence token by token,
 * whether it carries a state or has a key/value cache. */
#ifndef MODEL_DECODER_H
#define MODEL_DECODER_H

#include "models/model.h"

/* Returns true if the model can continue a sequence; false for a model that needs a source. */
bool model_decodes(const Model *m);

/* Returns a decoder of ids below vocab, with `start` and `close`; its BOS, EOS and PAD are -1. It
 * borrows m. Aborts unless model_decodes(m). */
Decoder model_decoder(const Model *m, int vocab);

#endif
