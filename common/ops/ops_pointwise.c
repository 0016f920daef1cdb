/* Pointwise ops: each output value depends on the input values at the same index. */
#include "ops/activations.h"
#include "ops/ops.h"
#include "math/parallel.h"

#include <string.h>

enum { CHUNK = 4096 }; /* values that a thread takes at a time */

/* Runs the body for i = 0 .. len-1, in parallel chunks. */
#define FOR_EACH(len, cost, ...)                                                                   \
    {                                                                                              \
        const int count = (len);                                                                   \
        PARALLEL_FOR((double)count *(cost), chunk, count, CHUNK,                                   \
                     const int end = count - chunk < CHUNK ? count : chunk + CHUNK;                \
                     _Pragma("omp simd") for (int i = chunk; i < end; i++) { __VA_ARGS__; });      \
    }

/* dx += value for input j, or dx = value if the gradient is still empty. `let` declares the names
 * that value uses. */
#define GRADIENT(nd, j, cost, let, value)                                                          \
    {                                                                                              \
        real *restrict dx = (nd)->in[j]->grad;                                                     \
        if (dx && gradient_overwrites(nd, j))                                                      \
            FOR_EACH((nd)->out->len, cost, let; dx[i] = (value))                                   \
        else if (dx)                                                                               \
            FOR_EACH((nd)->out->len, cost, let; dx[i] += (value))                                  \
    }

/* Defines one op from its name, y as a function of x, and dy/dx as a function of x and y:
 *
 *   y = f(x)        dx += dy f'(x)
 */
#define POINTWISE(op, cost, f, df)                                                                 \
    static void op##_backward(Node *nd)                                                            \
    {                                                                                              \
        const real *restrict xs = nd->in[0]->data, *restrict ys = nd->out->data;                   \
        const real *restrict dy = nd->out->grad;                                                   \
        GRADIENT(nd, 0, cost, const real x = xs[i]; const real y = ys[i]; (void)x;                 \
                 (void)y, dy[i] * (df))                                                            \
    }                                                                                              \
    Tensor *op_##op(Tape *tp, Tensor *in)                                                          \
    {                                                                                              \
        Node *nd = tape_node(tp, #op, op##_backward, in->shape, in);                               \
        nd->may_overwrite = 1;                                                                     \
        const real *restrict xs = in->data;                                                        \
        real *restrict ys = nd->out->data;                                                         \
        FOR_EACH(in->len, cost, const real x = xs[i]; ys[i] = (f))                                 \
        return nd->out;                                                                            \
    }

/* clang-format off */
/*        op         cost  y = f(x)                            f'(x)                       */
POINTWISE(tanh,      20,   real_tanh(x),                       1 - y * y) /* eq 4.3 */
POINTWISE(sigmoid,   20,   real_sigmoid(x),                    y * (1 - y))
POINTWISE(relu,      2,    x < 0 ? 0 : x, /* keeps NaN */        x > 0 ? 1 : 0)
POINTWISE(gelu,        40, gelu(x),                            gelu_slope(x))
POINTWISE(gelu_tanh,   40, gelu_tanh(x),                       gelu_tanh_slope(x))
POINTWISE(silu,        20, silu(x),                            silu_slope(x))
POINTWISE(exp,         20, real_exp(x),                        y)
POINTWISE(log_sigmoid, 40, log_sigmoid(x),                     real_sigmoid(-x))
/* clang-format on */

/* y = a x                 dx += a dy */
static void scale_backward(Node *nd)
{
    const real a = *(const real *)nd->saved, *dy = nd->out->grad;
    GRADIENT(nd, 0, 2, , a * dy[i])
}

Tensor *op_scale(Tape *tp, Tensor *x, real a)
{
    Node *nd = tape_node(tp, "scale", scale_backward, x->shape, x);
    real *saved = nd->saved = tape_save(tp, sizeof a), *y = nd->out->data;
    *saved = a, nd->may_overwrite = 1;
    FOR_EACH(x->len, 2, y[i] = a * x->data[i])
    return nd->out;
}

/* y = a + b               da += dy        db += dy */
static void add_backward(Node *nd)
{
    const real *dy = nd->out->grad;
    for (int j = 1; j >= 0; j--) /* da comes last: it may be dy's own buffer */
        if (nd->in[j]->grad != dy) GRADIENT(nd, j, 2, , dy[i])
}

Tensor *op_add(Tape *tp, Tensor *a, Tensor *b)
{
    CHECK(shape_equal(a->shape, b->shape), "op_add: a %s, b %s; shapes must be equal",
          shape_text(a->shape).text, shape_text(b->shape).text);
    Node *nd = tape_node(tp, "add", add_backward, a->shape, a, b);
    nd->may_overwrite = 3, nd->may_share_gradient = true;
    real *y = nd->out->data;
    FOR_EACH(a->len, 2, y[i] = a->data[i] + b->data[i])
    return nd->out;
}

/* y = a * b               da += b dy      db += a dy */
static void mul_backward(Node *nd)
{
    const real *dy = nd->out->grad;
    for (int j = 0; j < 2; j++) {
        const real *other = nd->in[1 - j]->data;
        real *dx = nd->in[j]->grad;
        if (dx) FOR_EACH(nd->out->len, 2, dx[i] += other[i] * dy[i]) /* eq 4.2 */
    }
}

Tensor *op_mul(Tape *tp, Tensor *a, Tensor *b)
{
    CHECK(shape_equal(a->shape, b->shape), "op_mul: a %s, b %s; shapes must be equal",
          shape_text(a->shape).text, shape_text(b->shape).text);
    Node *nd = tape_node(tp, "mul", mul_backward, a->shape, a, b);
    real *y = nd->out->data;
    FOR_EACH(a->len, 2, y[i] = a->data[i] * b->data[i])
    return nd->out;
}

enum { COLUMNS = 64 }; /* a thread sums so many columns, over all rows in their order */

/* sum[j] += dy[r][j] x[r][j], or dy[r][j] if x is NULL, for n <= COLUMNS columns of (R,C)
 * matrices. */
static inline void sum_columns(real *sum, const real *dy, const real *x, int R, int C, int n)
{
    real s[COLUMNS];
    memcpy(s, sum, (size_t)n * sizeof *s);
    for (int r = 0; r < R; r++)
        for (int j = 0; j < n; j++) {
            const size_t at = (size_t)r * C + j;
            s[j] += x ? dy[at] * x[at] : dy[at];
        }
    memcpy(sum, s, (size_t)n * sizeof *s);
}

static void column_sums(real *sum, const real *dy, const real *x, int R, int C)
{
    PARALLEL_FOR(2.0 * R * C, j, C, COLUMNS, {
        if (C - j >= COLUMNS && x) /* the size is a constant: sums stay in registers */
            sum_columns(sum + j, dy + j, x + j, R, C, COLUMNS);
        else if (C - j >= COLUMNS)
            sum_columns(sum + j, dy + j, NULL, R, C, COLUMNS);
        else
            sum_columns(sum + j, dy + j, x ? x + j : NULL, R, C, C - j);
    });
}

/* y = x + b, row by row   dx += dy        db += column sums of dy */
static void bias_backward(Node *nd)
{
    Tensor *x = nd->in[0], *b = nd->in[1];
    const real *dy = nd->out->grad;
    if (x->grad) FOR_EACH(x->len, 2, x->grad[i] += dy[i])
    if (b->grad) column_sums(b->grad, dy, NULL, x->len / b->len, b->len);
}

Tensor *op_bias(Tape *tp, Tensor *x, Tensor *b)
{
    const int C = shape_last(x->shape), R = x->len / C;
    CHECK(b->shape.n == 1 && b->len == C, "op_bias: x %s, b %s; b must be (%d)",
          shape_text(x->shape).text, shape_text(b->shape).text, C);
    Node *nd = tape_node(tp, "bias", bias_backward, x->shape, x, b);
    real *restrict y = nd->out->data;
    PARALLEL_ROWS(2.0 * x->len, r, R, C, {
        const size_t at = (size_t)r * C;
        for (int j = 0; j < C; j++) y[at + j] = x->data[at + j] + b->data[j];
    });
    return nd->out;
}

/* y = x g, row by row     dx += dy g      dg += column sums of dy x */
static void gain_backward(Node *nd)
{
    Tensor *x = nd->in[0], *g = nd->in[1];
    const real *dy = nd->out->grad;
    const int C = g->len, R = x->len / C;
    real *restrict dx = x->grad;
    if (dx)
        PARALLEL_ROWS(2.0 * x->len, r, R, C, {
            const size_t at = (size_t)r * C;
            for (int j = 0; j < C; j++) dx[at + j] += dy[at + j] * g->data[j];
        });
    if (g->grad) column_sums(g->grad, dy, x->data, R, C);
}

Tensor *op_gain(Tape *tp, Tensor *x, Tensor *g)
{
    const int C = shape_last(x->shape), R = x->len / C;
    CHECK(g->shape.n == 1 && g->len == C, "op_gain: x %s, g %s; g must be (%d)",
          shape_text(x->shape).text, shape_text(g->shape).text, C);
    Node *nd = tape_node(tp, "gain", gain_backward, x->shape, x, g);
    real *restrict y = nd->out->data;
    PARALLEL_ROWS(2.0 * x->len, r, R, C, {
        const size_t at = (size_t)r * C;
        for (int j = 0; j < C; j++) y[at + j] = x->data[at + j] * g->data[j];
    });
    return nd->out;
}

/* y = x m / (1-p)         dx += dy m / (1-p)         m is 0 with probability p, else 1 */
static void dropout_backward(Node *nd)
{
    const real *m = nd->saved, *dy = nd->out->grad;
    GRADIENT(nd, 0, 2, , dy[i] * m[i])
}

/* Writes m of elements first .. first+n-1. Each element has its own random number, so the thread
 * that draws it does not matter. */
static void dropout_mask(real *m, int first, int n, real p, const Rng *rng)
{
    Rng r = rng_after(rng, (uint64_t)first);
    for (int i = first; i < first + n; i++) m[i] = rng_uniform(&r) < (double)p ? 0 : 1 / (1 - p);
}

Tensor *op_dropout(Tape *tp, Tensor *x, real p, Rng *rng)
{
    CHECK(p >= 0 && p < 1, "op_dropout: p = %g; must be at least 0 and below 1", (double)p);
    if (p == 0) return x;
    Node *nd = tape_node(tp, "dropout", dropout_backward, x->shape, x);
    real *m = nd->saved = tape_save(tp, (size_t)x->len * sizeof *m), *y = nd->out->data;
    nd->may_overwrite = 1;
    const int len = x->len;
    PARALLEL_FOR(20.0 * len, i, len, CHUNK,
                 dropout_mask(m, i, len - i < CHUNK ? len - i : CHUNK, p, rng));
    *rng = rng_after(rng, (uint64_t)len);
    FOR_EACH(x->len, 2, y[i] = x->data[i] * m[i])
    return nd->out;
}
