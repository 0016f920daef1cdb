/* Decoding with a Seq2seq (common/decoding/decode.h): one source, several hypotheses at once. */
#ifndef SEARCH_H
#define SEARCH_H

#include "decoding/step_tapes.h"
#include "seq2seq_attention/seq2seq.h"
#include "decoding/translator.h"

typedef struct {
    const Seq2seq *m;
    int vocab;
    Tape always, source; /* what lives as long as this; as the source */
    StepTapes steps;     /* as a step and the one after it */
    int len;             /* of the source */
    Tensor *words;       /* (V,N), see seq2seq_words */
    Memory memory;       /* (S,1,H) */
    DecoderState state;  /* (n,H) of the hypotheses of the last step */
} Search;

Search search_init(const Seq2seq *m); /* of weights that will not change */
void search_free(Search *s);
Translator search_translator(Search *s); /* borrows s, which must not move */

#endif
