/* Training, validation and test split, decided by the content of a sequence. */
#ifndef SPLIT_H
#define SPLIT_H

#include "base/base.h"

typedef enum { SPLIT_TRAIN, SPLIT_VALID, SPLIT_TEST } Split;

/* Returns the split of a sequence. It depends on a hash of the content, not on the order in which
 * sequences are drawn, so that training and test data stay disjoint however many are drawn.
 *     h = splitmix64(FNV-1a(the tokens as 32-bit little-endian words)) mod 1000
 *     h < 100 test, h < 200 validation, else training */
Split split_of(const int *tokens, int n);
uint64_t content_hash(const int *tokens, int n); /* h, before mod 1000 */

#endif
