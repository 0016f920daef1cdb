/* RMS normalisation, unit length, linear_gelu and op_gather, worked by hand. */
#include "by_hand.h"
#include "math/parallel.h"

/* Row (3,4) without eps: s = 1 / sqrt(12.5), n = (3,4) s. With g = (1,2) and dy = (1,1): d = (1,2),
 * mean(d n) = 5.5 s, dx = s (d - n 5.5 s) = s (1 - 16.5/12.5, 2 - 22/12.5) and dg = n. */
START_TEST(rmsnorm)
{
    Tape tp = {0};
    const real s = (real)0.282842712;
    Tensor *x = GIVEN(&tp, SHAPE(1, 2), 3, 4), *g = GIVEN(&tp, SHAPE(2), 1, 2);
    Tensor *y = op_rmsnorm(&tp, x, g, 0);
    CK(y->data, 3 * s, 8 * s);
    BACKWARD(&tp, y, 1, 1);
    CK(x->grad, s * (real)-0.32, s * (real)0.24);
    CK(g->grad, 3 * s, 4 * s);
    Tensor *z = op_rmsnorm(&tp, GIVEN(&tp, SHAPE(2), 0, 0), g, 1); /* divides by eps only */
    CK(z->data, 0, 0);
    CK(op_rmsnorm(&tp, GIVEN(&tp, SHAPE(2), 1, 1), g, 3)->data, 0.5f, 1);
    tape_free(&tp);
}
END_TEST

START_TEST(layernorm_has_its_eps)
{
    Tape tp = {0};
    Tensor *x = GIVEN(&tp, SHAPE(2), -1, 1), *g = GIVEN(&tp, SHAPE(2), 1, 1);
    CK(op_layernorm(&tp, x, g, tape_zeros(&tp, SHAPE(2)), 3)->data, -0.5f, 0.5f);
    tape_free(&tp);
}
END_TEST

/* (3,4) has length 5: y = (.6,.8). dy = (1,0): y . dy = .6, dx = (1 - .36, -.48) / 5. For rows
 * shorter than eps dx = dy / eps. */
START_TEST(l2_normalize)
{
    Tape tp = {0};
    Tensor *x = GIVEN(&tp, SHAPE(2, 2), 3, 4, 0, 1), *y = op_l2_normalize(&tp, x, 2);
    CK(y->data, 0.6f, 0.8f, 0, 0.5f);
    BACKWARD(&tp, y, 1, 0, 6, 8);
    CK(x->grad, 0.128f, -0.096f, 3, 4);
    CK(op_l2_normalize(&tp, GIVEN(&tp, SHAPE(2), 0, 0), 1e-12f)->data, 0, 0);
    tape_free(&tp);
}
END_TEST

/* op_gather numbers rows over all leading axes; a row that occurs twice gets both gradients. */
START_TEST(gather)
{
    Tape tp = {0};
    Tensor *x = GIVEN(&tp, SHAPE(2, 2, 2), 1, 2, 3, 4, 5, 6, 7, 8);
    int rows[] = {3, 1, 3};
    Tensor *y = op_gather(&tp, x, rows, 3);
    rows[0] = 0; /* the op has its own copy */
    ck_shape(y, SHAPE(3, 2));
    CK(y->data, 7, 8, 3, 4, 7, 8);
    BACKWARD(&tp, y, 1, 2, 10, 20, 100, 200);
    CK(x->grad, 0, 0, 10, 20, 0, 0, 101, 202);
    tape_free(&tp);
}
END_TEST

/* Writes the values, then the gradients of x, w and b. */
static void learn(real *out, bool fused, bool by_tanh, int R, int C, int N)
{
    Tape tp = {0};
    Tensor *x = tape_tensor(&tp, SHAPE(R, C)), *w = tape_tensor(&tp, SHAPE(C, N));
    Tensor *b = tape_tensor(&tp, SHAPE(N)), *in[] = {x, w, b};
    Rng rng = rng_make(3, RNG_TEST, 0);
    for (int i = 0; i < 3; i++) {
        in[i]->requires_grad = true;
        for (int j = 0; j < in[i]->len; j++) in[i]->data[j] = (real)rng_normal(&rng);
    }
    Tensor *y = fused && by_tanh ? op_linear_gelu_tanh(&tp, x, w, b)
                : fused          ? op_linear_gelu(&tp, x, w, b)
                : by_tanh        ? op_gelu_tanh(&tp, op_linear(&tp, x, w, b))
                                 : op_gelu(&tp, op_linear(&tp, x, w, b));
    tape_backward(&tp, op_mean(&tp, op_mul(&tp, y, y)));
    memcpy(out, y->data, (size_t)y->len * sizeof *out), out += y->len;
    for (int i = 0; i < 3; i++)
        memcpy(out, in[i]->grad, (size_t)in[i]->len * sizeof *out), out += in[i]->len;
    tape_free(&tp);
}

/* The fused op gives the same bits as its parts, on any number of threads. */
START_TEST(linear_gelu_is_its_parts)
{
    enum { R = 300, C = 24, N = 130, ALL = R * N + R * C + C * N + N };
    real *want = xcalloc(ALL, sizeof *want), *got = xcalloc(ALL, sizeof *got);
    for (int by_tanh = 0; by_tanh < 2; by_tanh++) {
        parallel_init(1);
        learn(want, false, by_tanh, R, C, N);
        for (int threads = 1; threads <= 3; threads++) {
            parallel_init(threads);
            learn(got, true, by_tanh, R, C, N);
            ck_assert_mem_eq(got, want, ALL * sizeof *got);
        }
    }
    free(want), free(got);
}
END_TEST

SUITE("ops_rms",
      TESTS(rmsnorm, layernorm_has_its_eps, l2_normalize, gather, linear_gelu_is_its_parts),
      NO_ABORTS)
