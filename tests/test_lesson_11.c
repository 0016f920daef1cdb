/* Lesson 11: the numbers that the page calculates by hand, and its claims about the cell: how fast the
 * direct path decays, that c grows without a forget gate, and that both h and c must be carried over. */
#include "by_hand.h"
#include "lstm_gru/lstm.h"
#include "nn/params.h"

#define LN3 1.09861228867f
#define Z_1 LN3, 0, 0, LN3 /* i 0.75, f 0.5, o 0.5,  g 0.8 */
#define Z_2 LN3, 0, LN3, 0 /* i 0.75, f 0.5, o 0.75, g 0 */
#define C_0 (2 * LN3 - 1.2f)

/* --- two steps of one unit --------------------------------------------------------------------------
 * U = 0. c = (ln 3, ln 3 / 2), h = (0.4, 0.375). L is the last h. */

static const real dz[8] = {0.0421875f, 0.0703125f * C_0, 0,        0.0759375f,
                           0,          0.140625f * LN3,  0.09375f, 0.421875f};
static const real du[4] = {0, 0.4f * 0.140625f * LN3, 0.4f * 0.09375f, 0.4f * 0.421875f};

START_TEST(two_steps_fused)
{
    Tape tp = {0};
    Tensor *z = GIVEN(&tp, SHAPE(2, 1, 4), Z_1, Z_2);
    Tensor *h0 = GIVEN(&tp, SHAPE(1, 1), 0), *c0 = GIVEN(&tp, SHAPE(1, 1), C_0);
    Tensor *u = GIVEN(&tp, SHAPE(1, 4), 0, 0, 0, 0);
    Tensor *hc = op_lstm(&tp, sequence_of(z), h0, c0, u);
    CK(hc->data, 0.4f, 0.375f, LN3, LN3 / 2);
    BACKWARD(&tp, hc, 0, 1, 0, 0);
    ck_close("dz", z->grad, dz, 8);
    ck_close("du", u->grad, du, 4);
    CK(c0->grad, 0.140625f); /* 0.5625 f_2 f_1 */
    CK(h0->grad, 0);
    tape_free(&tp);
}
END_TEST

static LstmLayer layer_by_hand(Tape *tp)
{
    return (LstmLayer){.w = GIVEN(tp, SHAPE(4, 4), 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1),
                       .u = GIVEN(tp, SHAPE(1, 4), 0, 0, 0, 0),
                       .b = GIVEN(tp, SHAPE(4), 0, 0, 0, 0),
                       .H = 1,
                       .forget = true};
}

START_TEST(two_steps_unrolled)
{
    Tape tp = {0};
    const LstmLayer l = layer_by_hand(&tp);
    Tensor *x[] = {GIVEN(&tp, SHAPE(1, 4), Z_1), GIVEN(&tp, SHAPE(1, 4), Z_2)};
    Tensor *c0 = GIVEN(&tp, SHAPE(1, 1), C_0);
    const LstmState s1 =
        lstm_step(&tp, &l, x[0], (LstmState){.h = GIVEN(&tp, SHAPE(1, 1), 0), .c = c0});
    const LstmState s2 = lstm_step(&tp, &l, x[1], s1);
    CK(s1.i->data, 0.75f);
    CK(s1.f->data, 0.5f);
    CK(s1.g->data, 0.8f);
    CK(s1.c->data, LN3);
    CK(s1.h->data, 0.4f);
    CK(s2.o->data, 0.75f);
    CK(s2.c->data, LN3 / 2);
    CK(s2.h->data, 0.375f);
    BACKWARD(&tp, s2.h, 1);
    ck_close("dz_1", x[0]->grad, dz, 4);
    ck_close("dz_2", x[1]->grad, dz + 4, 4);
    ck_close("du", l.u->grad, du, 4);
    CK(c0->grad, 0.140625f);
    tape_free(&tp);
}
END_TEST

/* --- the direct path: dc_T / dc_0 is the product of the forget gates --------------------------------- */

static double direct_path(int T, double forget_bias)
{
    Tape tp = {0};
    Tensor *z = tape_zeros(&tp, SHAPE(T, 1, 4)), *c0 = GIVEN(&tp, SHAPE(1, 1), 1);
    for (int t = 0; t < T; t++) z->data[4 * t + 1] = (real)forget_bias;
    Tensor *hc = op_lstm(&tp, sequence_of(z), tape_zeros(&tp, SHAPE(1, 1)), c0,
                         tape_zeros(&tp, SHAPE(1, 4)));
    real *r = tape_save(&tp, (size_t)hc->len * sizeof *r);
    memset(r, 0, (size_t)hc->len * sizeof *r);
    r[hc->len - 1] = 1; /* L is the last c */
    backward(&tp, hc, r);
    const double grad = (double)c0->grad[0];
    tape_free(&tp);
    return grad;
}

static void ck_direct_path(int T, double bias)
{
    const double want = pow(1 / (1 + exp(-bias)), T), got = direct_path(T, bias);
    ck_assert_msg(fabs(got / want - 1) < 1e-4, "T %d, bias %g: %g, not %g", T, bias, got, want);
}

START_TEST(bias_sets_the_decay)
{
    ck_direct_path(50, 0); /* 8.9e-16 */
    ck_direct_path(50, 1); /* 1.6e-7 */
    ck_direct_path(50, 5);
    ck_direct_path(10, -2);
    ck_assert_double_eq_tol(direct_path(50, 1) / direct_path(50, 0) / 1.775e8, 1, 1e-3);
}
END_TEST

/* Every step adds i g = 0.75 * 0.8 = 0.6. */
START_TEST(grows_without_a_forget_gate)
{
    enum { T = 1000 };
    Tape tp = {.frozen = true};
    Tensor *without = tape_zeros(&tp, SHAPE(T, 1, 3)), *with = tape_zeros(&tp, SHAPE(T, 1, 4));
    for (int t = 0; t < T; t++) {
        without->data[3 * t] = without->data[3 * t + 2] = LN3;
        with->data[4 * t] = with->data[4 * t + 1] = with->data[4 * t + 3] = LN3;
    }
    Tensor *zero = tape_zeros(&tp, SHAPE(1, 1));
    const Tensor *a = op_lstm(&tp, sequence_of(without), zero, zero, tape_zeros(&tp, SHAPE(1, 3)));
    const Tensor *b = op_lstm(&tp, sequence_of(with), zero, zero, tape_zeros(&tp, SHAPE(1, 4)));
    ck_assert_double_eq_tol((double)a->data[a->len - 1], 0.6 * T, 0.1);
    ck_assert_double_eq_tol((double)b->data[b->len - 1], 0.6 / (1 - 0.75), 1e-5);
    tape_free(&tp);
}
END_TEST

/* --- the layer --------------------------------------------------------------------------------------- */

START_TEST(four_blocks_of_weights)
{
    const int C = 2, H = 64;
    Params with = params_init(11), without = params_init(11);
    const LstmLayer l = lstm_init(&with, C, H, true, 1);
    lstm_init(&without, C, H, false, 1);
    ck_assert_int_eq(l.w->len + l.u->len + l.b->len, 4 * (C * H + H * H + H));
    ck_assert_uint_eq(with.len, 17152);
    ck_assert_uint_eq(without.len, 3 * 17152 / 4);
    params_free(&with), params_free(&without);
}
END_TEST

/* The columns are i f o g: only the second block has a bias of 1. */
START_TEST(forget_bias_in_its_block)
{
    enum { H = 5 };
    Params ps = params_init(11);
    const LstmLayer l = lstm_init(&ps, 3, H, true, 1);
    for (int j = 0; j < 4 * H; j++) ck_assert(l.b->data[j] == (j / H == 1 ? 1 : 0));
    params_free(&ps);
}
END_TEST

/* Two halves give the result of the whole sequence if h and c are carried over, but not with h alone. */
START_TEST(carries_both)
{
    enum { T = 6, H = 4 };
    Tape tp = {0};
    Params ps = params_init(11);
    const LstmLayer l = lstm_init(&ps, 3, H, true, 1);
    Tensor *z = param(&ps, SHAPE(T, 1, 4 * H), 1, "z"), *zero = tape_zeros(&tp, SHAPE(1, H));
    LstmState whole = {.h = zero, .c = zero}, half = whole;
    lstm_layer(&tp, &l, sequence_of(z), &whole);
    for (int t = 0; t < T - 1; t++) {
        Tensor *zt = op_reshape(&tp, op_rows(&tp, z, t, 1), SHAPE(1, 1, 4 * H));
        lstm_layer(&tp, &l, sequence_of(zt), &half);
    }
    LstmState h_alone = {.h = half.h, .c = zero};
    Tensor *last = op_reshape(&tp, op_rows(&tp, z, T - 1, 1), SHAPE(1, 1, 4 * H));
    lstm_layer(&tp, &l, sequence_of(last), &half);
    lstm_layer(&tp, &l, sequence_of(last), &h_alone);
    double same = 0, other = 0;
    for (int j = 0; j < H; j++) {
        same = fmax(same, fabs((double)(half.h->data[j] - whole.h->data[j])));
        other = fmax(other, fabs((double)(h_alone.h->data[j] - whole.h->data[j])));
    }
    ck_assert_double_le(same, 1e-6);
    ck_assert_double_gt(other, 1e-2);
    tape_free(&tp);
    params_free(&ps);
}
END_TEST

SUITE("lesson_11",
      TESTS(two_steps_fused, two_steps_unrolled, bias_sets_the_decay, grows_without_a_forget_gate,
            four_blocks_of_weights, forget_bias_in_its_block, carries_both),
      NO_ABORTS)
