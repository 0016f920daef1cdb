/* Losses: worked by hand, and at the limits of float. */
#include "by_hand.h"

/* Row (ln 1, ln 3) with target 1: -ln 3/4; row (0, 0) is ignored; row (0, 0) with target 0: ln 2.
 * The mean of the two: (ln 4/3 + ln 2) / 2 = ln(8/3) / 2. dz = (p - onehot) / 2. */
START_TEST(cross_entropy)
{
    Tape tp = {0};
    const int target[] = {1, -1, 0};
    Tensor *z = GIVEN(&tp, SHAPE(3, 2), 0, (real)1.09861228867, 0, 0, 0, 0);
    Tensor *loss = op_cross_entropy(&tp, z, target);
    CK(loss->data, (real)0.49041462650);
    tape_backward(&tp, loss);
    CK(z->grad, 0.125f, -0.125f, 0, 0, -0.25f, 0.25f);
    tape_free(&tp);
}
END_TEST

/* A small loss of large logits keeps its digits: log(1 + exp(-10)) = 4.5398899e-5, and p - 1 is
 * minus 4.5397869e-5. */
START_TEST(cross_entropy_of_large_logits)
{
    Tape tp = {0};
    Tensor *z = GIVEN(&tp, SHAPE(1, 2), 100, 90), *loss = op_cross_entropy(&tp, z, (int[]){0});
    ck_assert_double_eq_tol((double)loss->data[0], 4.5398899e-5, 3e-8); /* log of a sum near 1 */
    tape_backward(&tp, loss);
    ck_assert_double_eq_tol((double)z->grad[1], 4.5397869e-5, 1e-10);
    z = GIVEN(&tp, SHAPE(1, 2), 1000, 998); /* log(1 + exp(-2)) */
    loss = op_cross_entropy(&tp, z, (int[]){0});
    ck_assert_double_eq_tol((double)loss->data[0], 0.1269280110, 1e-7);
    tape_free(&tp);
}
END_TEST

/* Row (ln 1, ln 3) with target 1: ln 3/4; a row that is ignored: 0; row (0,0) with target 0:
 * ln 1/2. dz = dy (onehot - p). */
START_TEST(log_prob)
{
    Tape tp = {0};
    int target[] = {1, -1, 0};
    Tensor *z = GIVEN(&tp, SHAPE(3, 1, 2), 0, (real)1.09861228867, 5, 6, 0, 0);
    Tensor *y = op_log_prob(&tp, z, target);
    target[0] = 0;
    ck_shape(y, SHAPE(3, 1));
    CK(y->data, (real)-0.287682072, 0, (real)-0.693147181);
    BACKWARD(&tp, y, 4, 7, 10);
    CK(z->grad, -1, 1, 0, 0, 5, -5);
    ck_shape(op_log_prob(&tp, GIVEN(&tp, SHAPE(2), 0, 0), (int[]){1}), SHAPE(1));
    tape_free(&tp);
}
END_TEST

/* Rows 0 and 2 of cross_entropy with weights 1 and 3: (ln 4/3 + 3 ln 2) / 4. The weight of the
 * ignored row does not count. Weights of 1 give the bits of no weights; weights of 0 give a loss of
 * 0. */
START_TEST(cross_entropy_with_weights)
{
    Tape tp = {0};
    const int target[] = {1, -1, 0};
    real weight[] = {1, 100, 3};
    Tensor *z = GIVEN(&tp, SHAPE(3, 2), 0, (real)1.09861228867, 0, 0, 0, 0);
    Tensor *loss = op_cross_entropy_weighted(&tp, z, target, weight);
    CK(loss->data, ((real)0.287682072 + 3 * (real)0.693147181) / 4);
    weight[2] = 0; /* the op has its own copy */
    tape_backward(&tp, loss);
    CK(z->grad, 0.0625f, -0.0625f, 0, 0, -0.375f, 0.375f);
    const Tensor *plain = op_cross_entropy(&tp, z, target);
    loss = op_cross_entropy_weighted(&tp, z, target, (const real[]){1, 1, 1});
    ck_assert(loss->data[0] == plain->data[0]);
    loss = op_cross_entropy_weighted(&tp, z, target, (const real[]){0, 1, 0});
    ck_assert(loss->data[0] == 0);
    z->grad = NULL;
    tape_backward(&tp, loss);
    CK(z->grad, 0, 0, 0, 0, 0, 0);
    tape_free(&tp);
}
END_TEST

/* The op has its own copy of the targets. */
START_TEST(targets_are_copied)
{
    Tape tp = {0};
    int target[] = {1};
    Tensor *z = GIVEN(&tp, SHAPE(1, 2), 0, 0), *loss = op_cross_entropy(&tp, z, target);
    target[0] = 0;
    tape_backward(&tp, loss);
    CK(z->grad, 0.5f, -0.5f);
    tape_free(&tp);
}
END_TEST

START_TEST(cross_entropy_at_the_limits)
{
    Tape tp = {0};
    for (int V = 1; V <= 300; V += 23) { /* uniform logits of any value: ln V */
        Tensor *z = tape_zeros(&tp, SHAPE(2, V));
        for (int i = 0; i < z->len; i++) z->data[i] = -5000;
        const double loss = (double)op_cross_entropy(&tp, z, (int[]){0, V - 1})->data[0];
        ck_assert_double_eq_tol(loss, log(V), 1e-6);
        memset(z->data, 0, (size_t)z->len * sizeof(real));
        CK(op_cross_entropy(&tp, z, (int[]){0, V - 1})->data, (real)log(V));
    }
    Tensor *z = GIVEN(&tp, SHAPE(2, 2), 1e30f, -1e30f, 1e4f, 0);
    CK(op_cross_entropy(&tp, z, (int[]){0, 0})->data, 0);
    Tensor *loss = op_cross_entropy(&tp, z, (int[]){0, 1});
    CK(loss->data, 5e3f);
    tape_backward(&tp, loss);
    CK(z->grad, 0, 0, 0.5f, -0.5f);

    z = GIVEN(&tp, SHAPE(2, 2), 1, 2, NAN, 4); /* a row that is ignored may contain NaN */
    CK(op_cross_entropy(&tp, z, (int[]){0, -1})->data, (real)1.31326168752);
    Tensor *none = op_cross_entropy(&tp, z, (int[]){-1, -1});
    CK(none->data, 0);
    tape_backward(&tp, none);
    CK(z->grad, 0, 0, 0, 0);
    tape_free(&tp);
}
END_TEST

/* Logits (ln 1, ln 3), target 1, e = 1/2: t = (1/4, 3/4) is the softmax itself, so the loss has its
 * minimum, the entropy of t, and the gradient is 0. Target 0: t = (3/4, 1/4), the loss is 3/4 ln 4
 * + 1/4 ln 4/3, and dz = p - t. */
START_TEST(smoothed_by_hand)
{
    Tape tp = {0};
    const real ln3 = (real)1.09861228867;
    const int target[] = {1, -1}, other[] = {0, -1};
    Tensor *z = GIVEN(&tp, SHAPE(2, 2), 0, ln3, NAN, NAN);
    Tensor *loss = op_cross_entropy_smoothed(&tp, z, target, 0.5f);
    CK(loss->data, (real)0.56233514462);
    tape_backward(&tp, loss);
    CK(z->grad, 0, 0, 0, 0);
    loss = op_cross_entropy_smoothed(&tp, z, other, 0.5f);
    CK(loss->data, (real)1.11164128895);
    tape_backward(&tp, loss);
    CK(z->grad, -0.5f, 0.5f, 0, 0);
    tape_free(&tp);
}
END_TEST

/* The smallest loss is -(1-e+e/V) log(1-e+e/V) - (V-1) e/V log(e/V); the logits log t reach it. */
START_TEST(smoothed_has_a_floor)
{
    enum { V = 37 };
    Tape tp = {0};
    const int target[] = {5};
    Rng rng = rng_make(1, RNG_TEST, 0);
    for (int i = 1; i < 10; i++) {
        const double e = i / 10., gold = 1 - e + e / V, rest = e / V;
        const double least = -gold * log(gold) - (V - 1) * rest * log(rest);
        Tensor *z = tape_tensor(&tp, SHAPE(V));
        for (int j = 0; j < V; j++) z->data[j] = (real)log(j == target[0] ? gold : rest);
        const Tensor *loss = op_cross_entropy_smoothed(&tp, z, target, (real)e);
        ck_assert_double_eq_tol((double)loss->data[0], least, 1e-5);
        for (int j = 0; j < V; j++) z->data[j] += (real)rng_normal(&rng);
        loss = op_cross_entropy_smoothed(&tp, z, target, (real)e);
        ck_assert_double_gt((double)loss->data[0], least + .01);
    }
    tape_free(&tp);
}
END_TEST

START_TEST(smoothed_by_nothing)
{
    Tape tp = {0};
    Rng rng = rng_make(1, RNG_TEST, 0);
    const int target[] = {2, -1, 0};
    Tensor *z = tape_tensor(&tp, SHAPE(3, 29)), *same = tape_tensor(&tp, SHAPE(3, 29));
    for (int i = 0; i < z->len; i++) z->data[i] = same->data[i] = (real)rng_normal(&rng);
    z->requires_grad = same->requires_grad = true;
    Tensor *plain = op_cross_entropy(&tp, z, target);
    Tensor *smoothed = op_cross_entropy_smoothed(&tp, same, target, 0);
    ck_assert(plain->data[0] == smoothed->data[0]);
    tape_backward(&tp, op_add(&tp, plain, smoothed));
    ck_assert_mem_eq(z->grad, same->grad, (size_t)z->len * sizeof(real));
    tape_free(&tp);
}
END_TEST

/* mean of 1^2, 2^2, 0^2, (-3)^2 = 14/4; dy = 2 (1, 2, 0, -3) / 4. r . y = 1 + 20 + 300 + 0. */
START_TEST(mse_and_dot)
{
    Tape tp = {0};
    Tensor *y = GIVEN(&tp, SHAPE(2, 2), 1, 2, 3, 0);
    real target[] = {0, 0, 3, 3}, r[] = {1, 10, 100, 1000};
    Tensor *loss = op_mse(&tp, y, target), *dot = op_dot(&tp, y, r);
    target[0] = r[0] = 99; /* the ops have their own copies */
    CK(loss->data, 3.5f);
    CK(dot->data, 321);
    tape_backward(&tp, loss);
    CK(y->grad, 0.5f, 1, 0, -1.5f);
    y->grad = NULL;
    tape_backward(&tp, dot);
    CK(y->grad, 1, 10, 100, 1000);
    tape_free(&tp);
}
END_TEST

SUITE("ops_loss",
      TESTS(cross_entropy, cross_entropy_of_large_logits, log_prob, cross_entropy_with_weights,
            targets_are_copied, cross_entropy_at_the_limits, smoothed_by_hand, smoothed_has_a_floor,
            smoothed_by_nothing, mse_and_dot),
      NO_ABORTS)
