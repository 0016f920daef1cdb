/* Makes tokenizers, ids and texts of a table's pairs, after the split (pairs.h). */
#ifndef PAIRS_ENCODE_H
#define PAIRS_ENCODE_H

#include "data/pairs.h"
#include "data/pairs_items.h"

/* Learns a side's tokenizer from the training pairs. */
Tokenizer pairs_learn(const Items *s, int side, const TokenKind *unit, int least, int limit);

/* Sets pair, n, unknown, ids and bytes of p. p->source and p->target must be set before. */
void pairs_fill(Pairs *p, const Items *s);

#endif
