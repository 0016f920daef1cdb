/* Linear and normalisation layers: named parameters plus the op that uses them. */
#ifndef LAYERS_H
#define LAYERS_H

#include "ops/ops.h"
#include "nn/params.h"

typedef struct {
    Tensor *w, *b; /* (C,N) (N) */
} Linear;
Linear linear_init(Params *ps, int C, int N, const char *name); /* w normal 1/sqrt(C), b 0 */
Tensor *linear(Tape *tp, const Linear *l, Tensor *x);           /* (...,C) -> (...,N) */
Tensor *linear_relu(Tape *tp, const Linear *l, Tensor *x);      /* relu(linear(x)) */
/* Residual connection: r + dropout(x w + b), r (...,N), p the probability of op_dropout. */
Tensor *linear_add(Tape *tp, Tensor *r, const Linear *l, Tensor *x, real p, Rng *rng);

typedef struct {
    Tensor *g, *b; /* (C) (C) */
} Norm;
Norm norm_init(Params *ps, int C, const char *name); /* g 1, b 0 */
Tensor *norm(Tape *tp, const Norm *n, Tensor *x);

#endif
