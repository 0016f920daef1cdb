/* Copy, reverse, sort: pairs that are generated without end (pairs.h). */
#ifndef PAIRS_DRAWN_H
#define PAIRS_DRAWN_H

#include "tokens/tokenizer.h"
#include "tasks/task.h"

/* Sets the fields of t that differ for these tasks: the lengths and draw. length 0: 20. Error: an
 * impossible length. */
bool drawn_task(Task *t, const char *name, int length, Error *err);
Tokenizer drawn_tokens(void); /* the tokenizer of both sides: the letters a to t */

/* Writes pair b of a batch: s and s_len, x = BOS target, y = target EOS. Returns the steps of the
 * target. */
int pair_put(const int *source, int n_source, const int *target, int n_target, Batch *batch, int b);

#endif
