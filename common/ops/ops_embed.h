/* The gradient of embeddings, for ops that read rows of a table themselves. */
#ifndef OPS_EMBED_H
#define OPS_EMBED_H

#include "ops/ops.h"

/* Adds dy to the gradient of the table w (V,C): dw[ids[r]][first .. first+n-1] += dy[r] for r <
 * rows, in that order. dy (rows,n) has its rows ld apart. Does nothing if w has no gradient. */
void embed_gradient(const Tensor *w, const int *ids, int rows, const real *dy, int ld, int first,
                    int n);

#endif
