/* Matrix products against the plain triple loop. With small whole numbers every product and sum is
 * exact, in whatever order: the results must be equal. */
#include "blas.h"
#include "parallel.h"
#include "rng.h"
#include "suite.h"

static const char *const form_name[] = {"NN", "NT", "TN"};
static const int sizes[] = {1, 15, 16, 17, 65, 129};

static real *whole_numbers(size_t len, uint64_t seed)
{
    Rng r = rng_make(seed, RNG_TEST, 0);
    real *x = xaligned(len * sizeof *x);
    for (size_t i = 0; i < len; i++) x[i] = (real)(rng_below(&r, 9) - 4);
    return x;
}

static real *normals(size_t len, uint64_t seed)
{
    Rng r = rng_make(seed, RNG_TEST, 0);
    real *x = xaligned(len * sizeof *x);
    for (size_t i = 0; i < len; i++) x[i] = (real)rng_normal(&r);
    return x;
}

static real *copy_of(const real *x, size_t len)
{
    return memcpy(xaligned(len * sizeof *x), x, len * sizeof *x);
}

/* beta 0 starts from NaN, which may not be read. */
static real *result(size_t len, real beta)
{
    real *c = whole_numbers(len, 3);
    for (size_t i = 0; i < len && beta == 0; i++) c[i] = NAN;
    return c;
}

/* Equal numbers; padding and results alike must not be NaN. */
static bool same(const real *a, const real *b, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!(a[i] == b[i])) return false;
    return true;
}

static void check_product(GemmForm form, int M, int N, int K, real beta, const real *a,
                          const real *b)
{
    const size_t len = (size_t)M * N;
    real *want = result(len, beta), *got = result(len, beta);
    gemm_plain(form, M, N, K, a, form == TN ? M : K, b, form == NT ? K : N, beta, want, N);
    gemm(form, M, N, K, a, b, beta, got);
    if (!same(got, want, len))
        ck_abort_msg("gemm %s %d x %d x %d, beta %g", form_name[form], M, N, K, (double)beta);
    free(want);
    free(got);
}

/* Operands and result inside of larger matrices, whose other columns stay as they are. */
static void check_within(GemmForm form, int M, int N, int K, real beta, const real *a,
                         const real *b)
{
    const int lda = (form == TN ? M : K) + 3, ldb = (form == NT ? K : N) + 5, ldc = N + 2;
    const size_t len = (size_t)M * ldc;
    real *want = result(len, beta);
    for (int i = 0; i < M; i++) want[(size_t)i * ldc + N] = want[(size_t)i * ldc + N + 1] = 99;
    real *got = copy_of(want, len);
    gemm_plain(form, M, N, K, a, lda, b, ldb, beta, want, ldc);
    gemm_serial(form, M, N, K, a, lda, b, ldb, beta, got, ldc);
    if (!same(got, want, len))
        ck_abort_msg("gemm_serial %s %d x %d x %d, beta %g", form_name[form], M, N, K,
                     (double)beta);
    free(want);
    free(got);
}

START_TEST(equal_to_the_plain_loop)
{
    parallel_init(2);
    real *a = whole_numbers(140 * 140, 1), *b = whole_numbers(140 * 140, 2);
    for (GemmForm form = NN; form <= TN; form++)
        for (int i = 0; i < LEN(sizes); i++)
            for (int j = 0; j < LEN(sizes); j++)
                for (int k = 0; k < LEN(sizes); k++) {
                    const real beta = (real)((i + j + k) % 2);
                    check_product(form, sizes[i], sizes[j], sizes[k], beta, a, b);
                    check_within(form, sizes[i], sizes[j], sizes[k], 1 - beta, a, b);
                }
    free(a);
    free(b);
}
END_TEST

/* The reference itself: [1 2; 3 4; 5 6] [1 0 -1; 2 1 0] =
 * [1+4 0+2 -1+0; 3+8 0+4 -3+0; 5+12 0+6 -5+0]. */
START_TEST(plain_loop_by_hand)
{
    const real a[] = {1, 2, 3, 4, 5, 6}, at[] = {1, 3, 5, 2, 4, 6};
    const real b[] = {1, 0, -1, 2, 1, 0}, bt[] = {1, 2, 0, 1, -1, 0};
    const real want[] = {5, 2, -1, 11, 4, -3, 17, 6, -5};
    real c[9] = {NAN};
    gemm_plain(NN, 3, 3, 2, a, 2, b, 3, 0, c, 3);
    ck_assert_mem_eq(c, want, sizeof want);
    gemm_plain(NT, 3, 3, 2, a, 2, bt, 2, 0, c, 3);
    ck_assert_mem_eq(c, want, sizeof want);
    gemm_plain(TN, 3, 3, 2, at, 3, b, 3, 0, c, 3);
    ck_assert_mem_eq(c, want, sizeof want);
    gemm_plain(NN, 3, 3, 2, a, 2, b, 3, 1, c, 3);
    for (int i = 0; i < 9; i++) ck_assert(c[i] == 2 * want[i]);
}
END_TEST

/* Sizes large enough to be cut into blocks, by rows and by columns. */
static const int large[][3] = {{500, 64, 128},  {64, 500, 128},  {700, 129, 65}, {131, 515, 80},
                               {3000, 1, 2000}, {1, 3000, 2000}, {180, 180, 180}};

START_TEST(large_products_are_cut)
{
    parallel_init(2);
    for (int i = 0; i < LEN(large); i++)
        for (GemmForm form = NN; form <= TN; form++) {
            const int M = large[i][0], N = large[i][1], K = large[i][2];
            real *a = whole_numbers((size_t)M * K, 4), *b = whole_numbers((size_t)K * N, 5);
            check_product(form, M, N, K, (real)(i % 2), a, b);
            free(a);
            free(b);
        }
}
END_TEST

START_TEST(same_bits_for_any_number_of_threads)
{
    for (int i = 0; i < LEN(large); i++)
        for (GemmForm form = NN; form <= TN; form++) {
            const int M = large[i][0], N = large[i][1], K = large[i][2];
            const size_t len = (size_t)M * N;
            real *a = normals((size_t)M * K, 6), *b = normals((size_t)K * N, 7), *first = NULL;
            for (int threads = 1; threads <= 3; threads++) {
                parallel_init(threads);
                real *c = normals(len, 8);
                gemm(form, M, N, K, a, b, 1, c);
                if (!first) first = copy_of(c, len);
                if (memcmp(c, first, len * sizeof *c) != 0)
                    ck_abort_msg("%s %d x %d x %d: other bits with %d threads", form_name[form], M,
                                 N, K, threads);
                free(c);
            }
            free(a);
            free(b);
            free(first);
        }
}
END_TEST

/* Against sums in double: no worse than K roundings (Higham 2002, eq. 3.13), which no product in a
 * shorter format than float would keep. */
START_TEST(full_precision)
{
    enum { M = 70, N = 90, K = 110 };
    parallel_init(1);
    real *a = normals(M * K, 9), *b = normals(K * N, 10), c[M * N];
    gemm(NN, M, N, K, a, b, 0, c);
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++) {
            double sum = 0, size = 0;
            for (int k = 0; k < K; k++) {
                const double p = (double)a[i * K + k] * (double)b[k * N + j];
                sum += p;
                size += fabs(p);
            }
            const double error = fabs((double)c[i * N + j] - sum);
            if (!(error <= K * 0x1p-24 * size)) ck_abort_msg("(%d,%d) is off by %g", i, j, error);
        }
    free(a);
    free(b);
}
END_TEST

START_TEST(has_a_name)
{
    blas_warm_up();
    ck_assert_uint_gt(strlen(blas_name()), 5);
}
END_TEST

SUITE("blas",
      TESTS(equal_to_the_plain_loop, plain_loop_by_hand, large_products_are_cut,
            same_bits_for_any_number_of_threads, full_precision, has_a_name),
      NO_ABORTS)
