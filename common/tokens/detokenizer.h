/* Turns ids into text, one token at a time. */
#ifndef DETOKENIZER_H
#define DETOKENIZER_H

#include "tokens/tokenizer.h"

typedef struct {
    const TokenKind *kind;
    const Tokenizer *t;
    bool spaced;         /* puts a space between any two words, for metrics */
    const char *last;    /* the previous word, borrowed; NULL at the start */
    int held[2], n_held; /* jamo held back: the next jamo may complete the syllable */
    char *text;          /* the text so far; a caller may use it and set len to 0 at any time */
    size_t len, room;
} Detokenizer;

Detokenizer detokenizer_new(const Tokenizer *t);
/* Adds the text of one token. PAD, BOS and EOS add nothing. */
void detokenizer_put(Detokenizer *d, int id);
/* Counts one token as written but adds no text: the caller has printed the text already. The next
 * token is then spaced correctly. */
void detokenizer_skip(Detokenizer *d, int id);
/* Adds the jamo that were held back. */
void detokenizer_end(Detokenizer *d);
void detokenizer_free(Detokenizer *d);

/* Adds bytes to the text. Called by the units (kinds.h). */
void detokenizer_add(Detokenizer *d, const char *bytes, size_t len);

#endif
