/* The fused Elman recurrence, by hand and against the model's step-by-step form. */
#include "by_hand.h"
#include "math/parallel.h"
#include "nn/params.h"
#include "rnn/rnn.h"

/* T = 2, H = 1, u = 0.5: h0 = 0, z1 = ln 2 gives h1 = 0.6; z2 = ln 2 - 0.3 gives h2 = tanh(ln 2) =
 * 0.6. L = h2: dz2 = 1 - 0.36 = 0.64, dz1 = 0.64 u (1 - 0.36) = 0.2048, du = dz2 h1 + dz1 h0 =
 * 0.384, dh0 = dz1 u = 0.1024. */
START_TEST(rnn_by_hand)
{
    Tape tp = {0};
    const real ln2 = (real)0.69314718056;
    Tensor *z = GIVEN(&tp, SHAPE(2, 1, 1), ln2, ln2 - 0.3f);
    Tensor *h0 = GIVEN(&tp, SHAPE(1, 1), 0), *u = GIVEN(&tp, SHAPE(1, 1), 0.5f);
    Tensor *h = op_rnn(&tp, sequence_of(z), h0, u);
    ck_shape(h, SHAPE(2, 1, 1));
    CK(h->data, 0.6f, 0.6f);
    BACKWARD(&tp, h, 0, 1);
    CK(z->grad, 0.2048f, 0.64f);
    CK(u->grad, 0.384f);
    CK(h0->grad, 0.1024f);
    tape_free(&tp);
}
END_TEST

/* Compares values and gradients of the fused op with those of rnn/rnn.c's loop over the steps. */
static void check_layer(int T, int B, int C, int H)
{
    Tape tp = {0};
    Params ps = params_init(3);
    RnnLayer l;
    l.w = param(&ps, SHAPE(C, H), 1 / sqrt(C), "w");
    l.u = param(&ps, SHAPE(H, H), 0, "u");
    param_orthogonal(&ps, l.u, 1);
    l.b = param(&ps, SHAPE(H), .5, "b");
    Tensor *x = param(&ps, SHAPE(T, B, C), 1, "x"), *h0 = param(&ps, SHAPE(B, H), .5, "h0");
    Tensor *r = param(&ps, SHAPE(T, B, H), 1. / (T * B), "r");
    Tensor **steps = xmalloc((size_t)T * sizeof *steps);

    Tensor *slow = rnn_layer_steps(&tp, &l, x, h0, steps);
    backward(&tp, slow, r->data);
    real *want = xmalloc(ps.len * sizeof *want);
    memcpy(want, ps.grad, ps.len * sizeof *want);
    params_zero_grad(&ps);
    Tensor *fast = op_rnn(&tp, sequence_of(op_linear(&tp, x, l.w, l.b)), h0, l.u);
    backward(&tp, fast, r->data);

    double worst = 0;
    for (int i = 0; i < fast->len; i++)
        worst = fmax(worst, fabs((double)(fast->data[i] - slow->data[i])));
    for (size_t i = 0; i < ps.len; i++) worst = fmax(worst, fabs((double)(ps.grad[i] - want[i])));
    ck_assert_msg(worst <= 1e-6, "(%d,%d,%d,%d): %g apart", T, B, C, H, worst);
    free(want);
    free(steps);
    params_free(&ps);
    tape_free(&tp);
}

START_TEST(rnn_equals_its_steps)
{
    parallel_init(2);
    check_layer(1, 1, 1, 1);
    check_layer(7, 3, 5, 4);
    check_layer(12, 40, 8, 33);
    check_layer(15, 16, 3, 64);
}
END_TEST

SUITE("ops_rnn", TESTS(rnn_by_hand, rnn_equals_its_steps), NO_ABORTS)
