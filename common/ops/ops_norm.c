/* Ops over the last axis: softmax and layer normalisation. */
#include "ops/ops.h"
#include "math/parallel.h"
#include "math/vecmath.h"

#include <string.h>

/* y = softmax(x):  y_i = exp(x_i - m) / sum_j exp(x_j - m),   m = max x so that no exp overflows
 *
 *   dx += y * (dy - sum_j y_j dy_j)
 */
static void softmax_backward(Node *nd)
{
    const int C = shape_last(nd->out->shape), R = nd->out->len / C;
    real *dxs = nd->in[0]->grad;
    if (!dxs) return;
#pragma omp parallel for num_threads(parallel_threads(4.0 * R * C)) schedule(static)
    for (int r = 0; r < R; r++) {
        const size_t at = (size_t)r * C;
        const real *y = nd->out->data + at, *dy = nd->out->grad + at;
        real *dx = dxs + at, mean = 0;
#pragma omp simd reduction(+ : mean)
        for (int i = 0; i < C; i++) mean += y[i] * dy[i];
        for (int i = 0; i < C; i++) dx[i] += y[i] * (dy[i] - mean);
    }
}

Tensor *op_softmax(Tape *tp, Tensor *x)
{
    const int C = shape_last(x->shape), R = x->len / C;
    Node *nd = tape_node(tp, "softmax", softmax_backward, x->shape, x);
#pragma omp parallel for num_threads(parallel_threads(20.0 * R * C)) schedule(static)
    for (int r = 0; r < R; r++) {
        const real *in = x->data + (size_t)r * C;
        real *y = nd->out->data + (size_t)r * C, max = in[0], sum = 0;
        for (int i = 1; i < C; i++) max = in[i] > max ? in[i] : max;
#pragma omp simd reduction(+ : sum)
        for (int i = 0; i < C; i++) {
            y[i] = real_exp(in[i] - max);
            sum += y[i];
        }
        for (int i = 0; i < C; i++) y[i] /= sum;
    }
    return nd->out;
}

/* y = layernorm(x): normalises each row of x (...,C) (Ba, Kiros & Hinton 2016); g, b (C)
 *
 *   mu = mean(x)    s = 1/sqrt(var(x) + eps)    n = (x - mu) s    y = g n + b
 *
 * With d = g dy and means over one row:
 *
 *   dx += s (d - mean(d) - n mean(d n))         dg += dy n        db += dy
 */
typedef struct {
    real mu, s;
} RowStat;

typedef struct {
    RowStat *row;
    real *sums; /* (blocks,2,C) sums of dg and db over each block of rows */
} LayerNorm;

enum { ROWS = 64 }; /* rows of a block, for any number of threads, so that sums have one order */

/* Backward pass of one row: adds to dg and db, and writes or adds to dx unless dx is NULL. */
static void layernorm_row(const real *restrict x, const real *restrict g, const real *restrict dy,
                          RowStat stat, int C, real *restrict dg, real *restrict db,
                          real *restrict dx, bool overwrites)
{
    const real mu = stat.mu, s = stat.s;
    real mean_d = 0, mean_dn = 0;
#pragma omp simd reduction(+ : mean_d, mean_dn)
    for (int i = 0; i < C; i++) {
        const real n = (x[i] - mu) * s, d = g[i] * dy[i];
        mean_d += d;
        mean_dn += d * n;
        dg[i] += dy[i] * n;
        db[i] += dy[i];
    }
    mean_d /= (real)C;
    mean_dn /= (real)C;
    for (int i = 0; i < C && dx; i++) {
        const real n = (x[i] - mu) * s, d = g[i] * dy[i], before = overwrites ? 0 : dx[i];
        dx[i] = before + s * (d - mean_d - n * mean_dn);
    }
}

static void layernorm_rows(Node *nd, int first, int end)
{
    const Tensor *x = nd->in[0], *g = nd->in[1];
    const LayerNorm *saved = nd->saved;
    const int C = g->len;
    real *dg = saved->sums + (size_t)first / ROWS * 2 * C;
    memset(dg, 0, 2 * (size_t)C * sizeof *dg);
    for (int r = first; r < end; r++) {
        const size_t at = (size_t)r * C;
        layernorm_row(x->data + at, g->data, nd->out->grad + at, saved->row[r], C, dg, dg + C,
                      x->grad ? x->grad + at : NULL, gradient_overwrites(nd, 0));
    }
}

static void layernorm_backward(Node *nd)
{
    Tensor *g = nd->in[1], *b = nd->in[2];
    const real *sums = ((const LayerNorm *)nd->saved)->sums;
    const int C = g->len, R = nd->out->len / C;
    PARALLEL_FOR(16.0 * R * C, r, R, ROWS, layernorm_rows(nd, r, R - r < ROWS ? R : r + ROWS));
    for (int r = 0; r < R; r += ROWS, sums += 2 * C) {
        if (g->grad) add_to(g->grad, sums, C);
        if (b->grad) add_to(b->grad, sums + C, C);
    }
}

Tensor *op_layernorm(Tape *tp, Tensor *x, Tensor *g, Tensor *b, real eps)
{
    const int C = shape_last(x->shape), R = x->len / C;
    CHECK(g->len == C && b->len == C, "op_layernorm: x %s, gain %s, bias %s; both must be (%d)",
          shape_text(x->shape).text, shape_text(g->shape).text, shape_text(b->shape).text, C);
    Node *nd = tape_node(tp, "layernorm", layernorm_backward, x->shape, x, g, b);
    nd->may_overwrite = 1;
    LayerNorm *saved = nd->saved = tape_save(tp, sizeof *saved);
    RowStat *stat = saved->row = tape_save(tp, (size_t)R * sizeof *stat);
    if (nd->out->requires_grad)
        saved->sums = tape_save(tp, (size_t)((R + ROWS - 1) / ROWS) * 2 * C * sizeof(real));
#pragma omp parallel for num_threads(parallel_threads(8.0 * R * C)) schedule(static)
    for (int r = 0; r < R; r++) {
        const real *xr = x->data + (size_t)r * C;
        real *y = nd->out->data + (size_t)r * C, mu = 0, var = 0;
#pragma omp simd reduction(+ : mu)
        for (int i = 0; i < C; i++) mu += xr[i];
        mu /= (real)C;
#pragma omp simd reduction(+ : var)
        for (int i = 0; i < C; i++) var += (xr[i] - mu) * (xr[i] - mu);
        const real s = 1 / real_sqrt(var / (real)C + eps);
        for (int i = 0; i < C; i++) y[i] = g->data[i] * (xr[i] - mu) * s + b->data[i]; /* eq 20.1 */
        stat[r] = (RowStat){mu, s};
    }
    return nd->out;
}
