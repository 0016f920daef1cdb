/* Multi-head attention (Vaswani et al. 2017, s3.2) in one op. A head is a block of D = C / heads
 * columns of q, k and v; of each head, for the keys s that step t may look at:
 *
 *   e_ts = q_t . k_s / sqrt(D)        p_ts = softmax over s of e_ts        y_t = sum_s p_ts v_s
 *
 *   dv_s += p_ts dy_t      dp_ts = dy_t . v_s      de_ts = p_ts (dp_ts - dy_t . y_t)
 *   dq_t += de_ts k_s / sqrt(D)        dk_s += de_ts q_t / sqrt(D)
 *
 * (T,S) numbers of all heads would be the largest thing a Transformer holds, and slower to fetch
 * than to make. So p lives for a tile of steps at a time, and is made again in the backward pass
 * from two numbers a step, as in FlashAttention (Dao et al. 2022); dy . y stands for sum_s p_ts
 * dp_ts, which would need all keys before the first. Hidden scores become -inf, and keys hidden
 * from a whole tile are not looked at.
 *
 * A slope m (ALiBi, Press et al. 2022) makes it e_ts - m |t - s|: a constant, so no gradient
 * changes. */
#include "math/blas.h"
#include "math/blas_small.h"
#include "ops/ops.h"
#include "math/parallel.h"
#include "math/vecmath.h"

#include <string.h>

enum {
    TILE = 32,        /* steps whose scores exist at a time: 16, 64 and 128 were no faster */
    WORTH_A_COPY = 4, /* steps, for which keys are transposed */
    LANES = 16
};

static int round_up(int n)
{
    return (n + LANES - 1) & -LANES;
}

/* p = exp((e - max) / sqrt(D)) norm, the same bits in both passes; norm = 0 where a step may look
 * at nothing. e is q . k here: the scale is put on with the exponential. */
typedef struct {
    real max, norm;
} Softmax;

typedef struct {
    AttentionMask mask;
    int heads, workers;
    int tile, row;    /* steps whose scores exist at a time; numbers from one's to the next one's */
    real scale;       /* 1 / sqrt(D) */
    Softmax *softmax; /* (B,heads,T) */
    real *weights;    /* (B,heads,T,S), or NULL: nobody asks */
    real *scratch;    /* see Head; `size` numbers for each worker */
    size_t size;
    double flops;
} Attention;

/* One head of one sequence. */
typedef struct {
    int T, S, C, D, keys; /* keys: that are no padding */
    size_t q, k;          /* where it starts in q, y and in k, v */
    size_t step;          /* its first step among those of (B,heads,T) */
    real before, after;   /* slopes, as e has them: before 1 / sqrt(D) is put on */
    real *p, *de;         /* (tile,row) scratch; de for the backward pass alone */
    real *kt, *vt;        /* (D,row) k and v transposed; vt likewise for the backward pass */
} Head;

/* One tile of it. */
typedef struct {
    int t, steps, keys; /* keys: its last step, and so each, sees none beyond */
    size_t q;
} Tile;

static Head head_of(const Node *nd, int i, int worker)
{
    const Attention *a = nd->saved;
    const int *d = nd->out->shape.d, b = i / a->heads, h = i % a->heads;
    Head z = {.T = d[1], .S = nd->in[1]->shape.d[1], .C = d[2], .D = d[2] / a->heads};
    z.keys = a->mask.len ? a->mask.len[b] : z.S;
    z.q = (size_t)b * z.T * z.C + (size_t)h * z.D;
    z.k = (size_t)b * z.S * z.C + (size_t)h * z.D;
    z.step = (size_t)i * z.T;
    if (a->mask.slope) {
        z.before = a->mask.slope[h] / a->scale;
        z.after = a->mask.slope[a->heads + h] / a->scale;
    }
    z.p = a->scratch + worker * a->size;
    z.kt = z.p + (size_t)a->tile * a->row;
    z.de = z.kt + (size_t)z.D * a->row;
    z.vt = z.de + (size_t)a->tile * a->row;
    return z;
}

/* How many keys step t sees before the mask of single ones: all that follow are hidden. */
static int keys_seen(const Attention *a, const Head *z, int t)
{
    const int past = a->mask.causal ? t + 1 + z->S - z->T : z->S;
    return past < 0 ? 0 : past < z->keys ? past : z->keys;
}

static Tile tile_at(const Attention *a, const Head *z, int t)
{
    Tile i = {
        .t = t, .steps = z->T - t < a->tile ? z->T - t : a->tile, .q = z->q + (size_t)t * z->C};
    i.keys = keys_seen(a, z, t + i.steps - 1);
    return i;
}

static bool transposes(const Attention *a)
{
    return a->tile >= WORTH_A_COPY;
}

/* (steps,keys) products of a tile's rows x and a head's rows y, which stand transposed in yt. */
static void products(const Attention *a, const Head *z, const Tile *i, const real *x, const real *y,
                     const real *yt, real *out)
{
    if (transposes(a))
        gemm_small(NN, i->steps, round_up(i->keys), z->D, x, z->C, yt, a->row, 0, out, a->row);
    else
        gemm_serial(NT, i->steps, i->keys, z->D, x, z->C, y, z->C, 0, out, a->row);
}

/* Takes what the slopes ask off the scores e of step t, which stands where key t + S - T does. */
static void lean(const Head *z, int t, int seen, real *restrict e)
{
    const int here = t + z->S - z->T;
    for (int s = 0; s < here && s < seen; s++) e[s] -= z->before * (real)(here - s); /* eq 19.4 */
    for (int s = here < 0 ? 0 : here + 1; s < seen; s++) e[s] -= z->after * (real)(s - here);
}

/* e of a tile, those hidden -inf. i->keys may not be 0. */
static void scores(const Node *nd, const Head *z, const Tile *i)
{
    const Attention *a = nd->saved;
    products(a, z, i, nd->in[0]->data + i->q, nd->in[1]->data + z->k, z->kt, z->p);
    for (int j = 0; j < i->steps; j++) {
        const int seen = keys_seen(a, z, i->t + j);
        const unsigned char *allowed =
            a->mask.allowed ? a->mask.allowed + (size_t)(i->t + j) * z->S : NULL;
        real *e = z->p + (size_t)j * a->row;
        if (a->mask.slope) lean(z, i->t + j, seen, e);
        for (int s = 0; s < seen && allowed; s++) e[s] = allowed[s] ? e[s] : -INFINITY;
        for (int s = seen; s < round_up(i->keys); s++) e[s] = -INFINITY;
    }
}

/* e becomes exp(scale (e - max)). */
static Softmax exponentials(real *restrict e, int keys, real scale)
{
    const int n = round_up(keys); /* whole vectors: what is behind the last key is hidden too */
    real max = -INFINITY, sum = 0;
#pragma omp simd reduction(max : max)
    for (int s = 0; s < n; s++) max = e[s] > max ? e[s] : max;
    if (max == -INFINITY) max = 0; /* all hidden: each exponential is 0 */
#pragma omp simd reduction(+ : sum)
    for (int s = 0; s < n; s++) {
        e[s] = real_exp((e[s] - max) * scale);
        sum += e[s];
    }
    return (Softmax){max, sum == 0 ? 0 : 1 / sum};
}

static void keep_weights(const Attention *a, const Head *z, const Tile *i, int j, real norm)
{
    real *w = a->weights + (z->step + i->t + j) * z->S;
    const real *p = z->p + (size_t)j * a->row;
    for (int s = 0; s < i->keys; s++) w[s] = p[s] * norm;
    for (int s = i->keys; s < z->S; s++) w[s] = 0;
}

/* y of a tile from its scores. The norm is put on D columns of y rather than on all of p. */
static void forward_tile(Node *nd, const Head *z, const Tile *i)
{
    const Attention *a = nd->saved;
    real *y = nd->out->data + i->q;
    Softmax *m = a->softmax + z->step + i->t;
    if (i->keys > 0) scores(nd, z, i);
    for (int j = 0; j < i->steps; j++) {
        m[j] = exponentials(z->p + (size_t)j * a->row, i->keys, a->scale);
        if (a->weights) keep_weights(a, z, i, j, m[j].norm);
    }
    gemm_small(NN, i->steps, z->D, i->keys, z->p, a->row, nd->in[2]->data + z->k, z->C, 0, y, z->C);
    for (int j = 0; j < i->steps; j++)
        for (int c = 0; c < z->D; c++) y[(size_t)j * z->C + c] *= m[j].norm;
}

static void transpose(const Attention *a, const Head *z, real *to, const real *from)
{
    if (transposes(a))
        transpose_small(to, a->row, round_up(z->keys), from + z->k, z->C, z->keys, z->D);
}

static void forward_head(Node *nd, int i, int worker)
{
    const Attention *a = nd->saved;
    const Head z = head_of(nd, i, worker);
    transpose(a, &z, z.kt, nd->in[1]->data);
    for (int t = 0; t < z.T; t += a->tile) {
        const Tile tile = tile_at(a, &z, t);
        forward_tile(nd, &z, &tile);
    }
}

/* Scores become p, and dp becomes de / sqrt(D), of one step. */
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
    for (int r = first; r < end; r++) memset(x + (size_t)r * z->C, 0, (size_t)z->D * sizeof *x);
}

/* p or de (steps,keys), transposed, times x (steps,D), for the gradient of the keys or values. Where it is
 * overwritten the first tile sets all rows, those that it does not see to 0. */
static void gradient_of_keys(const Node *nd, int input, const Head *z, const Tile *i, const real *p,
                             const real *x)
{
    const Attention *a = nd->saved;
    real *grad = nd->in[input]->grad;
    if (!grad) return;
    const real beta = i->t > 0 ? 1 : gradient_beta(nd, input);
    if (beta == 0) clear_rows(grad + z->k, z, i->keys, z->S);
    gemm_small(TN, i->keys, z->D, i->steps, p, a->row, x, z->C, beta, grad + z->k, z->C);
}

static void backward_tile(Node *nd, const Head *z, const Tile *i)
{
    const Attention *a = nd->saved;
    const Tensor *q = nd->in[0], *k = nd->in[1], *v = nd->in[2];
    const real *y = nd->out->data + i->q, *dy = nd->out->grad + i->q;
    const int n = i->keys, row = a->row;
    if (n > 0) {
        scores(nd, z, i);
        products(a, z, i, dy, v->data + z->k, z->vt, z->de); /* dp */
    }
    for (int j = 0; j < i->steps; j++) {
        const size_t at = (size_t)j * z->C;
        real mean = 0;
#pragma omp simd reduction(+ : mean)
        for (int c = 0; c < z->D; c++) mean += dy[at + c] * y[at + c];
        backward_step(z->p + (size_t)j * row, z->de + (size_t)j * row,
                      a->softmax[z->step + i->t + j], mean, a->scale, n);
    }
    gradient_of_keys(nd, 2, z, i, z->p, dy);
    if (q->grad)
        gemm_small(NN, i->steps, z->D, n, z->de, row, k->data + z->k, z->C, gradient_beta(nd, 0),
                   q->grad + i->q, z->C);
    gradient_of_keys(nd, 1, z, i, z->de, q->data + i->q);
}

static void backward_head(Node *nd, int i, int worker)
{
    const Attention *a = nd->saved;
    const Head z = head_of(nd, i, worker);
    transpose(a, &z, z.kt, nd->in[1]->data);
    transpose(a, &z, z.vt, nd->in[2]->data);
    for (int t = 0; t < z.T; t += a->tile) {
        const Tile tile = tile_at(a, &z, t);
        backward_tile(nd, &z, &tile);
    }
}

/* work(head) for all heads of all sequences, each worker's one after the other: the sequences whose other
 * ops it computes too, so that they are in its cache. Which worker's scratch a head uses changes no bit. */
static void for_heads(Node *nd, double flops, void work(Node *, int i, int worker))
{
    const Attention *a = nd->saved;
    const int jobs = nd->out->shape.d[0] * a->heads, share = (jobs + a->workers - 1) / a->workers;
    PARALLEL_FOR(flops, w, a->workers, 1,
                 for (int i = w * share; i < (w + 1) * share && i < jobs; i++) work(nd, i, w));
}

static void attention_backward(Node *nd)
{
    const Attention *a = nd->saved;
    for_heads(nd, 2.5 * a->flops, backward_head);
}

static void check(const Tensor *q, const Tensor *k, const Tensor *v, int heads, const int *len)
{
    CHECK(q->shape.n == 3 && k->shape.n == 3 && shape_equal(k->shape, v->shape) &&
              q->shape.d[0] == k->shape.d[0] && q->shape.d[2] == k->shape.d[2],
          "op_attention: q %s, k %s, v %s; must be (B,T,C), (B,S,C), (B,S,C)",
          shape_text(q->shape).text, shape_text(k->shape).text, shape_text(v->shape).text);
    CHECK(heads >= 1 && q->shape.d[2] % heads == 0, "op_attention: q %s into %d heads",
          shape_text(q->shape).text, heads);
    for (int b = 0; b < q->shape.d[0] && len; b++)
        CHECK(len[b] >= 0 && len[b] <= k->shape.d[1], "op_attention: length %d of %d keys", len[b],
              k->shape.d[1]);
}

Tensor *op_attention(Tape *tp, Tensor *q, Tensor *k, Tensor *v, int heads,
                     const AttentionMask *mask, const real **weights)
{
    const AttentionMask none = {0};
    if (!mask) mask = &none;
    check(q, k, v, heads, mask->len);
    const int B = q->shape.d[0], T = q->shape.d[1], S = k->shape.d[1], C = q->shape.d[2];
    Node *nd = tape_node(tp, "attention", attention_backward, q->shape, q, k, v);
    nd->may_overwrite = 7;
    Attention *a = nd->saved = tape_save(tp, sizeof *a);
    *a = (Attention){.mask = *mask, .heads = heads, .row = gemm_row(round_up(S))};
    a->tile = T < TILE ? T : TILE;
    a->scale = 1 / real_sqrt((real)C / (real)heads);
    a->flops = (4.0 * C + 10.0 * heads) * B * T * S;
    a->workers = parallel_max() < B * heads ? parallel_max() : B * heads;
    const size_t steps = (size_t)B * heads * T;
    a->softmax = tape_save(tp, steps * sizeof *a->softmax);
    if (weights) *weights = a->weights = tape_save(tp, steps * S * sizeof(real));
    a->size = (size_t)(a->tile + C / heads) * a->row * (nd->out->requires_grad ? 2 : 1);
    a->scratch = tape_save(tp, a->workers * a->size * sizeof(real));
    for_heads(nd, a->flops, forward_head);
    return nd->out;
}
