/* Gated linear units (Shazeer 2020, "GLU Variants Improve Transformer"); silu(a) = a sigmoid(a):
 *
 *   y = silu(a) * b
 *
 *   da += dy b silu'(a)        db += dy silu(a)        silu'(a) = s (1 + a (1 - s)), s = sigmoid(a)
 */
#include "ops/activations.h"
#include "ops/ops.h"
#include "math/parallel.h"

/* y = silu(a) * b, one row of F numbers. */
static void gate_row(const real *restrict a, const real *restrict b, real *restrict y, int F)
{
#pragma omp simd
    for (int i = 0; i < F; i++) y[i] = silu(a[i]) * b[i];
}

static void gate_row_da(const real *restrict a, const real *restrict b, const real *restrict dy,
                        real *restrict da, int F)
{
#pragma omp simd
    for (int i = 0; i < F; i++) da[i] += dy[i] * b[i] * silu_slope(a[i]);
}

static void gate_row_db(const real *restrict a, const real *restrict dy, real *restrict db, int F)
{
#pragma omp simd
    for (int i = 0; i < F; i++) db[i] += dy[i] * silu(a[i]);
}

/* Handles both forms: one input [a b] of 2F columns, or two inputs of F columns. */
static void swiglu_backward(Node *nd)
{
    const bool one = nd->inputs == 1;
    const int F = shape_last(nd->out->shape), R = nd->out->len / F, apart = one ? 2 * F : F;
    const Tensor *a = nd->in[0], *b = nd->in[one ? 0 : 1];
    const int at_b = one ? F : 0;
    PARALLEL_FOR(60.0 * R * F, r, R, 1, {
        const size_t at = (size_t)r * apart;
        const real *dy = nd->out->grad + (size_t)r * F, *ar = a->data + at;
        const real *br = b->data + at + at_b;
        if (a->grad) gate_row_da(ar, br, dy, a->grad + at, F);
        if (b->grad) gate_row_db(ar, dy, b->grad + at + at_b, F);
    });
}

static Tensor *swiglu(Tape *tp, Shape s, int inputs, Tensor **in, int apart, int at_b)
{
    Node *nd = tape_node_of(tp, "swiglu", swiglu_backward, s, inputs, in, NULL);
    const int F = shape_last(s), R = nd->out->len / F;
    const Tensor *a = in[0], *b = in[inputs - 1];
    PARALLEL_FOR(25.0 * R * F, r, R, 1,
                 gate_row(a->data + (size_t)r * apart, b->data + (size_t)r * apart + at_b,
                          nd->out->data + (size_t)r * F, F));
    return nd->out;
}

Tensor *op_swiglu(Tape *tp, Tensor *a, Tensor *b)
{
    CHECK(shape_equal(a->shape, b->shape), "op_swiglu: a %s, b %s; shapes must be equal",
          shape_text(a->shape).text, shape_text(b->shape).text);
    return swiglu(tp, a->shape, 2, (Tensor *[]){a, b}, shape_last(a->shape), 0);
}

Tensor *op_swiglu_halves(Tape *tp, Tensor *x)
{
    const int columns = shape_last(x->shape), F = columns / 2;
    CHECK(columns % 2 == 0, "op_swiglu_halves: x %s; must be (...,2F)", shape_text(x->shape).text);
    return swiglu(tp, shape_with_last(x->shape, F), 1, (Tensor *[]){x}, columns, F);
}
