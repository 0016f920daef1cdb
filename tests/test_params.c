/* Parameters: names, positions in the block, gradients. */
#include "math/parallel.h"
#include "nn/params.h"
#include "suite.h"

enum { LINE = 64 / sizeof(real) }; /* reals that start at a multiple of 64 bytes */

/* --- names ------------------------------------------------------------------------------------ */

START_TEST(names)
{
    Params ps = params_init(1);
    const Tensor *w = param(&ps, SHAPE(2), 0, "w");
    ck_assert_str_eq(w->name, "w");
    params_push(&ps, "l%d", 12);
    ck_assert_str_eq(param(&ps, SHAPE(2), 0, "%s.b", "head")->name, "l12.head.b");
    params_push(&ps, "deep");
    const Tensor *deep = param(&ps, SHAPE(2), 0, "w");
    ck_assert_str_eq(deep->name, "l12.deep.w");
    params_pop(&ps);
    ck_assert_str_eq(param(&ps, SHAPE(2), 0, "w")->name, "l12.w");
    params_pop(&ps);
    ck_assert_str_eq(param(&ps, SHAPE(2), 0, "b")->name, "b");
    ck_assert_ptr_eq(params_find(&ps, "w"), w);
    ck_assert_ptr_eq(params_find(&ps, "l12.deep.w"), deep);
    ck_assert_ptr_null(params_find(&ps, "deep.w"));
    ck_assert_ptr_null(params_find(&ps, ""));
    params_free(&ps);
}
END_TEST

/* --- the block -------------------------------------------------------------------------------- */

/* Declares many parameters of all sizes, so that the block grows several times. Each parameter must
 * start where the previous one ended, rounded up, and keep its values; padding must be 0. */
START_TEST(one_block)
{
    enum { N = 60 };
    Params ps = params_init(1);
    Tensor *t[N];
    size_t count = 0;
    for (int i = 0; i < N; i++) {
        t[i] = param(&ps, SHAPE(1 + i * 37 % 500, 3), 0, "p%d", i);
        for (int k = 0; k < t[i]->len; k++) {
            t[i]->data[k] = (real)(1000 * i + k + 1);
            t[i]->grad[k] = -t[i]->data[k];
        }
        count += (size_t)t[i]->len;
    }
    ck_assert_int_eq(ps.n, N);
    ck_assert_uint_eq(ps.count, count);
    size_t at = 0;
    for (int i = 0; i < N; i++) {
        ck_assert_ptr_eq(t[i]->data, ps.value + at);
        ck_assert_ptr_eq(t[i]->grad, ps.grad + at);
        ck_assert_uint_eq((uintptr_t)t[i]->data % 64, 0);
        ck_assert_uint_eq((uintptr_t)t[i]->grad % 64, 0);
        ck_assert(t[i]->requires_grad && t[i]->view_of == NULL);
        const size_t end = at + (size_t)t[i]->len, next = (end + LINE - 1) / LINE * LINE;
        int wrong = 0;
        for (int k = 0; k < t[i]->len; k++)
            wrong += t[i]->data[k] != (real)(1000 * i + k + 1) || t[i]->grad[k] != -t[i]->data[k];
        for (size_t k = end; k < next; k++) wrong += ps.value[k] != 0 || ps.grad[k] != 0;
        ck_assert_int_eq(wrong, 0);
        at = next;
    }
    ck_assert_uint_eq(ps.len, at);
    params_free(&ps);
    ck_assert_int_eq(ps.n, 0);
}
END_TEST

/* --- gradients -------------------------------------------------------------------------------- */

/* Gradients 3 and 4 in two parameters: the norm is 5. */
static Params three_and_four(void)
{
    Params ps = params_init(1);
    Tensor *a = param(&ps, SHAPE(2), 0, "a"), *b = param(&ps, SHAPE(100), 0, "b");
    a->grad[1] = 3;
    b->grad[77] = -4;
    return ps;
}

START_TEST(clip)
{
    Params ps = three_and_four();
    const real *a = ps.tensor[0]->grad, *b = ps.tensor[1]->grad;
    ck_assert_double_eq_tol(params_norm(&ps), 5, 1e-6);
    ck_assert_double_eq_tol(params_clip(&ps, 0), 5, 1e-6);
    ck_assert_double_eq_tol(params_clip(&ps, 5.01), 5, 1e-6);
    ck_assert(a[1] == 3 && b[77] == -4);
    ck_assert_double_eq_tol(params_clip(&ps, 1), 5, 1e-6);
    ck_assert_double_eq_tol((double)a[1], .6, 1e-6);
    ck_assert_double_eq_tol((double)b[77], -.8, 1e-6);
    ck_assert_double_eq_tol(params_norm(&ps), 1, 1e-6);
    params_zero_grad(&ps);
    ck_assert(params_norm(&ps) == 0 && params_clip(&ps, 1) == 0 && a[1] == 0);
    params_free(&ps);
}
END_TEST

/* Enough gradients for several threads, the last one in a chunk of its own: each counts and is
 * scaled. */
START_TEST(clip_on_any_number_of_threads)
{
    enum { LEN_A = 300000, LEN_B = 16384 * 3 + 1 };
    double first = 0;
    for (int threads = 1; threads <= 3; threads++) {
        parallel_init(threads);
        Params ps = params_init(1);
        Tensor *a = param(&ps, SHAPE(LEN_A), 1, "a"), *b = param(&ps, SHAPE(LEN_B), 1, "b");
        memcpy(a->grad, a->data, LEN_A * sizeof(real)),
            memcpy(b->grad, b->data, LEN_B * sizeof(real));
        long double sum = 0;
        for (int i = 0; i < LEN_A; i++) sum += (long double)a->grad[i] * (long double)a->grad[i];
        for (int i = 0; i < LEN_B; i++) sum += (long double)b->grad[i] * (long double)b->grad[i];
        const double want = (double)sqrtl(sum), got = params_clip(&ps, 2);
        ck_assert_double_eq_tol(got, want, 1e-12 * want);
        if (threads == 1) first = got;
        ck_assert_mem_eq(&got, &first, sizeof got);
        for (int i = 0; i < LEN_A; i++)
            ck_assert(a->grad[i] == (real)(2 / got * (double)a->data[i]));
        for (int i = 0; i < LEN_B; i++)
            ck_assert(b->grad[i] == (real)(2 / got * (double)b->data[i]));
        params_free(&ps);
    }
}
END_TEST

/* Gradients whose squares are too large or too small for a float: clipping exists for exploding
 * gradients. */
START_TEST(clip_beyond_the_squares_of_float)
{
    Params ps = params_init(1);
    const Tensor *a = param(&ps, SHAPE(2), 0, "a");
    for (int i = -1; i <= 1; i += 2) {
        const real size = (real)pow(10, 25 * i);
        a->grad[0] = 3 * size, a->grad[1] = -4 * size;
        ck_assert_double_eq_tol(params_clip(&ps, 1) / (double)size, 5, 1e-5);
    }
    a->grad[0] = 3e30f, a->grad[1] = -4e30f;
    params_clip(&ps, 1);
    ck_assert_double_eq_tol((double)a->grad[0], .6, 1e-6);
    ck_assert_double_eq_tol((double)a->grad[1], -.8, 1e-6);
    params_free(&ps);
}
END_TEST

START_TEST(clip_leaves_what_is_not_finite)
{
    const real bad[] = {NAN, INFINITY, -INFINITY};
    for (int i = 0; i < LEN(bad); i++) {
        Params ps = three_and_four();
        ps.tensor[1]->grad[0] = bad[i];
        ck_assert(!isfinite(params_clip(&ps, 1)));
        ck_assert(ps.tensor[0]->grad[1] == 3 && !isfinite(ps.tensor[1]->grad[0]));
        params_free(&ps);
    }
}
END_TEST

/* --- mistakes --------------------------------------------------------------------------------- */

START_TEST(a_name_twice)
{
    Params ps = params_init(1);
    param(&ps, SHAPE(2), 0, "w");
    param(&ps, SHAPE(3), 0, "w");
}
END_TEST

START_TEST(a_name_too_long)
{
    Params ps = params_init(1);
    param(&ps, SHAPE(2), 0, "%0300d", 1);
}
END_TEST

START_TEST(a_prefix_too_long)
{
    Params ps = params_init(1);
    for (int i = 0; i < 50; i++) params_push(&ps, "layer%d", i);
}
END_TEST

START_TEST(one_pop_too_many)
{
    Params ps = params_init(1);
    params_push(&ps, "l0");
    params_pop(&ps);
    params_pop(&ps);
}
END_TEST

START_TEST(orthogonal_vector)
{
    Params ps = params_init(1);
    param_orthogonal(&ps, param(&ps, SHAPE(4), 0, "b"), 1);
}
END_TEST

START_TEST(blocks_that_do_not_fit)
{
    Params ps = params_init(1);
    param_orthogonal_blocks(&ps, param(&ps, SHAPE(4, 6), 0, "u"), 1);
}
END_TEST

START_TEST(a_stranger)
{
    Params ps = params_init(1), other = params_init(1);
    param_uniform(&ps, param(&other, SHAPE(4), 0, "b"), 1);
}
END_TEST

SUITE("params",
      TESTS(names, one_block, clip, clip_on_any_number_of_threads, clip_beyond_the_squares_of_float,
            clip_leaves_what_is_not_finite),
      ABORTS(a_name_twice, a_name_too_long, a_prefix_too_long, one_pop_too_many, orthogonal_vector,
             blocks_that_do_not_fit, a_stranger))
