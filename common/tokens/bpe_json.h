/* Byte-level BPE in a run's config.json; the other units are in tokenizer_json.c. */
#ifndef BPE_JSON_H
#define BPE_JSON_H

#include "tokens/tokenizer.h"

json_t *bpe_to_json(const Tokenizer *t);
bool bpe_from_json(Tokenizer *t, const json_t *j, Error *err); /* after an error *t is unchanged */

#endif
