/* The gradient of rows that were looked up, for op_embed and for the recurrences that read an op_lookup. */
#ifndef OPS_EMBED_H
#define OPS_EMBED_H

#include "ops.h"

/* dw[ids[r]][first .. first+n-1] += dy[r] for r < rows, in that order: dy (rows,n) with its rows ld
 * apart, w (V,C). Does nothing where w has no gradient. */
void embed_gradient(const Tensor *w, const int *ids, int rows, const real *dy, int ld, int first,
                    int n);

#endif
