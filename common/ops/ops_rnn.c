/* The recurrence of an Elman network over a whole sequence in one op.
 *
 *   h_t = tanh(z_t + h_{t-1} u)        z (T,B,H), h_{-1} = h0 (B,H), u (H,H)
 *
 * Backward, from the last step to the first; dh_t is the gradient of the output h_t:
 *
 *   dz_t = (dh_t + dz_{t+1} u^T) * (1 - h_t^2)
 *   du += sum_t h_{t-1}^T dz_t         dh0 += dz_0 u^T
 */
#include "ops/ops_recurrent.h"

typedef struct {
    real *h;         /* (T+1,B,H): h0 first, so that index t holds h_{t-1} and t+1 holds h_t */
    SequenceInput z; /* (T,B,H) */
    real *dz;        /* (T,B,H), used if dz cannot be written to z's gradient directly */
    Recurrent u;     /* (H,H) */
} Rnn;

/* dz = (dz + dh) * (1 - h^2) */
static void tanh_gradient(real *restrict dz, const real *restrict dh, const real *restrict h, int n)
{
#pragma omp simd
    for (int i = 0; i < n; i++) dz[i] = (dz[i] + dh[i]) * (1 - h[i] * h[i]);
}

static void rnn_backward(Node *nd)
{
    Tensor *z = nd->in[0], *h0 = nd->in[1], *u = nd->in[2];
    const Rnn *s = nd->saved;
    const int T = nd->out->shape.d[0], B = nd->out->shape.d[1], H = nd->out->shape.d[2];
    const size_t BH = (size_t)B * H;
    real *all_dz = gradient_overwrites(nd, 0) ? z->grad : s->dz;
    recurrent_transpose(&s->u);

#pragma omp parallel for num_threads(parallel_threads(2.0 * T * B * H * H)) schedule(static)
    for (int b = 0; b < B; b += ROWS) {
        const int rows = rows_from(b, B), n = rows * H;
        for (int t = T - 1; t >= 0; t--) {
            const size_t at = t * BH + (size_t)b * H;
            real *dz = all_dz + at;
            if (t == T - 1)
                memset(dz, 0, (size_t)n * sizeof *dz);
            else
                times_ut(&s->u, 0, H, rows, dz + BH, H, 0, dz);
            tanh_gradient(dz, nd->out->grad + at, nd->out->data + at, n); /* eq 9.3 */
            if (z->grad && !s->z.ids && !gradient_overwrites(nd, 0)) add_to(z->grad + at, dz, n);
        }
        if (h0->grad)
            times_ut(&s->u, 0, H, rows, all_dz + (size_t)b * H, H, 1, h0->grad + (size_t)b * H);
    }
    if (u->grad) gemm(TN, H, H, T * B, s->h, all_dz, 1, u->grad); /* eq 9.4 */
    if (s->z.ids) embed_gradient(z, s->z.ids, T * B, all_dz, H, 0, H);
}

Tensor *op_rnn(Tape *tp, SequenceInput z, Tensor *h0, Tensor *u)
{
    const Shape shape = sequence_check("op_rnn", "z", "(T,B,H)", &z);
    const int T = shape.d[0], B = shape.d[1], H = shape.d[2];
    CHECK(shape_equal(h0->shape, SHAPE(B, H)) && u->shape.n == 2 && u->shape.d[0] == H &&
              u->shape.d[1] == H,
          "op_rnn: z %s, h0 %s, u %s; h0 must be (%d,%d), u (%d,%d)", shape_text(shape).text,
          shape_text(h0->shape).text, shape_text(u->shape).text, B, H, H, H);
    const size_t BH = (size_t)B * H;
    Rnn *s = tape_save(tp, sizeof *s);
    s->h = tape_save(tp, (size_t)(T + 1) * BH * sizeof(real));
    memcpy(s->h, h0->data, BH * sizeof(real));
    s->z = sequence_keep(tp, &z);
    Tensor *in[] = {s->z.rows, h0, u};
    Node *nd = tape_node_of(tp, "rnn", rnn_backward, shape, LEN(in), in, s->h + BH);
    nd->saved = s;
    nd->may_overwrite = s->z.ids ? 0 : 1;
    s->u = recurrent_weight(tp, u, T, B, nd->out->requires_grad);

#pragma omp parallel for num_threads(parallel_threads(2.0 * T * B * H * H)) schedule(static)
    for (int b = 0; b < B; b += ROWS) {
        const int rows = rows_from(b, B), n = rows * H;
        for (int t = 0; t < T; t++) {
            const real *before = s->h + t * BH + (size_t)b * H;
            real *h = nd->out->data + t * BH + (size_t)b * H;
            for (int r = 0; r < rows; r++)
                memcpy(h + (size_t)r * H, input_row(&s->z, (size_t)t * B + b + r, H),
                       (size_t)H * sizeof *h);
            times_u(&s->u, 0, H, rows, before, 1, h, H);
            tanh_inplace(h, n);
        }
    }
    if (nd->out->requires_grad) s->dz = tape_save(tp, (size_t)T * BH * sizeof(real));
    return nd->out;
}
