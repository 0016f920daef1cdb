/* What other ops do with rows that were looked up. */
#ifndef OPS_EMBED_H
#define OPS_EMBED_H

#include "ops/ops.h"

/* The gradient of a table for the ops that read its rows.
 * dw[ids[r]][first .. first+n-1] += dy[r] for r < rows, in that order: dy (rows,n) with its rows ld
 * apart, w (V,C). Does nothing where w has no gradient. */
void embed_gradient(const Tensor *w, const int *ids, int rows, const real *dy, int ld, int first,
                    int n);

#endif
