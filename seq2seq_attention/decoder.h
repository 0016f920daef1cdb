/* Decodes one source with several hypotheses at once, as a Decoder of common/decoding/decode.h. */
#ifndef SEQ2SEQ_DECODER_H
#define SEQ2SEQ_DECODER_H

#include "decoding/step_tapes.h"
#include "seq2seq_attention/seq2seq.h"
#include "decoding/translator.h"

typedef struct {
    const Seq2seq *m;
    int vocab;
    Tape always, source; /* tensors that live as long as this struct; as the source */
    StepTapes steps;     /* tensors of a step and of the next one */
    int len;             /* of the source */
    Tensor *words;       /* (V,N), see seq2seq_words */
    Memory memory;       /* (S,1,H) */
    DecoderState state;  /* (n,H) of the hypotheses of the last step */
} Seq2seqDecoder;

Seq2seqDecoder seq2seq_decoder_init(const Seq2seq *m); /* m's weights must not change */
void seq2seq_decoder_free(Seq2seqDecoder *s);
Translator seq2seq_decoder_translator(Seq2seqDecoder *s); /* borrows s, which must not move */

#endif
