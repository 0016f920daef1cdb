/* A text cut into the strings of its tokens. */
#ifndef PIECES_H
#define PIECES_H

#include "tokens/codes.h"
#include "tokens/tokenizer.h"

typedef struct {
    int n;
    char *bytes; /* n strings, each followed by its 0 */
    size_t len;  /* of bytes, those 0s included */
    size_t room;
    int *at; /* (n) the byte of the text where each began */
    int at_room;
} Pieces;

Pieces pieces_cut(const TokenKind *kind, TokenLayout layout, const char *text, size_t len);
const char *piece_next(const char *piece); /* the one after it */
void pieces_free(Pieces *p);

/* Returns the text of pieces as a new string (free() it), as tokenizer_decode and, spaced, as
 * tokenizer_spaced would. */
char *pieces_join(const TokenKind *kind, const Pieces *p, bool spaced);

/* For kinds: adds a piece of n code points that began at byte `at`; nothing if n is 0. */
void pieces_add(Pieces *p, const int *code, int n, int at);
void pieces_add_bytes(Pieces *p, const char *bytes, size_t len, int at);

#endif
