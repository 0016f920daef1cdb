/* What other ops do with rows that were looked up. */
#ifndef OPS_EMBED_H
#define OPS_EMBED_H

#include "ops/ops.h"

/* The gradient of an op_lookup's table, for the recurrences that read it.
 * dw[ids[r]][first .. first+n-1] += dy[r] for r < rows, in that order: dy (rows,n) with its rows ld
 * apart, w (V,C). Does nothing where w has no gradient. */
void embed_gradient(const Tensor *w, const int *ids, int rows, const real *dy, int ld, int first,
                    int n);

/* What an op_embed_at is made of: row r is scale table[ids[r]] + place[steps[r]], without a place (NULL)
 * scale table[ids[r]] and steps[r] 0. An op_lookup has no steps. */
struct Words {
    Tensor *table, *place; /* (V,C) (T,C) */
    const int *ids, *steps;
    int T;
    real scale;
};

/* Is x made of so few words and places that products with these are less work than with x? */
bool embed_is_less_work(const Tape *tp, const Tensor *x);

/* Then y = x w + b, w (C,N), b (N). Its gradient goes to table and place at once, past x. */
Tensor *embed_linear(Tape *tp, const Tensor *x, Tensor *w, Tensor *b);

#endif
