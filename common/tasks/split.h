/* Training, validation and test data, kept apart by what a sequence contains. */
#ifndef SPLIT_H
#define SPLIT_H

#include "base/base.h"

typedef enum { SPLIT_TRAIN, SPLIT_VALID, SPLIT_TEST } Split;

/* Which split a sequence belongs to: by a hash of its content, never by the order of drawing, so
 * that training and test data are disjoint however much is drawn.
 *     h = splitmix64(FNV-1a(the tokens as 32-bit little-endian words)) mod 1000
 *     h < 100 test, h < 200 validation, else training */
Split split_of(const int *tokens, int n);
uint64_t content_hash(const int *tokens, int n); /* the h above before mod 1000 */

#endif
