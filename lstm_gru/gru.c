/* The gated recurrent unit (Cho et al. 2014): one state, two gates.
 *
 *   [r z] = sigmoid(x_t W_rz + h_{t-1} U_rz + b_rz)       reset and update
 *   n = tanh(x_t W_n + b_n + ...)                         the candidate state, with
 *        ... r * (h_{t-1} U_n + k)                        reset after the product, or
 *        ... (r * h_{t-1}) U_n                            reset before the product
 *   h_t = z * h_{t-1} + (1 - z) * n                       keep or replace
 *
 * What differs from the LSTM: there is no cell state beside h, and one gate z both keeps and writes. So there
 * are three blocks of weights instead of four.
 *
 * Both forms were published as arXiv 1406.1078: version 1 resets after the product, version 3 before it.
 * cuDNN, PyTorch and Keras (reset_after=True) use the first, with the bias k inside. Weights trained for one
 * form do not fit the other. Chung et al. (2014) swap z and 1 - z. */
#include "lstm_gru/gru.h"

#include <math.h>

GruLayer gru_init(Params *ps, int C, int H, bool after, bool inner_bias)
{
    CHECK(after || !inner_bias, "gru_init: an inner bias needs the reset after the product");
    GruLayer l = {.H = H, .after = after};
    l.w = param(ps, SHAPE(C, 3 * H), 1 / sqrt(C), "w");
    l.u = param(ps, SHAPE(H, 3 * H), 0, "u");
    param_orthogonal_blocks(ps, l.u, 1); /* each gate's (H,H) preserves the norm of h */
    l.b = param(ps, SHAPE(3 * H), 0, "b");
    if (inner_bias) l.k = param(ps, SHAPE(H), 0, "k");
    return l;
}

/* Returns the recurrent part of n, (B,H). */
static Tensor *reset_part(Tape *tp, const GruLayer *l, Tensor *h, Tensor *r)
{
    Tensor *u_n = op_cols(tp, l->u, 2 * l->H, l->H);            /* (H,H) */
    if (!l->after) return op_matmul(tp, op_mul(tp, r, h), u_n); /* eq 12.3 */
    Tensor *q = op_matmul(tp, h, u_n);
    return op_mul(tp, r, l->k ? op_bias(tp, q, l->k) : q); /* eq 12.2 */
}

GruState gru_step(Tape *tp, const GruLayer *l, Tensor *x, GruState s)
{
    const int H = l->H;
    Tensor *a = op_linear(tp, x, l->w, l->b);                                /* (B,3H) */
    Tensor *hu = op_matmul(tp, s.h, op_cols(tp, l->u, 0, 2 * H));            /* (B,2H) */
    Tensor *rz = op_sigmoid(tp, op_add(tp, op_cols(tp, a, 0, 2 * H), hu));   /* eq 12.1 */
    GruState new = {.r = op_cols(tp, rz, 0, H), .z = op_cols(tp, rz, H, H)}; /* (B,H) */
    Tensor *m = reset_part(tp, l, s.h, new.r);
    new.n = op_tanh(tp, op_add(tp, op_cols(tp, a, 2 * H, H), m)); /* (B,H) */
    /* eq 12.4: z h' + (1 - z) n = n + z (h' - n) */
    Tensor *difference = op_add(tp, s.h, op_scale(tp, new.n, -1));
    new.h = op_add(tp, new.n, op_mul(tp, new.z, difference));
    return new;
}

Tensor *gru_layer(Tape *tp, const GruLayer *l, SequenceInput a, GruState *s)
{
    Tensor *h = l->after ? op_gru_after(tp, a, s->h, l->u, l->k)
                         : op_gru_before(tp, a, s->h, l->u); /* (T,B,H) */
    s->h = op_rows(tp, h, a.T - 1, 1);                       /* (B,H) */
    return h;
}
