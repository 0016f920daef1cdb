/* Multi-head attention (Vaswani et al. 2017, s3.2) in one op. A head is a block of D = C / heads
 * columns of q, k and v. In each head, over the keys s that query t attends to:
 *
 *   e_ts = q_t . k_s / sqrt(D)        p_ts = softmax over s of e_ts        y_t = sum_s p_ts v_s
 *
 *   dv_s += p_ts dy_t      dp_ts = dy_t . v_s      de_ts = p_ts (dp_ts - dy_t . y_t)
 *   dq_t += de_ts k_s / sqrt(D)        dk_s += de_ts q_t / sqrt(D)
 *
 * The (T,S) attention weights of all heads would be the largest tensor of a Transformer, and slower
 * to fetch than to compute. So p exists for one tile of queries at a time, and the backward pass
 * computes it again from two numbers per query, as in FlashAttention (Dao et al. 2022). dy_t . y_t
 * replaces sum_s p_ts dp_ts, which would need all keys before the first de. Hidden scores become
 * -inf, and keys that are hidden from a whole tile are skipped.
 *
 * Grouped keys (Ainslie et al. 2023): with G key heads, where G divides `heads`, head h reads key
 * head h G / heads.
 *
 * Dropout on the weights: y_t = sum_s p_ts m_ts v_s, m_ts = 0 with probability `dropout`, else
 * 1 / (1 - dropout). Then dv_s += p_ts m_ts dy_t, dp_ts = m_ts dy_t . v_s, and sum_s p_ts dp_ts is
 * still dy_t . y_t.
 *
 * A slope m (ALiBi, Press et al. 2022) changes the score to e_ts - m |t - s|. The added term is a
 * constant, so no gradient changes. */
#include "ops/ops_attention.h"

#include "math/blas.h"
#include "math/blas_small.h"
#include "math/parallel.h"
#include "math/vecmath.h"

#include <string.h>

static Head head_of(const Node *nd, int i, int worker)
{
    const Attention *a = nd->saved;
    const int *d = nd->out->shape.d, b = i / a->heads, h = i % a->heads;
    Head z = {.T = d[1], .S = nd->in[1]->shape.d[1], .C = d[2], .D = d[2] / a->heads};
    z.Ck = z.C / a->group;
    z.keys = a->mask.len ? a->mask.len[b] : z.S;
    z.first = h % a->group == 0;
    z.q = (size_t)b * z.T * z.C + (size_t)h * z.D;
    z.k = (size_t)b * z.S * z.Ck + (size_t)(h / a->group) * z.D;
    z.step = (size_t)i * z.T;
    if (a->mask.slope) {
        z.before = a->mask.slope[h] / a->scale;
        z.after = a->mask.slope[a->heads + h] / a->scale;
    }
    z.p = a->scratch + worker * a->size;
    z.kt = z.p + (size_t)a->tile * a->row;
    z.drop = z.kt + (size_t)z.D * a->row;
    z.de = z.drop + a->row;
    z.vt = z.de + (size_t)a->tile * a->row;
    return z;
}

static void transpose(const Attention *a, const Head *z, real *to, const real *from)
{
    if (attention_transposes(a))
        transpose_small(to, a->row, round_up(z->keys), from + z->k, z->Ck, z->keys, z->D);
}

/* --- dropout ---------------------------------------------------------------------------------- */

/* Writes m of query j of a tile to z->drop. Each weight of (B,heads,T,S) has its own random number,
 * so the thread that draws it does not matter. */
static void draw(const Attention *a, const Head *z, const Tile *i, int j)
{
    Rng r = rng_after(&a->rng, (uint64_t)(z->step + i->t + j) * z->S + i->from);
    for (int s = 0; s < i->n; s++)
        z->drop[s] = rng_uniform(&r) < (double)a->dropout ? 0 : 1 / (1 - a->dropout);
}

static void multiply(real *restrict x, const real *restrict m, int n)
{
    for (int s = 0; s < n; s++) x[s] *= m[s];
}

/* --- forward ---------------------------------------------------------------------------------- */

static void keep_weights(const Attention *a, const Head *z, const Tile *i, int j, real norm)
{
    real *w = a->weights + (z->step + i->t + j) * z->S;
    const real *p = z->p + (size_t)j * a->row;
    memset(w, 0, (size_t)z->S * sizeof *w);
    for (int s = 0; s < i->n; s++) w[i->from + s] = p[s] * norm;
}

/* Computes y of a tile. Multiplies the D columns of y by the norm, which is cheaper than all of
 * p. */
static void forward_tile(Node *nd, const Head *z, const Tile *i)
{
    const Attention *a = nd->saved;
    real *y = nd->out->data + i->q;
    Softmax *m = a->softmax + z->step + i->t;
    if (i->n > 0) attention_scores(nd, z, i);
    for (int j = 0; j < i->steps; j++) {
        real *p = z->p + (size_t)j * a->row;
        m[j] = attention_exponentials(p, i->n, a->scale);
        if (a->weights) keep_weights(a, z, i, j, m[j].norm);
        if (a->dropout == 0) continue;
        draw(a, z, i, j);
        multiply(p, z->drop, i->n);
    }
    gemm_small(NN, i->steps, z->D, i->n, z->p, a->row,
               nd->in[2]->data + z->k + (size_t)i->from * z->Ck, z->Ck, 0, y, z->C);
    for (int j = 0; j < i->steps; j++)
        for (int c = 0; c < z->D; c++) y[(size_t)j * z->C + c] *= m[j].norm;
}

static void forward_head(Node *nd, int i, int worker)
{
    const Attention *a = nd->saved;
    const Head z = head_of(nd, i, worker);
    transpose(a, &z, z.kt, nd->in[1]->data);
    for (int t = 0; t < z.T; t += a->tile) {
        const Tile tile = attention_tile(a, &z, t);
        forward_tile(nd, &z, &tile);
    }
}

/* --- backward --------------------------------------------------------------------------------- */

/* Turns the scores of one query into p, and dp into de / sqrt(D). */
static void backward_step(real *restrict p, real *restrict de, Softmax m, real mean, real scale,
                          int keys)
{
    const int n = round_up(keys);
#pragma omp simd
    for (int s = 0; s < n; s++) {
        p[s] = real_exp((p[s] - m.max) * scale) * m.norm;
        de[s] = p[s] * (de[s] - mean) * scale;
    }
}

static void clear_rows(real *x, const Head *z, int first, int end)
{
    for (int r = first; r < end; r++) memset(x + (size_t)r * z->Ck, 0, (size_t)z->D * sizeof *x);
}

/* Adds p^T x or de^T x to the gradient of the values or keys; p, de (steps,n), x (steps,D). If the
 * gradient is overwritten, the first tile writes all rows: 0 to the rows that it does not see. */
static void gradient_of_keys(const Node *nd, int input, const Head *z, const Tile *i, const real *p,
                             const real *x)
{
    const Attention *a = nd->saved;
    real *grad = nd->in[input]->grad;
    if (!grad) return;
    grad += z->k;
    const real beta = i->t > 0 || !z->first ? 1 : gradient_beta(nd, input);
    if (beta == 0) clear_rows(grad, z, 0, i->from);
    if (beta == 0) clear_rows(grad, z, i->from + i->n, z->S);
    gemm_small(TN, i->n, z->D, i->steps, p, a->row, x, z->C, beta, grad + (size_t)i->from * z->Ck,
               z->Ck);
}

/* Turns the scores of a tile into p m, and the dp in z->de into de. */
static void backward_steps(const Node *nd, const Head *z, const Tile *i)
{
    const Attention *a = nd->saved;
    const real *y = nd->out->data + i->q, *dy = nd->out->grad + i->q;
    for (int j = 0; j < i->steps; j++) {
        const size_t at = (size_t)j * z->C;
        real *p = z->p + (size_t)j * a->row, *de = z->de + (size_t)j * a->row, mean = 0;
#pragma omp simd reduction(+ : mean)
        for (int c = 0; c < z->D; c++) mean += dy[at + c] * y[at + c];
        if (a->dropout > 0) {
            draw(a, z, i, j);
            multiply(de, z->drop, i->n);
        }
        backward_step(p, de, a->softmax[z->step + i->t + j], mean, a->scale, i->n);
        if (a->dropout > 0) multiply(p, z->drop, i->n);
    }
}

static void backward_tile(Node *nd, const Head *z, const Tile *i)
{
    const Attention *a = nd->saved;
    const Tensor *q = nd->in[0], *k = nd->in[1], *v = nd->in[2];
    const real *dy = nd->out->grad + i->q;
    if (i->n > 0) {
        attention_scores(nd, z, i);
        attention_products(a, z, i, dy, v->data + z->k, z->vt, z->de); /* dp */
    }
    backward_steps(nd, z, i);
    gradient_of_keys(nd, 2, z, i, z->p, dy);
    if (q->grad)
        gemm_small(NN, i->steps, z->D, i->n, z->de, a->row,
                   k->data + z->k + (size_t)i->from * z->Ck, z->Ck, gradient_beta(nd, 0),
                   q->grad + i->q, z->C);
    gradient_of_keys(nd, 1, z, i, z->de, q->data + i->q);
}

/* Runs the heads that share key head i one after the other, because they add to the same
 * gradients. */
static void backward_group(Node *nd, int i, int worker)
{
    const Attention *a = nd->saved;
    for (int h = i * a->group; h < (i + 1) * a->group; h++) {
        const Head z = head_of(nd, h, worker);
        if (z.first) {
            transpose(a, &z, z.kt, nd->in[1]->data);
            transpose(a, &z, z.vt, nd->in[2]->data);
        }
        for (int t = 0; t < z.T; t += a->tile) {
            const Tile tile = attention_tile(a, &z, t);
            backward_tile(nd, &z, &tile);
        }
    }
}

/* Calls work(job) for all jobs. Each worker gets a contiguous share of them: the sequences whose
 * other ops it computes too, so that they are in its cache. The choice of the worker changes no
 * bit. */
static void for_jobs(Node *nd, int jobs, double flops, void work(Node *, int i, int worker))
{
    const Attention *a = nd->saved;
    const int share = (jobs + a->workers - 1) / a->workers;
    PARALLEL_FOR(flops, w, a->workers, 1,
                 for (int i = w * share; i < (w + 1) * share && i < jobs; i++) work(nd, i, w));
}

static void attention_backward(Node *nd)
{
    const Attention *a = nd->saved;
    for_jobs(nd, nd->out->shape.d[0] * (a->heads / a->group), 2.5 * a->flops, backward_group);
}

/* --- the op ----------------------------------------------------------------------------------- */

static void check(const Tensor *q, const Tensor *k, const Tensor *v, int heads, int kv_heads,
                  const AttentionMask *mask)
{
    CHECK(heads >= 1 && kv_heads >= 1 && heads % kv_heads == 0 && shape_last(q->shape) % heads == 0,
          "op_attention: q %s into %d heads, %d key heads", shape_text(q->shape).text, heads,
          kv_heads);
    CHECK(q->shape.n == 3 && k->shape.n == 3 && shape_equal(k->shape, v->shape) &&
              q->shape.d[0] == k->shape.d[0] && q->shape.d[2] / heads * kv_heads == k->shape.d[2],
          "op_attention: q %s, k %s, v %s; must be (B,T,C), (B,S,%d), (B,S,%d)",
          shape_text(q->shape).text, shape_text(k->shape).text, shape_text(v->shape).text,
          shape_last(q->shape) / heads * kv_heads, shape_last(q->shape) / heads * kv_heads);
    for (int b = 0; b < q->shape.d[0] && mask->len; b++)
        CHECK(mask->len[b] >= 0 && mask->len[b] <= k->shape.d[1],
              "op_attention: length %d of %d keys", mask->len[b], k->shape.d[1]);
    CHECK(mask->window >= 0, "op_attention: a window of %d keys; must be at least 0", mask->window);
}

static const void *copy_of(Tape *tp, const void *from, size_t size)
{
    return from ? memcpy(tape_save(tp, size), from, size) : NULL;
}

static AttentionMask copy_of_mask(Tape *tp, const AttentionMask *mask, int B, int heads, int T,
                                  int S)
{
    AttentionMask m = *mask;
    m.len = copy_of(tp, m.len, (size_t)B * sizeof *m.len);
    m.allowed = copy_of(tp, m.allowed, (size_t)T * S);
    m.slope = copy_of(tp, m.slope, 2 * (size_t)heads * sizeof *m.slope);
    return m;
}

Tensor *op_attention_with(Tape *tp, Tensor *q, Tensor *k, Tensor *v, const AttentionOptions *o)
{
    const AttentionMask none = {0}, *mask = o->mask ? o->mask : &none;
    const int heads = o->heads, kv_heads = o->kv_heads ? o->kv_heads : heads;
    check(q, k, v, heads, kv_heads, mask);
    CHECK(o->dropout >= 0 && o->dropout < 1,
          "op_attention: dropout = %g; must be at least 0 and below 1", (double)o->dropout);
    const int B = q->shape.d[0], T = q->shape.d[1], S = k->shape.d[1], C = q->shape.d[2];
    Node *nd = tape_node(tp, "attention", attention_backward, q->shape, q, k, v);
    const bool back = nd->out->requires_grad;
    nd->may_overwrite = 7;
    Attention *a = nd->saved = tape_save(tp, sizeof *a);
    *a = (Attention){.heads = heads, .group = heads / kv_heads, .row = gemm_row(round_up(S))};
    a->mask = back ? copy_of_mask(tp, mask, B, heads, T, S) : *mask;
    a->tile = T < TILE ? T : TILE;
    a->scale = 1 / real_sqrt((real)C / (real)heads);
    const int keys = mask->window && mask->window + TILE < S ? mask->window + TILE : S;
    a->flops = (4.0 * C + 10.0 * heads) * B * T * keys;
    a->workers = parallel_max() < B * heads ? parallel_max() : B * heads;
    const size_t steps = (size_t)B * heads * T;
    a->softmax = tape_save(tp, steps * sizeof *a->softmax);
    if (o->weights) *o->weights = a->weights = tape_save(tp, steps * S * sizeof(real));
    if (o->dropout > 0) {
        a->dropout = o->dropout, a->rng = *o->rng;
        *o->rng = rng_after(o->rng, (uint64_t)steps * S);
    }
    a->size = ((size_t)(a->tile + C / heads) * (back ? 2 : 1) + 1) * a->row;
    a->scratch = tape_save(tp, a->workers * a->size * sizeof(real));
    for_jobs(nd, B * heads, a->flops, forward_head);
    return nd->out;
}

Tensor *op_attention(Tape *tp, Tensor *q, Tensor *k, Tensor *v, int heads,
                     const AttentionMask *mask, const real **weights)
{
    const AttentionOptions o = {.heads = heads, .mask = mask, .weights = weights};
    return op_attention_with(tp, q, k, v, &o);
}
