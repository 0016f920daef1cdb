/* A text as code points. All normalisation of texts happens here. */
#ifndef CODES_H
#define CODES_H

#include "base/base.h"

typedef struct {
    int n;
    int *code; /* (n) U+FFFD replaces U+0000 and bytes that are not valid UTF-8 */
    /* (n) The byte offset in the text where each code point begins; of a composed one, where its first
     * part does. */
    int *at;
} Codes;

/* Decodes a text of fewer than INT_MAX bytes. If composed, the result is in Unicode's normalisation
 * form C (NFC, UAX 15): a letter and its accent are one code point, and so are the jamo of a Hangul
 * syllable. The caller frees it with codes_free. */
Codes codes_of(const char *text, size_t len, bool composed);
void codes_free(Codes *c);

/* Hangul (Unicode 3.12): a syllable is 0xAC00 + (l * 21 + v) * 28 + t, where t = 0 means that there
 * is no final consonant. Its conjoining jamo are U+1100 + l, U+1161 + v, U+11A7 + t. */
enum { SYLLABLE = 0xAC00, L_BASE = 0x1100, V_BASE = 0x1161, T_BASE = 0x11A7 };
enum { N_L = 19, N_V = 21, N_T = 28 };

#endif
