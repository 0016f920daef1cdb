/* A text as code points: the one place where texts are normalised. */
#ifndef CODES_H
#define CODES_H

#include "base/base.h"

typedef struct {
    int n;
    int *code; /* (n) bytes that are no UTF-8, and U+0000, are U+FFFD */
    int *
        at; /* (n) the byte of the text where each code point began; what was composed or taken apart
                  counts from the character before it */
} Codes;

/* Decodes a text of fewer than INT_MAX bytes. composed: in Unicode's normal form C (UAX 15), so that a
 * letter and its accent are one code point, and Hangul letters one syllable. codes_free it. */
Codes codes_of(const char *text, size_t len, bool composed);
void codes_free(Codes *c);

/* Hangul (Unicode 3.12): a syllable is 0xAC00 + (l * 21 + v) * 28 + t, t = 0 without a final consonant;
 * its conjoining jamo are U+1100 + l, U+1161 + v, U+11A7 + t. */
enum { SYLLABLE = 0xAC00, L_BASE = 0x1100, V_BASE = 0x1161, T_BASE = 0x11A7 };
enum { N_L = 19, N_V = 21, N_T = 28 };

#endif
