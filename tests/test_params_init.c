/* The initial values of parameters: normal, uniform, orthogonal, and the same for the same seed. */
#include "nn/params.h"
#include "suite.h"

START_TEST(normal)
{
    enum { N = 100000 };
    Params ps = params_init(2);
    const Tensor *t = param(&ps, SHAPE(N / 100, 100), .02, "w");
    double mean = 0, variance = 0, fourth = 0;
    for (int i = 0; i < N; i++) {
        const double x = (double)t->data[i] / .02;
        mean += x / N;
        variance += x * x / N;
        fourth += x * x * x * x / N;
    }
    ck_assert_double_lt(fabs(mean), 5 / sqrt(N));
    ck_assert_double_lt(fabs(variance - 1), 5 * sqrt(2. / N));
    ck_assert_double_lt(fabs(fourth - 3), 5 * sqrt(96. / N));
    const Tensor *zero = param(&ps, SHAPE(10), 0, "b");
    for (int i = 0; i < zero->len; i++) ck_assert(zero->data[i] == 0);
    params_free(&ps);
}
END_TEST

START_TEST(uniform_and_fill)
{
    enum { N = 100000 };
    Params ps = params_init(2);
    Tensor *t = param(&ps, SHAPE(N), 0, "w");
    param_uniform(&ps, t, .5);
    double mean = 0, variance = 0, most = 0;
    for (int i = 0; i < N; i++) {
        const double x = (double)t->data[i];
        mean += x / N;
        variance += x * x / N;
        most = fmax(most, fabs(x));
    }
    ck_assert_double_le(most, .5);
    ck_assert_double_gt(most, .4999);
    ck_assert_double_lt(fabs(mean), 5 * sqrt(1. / 12 / N));
    ck_assert_double_lt(fabs(variance - 1. / 12), 5 * sqrt(1. / 180 / N));
    param_fill(&ps, t, 3);
    ck_assert(t->data[0] == 3 && t->data[N - 1] == 3);
    params_free(&ps);
}
END_TEST

/* Returns the largest difference of t t^T from gain^2 I; of t^T t for a tall matrix, of both for a
 * square one. Rows of t are ld apart. */
static double off_orthogonal(const real *t, int ld, int M, int N, double gain)
{
    double worst = 0;
    for (int tall = 0; tall < 2; tall++) {
        if (tall ? M < N : M > N) continue;
        const int vectors = tall ? N : M, len = tall ? M : N;
        for (int i = 0; i < vectors; i++)
            for (int j = 0; j <= i; j++) {
                double dot = 0;
                for (int k = 0; k < len; k++)
                    dot += (double)t[tall ? k * ld + i : i * ld + k] *
                           (double)t[tall ? k * ld + j : j * ld + k];
                worst = fmax(worst, fabs(dot - (i == j ? gain * gain : 0)));
            }
    }
    return worst;
}

static void check_orthogonal(int M, int N, double gain)
{
    Params ps = params_init(3);
    Tensor *t = param(&ps, SHAPE(M, N), 1, "u");
    param_orthogonal(&ps, t, gain);
    const double worst = off_orthogonal(t->data, N, M, N, gain);
    ck_assert_msg(worst < 1e-6 * gain * gain, "(%d,%d): off by %g", M, N, worst);
    params_free(&ps);
}

START_TEST(orthogonal)
{
    check_orthogonal(1, 1, 1);
    check_orthogonal(100, 100, 1);
    check_orthogonal(100, 100, 1.5);
    check_orthogonal(33, 129, 1);
    check_orthogonal(129, 33, 1);
    check_orthogonal(1, 50, 2);
    check_orthogonal(50, 1, 2);
}
END_TEST

/* Each block of columns is orthogonal, and no two blocks are equal. */
static void check_blocks(int H, int blocks, double gain)
{
    Params ps = params_init(3);
    const int N = blocks * H;
    Tensor *t = param(&ps, SHAPE(H, N), 1, "u");
    param_orthogonal_blocks(&ps, t, gain);
    for (int k = 0; k < blocks; k++) {
        const double worst = off_orthogonal(t->data + k * H, N, H, H, gain);
        ck_assert_msg(worst < 1e-6 * gain * gain, "block %d of %d: off by %g", k, blocks, worst);
        for (int other = 0; other < k && H > 1; other++)
            ck_assert_mem_ne(t->data + k * H, t->data + other * H, (size_t)H * sizeof(real));
    }
    params_free(&ps);
}

START_TEST(orthogonal_blocks)
{
    check_blocks(1, 4, 1);
    check_blocks(33, 4, 1);
    check_blocks(64, 3, 1.5);
    /* One block equals the matrix of param_orthogonal. */
    Params ps = params_init(3);
    Tensor *a = param(&ps, SHAPE(7, 7), 1, "u");
    param_orthogonal(&ps, a, 1);
    real want[49];
    memcpy(want, a->data, sizeof want);
    param_orthogonal_blocks(&ps, a, 1);
    ck_assert_mem_eq(a->data, want, sizeof want);
    params_free(&ps);
}
END_TEST

/* No direction is preferred: over many draws of a (2,2) matrix each entry has mean 0 and mean
 * square 1/2, and half of the matrices are rotations, half reflections. */
START_TEST(orthogonal_is_random)
{
    enum { N = 4000 };
    double mean[4] = {0}, square[4] = {0};
    int rotations = 0;
    for (uint64_t seed = 0; seed < N; seed++) {
        Params ps = params_init(seed);
        Tensor *t = param(&ps, SHAPE(2, 2), 0, "u");
        param_orthogonal(&ps, t, 1);
        for (int i = 0; i < 4; i++) {
            mean[i] += (double)t->data[i] / N;
            square[i] += (double)(t->data[i] * t->data[i]) / N;
        }
        rotations += t->data[0] * t->data[3] - t->data[1] * t->data[2] > 0;
        params_free(&ps);
    }
    for (int i = 0; i < 4; i++) {
        ck_assert_double_lt(fabs(mean[i]), 5 * sqrt(.5 / N));
        ck_assert_double_lt(fabs(square[i] - .5), 5 * sqrt(.125 / N));
    }
    ck_assert_double_lt(abs(rotations - N / 2), 5 * sqrt(N / 4.));
}
END_TEST

/* Values depend on the seed and on the parameter's index, not on its name, on the sizes of earlier
 * parameters or on the growth of the block. */
START_TEST(same_seed_same_values)
{
    Params a = params_init(7), b = params_init(7), c = params_init(8);
    param(&a, SHAPE(5), 1, "first");
    param(&b, SHAPE(50000), 0, "large");
    param(&c, SHAPE(5), 1, "first");
    const Tensor *ta = param(&a, SHAPE(30), 1, "w"), *tb = param(&b, SHAPE(5, 6), 1, "v");
    const Tensor *tc = param(&c, SHAPE(30), 1, "w"), *next = param(&a, SHAPE(30), 1, "x");
    ck_assert_mem_eq(ta->data, tb->data, 30 * sizeof(real));
    ck_assert_mem_ne(ta->data, tc->data, 30 * sizeof(real));
    ck_assert_mem_ne(ta->data, next->data, 30 * sizeof(real));
    params_free(&a);
    params_free(&b);
    params_free(&c);
}
END_TEST

SUITE("params_init",
      TESTS(normal, uniform_and_fill, orthogonal, orthogonal_blocks, orthogonal_is_random,
            same_seed_same_values),
      NO_ABORTS)
