#include "nn/layers.h"

#include <math.h>

static const real NORM_EPS = (real)1e-5;

Linear linear_init(Params *ps, int C, int N, const char *name)
{
    Linear l;
    l.w = param(ps, SHAPE(C, N), 1 / sqrt(C), "%s.w", name);
    l.b = param(ps, SHAPE(N), 0, "%s.b", name);
    return l;
}

Tensor *linear(Tape *tp, const Linear *l, Tensor *x)
{
    return op_linear(tp, x, l->w, l->b);
}

Tensor *linear_relu(Tape *tp, const Linear *l, Tensor *x)
{
    return op_linear_relu(tp, x, l->w, l->b);
}

Tensor *linear_add(Tape *tp, Tensor *r, const Linear *l, Tensor *x, real p, Rng *rng)
{
    if (p == 0) return op_linear_add(tp, r, x, l->w, l->b);
    return op_add(tp, r, op_dropout(tp, linear(tp, l, x), p, rng));
}

Norm norm_init(Params *ps, int C, const char *name)
{
    Norm n;
    n.g = param(ps, SHAPE(C), 0, "%s.g", name);
    param_fill(ps, n.g, 1);
    n.b = param(ps, SHAPE(C), 0, "%s.b", name);
    return n;
}

Tensor *norm(Tape *tp, const Norm *n, Tensor *x)
{
    return op_layernorm(tp, x, n->g, n->b, NORM_EPS);
}
