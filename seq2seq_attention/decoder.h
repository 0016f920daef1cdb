/* Decoding with a Seq2seq (common/decoding/decode.h): one source, several hypotheses at once. */
#ifndef SEQ2SEQ_DECODER_H
#define SEQ2SEQ_DECODER_H

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
} Seq2seqDecoder;

Seq2seqDecoder seq2seq_decoder_init(const Seq2seq *m); /* of weights that will not change */
void seq2seq_decoder_free(Seq2seqDecoder *s);
Translator seq2seq_decoder_translator(Seq2seqDecoder *s); /* borrows s, which must not move */

#endif
