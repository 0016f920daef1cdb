/* A text cut into pieces: words, characters, or the letters that Hangul syllables are made of.
 *
 * The text is normalised first (NFC), so that what looks the same is the same. The unit decides
 * what a piece is:
 *
 *     PIECE_WORD  L'homme dit : « Oui ! »    l' homme dit : « oui ! »   lower case; cut at white space
 *                 (U+00A0 and U+202F too) and around punctuation, but 2:30 and 10,000 are one
 *                 piece; l' d' qu' and the other French elisions are words, don't is one
 *     PIECE_CHAR  각은                       U+AC01 U+C740               code points
 *     PIECE_JAMO  각은                       U+1100 1161 11A8, 110B 1173 11AB
 *                                            syllable = 0xAC00 + 588 L + 28 V + T, taken apart into
 *                                            conjoining jamo U+1100+L, U+1161+V, U+11A7+T
 */
#ifndef PIECES_H
#define PIECES_H

#include "base/base.h"

typedef enum { PIECE_WORD, PIECE_CHAR, PIECE_JAMO } PieceUnit;
extern const char *const piece_units;                    /* "word|char|jamo" */
bool piece_unit_find(const char *name, PieceUnit *unit); /* false: none has that name */
const char *piece_unit_name(PieceUnit unit);

/* The pieces of a text, in its order. */
typedef struct {
    int n;
    char *bytes; /* n strings, none empty, each followed by its 0; free() it */
    size_t len;  /* of bytes, those 0s included */
} Pieces;

/* Bytes that are no UTF-8, and U+0000, become U+FFFD. */
Pieces pieces_cut(PieceUnit unit, const char *text, size_t len);
const char *piece_next(const char *piece); /* the one after it */

/* Readable text of pieces (a new string; free() it): words with spaces between them except before
 * closing punctuation and after an elision; jamo composed to syllables. */
char *pieces_join(PieceUnit unit, const Pieces *p);

/* The same with a space between any two words, for metrics that count them; of char and jamo it is
 * the text itself. */
char *pieces_tokens(PieceUnit unit, const Pieces *p);

/* Both of them, of n strings; tokens: as pieces_tokens. */
char *strings_join(PieceUnit unit, const char *const *piece, int n, bool tokens);

#endif
