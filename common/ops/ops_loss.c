/* Losses: ops whose output is one number. */
#include "ops/ops.h"
#include "math/parallel.h"
#include "math/vecmath.h"

#include <string.h>

/* L = sum_r w_r L_r / sum_r w_r over the rows with a target, w_r = 1 unless weights are given, and
 *
 *   L_r = log sum_j exp(z_j) - sum_j t_j z_j,    t = onehot(target), or with label smoothing
 *                                               (1 - e) onehot(target) + e/V; the t_j sum to 1
 *
 *   dz_r += dL w_r / sum w (softmax(z_r) - t)
 *
 * Softmax and logarithm are one op. The forward pass keeps two numbers per row, from which the
 * backward pass computes the softmax again. So the op needs no second buffer of the logits' size,
 * and no probability is rounded to 0 before its logarithm. The two numbers stay apart: their sum
 * would be rounded to the precision of the logits, and a small loss is the difference of two large
 * numbers. */
typedef struct {
    real max, log_sum; /* log sum_j exp(z_j - max) */
} Normaliser;

typedef struct {
    int *target;
    Normaliser *row;
    real epsilon;  /* share of each label that is spread over all V */
    real *weight;  /* (R) weight of each row, or NULL: all 1 */
    double scored; /* sum of the weights of the rows with a target */
} CrossEntropy;

static void cross_entropy_backward(Node *nd)
{
    Tensor *z = nd->in[0];
    const CrossEntropy *s = nd->saved;
    const int V = shape_last(z->shape), R = z->len / V;
    if (!z->grad || s->scored == 0) return;
    const real each = nd->out->grad[0] / (real)s->scored;
#pragma omp parallel for num_threads(parallel_threads(20.0 * z->len)) schedule(static)
    for (int r = 0; r < R; r++) {
        if (s->target[r] < 0) continue;
        const real *zr = z->data + (size_t)r * V, max = s->row[r].max, log_sum = s->row[r].log_sum;
        const real scale = s->weight ? each * s->weight[r] : each;
        const real spread = scale * s->epsilon / (real)V;
        real *dz = z->grad + (size_t)r * V;
#pragma omp simd
        for (int j = 0; j < V; j++) dz[j] += scale * real_exp((zr[j] - max) - log_sum) - spread;
        dz[s->target[r]] -= scale * (1 - s->epsilon);
    }
}

static Normaliser normaliser(const real *z, int V)
{
    real max = z[0], sum = 0;
#pragma omp simd reduction(max : max)
    for (int j = 0; j < V; j++) max = z[j] > max ? z[j] : max;
#pragma omp simd reduction(+ : sum)
    for (int j = 0; j < V; j++) sum += real_exp(z[j] - max);
    return (Normaliser){max, (real)log((double)sum)}; /* sum >= 1: the maximum adds exp(0) */
}

/* Returns log sum_j exp(z_j) - sum_j t_j z_j of row r. */
static real row_loss(const CrossEntropy *s, const real *z, int V, int r)
{
    const real max = s->row[r].max, log_sum = s->row[r].log_sum;
    const real gold = log_sum - (z[s->target[r]] - max);
    if (s->epsilon == 0) return gold;
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int j = 0; j < V; j++) sum += log_sum - (z[j] - max);
    return (1 - s->epsilon) * gold + s->epsilon / (real)V * sum;
}

static Tensor *cross_entropy(Tape *tp, const char *name, Tensor *logits, const int *target,
                             real epsilon, const real *weight)
{
    const int V = shape_last(logits->shape), R = logits->len / V;
    Node *nd = tape_node(tp, name, cross_entropy_backward, SHAPE(1), logits);
    CrossEntropy *s = nd->saved = tape_save(tp, sizeof *s);
    *s = (CrossEntropy){.epsilon = epsilon};
    s->target = tape_save(tp, (size_t)R * sizeof *s->target);
    memcpy(s->target, target, (size_t)R * sizeof *s->target);
    s->row = tape_save(tp, (size_t)R * sizeof *s->row);
    if (weight) s->weight = tape_save(tp, (size_t)R * sizeof *weight);
    if (weight) memcpy(s->weight, weight, (size_t)R * sizeof *weight);
    real *loss = tape_save(tp, (size_t)R * sizeof *loss);
    for (int r = 0; r < R; r++) {
        CHECK(target[r] >= -1 && target[r] < V, "op_%s: target %d in row %d; logits %s", name,
              target[r], r, shape_text(logits->shape).text);
        CHECK(!weight || weight[r] >= 0, "op_%s: weight %g of row %d; must be at least 0", name,
              (double)weight[r], r);
        if (target[r] >= 0) s->scored += weight ? (double)weight[r] : 1;
    }
#pragma omp parallel for num_threads(parallel_threads(20.0 * logits->len)) schedule(static)
    for (int r = 0; r < R; r++) {
        const real *z = logits->data + (size_t)r * V;
        if (target[r] >= 0) s->row[r] = normaliser(z, V);
        loss[r] = target[r] >= 0 ? row_loss(s, z, V, r) : 0;
    }
    double sum = 0;
    for (int r = 0; r < R; r++) sum += (weight ? (double)weight[r] : 1) * (double)loss[r];
    nd->out->data[0] = s->scored > 0 ? (real)(sum / s->scored) : 0;
    return nd->out;
}

Tensor *op_cross_entropy(Tape *tp, Tensor *logits, const int *target)
{
    return cross_entropy(tp, "cross_entropy", logits, target, 0, NULL);
}

Tensor *op_cross_entropy_smoothed(Tape *tp, Tensor *logits, const int *target, real epsilon)
{
    CHECK(epsilon >= 0 && epsilon < 1,
          "op_cross_entropy_smoothed: epsilon = %g; must be at least 0 and below 1",
          (double)epsilon);
    return cross_entropy(tp, "cross_entropy_smoothed", logits, target, epsilon, NULL);
}

Tensor *op_cross_entropy_weighted(Tape *tp, Tensor *logits, const int *target, const real *weight)
{
    return cross_entropy(tp, "cross_entropy_weighted", logits, target, 0, weight);
}

/* y_r = z_target - log sum_j exp(z_j) in row r; 0 if the target is -1
 *
 *   dz_j += dy_r ([j = target] - softmax(z)_j)
 */
static void log_prob_backward(Node *nd)
{
    Tensor *z = nd->in[0];
    const CrossEntropy *s = nd->saved;
    const int V = shape_last(z->shape), R = z->len / V;
    if (!z->grad) return;
    PARALLEL_FOR(20.0 * z->len, r, R, 1, {
        const real *zr = z->data + (size_t)r * V;
        const Normaliser n = s->row[r];
        const real dy = s->target[r] < 0 ? 0 : nd->out->grad[r];
        real *dz = z->grad + (size_t)r * V;
        for (int j = 0; j < V && dy != 0; j++) dz[j] -= dy * real_exp((zr[j] - n.max) - n.log_sum);
        if (s->target[r] >= 0) dz[s->target[r]] += dy;
    });
}

Tensor *op_log_prob(Tape *tp, Tensor *logits, const int *target)
{
    const int V = shape_last(logits->shape), R = logits->len / V;
    Shape shape = logits->shape;
    if (--shape.n == 0) shape = SHAPE(1);
    Node *nd = tape_node(tp, "log_prob", log_prob_backward, shape, logits);
    CrossEntropy *s = nd->saved = tape_save(tp, sizeof *s);
    *s = (CrossEntropy){.target = tape_save(tp, (size_t)R * sizeof *s->target),
                        .row = tape_save(tp, (size_t)R * sizeof *s->row)};
    for (int r = 0; r < R; r++) {
        CHECK(target[r] >= -1 && target[r] < V, "op_log_prob: target %d in row %d; logits %s",
              target[r], r, shape_text(logits->shape).text);
        s->target[r] = target[r];
    }
    PARALLEL_FOR(20.0 * logits->len, r, R, 1, {
        const real *z = logits->data + (size_t)r * V;
        if (target[r] >= 0) s->row[r] = normaliser(z, V);
        nd->out->data[r] = target[r] >= 0 ? -row_loss(s, z, V, r) : 0;
    });
    return nd->out;
}

/* y = mean(x)        dx += dy / n */
static void mean_backward(Node *nd)
{
    Tensor *x = nd->in[0];
    const real each = nd->out->grad[0] / (real)x->len;
    for (int i = 0; i < x->len && x->grad; i++) x->grad[i] += each;
}

Tensor *op_mean(Tape *tp, Tensor *x)
{
    Node *nd = tape_node(tp, "mean", mean_backward, SHAPE(1), x);
    double sum = 0;
    for (int i = 0; i < x->len; i++) sum += (double)x->data[i];
    nd->out->data[0] = (real)(sum / x->len);
    return nd->out;
}

/* L = mean (y - target)^2        dy += dL 2 (y - target) / n */
static void mse_backward(Node *nd)
{
    Tensor *y = nd->in[0];
    const real *target = nd->saved, scale = 2 * nd->out->grad[0] / (real)y->len;
    for (int i = 0; i < y->len && y->grad; i++) y->grad[i] += scale * (y->data[i] - target[i]);
}

Tensor *op_mse(Tape *tp, Tensor *y, const real *target)
{
    Node *nd = tape_node(tp, "mse", mse_backward, SHAPE(1), y);
    real *saved = nd->saved = tape_save(tp, (size_t)y->len * sizeof *saved);
    double sum = 0;
    for (int i = 0; i < y->len; i++) {
        const double d = (double)(y->data[i] - target[i]);
        sum += d * d;
        saved[i] = target[i];
    }
    nd->out->data[0] = (real)(sum / y->len);
    return nd->out;
}

/* L = sum r x        dx += dL r */
static void dot_backward(Node *nd)
{
    Tensor *x = nd->in[0];
    const real *r = nd->saved, dy = nd->out->grad[0];
    for (int i = 0; i < x->len && x->grad; i++) x->grad[i] += dy * r[i];
}

Tensor *op_dot(Tape *tp, Tensor *x, const real *r)
{
    Node *nd = tape_node(tp, "dot", dot_backward, SHAPE(1), x);
    real *saved = nd->saved = tape_save(tp, (size_t)x->len * sizeof *saved);
    double sum = 0;
    for (int i = 0; i < x->len; i++) {
        saved[i] = r[i];
        sum += (double)r[i] * (double)x->data[i];
    }
    nd->out->data[0] = (real)sum;
    return nd->out;
}
