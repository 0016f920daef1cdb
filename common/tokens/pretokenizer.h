/* GPT-2's pre-tokenizer: cuts a text into pieces; no token of byte-level BPE crosses the end of a
 * piece. It matches the pattern of Radford et al. 2019 (encoder.py) at every position:
 *
 *     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 *
 *     Hello, it's  2 dogs    is cut into    Hello|,| it|'s| | 2| dogs
 *
 * The categories L and N are those of utf8proc; \s is Unicode's property White_Space (25 code
 * points). Letters that are younger than utf8proc's version of Unicode are of the third kind, as is
 * a byte that is not valid UTF-8. */
#ifndef PRETOKENIZER_H
#define PRETOKENIZER_H

#include "base/base.h"

/* Returns the length in bytes of the piece that begins at s; len >= 1 bytes are left in the text.
 * digits_alone: every character of category N is a piece of its own, before the pattern is matched
 * (SmolLM's tokenizer). */
size_t pretoken(const char *s, size_t len, bool digits_alone);

#endif
