/* Long short-term memory (Hochreiter & Schmidhuber 1997): the cell state is added to, not overwritten.
 *
 *   [i f o g] = x_t W + h_{t-1} U + b        i, f, o through a sigmoid, g through tanh
 *   c_t = f * c_{t-1} + i * g                the cell state: f keeps, i writes
 *   h_t = o * tanh(c_t)                      the hidden state: o reads
 *
 * What differs from the Elman network: between c_{t-1} and c_t there is one factor f, no matrix and no tanh.
 * So the gradient of c survives as long as f stays near 1. The cell of 1997 had no forget gate (f = 1), and c
 * could only grow. Gers, Schmidhuber & Cummins (2000) added the gate, with a bias of 1 so that it starts open.
 * With this bias the LSTM is as good as the GRU (Jozefowicz et al. 2015). Peepholes (Gers & Schmidhuber 2000)
 * let the gates read c: i and f the previous c, o the new one.
 *
 * The columns of the weights are in the order i f o g. PyTorch and Keras use i f g o, TensorFlow's
 * BasicLSTMCell i g f o (and adds 1 to f), ONNX i o f g. */
#include "lstm_gru/lstm.h"

#include <math.h>

LstmLayer lstm_init(Params *ps, int C, int H, bool forget, double forget_bias)
{
    const int N = (forget ? 4 : 3) * H;
    LstmLayer l = {.H = H, .forget = forget};
    l.w = param(ps, SHAPE(C, N), 1 / sqrt(C), "w");
    l.u = param(ps, SHAPE(H, N), 0, "u");
    param_orthogonal_blocks(ps, l.u, 1); /* each gate's (H,H) preserves the norm of h */
    l.b = param(ps, SHAPE(N), 0, "b");
    if (forget) param_fill_range(ps, l.b, H, H, forget_bias);
    return l;
}

/* Adds peephole k to a gate: a + p_k * c, for each row. */
static Tensor *peep(Tape *tp, const LstmLayer *l, int k, Tensor *a, Tensor *c)
{
    return l->p ? op_add(tp, a, op_gain(tp, c, op_rows(tp, l->p, k, 1))) : a;
}

LstmState lstm_step(Tape *tp, const LstmLayer *l, Tensor *x, LstmState s)
{
    const int H = l->H, after = l->forget ? 2 * H : H;
    Tensor *xw = op_matmul(tp, x, l->w), *hu = op_matmul(tp, s.h, l->u); /* (B,4H) */
    Tensor *z = op_bias(tp, op_add(tp, xw, hu), l->b);                   /* eq 11.1 */
    LstmState n = {0};
    n.i = op_sigmoid(tp, peep(tp, l, 0, op_cols(tp, z, 0, H), s.c)); /* (B,H) */
    if (l->forget) n.f = op_sigmoid(tp, peep(tp, l, 1, op_cols(tp, z, H, H), s.c));
    n.g = op_tanh(tp, op_cols(tp, z, after + H, H));
    Tensor *kept = l->forget ? op_mul(tp, n.f, s.c) : s.c;
    n.c = op_add(tp, kept, op_mul(tp, n.i, n.g)); /* eq 11.2 */
    n.o = op_sigmoid(tp, peep(tp, l, 2, op_cols(tp, z, after, H), n.c));
    n.h = op_mul(tp, n.o, op_tanh(tp, n.c)); /* eq 11.3 */
    return n;
}

Tensor *lstm_layer(Tape *tp, const LstmLayer *l, SequenceInput z, LstmState *s)
{
    CHECK(!l->p, "lstm_layer: only lstm_step supports peepholes");
    const int T = z.T;
    Tensor *hc = op_lstm(tp, z, s->h, s->c, l->u);                 /* (2,T,B,H) */
    Tensor *h = op_rows(tp, hc, 0, 1), *c = op_rows(tp, hc, 1, 1); /* (T,B,H) */
    s->h = op_rows(tp, h, T - 1, 1);                               /* (B,H) */
    s->c = op_rows(tp, c, T - 1, 1);
    return h;
}
