/* Learns the merges of byte-pair encoding from the pieces of a text (Sennrich, Haddow & Birch 2016,
 * algorithm 1).
 *
 * Each step merges the most frequent pair of neighbours everywhere. Of pairs that are equally
 * frequent it merges the lexicographically greatest one: the greater bytes of the left token, then
 * those of the right token. A pair that occurs once is not merged. */
#ifndef BPE_LEARN_H
#define BPE_LEARN_H

#include "tokens/tokenizer.h"

/* Returns a tokenizer with at most `size` tokens (at least the 256 bytes). piece: n distinct
 * spellings (byte_map.h); count[i]: how often piece i occurs in the text. */
Tokenizer bpe_learn(char *const *piece, const int64_t *count, int n, int size);

#endif
