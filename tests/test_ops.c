/* Matrix products, pointwise ops and ops over the last axis, worked by hand. */
#include "by_hand.h"
#include "nn/params.h"

/* --- matrix products -------------------------------------------------------------------------- */

/* x = [1 2; 0 1], w = [1 0 -1; 2 1 3]: x w = [1+4 0+2 -1+6; 2 1 3] = [5 2 5; 2 1 3], and with
 * b = [10 20 30] it is [15 22 35; 12 21 33]. r = [1 2 3; 0 0 1]: dx = r w^T = [1+0-3 2+2+9; -1 3],
 * dw = x^T r = [1 2 3; 2 4 6+1], db = [1 2 3+1]. */
START_TEST(matmul_and_linear)
{
    Tape tp = {0};
    for (int with_b = 0; with_b < 2; with_b++) {
        Tensor *x = GIVEN(&tp, SHAPE(2, 2), 1, 2, 0, 1);
        Tensor *w = GIVEN(&tp, SHAPE(2, 3), 1, 0, -1, 2, 1, 3);
        Tensor *b = GIVEN(&tp, SHAPE(3), 10, 20, 30);
        Tensor *y = with_b ? op_linear(&tp, x, w, b) : op_matmul(&tp, x, w);
        ck_shape(y, SHAPE(2, 3));
        if (with_b)
            CK(y->data, 15, 22, 35, 12, 21, 33);
        else
            CK(y->data, 5, 2, 5, 2, 1, 3);
        BACKWARD(&tp, y, 1, 2, 3, 0, 0, 1);
        CK(x->grad, -2, 13, -1, 3);
        CK(w->grad, 1, 2, 3, 2, 4, 7);
        if (with_b) CK(b->grad, 1, 2, 4);
    }
    ck_shape(op_matmul(&tp, tape_zeros(&tp, SHAPE(5, 4, 3, 2)), tape_zeros(&tp, SHAPE(2, 7))),
             SHAPE(5, 4, 3, 7));
    tape_free(&tp);
}
END_TEST

/* The same product with w stored as [1 2; 0 1; -1 3]; and relu of x w + b - 20, which is
 * [-5 2 15; -8 1 13]. relu passes dy where its input is positive: r = [1 2 3; 0 0 1] becomes
 * [0 2 3; 0 0 1]. */
START_TEST(matmul_t_and_linear_relu)
{
    Tape tp = {0};
    Tensor *x = GIVEN(&tp, SHAPE(2, 2), 1, 2, 0, 1),
           *wt = GIVEN(&tp, SHAPE(3, 2), 1, 2, 0, 1, -1, 3);
    Tensor *y = op_matmul_t(&tp, x, wt);
    ck_shape(y, SHAPE(2, 3));
    CK(y->data, 5, 2, 5, 2, 1, 3);
    BACKWARD(&tp, y, 1, 2, 3, 0, 0, 1);
    CK(x->grad, -2, 13, -1, 3);
    CK(wt->grad, 1, 2, 2, 4, 3, 7);
    Tensor *x2 = GIVEN(&tp, SHAPE(2, 2), 1, 2, 0, 1), *b = GIVEN(&tp, SHAPE(3), -10, 0, 10);
    Tensor *w = GIVEN(&tp, SHAPE(2, 3), 1, 0, -1, 2, 1, 3);
    Tensor *relu = op_linear_relu(&tp, x2, w, b);
    CK(relu->data, 0, 2, 15, 0, 1, 13);
    BACKWARD(&tp, relu, 1, 2, 3, 0, 0, 1);
    CK(x2->grad, 0 - 3, 2 + 9, -1, 3);
    CK(w->grad, 0, 2, 3, 0, 4, 7);
    CK(b->grad, 0, 2, 4);
    x2->data[0] = NAN; /* relu keeps NaN */
    ck_assert(isnan(op_linear_relu(&tp, x2, w, b)->data[0]));
    tape_free(&tp);
}
END_TEST

/* The first product plus r. dy = [1 2 3; 0 0 1] is r's gradient; the other gradients are as above.
 * With keep_grads each gradient has its own buffer, and the values are the same. */
START_TEST(linear_add)
{
    for (int keep = 0; keep < 2; keep++) {
        Tape tp = {.keep_grads = keep};
        memset(tape_save(&tp, 1 << 16), 0xFF, 1 << 16);
        tape_reset(&tp);
        Tensor *x = GIVEN(&tp, SHAPE(2, 2), 1, 2, 0, 1), *b = GIVEN(&tp, SHAPE(3), 10, 20, 30);
        Tensor *w = GIVEN(&tp, SHAPE(2, 3), 1, 0, -1, 2, 1, 3);
        Tensor *r = GIVEN(&tp, SHAPE(2, 3), 100, 0, 0, 200, 0, -1);
        Tensor *y = op_linear_add(&tp, op_scale(&tp, r, 2), x, w, b);
        ck_shape(y, SHAPE(2, 3));
        CK(y->data, 215, 22, 35, 412, 21, 31);
        BACKWARD(&tp, y, 1, 2, 3, 0, 0, 1);
        CK(r->grad, 2, 4, 6, 0, 0, 2);
        CK(x->grad, -2, 13, -1, 3);
        CK(w->grad, 1, 2, 3, 2, 4, 7);
        CK(b->grad, 1, 2, 4);
        tape_free(&tp);
    }
}
END_TEST

/* The fused ops give the same bits as op_linear with op_add, and as op_relu(op_linear), at sizes
 * where the rows are divided; the gradients too. */
START_TEST(linear_in_shares)
{
    enum { R = 300, C = 128, N = 130 };
    Params ps = params_init(2);
    Tensor *x = param(&ps, SHAPE(R, C), 1, "x"), *w = param(&ps, SHAPE(C, N), .1, "w");
    Tensor *b = param(&ps, SHAPE(N), 1, "b"), *r = param(&ps, SHAPE(R, N), 1, "r");
    real *grad = xmalloc(ps.len * sizeof *grad);
    for (int relu = 0; relu < 2; relu++) {
        const Tensor *y[2];
        Tape tp = {0};
        for (int apart = 0; apart < 2; apart++) {
            params_zero_grad(&ps);
            Tensor *z;
            if (apart)
                z = relu ? op_relu(&tp, op_linear(&tp, x, w, b))
                         : op_add(&tp, r, op_linear(&tp, x, w, b));
            else
                z = relu ? op_linear_relu(&tp, x, w, b) : op_linear_add(&tp, r, x, w, b);
            y[apart] = z;
            tape_backward(&tp, op_dot(&tp, z, r->data));
            if (!apart) memcpy(grad, ps.grad, ps.len * sizeof *grad);
        }
        ck_assert_mem_eq(y[0]->data, y[1]->data, (size_t)y[0]->len * sizeof(real));
        ck_assert_mem_eq(grad, ps.grad, ps.len * sizeof *grad);
        tape_free(&tp);
    }
    ck_assert_double_gt(params_norm(&ps), 1);
    free(grad);
    params_free(&ps);
}
END_TEST

/* Two products (1,2) (2,1): [1 2].[3 4] = 11, [5 6].[7 8] = 83; dy = 1, 10 gives da = dy b and
 * db = dy a. Vectors that are stored transposed have the same numbers and swapped shapes. */
START_TEST(bmm)
{
    Tape tp = {0};
    for (int form = 0; form < 4; form++) {
        const bool ta = form & 1, tb = form & 2;
        Tensor *a = given(&tp, ta ? SHAPE(2, 2, 1) : SHAPE(2, 1, 2), (real[]){1, 2, 5, 6});
        Tensor *b = given(&tp, tb ? SHAPE(2, 1, 2) : SHAPE(2, 2, 1), (real[]){3, 4, 7, 8});
        Tensor *y = op_bmm(&tp, a, b, ta, tb);
        ck_shape(y, SHAPE(2, 1, 1));
        CK(y->data, 11, 83);
        BACKWARD(&tp, y, 1, 10);
        CK(a->grad, 3, 4, 70, 80);
        CK(b->grad, 1, 2, 50, 60);
    }
    tape_free(&tp);
}
END_TEST

/* A = [1 2; 3 4], B = [5 6; 7 8]: A B = [19 22; 43 50]. Transposed, A is stored as [1 3; 2 4], B as
 * [5 7; 6 8]. */
START_TEST(bmm_transposes)
{
    Tape tp = {0};
    for (int form = 0; form < 4; form++) {
        const bool ta = form & 1, tb = form & 2;
        Tensor *a = given(&tp, SHAPE(1, 2, 2), ta ? (real[]){1, 3, 2, 4} : (real[]){1, 2, 3, 4});
        Tensor *b = given(&tp, SHAPE(1, 2, 2), tb ? (real[]){5, 7, 6, 8} : (real[]){5, 6, 7, 8});
        CK(op_bmm(&tp, a, b, ta, tb)->data, 19, 22, 43, 50);
    }
    tape_free(&tp);
}
END_TEST

/* --- pointwise -------------------------------------------------------------------------------- */

START_TEST(arithmetic)
{
    Tape tp = {0};
    Tensor *a = GIVEN(&tp, SHAPE(2, 2), 1, 2, 3, 4), *b = GIVEN(&tp, SHAPE(2, 2), 5, 6, 7, 8);
    Tensor *c = GIVEN(&tp, SHAPE(2), 10, 20);
    Tensor *sum = op_add(&tp, a, b), *product = op_mul(&tp, a, b);
    CK(sum->data, 6, 8, 10, 12);
    CK(product->data, 5, 12, 21, 32);
    CK(op_scale(&tp, a, -3)->data, -3, -6, -9, -12);
    Tensor *y = op_bias(&tp, a, c);
    CK(y->data, 11, 22, 13, 24);
    /* L = r.(a + b) + r.(a b) + r.(a + c) - 3 r.a with r = 1 10 100 1000:
     * da = r (1 + b + 1 - 3), db = r (1 + a), dc = 1 + 100, 10 + 1000. */
    Tensor *all = op_add(&tp, op_add(&tp, sum, product), op_add(&tp, y, op_scale(&tp, a, -3)));
    BACKWARD(&tp, all, 1, 10, 100, 1000);
    CK(a->grad, 4, 50, 600, 7000);
    CK(b->grad, 2, 30, 400, 5000);
    CK(c->grad, 101, 1010);
    tape_free(&tp);
}
END_TEST

/* [1 2 3; 4 5 6] * [10 -1 0] row by row. r = 1 2 3 4 5 6: dx = r g, dg = sum of r x over the rows =
 * 1+16 4+25 9+36. */
START_TEST(gain)
{
    Tape tp = {0};
    Tensor *x = GIVEN(&tp, SHAPE(2, 3), 1, 2, 3, 4, 5, 6), *g = GIVEN(&tp, SHAPE(3), 10, -1, 0);
    Tensor *y = op_gain(&tp, x, g);
    ck_shape(y, SHAPE(2, 3));
    CK(y->data, 10, -2, 0, 40, -5, 0);
    BACKWARD(&tp, y, 1, 2, 3, 4, 5, 6);
    CK(x->grad, 10, -2, 0, 40, -5, 0);
    CK(g->grad, 17, 29, 45);
    tape_free(&tp);
}
END_TEST

/* At ln 2: e = 2, so tanh = (2 - 1/2) / (2 + 1/2) = 0.6, slope 1 - 0.36 = 0.64, and sigmoid =
 * 2/3, slope 2/9. At 0: 0 with slope 1, and 1/2 with slope 1/4. */
START_TEST(tanh_and_sigmoid)
{
    Tape tp = {0};
    const real ln2 = (real)0.69314718056;
    Tensor *x = GIVEN(&tp, SHAPE(3), ln2, 0, -ln2), *y = op_tanh(&tp, x);
    CK(y->data, 0.6f, 0, -0.6f);
    BACKWARD(&tp, y, 1, 1, 10);
    CK(x->grad, 0.64f, 1, 6.4f);
    x = GIVEN(&tp, SHAPE(3), ln2, 0, -ln2), y = op_sigmoid(&tp, x);
    CK(y->data, 2 / 3.f, 0.5f, 1 / 3.f);
    BACKWARD(&tp, y, 1, 1, 9);
    CK(x->grad, 2 / 9.f, 0.25f, 2);
    tape_free(&tp);
}
END_TEST

START_TEST(relu)
{
    Tape tp = {0};
    Tensor *x = GIVEN(&tp, SHAPE(4), -2, 3, 0, -0.5f), *y = op_relu(&tp, x);
    CK(y->data, 0, 3, 0, 0);
    BACKWARD(&tp, y, 5, 6, 7, 8);
    CK(x->grad, 0, 6, 0, 0);
    ck_assert(isnan(op_relu(&tp, GIVEN(&tp, SHAPE(1), NAN))->data[0])); /* relu keeps NaN */
    CK(op_relu(&tp, GIVEN(&tp, SHAPE(2), -INFINITY, -1e38f))->data, 0, 0);
    ck_assert(!signbit(op_relu(&tp, GIVEN(&tp, SHAPE(1), -1))->data[0])); /* 0, not -0 */
    tape_free(&tp);
}
END_TEST

/* Phi(1) = 0.8413447, phi(1) = 0.2419707: gelu(1) = 0.8413447 with slope 0.8413447 + 0.2419707,
 * gelu(-1) = -0.1586553 with slope 0.1586553 - 0.2419707. The tanh form at 1: u =
 * 0.7978846 * 1.044715 = 0.8335620, tanh u = 0.6823840, so 0.8411920, slope 0.8411920 +
 * (1 - 0.4656479) 0.7978846 * 1.134145 / 2 = 1.0829640. */
START_TEST(gelu_forms)
{
    Tape tp = {0};
    Tensor *x = GIVEN(&tp, SHAPE(3), 1, 0, -1), *y = op_gelu(&tp, x);
    CK(y->data, 0.84134475f, 0, -0.15865525f);
    BACKWARD(&tp, y, 1, 1, 1);
    CK(x->grad, 1.08331547f, 0.5f, -0.08331547f);
    x = GIVEN(&tp, SHAPE(3), 1, 0, -1), y = op_gelu_tanh(&tp, x);
    CK(y->data, 0.84119199f, 0, -0.15880801f);
    BACKWARD(&tp, y, 1, 1, 1);
    CK(x->grad, 1.08296408f, 0.5f, -0.08296408f);
    tape_free(&tp);
}
END_TEST

/* --- dropout ---------------------------------------------------------------------------------- */

START_TEST(dropout)
{
    enum { N = 200000 };
    Tape tp = {0};
    Rng rng = rng_make(1, RNG_DROPOUT, 5), again = rng, one_by_one = rng;
    Tensor *x = tape_zeros(&tp, SHAPE(N / 100, 100));
    for (int i = 0; i < N; i++) x->data[i] = 1;
    x->requires_grad = true;
    const Tensor *first = op_dropout(&tp, x, 0.25f, &rng);
    ck_assert_uint_eq(rng.n, N);
    Tensor *y = op_dropout(&tp, x, 0.25f, &again);
    ck_assert_mem_eq(first->data, y->data, N * sizeof(real)); /* the same numbers, the same mask */
    const Tensor *other = op_dropout(&tp, x, 0.25f, &rng);
    ck_assert_mem_ne(first->data, other->data, N * sizeof(real));

    backward(&tp, y, x->data);
    int dropped = 0, wrong = 0;
    for (int i = 0; i < N; i++) {
        dropped += y->data[i] == 0;
        wrong += (y->data[i] == 0) != (rng_uniform(&one_by_one) < .25);
        wrong += y->data[i] != 0 && fabsf(y->data[i] - 4 / 3.f) > 1e-6f;
        wrong += x->grad[i] != y->data[i]; /* x and r are 1 */
    }
    ck_assert_int_eq(wrong, 0);
    ck_assert_double_lt(fabs(dropped - .25 * N), 5 * sqrt(N * .25 * .75));
    tape_free(&tp);
}
END_TEST

/* The mask of element i depends on the generator and i only: half of x gets the first half of the
 * mask. */
START_TEST(dropout_of_a_part)
{
    Tape tp = {0};
    Rng a = rng_make(2, RNG_DROPOUT, 0), b = a;
    Tensor *x = GIVEN(&tp, SHAPE(8), 1, 2, 3, 4, 5, 6, 7, 8);
    const Tensor *all = op_dropout(&tp, x, 0.5f, &a);
    const Tensor *half = op_dropout(&tp, op_rows(&tp, x, 0, 4), 0.5f, &b);
    ck_assert_mem_eq(all->data, half->data, 4 * sizeof(real));
    ck_assert_ptr_eq(op_dropout(&tp, x, 0, &a), x);
    ck_assert_ptr_eq(op_dropout(&tp, x, 0, NULL), x);
    tape_free(&tp);
}
END_TEST

/* --- over the last axis ----------------------------------------------------------------------- */

/* exp of (ln 1, ln 2, ln 5) sums to 8: y = 1/8 2/8 5/8. r = 8 0 0: sum y r = 1, so
 * dx = y (r - 1) = 7/8 -2/8 -5/8. Adding 1000 to all changes nothing. */
START_TEST(softmax)
{
    Tape tp = {0};
    const real a = 0, b = (real)0.69314718056, c = (real)1.6094379124;
    Tensor *x = GIVEN(&tp, SHAPE(2, 3), a, b, c, a, a, a), *y = op_softmax(&tp, x);
    CK(y->data, 0.125f, 0.25f, 0.625f, 1 / 3.f, 1 / 3.f, 1 / 3.f);
    BACKWARD(&tp, y, 8, 0, 0, 3, 0, 0);
    CK(x->grad, 0.875f, -0.25f, -0.625f, 2 / 3.f, -1 / 3.f, -1 / 3.f);
    CK(op_softmax(&tp, GIVEN(&tp, SHAPE(3), 1000, 1000, 1000))->data, 1 / 3.f, 1 / 3.f, 1 / 3.f);
    CK(op_softmax(&tp, GIVEN(&tp, SHAPE(3), -3e38f, 3e38f, 0))->data, 0, 1, 0);
    CK(op_softmax(&tp, GIVEN(&tp, SHAPE(3), -INFINITY, 5, 5))->data, 0, 0.5f, 0.5f);
    tape_free(&tp);
}
END_TEST

/* x = 1 3 has mean 2 and variance 1: n = -1 1 up to eps, s = 1 / sqrt(1.00001) = 0.999995. With
 * g = 2 3 and b = 10 20, y = 8.00001 22.999985. With C = 2 a normalised row is always -1 1, so dx
 * is 0 up to eps: r = 1 1 gives d = 2 3, mean d = 2.5, mean d n = 0.5 s,
 * dx = s (-+0.5 +- 0.5 s^2) = -+5e-6. dg = r n, db = r. */
START_TEST(layernorm)
{
    Tape tp = {0};
    Tensor *x = GIVEN(&tp, SHAPE(1, 2), 1, 3), *g = GIVEN(&tp, SHAPE(2), 2, 3);
    Tensor *b = GIVEN(&tp, SHAPE(2), 10, 20), *y = op_layernorm(&tp, x, g, b, (real)1e-5);
    CK(y->data, 8.00001f, 22.999985f);
    BACKWARD(&tp, y, 1, 1);
    CK(x->grad, -5e-6f, 5e-6f);
    CK(g->grad, -0.999995f, 0.999995f);
    CK(b->grad, 1, 1);
    /* A row of equal numbers: variance 0, n = 0. */
    Tensor *flat = op_layernorm(&tp, GIVEN(&tp, SHAPE(2), 7, 7), g, b, (real)1e-5);
    CK(flat->data, 10, 20);
    tape_free(&tp);
}
END_TEST

SUITE("ops",
      TESTS(matmul_and_linear, matmul_t_and_linear_relu, linear_add, linear_in_shares, bmm,
            bmm_transposes, arithmetic, gain, tanh_and_sigmoid, relu, gelu_forms, dropout,
            dropout_of_a_part, softmax, layernorm),
      NO_ABORTS)
