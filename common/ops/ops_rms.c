/* Normalisation without a mean: RMS normalisation and unit length, row by row. */
#include "ops/ops.h"
#include "math/parallel.h"
#include "math/vecmath.h"

#include <string.h>

enum { ROWS = 64 }; /* rows of a block, for any number of threads, so that sums have one order */

static real dot(const real *restrict a, const real *restrict b, int n)
{
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

/* y = rmsnorm(x): normalises each row of x (...,C) (Zhang & Sennrich 2019); g (C)
 *
 *   s = 1/sqrt(mean(x^2) + eps)    n = x s    y = g n
 *
 * With d = g dy and the mean over one row:
 *
 *   dx += s (d - n mean(d n))         dg += dy n
 */
typedef struct {
    real *s;    /* (R) */
    real *sums; /* (blocks,C) sums of dg over each block of rows */
} RmsNorm;

static void rmsnorm_row(const real *restrict x, const real *restrict g, const real *restrict dy,
                        real s, int C, real *restrict dg, real *restrict dx, bool overwrites)
{
    real mean = 0;
#pragma omp simd reduction(+ : mean)
    for (int i = 0; i < C; i++) {
        const real n = x[i] * s;
        mean += g[i] * dy[i] * n;
        dg[i] += dy[i] * n;
    }
    mean /= (real)C;
    for (int i = 0; i < C && dx; i++)
        dx[i] = (overwrites ? 0 : dx[i]) + s * (g[i] * dy[i] - x[i] * s * mean);
}

static void rmsnorm_rows(Node *nd, int first, int end)
{
    const Tensor *x = nd->in[0], *g = nd->in[1];
    const RmsNorm *saved = nd->saved;
    const int C = g->len;
    real *dg = saved->sums + (size_t)first / ROWS * C;
    memset(dg, 0, (size_t)C * sizeof *dg);
    for (int r = first; r < end; r++) {
        const size_t at = (size_t)r * C;
        rmsnorm_row(x->data + at, g->data, nd->out->grad + at, saved->s[r], C, dg,
                    x->grad ? x->grad + at : NULL, gradient_overwrites(nd, 0));
    }
}

static void rmsnorm_backward(Node *nd)
{
    Tensor *g = nd->in[1];
    const real *sums = ((const RmsNorm *)nd->saved)->sums;
    const int C = g->len, R = nd->out->len / C;
    PARALLEL_FOR(12.0 * R * C, r, R, ROWS, rmsnorm_rows(nd, r, R - r < ROWS ? R : r + ROWS));
    for (int r = 0; r < R && g->grad; r += ROWS, sums += C) add_to(g->grad, sums, C);
}

static void rmsnorm_forward(const real *restrict x, const real *restrict g, real *restrict y,
                            real s, int C)
{
    for (int i = 0; i < C; i++) y[i] = g[i] * (x[i] * s);
}

Tensor *op_rmsnorm(Tape *tp, Tensor *x, Tensor *g, real eps)
{
    const int C = shape_last(x->shape), R = x->len / C;
    CHECK(g->shape.n == 1 && g->len == C, "op_rmsnorm: x %s, gain %s; must be (%d)",
          shape_text(x->shape).text, shape_text(g->shape).text, C);
    Node *nd = tape_node(tp, "rmsnorm", rmsnorm_backward, x->shape, x, g);
    nd->may_overwrite = 1;
    RmsNorm *saved = nd->saved = tape_save(tp, sizeof *saved);
    real *s = saved->s = tape_save(tp, (size_t)R * sizeof *s);
    if (nd->out->requires_grad)
        saved->sums = tape_save(tp, (size_t)((R + ROWS - 1) / ROWS) * C * sizeof(real));
    PARALLEL_FOR(4.0 * R * C, r, R, 1, {
        const real *row = x->data + (size_t)r * C;
        s[r] = 1 / real_sqrt(dot(row, row, C) / (real)C + eps);
        rmsnorm_forward(row, g->data, nd->out->data + (size_t)r * C, s[r], C);
    });
    return nd->out;
}

/* y = x / max(|x|, eps) row by row, |x| = sqrt(sum x^2). With m = max(|x|, eps):
 *
 *   dx += (dy - y (y . dy)) / m        if |x| > eps, else dx += dy / eps
 */
typedef struct {
    real *norm; /* (R) |x| */
    real eps;
} Length;

static void l2_row(const real *restrict y, const real *restrict dy, real *restrict dx, real norm,
                   real eps, int C)
{
    const real along = norm > eps ? dot(y, dy, C) : 0, scale = 1 / (norm > eps ? norm : eps);
    for (int i = 0; i < C; i++) dx[i] += (dy[i] - y[i] * along) * scale;
}

static void l2_backward(Node *nd)
{
    const Length *saved = nd->saved;
    const int C = shape_last(nd->out->shape), R = nd->out->len / C;
    real *dx = nd->in[0]->grad;
    if (!dx) return;
    PARALLEL_FOR(6.0 * R * C, r, R, 1,
                 l2_row(nd->out->data + (size_t)r * C, nd->out->grad + (size_t)r * C,
                        dx + (size_t)r * C, saved->norm[r], saved->eps, C));
}

Tensor *op_l2_normalize(Tape *tp, Tensor *x, real eps)
{
    const int C = shape_last(x->shape), R = x->len / C;
    CHECK(eps > 0, "op_l2_normalize: eps = %g; must be above 0", (double)eps);
    Node *nd = tape_node(tp, "l2_normalize", l2_backward, x->shape, x);
    Length *saved = nd->saved = tape_save(tp, sizeof *saved);
    *saved = (Length){tape_save(tp, (size_t)R * sizeof(real)), eps};
    PARALLEL_FOR(4.0 * R * C, r, R, 1, {
        const real *row = x->data + (size_t)r * C;
        const real norm = real_sqrt(dot(row, row, C)), scale = 1 / (norm > eps ? norm : eps);
        saved->norm[r] = norm;
        for (int i = 0; i < C; i++) nd->out->data[(size_t)r * C + i] = row[i] * scale;
    });
    return nd->out;
}
