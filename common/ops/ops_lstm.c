/* The recurrence of an LSTM over a whole sequence in one op (Hochreiter & Schmidhuber 1997; the
 * forget gate of Gers, Schmidhuber & Cummins 2000).
 *
 *   [i f o g] = z_t + h_{t-1} u              i, f, o through a sigmoid, g through tanh
 *   c_t = f c_{t-1} + i g                    h_t = o tanh(c_t)
 *
 * Without a forget gate (z and u have 3H columns, [i o g]) f is 1. Backward, from the last step to
 * the first; dh and dc are the gradients of h_t and c_t as outputs plus those from step t+1:
 *
 *   do = dh tanh(c_t)        dc += dh o (1 - tanh(c_t)^2)
 *   di = dc g    df = dc c_{t-1}    dg = dc i        dc of step t-1 = dc f
 *   dz_t = [di i(1-i)  df f(1-f)  do o(1-o)  dg (1-g^2)]
 *   dh of step t-1 = dz_t u^T        du += sum_t h_{t-1}^T dz_t
 */
#include "ops/ops_recurrent.h"

typedef struct {
    real *h;     /* (1+2T,B,H): h0, all h_t, all c_t; h0 is first so that index t holds h_{t-1} */
    bool forget; /* is there a forget gate? */
    int N, ld;   /* columns of z, 4H or 3H; distance between the rows of gates and of dz */
    SequenceInput z; /* (T,B,N) */
    Recurrent u;     /* (H,N) */
    real *gates;     /* (T,B,N) i f o g after sigmoid and tanh */
    real *dz;        /* (T,B,N) */
    real *dh, *dc;   /* (B,H) gradients that step t passes to step t-1 */
} Lstm;

/* The gates of one sequence at one step. */
typedef struct {
    real *i, *f, *o, *g; /* f: NULL without a forget gate */
} Gates;

static Gates gates_of(const Lstm *s, real *row, int H)
{
    real *o = row + (s->forget ? 2 : 1) * H;
    return (Gates){.i = row, .f = s->forget ? row + H : NULL, .o = o, .g = o + H};
}

/* Computes one step of one sequence. Reads h_{t-1} u from a and overwrites it with the gates. */
static void lstm_forward(const Lstm *s, int H, const real *restrict z, real *restrict a,
                         const real *restrict before, real *restrict c, real *restrict h)
{
    const Gates a_ = gates_of(s, a, H);
    const real *restrict i = a_.i, *restrict f = a_.f, *restrict o = a_.o, *restrict g = a_.g;
    sigmoid_of_sum(a, z, s->N - H);
    tanh_of_sum(a_.g, z + s->N - H, H);
#pragma omp simd
    for (int j = 0; j < H; j++) c[j] = (f ? f[j] * before[j] : before[j]) + i[j] * g[j];
#pragma omp simd
    for (int j = 0; j < H; j++) h[j] = o[j] * real_tanh(c[j]);
}

/* Backward pass of one step of one sequence. dh_after and dc come from step t+1, dh_t and dc_t from
 * the op's output. Writes dz, and replaces dc by the gradient for step t-1. */
static void lstm_backward_row(const Lstm *s, int H, real *restrict gates,
                              const real *restrict before, const real *restrict c,
                              const real *restrict dh_after, const real *restrict dh_t,
                              real *restrict dc, const real *restrict dc_t, real *restrict dz)
{
    const Gates a = gates_of(s, gates, H), d = gates_of(s, dz, H);
    const real *restrict i = a.i, *restrict f = a.f, *restrict o = a.o, *restrict g = a.g;
    real *restrict di = d.i, *restrict df = d.f, *restrict d_o = d.o, *restrict dg = d.g;
#pragma omp simd
    for (int j = 0; j < H; j++) {
        const real y = real_tanh(c[j]), dh = dh_after[j] + dh_t[j];
        const real all = dc[j] + dc_t[j] + dh * o[j] * (1 - y * y); /* eq 11.4 */
        d_o[j] = dh * y * o[j] * (1 - o[j]); /* eq 11.5, and its other three below */
        di[j] = all * g[j] * i[j] * (1 - i[j]);
        dg[j] = all * i[j] * (1 - g[j] * g[j]);
        dc[j] = all;
    }
    if (!f) return;
#pragma omp simd
    for (int j = 0; j < H; j++) {
        df[j] = dc[j] * before[j] * f[j] * (1 - f[j]);
        dc[j] *= f[j];
    }
}

/* Runs the backward pass of sequences b .. b+rows-1, from the last step to the first. */
static void lstm_backward_rows(Node *nd, int b, int rows)
{
    const Lstm *s = nd->saved;
    Tensor *h0 = nd->in[1], *c0 = nd->in[2];
    const int T = nd->out->shape.d[1], B = h0->shape.d[0], H = h0->shape.d[1], N = s->N, ld = s->ld;
    const size_t BH = (size_t)B * H, at_b = (size_t)b * H;
    real *dh = s->dh + at_b, *dc = s->dc + at_b;
    memset(dh, 0, (size_t)rows * H * sizeof *dh);
    memset(dc, 0, (size_t)rows * H * sizeof *dc);
    for (int t = T - 1; t >= 0; t--) {
        const real *c = nd->out->data + (T + t) * BH + at_b, *before = t ? c - BH : c0->data + at_b;
        const size_t row = (size_t)t * B + b;
        real *dz = s->dz + row * ld;
        const real *dh_t = nd->out->grad + t * BH + at_b, *dc_t = dh_t + T * BH;
        for (int r = 0; r < rows; r++) {
            const size_t at = (size_t)r * H;
            lstm_backward_row(s, H, s->gates + (row + r) * ld, before + at, c + at, dh + at,
                              dh_t + at, dc + at, dc_t + at, dz + (size_t)r * ld);
            if (!s->z.ids) gradient_write(nd, 0, (int)(row + r) * N, dz + (size_t)r * ld, N);
        }
        times_ut(&s->u, 0, N, rows, dz, ld, 0, dh);
    }
    if (h0->grad) add_to(h0->grad + at_b, dh, rows * H);
    if (c0->grad) add_to(c0->grad + at_b, dc, rows * H);
}

static void lstm_backward(Node *nd)
{
    const Lstm *s = nd->saved;
    Tensor *h0 = nd->in[1], *u = nd->in[3];
    const int T = nd->out->shape.d[1], B = h0->shape.d[0], H = h0->shape.d[1], N = s->N;
    recurrent_transpose(&s->u);
    PARALLEL_FOR(2.0 * T * B * H * N, b, B, ROWS, lstm_backward_rows(nd, b, rows_from(b, B)));
    if (u->grad) gemm_rows(TN, H, N, T * B, s->h, H, s->dz, s->ld, 1, u->grad, N);
    if (s->z.ids) embed_gradient(nd->in[0], s->z.ids, T * B, s->dz, s->ld, 0, N);
}

static void lstm_forward_rows(Node *nd, int b, int rows)
{
    const Lstm *s = nd->saved;
    const Tensor *c0 = nd->in[2];
    const int T = nd->out->shape.d[1], B = c0->shape.d[0], H = c0->shape.d[1], N = s->N, ld = s->ld;
    const size_t BH = (size_t)B * H, at_b = (size_t)b * H;
    for (int t = 0; t < T; t++) {
        real *h = nd->out->data + t * BH + at_b, *c = h + T * BH;
        const real *c_before = t ? c - BH : c0->data + at_b;
        const size_t row = (size_t)t * B + b;
        real *a = s->gates + row * ld;
        times_u(&s->u, 0, N, rows, h - BH, 0, a, ld);
        for (int r = 0; r < rows; r++) {
            const size_t at = (size_t)r * H;
            lstm_forward(s, H, input_row(&s->z, row + r, N), a + (size_t)r * ld, c_before + at,
                         c + at, h + at);
        }
    }
}

Tensor *op_lstm(Tape *tp, SequenceInput z, Tensor *h0, Tensor *c0, Tensor *u)
{
    const Shape shape = sequence_check("op_lstm", "z", "(T,B,4H)", &z);
    CHECK(u->shape.n == 2, "op_lstm: z %s, u %s; must be (T,B,4H), (H,4H)", shape_text(shape).text,
          shape_text(u->shape).text);
    const int T = shape.d[0], B = shape.d[1], N = shape.d[2], H = u->shape.d[0];
    CHECK((N == 4 * H || N == 3 * H) && u->shape.d[1] == N && shape_equal(h0->shape, SHAPE(B, H)) &&
              shape_equal(c0->shape, SHAPE(B, H)),
          "op_lstm: z %s, h0 %s, c0 %s, u %s; h0 and c0 must be (%d,%d), u (%d,%d), or 3H columns "
          "without a forget gate",
          shape_text(shape).text, shape_text(h0->shape).text, shape_text(c0->shape).text,
          shape_text(u->shape).text, B, H, H, 4 * H);
    const size_t TB = (size_t)T * B, BH = (size_t)B * H;
    real *h = tape_save(tp, (1 + 2 * (size_t)T) * BH * sizeof *h);
    memcpy(h, h0->data, BH * sizeof *h);
    const SequenceInput inputs = sequence_keep(tp, &z);
    Tensor *in[] = {inputs.rows, h0, c0, u};
    Node *nd = tape_node_of(tp, "lstm", lstm_backward, SHAPE(2, T, B, H), LEN(in), in, h + BH);
    Lstm *s = nd->saved = tape_save(tp, sizeof *s);
    nd->may_overwrite = inputs.ids ? 0 : 1;
    *s = (Lstm){.h = h, .z = inputs, .forget = N == 4 * H, .N = N, .ld = gemm_row(N)};
    s->u = recurrent_weight(tp, u, T, B, nd->out->requires_grad);
    s->gates = tape_save(tp, TB * s->ld * sizeof(real));
    PARALLEL_FOR(2.0 * T * B * H * N, b, B, ROWS, lstm_forward_rows(nd, b, rows_from(b, B)));
    if (nd->out->requires_grad) {
        s->dz = tape_save(tp, TB * s->ld * sizeof(real));
        s->dh = tape_save(tp, (size_t)B * H * sizeof(real));
        s->dc = tape_save(tp, (size_t)B * H * sizeof(real));
    }
    return nd->out;
}
