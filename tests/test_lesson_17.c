/* Lesson 17: self-attention over three steps by hand, forward and backward, with and without the scale,
 * with the mask before and after the softmax; and the page's loops against op_attention. */
#include "lessons/look.h"
#include "by_hand.h"

#define LN3 1.09861228867f

/* Three steps of D = 4; only the first column is not 0. The query of step 2 is 2 ln 3, the keys are 1, 0,
 * 1, the values 4, 8, 100. */
#define KEYS   1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0
#define VALUES 4, 0, 0, 0, 8, 0, 0, 0, 100, 0, 0, 0
#define QUERY  2 * LN3, 0, 0, 0

/* Step 1 sees only itself: y = 4. Step 2 has the scores 2 ln 3 / sqrt(4) = ln 3 and 0, the weights 3/4 and
 * 1/4, and y = 5. Step 3 has a query of 0, so it takes a third of each value: y = 112/3. */
START_TEST(three_steps_by_hand)
{
    Tape tp = {0};
    const AttentionMask mask = {.causal = true};
    const real *p;
    Tensor *q = GIVEN(&tp, SHAPE(1, 3, 4), 5, 5, 5, 5, QUERY, 0, 0, 0, 0);
    Tensor *k = GIVEN(&tp, SHAPE(1, 3, 4), KEYS), *v = GIVEN(&tp, SHAPE(1, 3, 4), VALUES);
    Tensor *y = op_attention(&tp, q, k, v, 1, &mask, &p);
    CK(p, 1, 0, 0, 0.75f, 0.25f, 0, 1 / 3.f, 1 / 3.f, 1 / 3.f);
    CK(y->data, 4, 0, 0, 0, 5, 0, 0, 0, 112 / 3.f, 0, 0, 0);
    BACKWARD(&tp, y, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0); /* the loss is step 2's 5 */
    /* de = (0.75 (4 - 5), 0.25 (8 - 5)) = (-0.75, 0.75); dq = de k / 2; dk = de q / 2; dv = p */
    CK(q->grad + 4, -0.375f, 0, 0, 0);
    CK(k->grad, -0.75f * LN3, 0, 0, 0, 0.75f * LN3, 0, 0, 0, 0, 0, 0, 0);
    CK(v->grad, 0.75f, 0, 0, 0, 0.25f, 0, 0, 0, 0, 0, 0, 0);
    tape_free(&tp);
}
END_TEST

START_TEST(scores_by_hand)
{
    static const real q[] = {QUERY}, k[] = {KEYS}, v[] = {VALUES}, dp[] = {4, 8, 100};
    real p[3], y[4], de[3];
    look(q, k, v, 3, 4, 2, 0.5f, p, y);
    look_back(p, dp, 3, de);
    CK(p, 0.75f, 0.25f, 0);
    CK(de, -0.75f, 0.75f, 0); /* the masked step gets no gradient, though its value is large */
    look(q, k, v, 3, 4, 2, 1, p,
         y); /* without the scale: weights 9/10 and 1/10, half the gradient */
    look_back(p, dp, 3, de);
    CK(p, 0.9f, 0.1f, 0);
    CK(de, -0.36f, 0.36f, 0);
}
END_TEST

/* A mask after the softmax is too late: the third step has already taken 3/7 of the weight. */
START_TEST(mask_after_the_softmax)
{
    static const real q[] = {QUERY}, k[] = {KEYS}, v[] = {VALUES};
    const real other[] = {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}; /* another third key */
    real p[3], y[4];
    look_masked_late(q, k, v, 3, 4, 2, 0.5f, p, y);
    CK(p, 3 / 7.f, 1 / 7.f, 0);
    CK(y, 20 / 7.f, 0, 0, 0);
    look_masked_late(q, other, v, 3, 4, 2, 0.5f, p, y);
    CK(y, 4, 0, 0, 0); /* (12 + 8) / 5: the third key has changed y_2 */
    look(q, k, v, 3, 4, 2, 0.5f, p, y);
    CK(y, 5, 0, 0, 0);
    look(q, other, v, 3, 4, 2, 0.5f, p, y);
    CK(y, 5, 0, 0, 0);
}
END_TEST

enum { STEPS = 7, D = 16 };

static void fill(real *x, int n, Rng *rng)
{
    for (int i = 0; i < n; i++) x[i] = (real)rng_normal(rng);
}

START_TEST(loops_as_the_op)
{
    real x[3][STEPS * D], p[STEPS], y[D];
    const real *weight;
    Rng rng = rng_make(1, RNG_TEST, 0);
    Tape tp = {.frozen = true};
    const AttentionMask mask = {.causal = true};
    for (int i = 0; i < 3; i++) fill(x[i], STEPS * D, &rng);
    const Shape s = SHAPE(1, STEPS, D);
    const Tensor *all = op_attention(&tp, given(&tp, s, x[0]), given(&tp, s, x[1]),
                                     given(&tp, s, x[2]), 1, &mask, &weight);
    for (int t = 0; t < STEPS; t++) {
        look(x[0] + t * D, x[1], x[2], STEPS, D, t + 1, 0.25f, p, y);
        ck_close("p", p, weight + (size_t)t * STEPS, STEPS);
        ck_close("y", y, all->data + (size_t)t * D, D);
    }
    tape_free(&tp);
}
END_TEST

/* A sum of d_k products of independent numbers of variance 1 has the variance d_k. */
START_TEST(variance_is_d_k)
{
    enum { N = 4000, MOST = 256 };
    Rng rng = rng_make(2, RNG_TEST, 0);
    for (int n = 4; n <= MOST; n *= 8) {
        double square = 0;
        for (int i = 0; i < N; i++) {
            real q[MOST], k[MOST];
            fill(q, n, &rng), fill(k, n, &rng);
            square += pow((double)look_dot(q, k, n), 2) / N;
        }
        ck_assert_double_eq_tol(square / n, 1, 0.15); /* 4 sigma, also for n = 4 */
    }
}
END_TEST

/* Permuted steps give the same outputs, permuted: attention ignores order. */
START_TEST(order_is_not_seen)
{
    real x[STEPS * D], turned[STEPS * D], p[STEPS], y[D], z[D];
    Rng rng = rng_make(3, RNG_TEST, 0);
    fill(x, STEPS * D, &rng);
    for (int t = 0; t < STEPS; t++) memcpy(turned + t * D, x + (STEPS - 1 - t) * D, D * sizeof *x);
    for (int t = 0; t < STEPS; t++) {
        look(x + t * D, x, x, STEPS, D, STEPS, 0.25f, p, y);
        look(turned + (STEPS - 1 - t) * D, turned, turned, STEPS, D, STEPS, 0.25f, p, z);
        ck_close("y", y, z, D);
    }
}
END_TEST

SUITE("lesson_17",
      TESTS(three_steps_by_hand, scores_by_hand, mask_after_the_softmax, loops_as_the_op,
            variance_is_d_k, order_is_not_seen),
      NO_ABORTS)
