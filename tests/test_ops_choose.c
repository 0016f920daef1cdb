/* Pointwise ops for policy and preference losses, and gated units, worked by hand. */
#include "by_hand.h"
#include "math/parallel.h"

START_TEST(sub)
{
    Tape tp = {0};
    Tensor *a = GIVEN(&tp, SHAPE(3), 5, 7, 1), *b = GIVEN(&tp, SHAPE(3), 1, 9, 1);
    Tensor *y = op_sub(&tp, a, b);
    CK(y->data, 4, -2, 0);
    BACKWARD(&tp, y, 1, 10, 100);
    CK(a->grad, 1, 10, 100);
    CK(b->grad, -1, -10, -100);
    tape_free(&tp);
}
END_TEST

/* If a and b are equal, each gets half of the gradient. */
START_TEST(min_)
{
    Tape tp = {0};
    Tensor *a = GIVEN(&tp, SHAPE(3), 1, 2, 3), *b = GIVEN(&tp, SHAPE(3), 4, 2, -1);
    Tensor *y = op_min(&tp, a, b);
    CK(y->data, 1, 2, -1);
    BACKWARD(&tp, y, 1, 10, 100);
    CK(a->grad, 1, 5, 0);
    CK(b->grad, 0, 5, 100);
    Tensor *nan = op_min(&tp, GIVEN(&tp, SHAPE(2), NAN, 1), GIVEN(&tp, SHAPE(2), 1, NAN));
    ck_assert(isnan(nan->data[0]) && isnan(nan->data[1]));
    tape_free(&tp);
}
END_TEST

/* The gradient passes at the bounds themselves. */
START_TEST(clamp)
{
    Tape tp = {0};
    Tensor *x = GIVEN(&tp, SHAPE(5), -3, -1, 0, 2, 2.5f), *y = op_clamp(&tp, x, -1, 2);
    CK(y->data, -1, -1, 0, 2, 2);
    BACKWARD(&tp, y, 1, 10, 100, 1000, 10000);
    CK(x->grad, 0, 10, 100, 1000, 0);
    ck_assert(isnan(op_clamp(&tp, GIVEN(&tp, SHAPE(1), NAN), 0, 1)->data[0]));
    tape_free(&tp);
}
END_TEST

/* y = x times x as a constant: the gradient is x, not 2 x. */
START_TEST(detach)
{
    Tape tp = {0};
    Tensor *x = GIVEN(&tp, SHAPE(2), 3, 4), *constant = op_detach(&tp, x);
    ck_assert(!constant->requires_grad && constant->grad == NULL && constant->data == x->data);
    Tensor *view = op_detach(&tp, op_rows(&tp, x, 1, 1));
    CK(view->data, 4);
    Tensor *y = op_mul(&tp, x, constant);
    CK(y->data, 9, 16);
    BACKWARD(&tp, y, 1, 10);
    CK(x->grad, 3, 40);
    const int nodes = tp.n;
    op_mul(&tp, constant, constant);
    op_add(&tp, view, view);
    ck_assert_int_eq(tp.n, nodes); /* nothing to record */
    tape_free(&tp);
}
END_TEST

START_TEST(mean)
{
    Tape tp = {0};
    Tensor *x = GIVEN(&tp, SHAPE(2, 2), 1, 2, 3, 10), *y = op_mean(&tp, x);
    ck_shape(y, SHAPE(1));
    CK(y->data, 4);
    BACKWARD(&tp, y, 8);
    CK(x->grad, 2, 2, 2, 2);
    tape_free(&tp);
}
END_TEST

/* sigmoid(ln 3) = 3/4: silu 3/4 ln 3, its slope 3/4 (1 + ln 3 / 4); log sigmoid -ln 4/3, its slope
 * 1/4. */
START_TEST(of_ln_3)
{
    Tape tp = {0};
    const real ln3 = (real)1.09861228867, slope = (real)0.75 * (1 + ln3 / 4);
    Tensor *x = GIVEN(&tp, SHAPE(2), ln3, 0), *y = op_silu(&tp, x);
    CK(y->data, (real)0.75 * ln3, 0);
    BACKWARD(&tp, y, 1, 10);
    CK(x->grad, slope, 5);
    x = GIVEN(&tp, SHAPE(2), ln3, -ln3), y = op_exp(&tp, x);
    CK(y->data, 3, (real)1 / 3);
    BACKWARD(&tp, y, 1, 10);
    CK(x->grad, 3, (real)10 / 3);
    x = GIVEN(&tp, SHAPE(2), ln3, -ln3), y = op_log_sigmoid(&tp, x);
    CK(y->data, (real)-0.287682072, (real)-1.386294361);
    BACKWARD(&tp, y, 1, 10);
    CK(x->grad, 0.25f, 7.5f);
    tape_free(&tp);
}
END_TEST

/* At the limits of float log sigmoid neither overflows nor loses a small probability. */
START_TEST(log_sigmoid_far_out)
{
    Tape tp = {0};
    Tensor *x = GIVEN(&tp, SHAPE(4), -1000, -50, 50, 1000), *y = op_log_sigmoid(&tp, x);
    CK(y->data, -1000, -50, 0, 0);
    ck_assert(y->data[3] == 0);
    BACKWARD(&tp, y, 1, 1, 1, 1);
    CK(x->grad, 1, 1, 0, 0);
    tape_free(&tp);
}
END_TEST

START_TEST(swiglu)
{
    Tape tp = {0};
    const real ln3 = (real)1.09861228867, slope = (real)0.75 * (1 + ln3 / 4);
    Tensor *a = GIVEN(&tp, SHAPE(2), ln3, 0), *b = GIVEN(&tp, SHAPE(2), 4, 6);
    Tensor *y = op_swiglu(&tp, a, b);
    CK(y->data, 3 * ln3, 0);
    BACKWARD(&tp, y, 1, 10);
    CK(a->grad, 4 * slope, 30);
    CK(b->grad, (real)0.75 * ln3, 0);
    Tensor *ab = GIVEN(&tp, SHAPE(2, 2), ln3, 4, 0, 6), *z = op_swiglu_halves(&tp, ab);
    ck_shape(z, SHAPE(2, 1));
    CK(z->data, 3 * ln3, 0);
    BACKWARD(&tp, z, 1, 10);
    CK(ab->grad, 4 * slope, (real)0.75 * ln3, 30, 0);
    tape_free(&tp);
}
END_TEST

/* One input [a b] gives the same bits as two inputs; so does any number of threads. */
START_TEST(swiglu_of_halves_is_that_of_two)
{
    enum { R = 300, F = 130 };
    real y[3][R * F], d[3][R * 2 * F];
    for (int threads = 1; threads <= 3; threads++) {
        parallel_init(threads);
        Tape tp = {0};
        Tensor *x = tape_tensor(&tp, SHAPE(R, 2 * F));
        x->requires_grad = true;
        Rng rng = rng_make(3, RNG_TEST, 0);
        for (int i = 0; i < x->len; i++) x->data[i] = (real)rng_normal(&rng);
        Tensor *out = threads < 3 ? op_swiglu_halves(&tp, x)
                                  : op_swiglu(&tp, op_cols(&tp, x, 0, F), op_cols(&tp, x, F, F));
        memcpy(y[threads - 1], out->data, sizeof y[0]);
        tape_backward(&tp, op_dot(&tp, out, x->data));
        memcpy(d[threads - 1], x->grad, sizeof d[0]);
        tape_free(&tp);
    }
    for (int i = 1; i < 3; i++) {
        ck_assert_mem_eq(y[i], y[0], sizeof y[0]);
        ck_assert_mem_eq(d[i], d[0], sizeof d[0]);
    }
}
END_TEST

SUITE("ops_choose",
      TESTS(sub, min_, clamp, detach, mean, of_ln_3, log_sigmoid_far_out, swiglu,
            swiglu_of_halves_is_that_of_two),
      NO_ABORTS)
