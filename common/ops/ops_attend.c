/* Attention over a padded batch of sequences in one op: scores, softmax and weighted sum.
 *
 *   e_ts = q_t . k_s                    dot product (Luong, Pham & Manning 2015, eq 8)
 *   e_ts = a . tanh(q_t + k_s)          additive (Bahdanau, Cho & Bengio 2014, A.1.2)
 *   p_ts = softmax over s < len of e_ts
 *   y_t  = sum_s p_ts v_s
 *
 * Only the len[b] true positions of a source get a score, so padding cannot change the result.
 * Backward:
 *
 *   dv_s += p_ts dy_t      dp_ts = dy_t . v_s      de_ts = p_ts (dp_ts - sum_s p_ts dp_ts)
 *   dot:       dq_t += de_ts k_s        dk_s += de_ts q_t
 *   additive:  x = tanh(q_t + k_s)      dq_t, dk_s += de_ts a (1 - x^2)      da += de_ts x
 *
 * The backward pass computes x again: (T,B,S,A) numbers are slower to fetch than to compute. */
#include "ops/ops.h"
#include "math/parallel.h"
#include "math/vecmath.h"

#include <string.h>

typedef struct {
    bool additive;
    int *len;  /* (B) */
    real *p;   /* (T,B,S) */
    real *de;  /* (T,B,S) */
    real *da;  /* (B,A) a's gradient per sequence, so that the order of the sum is fixed */
    real *sum; /* (B,2A) q's gradient at one step; then a dummy target if k has no gradient */
    double flops;
} Attend;

/* Sizes of one sequence of the batch, and the distances between its steps. */
typedef struct {
    int T, S, A, C, len;
    size_t q_row, v_row, p_row; /* k has q_row too */
} Sizes;

static Sizes sizes_of(const Node *nd, int b)
{
    const Tensor *q = nd->in[0], *k = nd->in[1], *v = nd->in[2];
    const int B = q->shape.d[1], A = q->shape.d[2], C = v->shape.d[2], S = k->shape.d[0];
    const Attend *s = nd->saved;
    return (Sizes){.T = q->shape.d[0],
                   .S = S,
                   .A = A,
                   .C = C,
                   .len = s->len[b],
                   .q_row = (size_t)B * A,
                   .v_row = (size_t)B * C,
                   .p_row = (size_t)B * S};
}

static real dot(const real *restrict x, const real *restrict y, int n)
{
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int i = 0; i < n; i++) sum += x[i] * y[i];
    return sum;
}

/* a . tanh(q + k) */
static real additive_score(const real *restrict a, const real *restrict q, const real *restrict k,
                           int n)
{
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int i = 0; i < n; i++) sum += a[i] * real_tanh(q[i] + k[i]); /* eq 15.1 */
    return sum;
}

static void softmax(real *restrict p, int n)
{
    real max = p[0], sum = 0;
    for (int i = 1; i < n; i++) max = p[i] > max ? p[i] : max;
#pragma omp simd reduction(+ : sum)
    for (int i = 0; i < n; i++) {
        p[i] = real_exp(p[i] - max);
        sum += p[i];
    }
    for (int i = 0; i < n; i++) p[i] /= sum;
}

/* Computes all steps of sequence b. */
static void attend_forward(Node *nd, int b)
{
    const Attend *s = nd->saved;
    const Sizes z = sizes_of(nd, b);
    const real *a = s->additive ? nd->in[3]->data : NULL;
    const real *k = nd->in[1]->data + (size_t)b * z.A, *v = nd->in[2]->data + (size_t)b * z.C;
    for (int t = 0; t < z.T; t++) {
        const real *q = nd->in[0]->data + t * z.q_row + (size_t)b * z.A;
        real *p = s->p + t * z.p_row + (size_t)b * z.S;
        real *y = nd->out->data + t * z.v_row + (size_t)b * z.C;
        memset(p, 0, (size_t)z.S * sizeof *p);
        memset(y, 0, (size_t)z.C * sizeof *y);
        if (z.len == 0) continue;       /* an empty source gives 0, not NaN */
        for (int i = 0; i < z.len; i++) /* eq 15.2: the dot product */
            p[i] = a ? additive_score(a, q, k + i * z.q_row, z.A) : dot(q, k + i * z.q_row, z.A);
        softmax(p, z.len);                                                         /* eq 15.3 */
        for (int i = 0; i < z.len; i++) add_scaled(y, v + i * z.v_row, p[i], z.C); /* eq 15.4 */
    }
}

/* Computes de of all steps of sequence b, and adds to v's gradient. */
static void backward_weights(Node *nd, int b)
{
    const Attend *s = nd->saved;
    const Sizes z = sizes_of(nd, b);
    const real *v = nd->in[2]->data + (size_t)b * z.C;
    real *dv = nd->in[2]->grad ? nd->in[2]->grad + (size_t)b * z.C : NULL;
    for (int t = 0; t < z.T; t++) {
        const real *p = s->p + t * z.p_row + (size_t)b * z.S;
        const real *dy = nd->out->grad + t * z.v_row + (size_t)b * z.C;
        real *de = s->de + t * z.p_row + (size_t)b * z.S;
        for (int i = 0; i < z.len; i++) {
            de[i] = dot(dy, v + i * z.v_row, z.C); /* dp */
            if (dv) add_scaled(dv + i * z.v_row, dy, p[i], z.C);
        }
        const real mean = dot(p, de, z.len);
        for (int i = 0; i < z.len; i++) de[i] = p[i] * (de[i] - mean);
    }
}

/* For one pair of q and k: dq += de a (1 - x^2), dk += the same, da += de x. */
static void backward_additive(const real *restrict a, const real *restrict q,
                              const real *restrict k, real de, real *restrict dq, real *restrict dk,
                              real *restrict da, int n)
{
#pragma omp simd
    for (int i = 0; i < n; i++) {
        const real x = real_tanh(q[i] + k[i]), d = de * a[i] * (1 - x * x);
        dq[i] += d;
        dk[i] += d;
        da[i] += de * x;
    }
}

/* Adds to the gradients of q, k and a, from de. Sums q's gradient in a buffer of its own, because q
 * and k may be the same tensor. */
static void backward_scores(Node *nd, int b)
{
    const Attend *s = nd->saved;
    const Sizes z = sizes_of(nd, b);
    const size_t at = (size_t)b * z.A;
    const real *k = nd->in[1]->data + at;
    real *dk = nd->in[1]->grad, *dq = s->sum + 2 * at, *nowhere = dq + z.A;
    for (int t = 0; t < z.T; t++) {
        const real *de = s->de + t * z.p_row + (size_t)b * z.S;
        const real *q = nd->in[0]->data + at + t * z.q_row;
        memset(dq, 0, (size_t)z.A * sizeof *dq);
        for (int i = 0; i < z.len; i++) {
            real *dki = dk ? dk + at + i * z.q_row : nowhere;
            if (s->additive) {
                backward_additive(nd->in[3]->data, q, k + i * z.q_row, de[i], dq, dki, s->da + at,
                                  z.A);
            } else {
                add_scaled(dq, k + i * z.q_row, de[i], z.A);
                add_scaled(dki, q, de[i], z.A);
            }
        }
        if (nd->in[0]->grad) add_to(nd->in[0]->grad + at + t * z.q_row, dq, z.A);
    }
}

static void attend_backward(Node *nd)
{
    const Attend *s = nd->saved;
    const int B = nd->in[0]->shape.d[1], A = nd->in[0]->shape.d[2];
    Tensor *a = s->additive ? nd->in[3] : NULL;
    if (a) memset(s->da, 0, (size_t)B * A * sizeof *s->da);
    PARALLEL_FOR(2 * s->flops, b, B, 1, backward_weights(nd, b); backward_scores(nd, b));
    for (int b = 0; b < B && a && a->grad; b++) add_to(a->grad, s->da + (size_t)b * A, A);
}

static Tensor *attend(Tape *tp, const char *name, int inputs, Tensor **in, const int *len,
                      const real **weights)
{
    const Tensor *q = in[0], *k = in[1], *v = in[2];
    CHECK(q->shape.n == 3 && k->shape.n == 3 && v->shape.n == 3 && q->shape.d[1] == k->shape.d[1] &&
              q->shape.d[2] == k->shape.d[2] && v->shape.d[0] == k->shape.d[0] &&
              v->shape.d[1] == k->shape.d[1],
          "op_%s: q %s, k %s, v %s; must be (T,B,A), (S,B,A), (S,B,C)", name,
          shape_text(q->shape).text, shape_text(k->shape).text, shape_text(v->shape).text);
    const int T = q->shape.d[0], B = q->shape.d[1], A = q->shape.d[2];
    const int S = k->shape.d[0], C = v->shape.d[2];
    CHECK(inputs == 3 || in[3]->len == A, "op_%s: q %s, a %s; a must be (%d)", name,
          shape_text(q->shape).text, shape_text(in[inputs - 1]->shape).text, A);
    Node *nd = tape_node_of(tp, name, attend_backward, SHAPE(T, B, C), inputs, in, NULL);
    Attend *s = nd->saved = tape_save(tp, sizeof *s);
    const size_t weights_len = (size_t)T * B * S;
    *s = (Attend){.additive = inputs == 4};
    s->flops = (double)weights_len * (inputs == 4 ? 20.0 * A + 2 * C : 2.0 * A + 2 * C);
    s->len = tape_save(tp, (size_t)B * sizeof *s->len);
    s->p = tape_save(tp, weights_len * sizeof *s->p);
    for (int b = 0; b < B; b++) {
        CHECK(len[b] >= 0 && len[b] <= S, "op_%s: length %d of %d steps", name, len[b], S);
        s->len[b] = len[b];
    }
    if (nd->out->requires_grad) {
        s->de = tape_save(tp, weights_len * sizeof *s->de);
        s->da = tape_save(tp, (size_t)B * A * sizeof *s->da);
        s->sum = tape_save(tp, (size_t)B * 2 * A * sizeof *s->sum);
    }
    PARALLEL_FOR(s->flops, b, B, 1, attend_forward(nd, b));
    if (weights) *weights = s->p;
    return nd->out;
}

Tensor *op_attend_dot(Tape *tp, Tensor *q, Tensor *k, Tensor *v, const int *len,
                      const real **weights)
{
    return attend(tp, "attend_dot", 3, (Tensor *[]){q, k, v}, len, weights);
}

Tensor *op_attend_additive(Tape *tp, Tensor *q, Tensor *k, Tensor *a, Tensor *v, const int *len,
                           const real **weights)
{
    return attend(tp, "attend_additive", 4, (Tensor *[]){q, k, v, a}, len, weights);
}
