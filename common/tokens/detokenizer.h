/* Text from ids, a token at a time. */
#ifndef DETOKENIZER_H
#define DETOKENIZER_H

#include "tokens/tokenizer.h"

typedef struct {
    const TokenKind *kind;
    const Tokenizer *t;
    bool spaced;         /* a space between any two words, for metrics */
    const char *last;    /* the word before, borrowed; NULL: none */
    int held[2], n_held; /* jamo that the next one may complete to a syllable */
    char *text;          /* what can be read so far; take it, and set len to 0, at any time */
    size_t len, room;
} Detokenizer;

Detokenizer detokenizer_new(const Tokenizer *t);
void detokenizer_put(Detokenizer *d, int id); /* PAD, BOS and EOS add nothing */
void detokenizer_skip(Detokenizer *d,
                      int id);        /* as if put, but its text is somewhere else already */
void detokenizer_end(Detokenizer *d); /* adds what was held back */
void detokenizer_free(Detokenizer *d);

/* For kinds: adds bytes to the text. */
void detokenizer_add(Detokenizer *d, const char *bytes, size_t len);

#endif
