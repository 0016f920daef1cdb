/* The recurrence of a GRU over a whole sequence in one op, in both published forms.
 *
 *   [r z] = sigmoid([a_r a_z] + h' u_rz)                              h' = h_{t-1}
 *   n = tanh(a_n + r (h' u_n + k))      reset after the product (Cho et al. 2014, version 1 of the
 *                                       paper; cuDNN, PyTorch), k an optional bias
 *   n = tanh(a_n + (r h') u_n)          reset before the product (version 3)
 *   h_t = z h' + (1 - z) n
 *
 * a = [a_r a_z a_n] is the op's input. Backward, from the last step to the first:
 *
 *   dz = dh (h' - n)      dn = dh (1 - z) (1 - n^2)      dh' = dh z + ...
 *   after:    dq = dn r        dr = dn q            q = h' u_n + k
 *   before:   dq = dn u_n^T    dr = dq h'           q = r h'             dh' += dq r
 *   da = [dr r(1-r)  dz z(1-z)  dn]      dh' += da_rz u_rz^T (after: + dq u_n^T)
 *
 * The products of the two forms have the same shapes, so with r = 1 both forms give the same bits.
 */
#include "ops/ops_recurrent.h"

typedef struct {
    real *h;         /* (1+T,B,H): h0 first, so that index t holds h_{t-1} */
    bool after;      /* is the reset gate applied after the product? */
    int ld, ldd;     /* distances between the rows of gates and of d */
    SequenceInput a; /* (T,B,3H) */
    Recurrent u;     /* (H,3H) */
    real *gates;     /* (T,B,3H) r z n */
    real *q;         /* (T,B,H) h' u_n + k, or r h' */
    real *d;         /* after: (T,B,4H) [da_r da_z dq dn], its first 3H columns give u's gradient;
                    * before: (T,B,3H) [da_r da_z dn] */
    int at_n;        /* first column of dn in d */
    real *dh, *dq;   /* (B,H) */
    real *product;   /* (B,H) q u_n of the current step, if the reset comes before */
} Gru;

/* y = a b */
static void product_of(real *restrict y, const real *restrict a, const real *restrict b, int n)
{
    for (int i = 0; i < n; i++) y[i] = a[i] * b[i];
}

/* --- forward ---------------------------------------------------------------------------------- */

/* n = tanh(a_n + m), or tanh(a_n + r m) if r is not NULL (reset after); h = z h' + (1 - z) n. */
static void gru_mix(int H, const real *restrict r, const real *restrict z, real *restrict n,
                    const real *restrict m, const real *restrict a_n, const real *restrict before,
                    real *restrict h)
{
    if (r) {
#pragma omp simd
        for (int j = 0; j < H; j++) n[j] = real_tanh(a_n[j] + r[j] * m[j]);
    } else {
#pragma omp simd
        for (int j = 0; j < H; j++) n[j] = real_tanh(a_n[j] + m[j]);
    }
#pragma omp simd
    for (int j = 0; j < H; j++) h[j] = z[j] * before[j] + (1 - z[j]) * n[j];
}

static void gru_forward_rows(Node *nd, int b, int rows)
{
    const Gru *s = nd->saved;
    const Tensor *k = nd->inputs > 3 ? nd->in[3] : NULL;
    const int T = nd->out->shape.d[0], B = nd->out->shape.d[1], H = nd->out->shape.d[2], ld = s->ld;
    const size_t BH = (size_t)B * H, at_b = (size_t)b * H;
    real *product = s->product + at_b;
    for (int t = 0; t < T; t++) {
        const size_t row = (size_t)t * B + b;
        real *h = nd->out->data + t * BH + at_b, *gates = s->gates + row * ld;
        real *q = s->q + row * H;
        const real *before = h - BH;
        times_u(&s->u, 0, 2 * H, rows, before, 0, gates, ld);
        for (int i = 0; i < rows; i++)
            sigmoid_of_sum(gates + (size_t)i * ld, input_row(&s->a, row + i, 3 * H), 2 * H);
        for (int i = 0; i < rows && !s->after; i++)
            product_of(q + (size_t)i * H, gates + (size_t)i * ld, before + (size_t)i * H, H);
        times_u(&s->u, 2 * H, H, rows, s->after ? before : q, 0, s->after ? q : product, H);
        for (int i = 0; i < rows; i++) {
            real *restrict y = q + (size_t)i * H;
            for (int j = 0; j < H && k; j++) y[j] += k->data[j];
            real *r = gates + (size_t)i * ld;
            gru_mix(H, s->after ? r : NULL, r + H, r + 2 * H,
                    s->after ? y : product + (size_t)i * H,
                    input_row(&s->a, row + i, 3 * H) + 2 * H, before + (size_t)i * H,
                    h + (size_t)i * H);
        }
    }
}

/* --- backward --------------------------------------------------------------------------------- */

/* Replaces dh by dh z. Writes dz, the gradient before the sigmoid, and dn. */
static void gru_backward_mix(int H, const real *restrict gates, const real *restrict before,
                             real *restrict dh, real *restrict dz, real *restrict dn)
{
    const real *restrict z = gates + H, *restrict n = z + H;
#pragma omp simd
    for (int j = 0; j < H; j++) {
        dz[j] = dh[j] * (before[j] - n[j]) * z[j] * (1 - z[j]);
        dn[j] = dh[j] * (1 - z[j]) * (1 - n[j] * n[j]);
        dh[j] *= z[j]; /* eq 12.5 */
    }
}

/* Writes da_r from dr = x y; x, y are dn, q (reset after) or dq, h' (reset before). */
static void gru_backward_reset(int H, const real *restrict r, const real *restrict x,
                               const real *restrict y, real *restrict da_r)
{
#pragma omp simd
    for (int j = 0; j < H; j++) da_r[j] = x[j] * y[j] * r[j] * (1 - r[j]);
}

static void multiply(real *restrict y, const real *restrict x, int n)
{
    for (int i = 0; i < n; i++) y[i] *= x[i];
}

/* Runs the backward pass of sequences b .. b+rows-1, from the last step to the first. */
static void gru_backward_rows(Node *nd, int b, int rows)
{
    const Gru *s = nd->saved;
    const Tensor *h0 = nd->in[1];
    const int T = nd->out->shape.d[0], B = h0->shape.d[0], H = h0->shape.d[1], ldd = s->ldd;
    const size_t BH = (size_t)B * H, at_b = (size_t)b * H;
    real *dh = s->dh + at_b, *dq = s->dq + at_b;
    memset(dh, 0, (size_t)rows * H * sizeof *dh);
    for (int t = T - 1; t >= 0; t--) {
        const size_t row = (size_t)t * B + b;
        const real *before = s->h + t * BH + at_b;
        real *d = s->d + row * ldd, *dn = d + s->at_n;
        add_to(dh, nd->out->grad + t * BH + at_b, rows * H);
        for (int i = 0; i < rows; i++)
            gru_backward_mix(H, s->gates + (row + i) * s->ld, before + (size_t)i * H,
                             dh + (size_t)i * H, d + (size_t)i * ldd + H, dn + (size_t)i * ldd);
        if (!s->after) times_ut(&s->u, 2 * H, H, rows, dn, ldd, 0, dq);
        for (int i = 0; i < rows; i++) {
            const real *r = s->gates + (row + i) * s->ld, *q = s->q + (row + i) * H;
            real *di = d + (size_t)i * ldd, *dni = di + s->at_n, *dqi = dq + (size_t)i * H;
            gru_backward_reset(H, r, s->after ? dni : dqi, s->after ? q : before + (size_t)i * H,
                               di);
            if (!s->a.ids) { /* da = [da_r da_z dn] */
                const int at = (int)(row + i) * 3 * H;
                gradient_write(nd, 0, at, di, 2 * H);
                gradient_write(nd, 0, at + 2 * H, dni, H);
            }
            if (s->after)
                product_of(di + 2 * H, dni, r, H); /* dq = dn r */
            else
                multiply(dqi, r, H); /* dq r */
        }
        if (!s->after) add_to(dh, dq, rows * H);
        times_ut(&s->u, 0, s->after ? 3 * H : 2 * H, rows, d, ldd, 1, dh);
    }
    if (h0->grad) add_to(h0->grad + at_b, dh, rows * H);
}

/* du += sum over t of h'^T d, for columns first .. first+n-1. */
static void gru_weight_gradient(Node *nd, int first, int n)
{
    const Gru *s = nd->saved;
    const int T = nd->out->shape.d[0], B = nd->out->shape.d[1], H = nd->out->shape.d[2];
    gemm_rows(TN, H, n, T * B, s->h, H, s->d + first, s->ldd, 1, nd->in[2]->grad + first, 3 * H);
}

static void gru_backward(Node *nd)
{
    const Gru *s = nd->saved;
    Tensor *u = nd->in[2], *k = nd->inputs > 3 ? nd->in[3] : NULL;
    const int T = nd->out->shape.d[0], B = nd->out->shape.d[1], H = nd->out->shape.d[2];
    const int ldd = s->ldd;
    recurrent_transpose(&s->u);
    PARALLEL_FOR(6.0 * T * B * H * H, b, B, ROWS, gru_backward_rows(nd, b, rows_from(b, B)));
    if (u->grad && s->after) gru_weight_gradient(nd, 0, 3 * H);
    if (u->grad && !s->after) {
        gru_weight_gradient(nd, 0, 2 * H);
        gemm_rows(TN, H, H, T * B, s->q, H, s->d + 2 * H, ldd, 1, u->grad + 2 * H, 3 * H);
    }
    for (int i = 0; i < T * B && k && k->grad; i++)
        add_to(k->grad, s->d + (size_t)i * ldd + 2 * H, H);
    if (!s->a.ids) return;
    embed_gradient(nd->in[0], s->a.ids, T * B, s->d, ldd, 0, 2 * H);
    embed_gradient(nd->in[0], s->a.ids, T * B, s->d + s->at_n, ldd, 2 * H, H);
}

/* --- the op ----------------------------------------------------------------------------------- */

static Tensor *gru(Tape *tp, const char *name, bool after, SequenceInput a, Tensor *h0, Tensor *u,
                   Tensor *k)
{
    const Shape shape = sequence_check(name, "a", "(T,B,3H)", &a);
    CHECK(u->shape.n == 2, "%s: a %s, u %s; must be (T,B,3H), (H,3H)", name, shape_text(shape).text,
          shape_text(u->shape).text);
    const int T = shape.d[0], B = shape.d[1], H = u->shape.d[0];
    CHECK(shape.d[2] == 3 * H && u->shape.d[1] == 3 * H && shape_equal(h0->shape, SHAPE(B, H)),
          "%s: a %s, h0 %s, u %s; a must be (T,B,%d), h0 (%d,%d), u (%d,%d)", name,
          shape_text(shape).text, shape_text(h0->shape).text, shape_text(u->shape).text, 3 * H, B,
          H, H, 3 * H);
    CHECK(!k || k->len == H, "%s: u %s, k %s; k must be (%d)", name, shape_text(u->shape).text,
          shape_text(k->shape).text, H);
    const size_t TB = (size_t)T * B, BH = (size_t)B * H;
    real *h = tape_save(tp, (1 + (size_t)T) * BH * sizeof *h);
    memcpy(h, h0->data, BH * sizeof *h);
    a = sequence_keep(tp, &a);
    Node *nd = tape_node_of(tp, name + strlen("op_"), gru_backward, SHAPE(T, B, H), k ? 4 : 3,
                            (Tensor *[]){a.rows, h0, u, k}, h + BH);
    Gru *s = nd->saved = tape_save(tp, sizeof *s);
    nd->may_overwrite = a.ids ? 0 : 1;
    *s = (Gru){.h = h, .after = after, .ld = gemm_row(3 * H), .a = a};
    s->at_n = (after ? 3 : 2) * H;
    s->ldd = gemm_row(s->at_n + H);
    s->u = recurrent_weight(tp, u, T, B, nd->out->requires_grad);
    s->gates = tape_save(tp, TB * s->ld * sizeof(real));
    s->q = tape_save(tp, TB * H * sizeof(real));
    s->product = tape_save(tp, BH * sizeof(real));
    PARALLEL_FOR(6.0 * T * B * H * H, b, B, ROWS, gru_forward_rows(nd, b, rows_from(b, B)));
    if (nd->out->requires_grad) {
        s->d = tape_save(tp, TB * s->ldd * sizeof(real));
        s->dh = tape_save(tp, BH * sizeof(real));
        s->dq = tape_save(tp, BH * sizeof(real));
    }
    return nd->out;
}

Tensor *op_gru_after(Tape *tp, SequenceInput a, Tensor *h0, Tensor *u, Tensor *k)
{
    return gru(tp, "op_gru_after", true, a, h0, u, k);
}

Tensor *op_gru_before(Tape *tp, SequenceInput a, Tensor *h0, Tensor *u)
{
    return gru(tp, "op_gru_before", false, a, h0, u, NULL);
}
