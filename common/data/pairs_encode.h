/* What becomes of a table's pairs once they are split: tokenizers, ids and texts (pairs.h). */
#ifndef PAIRS_ENCODE_H
#define PAIRS_ENCODE_H

#include "data/pairs.h"
#include "data/pairs_items.h"

/* Learns a side's tokenizer from the training pairs. */
Tokenizer pairs_learn(const Items *s, int side, const TokenKind *unit, int least, int limit);

/* Fills in pair, n, unknown, and what they point into. p->source and p->target are set before. */
void pairs_fill(Pairs *p, const Items *s);

#endif
