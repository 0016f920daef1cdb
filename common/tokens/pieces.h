/* A text cut into the strings of its tokens (pieces). */
#ifndef PIECES_H
#define PIECES_H

#include "tokens/codes.h"
#include "tokens/tokenizer.h"

typedef struct {
    int n;
    char *bytes; /* n strings, one after the other, each with its terminating 0 */
    size_t len;  /* the length of bytes, with the terminating 0s */
    size_t room;
    int *at; /* (n) the byte offset in the text where each piece begins */
    int at_room;
} Pieces;

Pieces pieces_cut(const TokenKind *kind, TokenLayout layout, const char *text, size_t len);
const char *piece_next(const char *piece); /* the piece after it in Pieces.bytes */
void pieces_free(Pieces *p);

/* Joins the pieces to a text, as tokenizer_decode does, or as tokenizer_spaced does if spaced. The
 * caller frees the text. */
char *pieces_join(const TokenKind *kind, const Pieces *p, bool spaced);

/* Add a piece that begins at byte `at` of the text. pieces_add encodes n code points, and adds
 * nothing if n is 0. Called by the units (kinds.h). */
void pieces_add(Pieces *p, const int *code, int n, int at);
void pieces_add_bytes(Pieces *p, const char *bytes, size_t len, int at);

#endif
