/* Matrix products against the plain triple loop. With small whole numbers every product and sum is
 * exact in any order, so the results must be equal. */
#include "math/gemm_plain.h"
#include "math/blas.h"
#include "math/parallel.h"
#include "base/rng.h"
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

/* With beta 0 the result starts as NaN, which must not be read. */
static real *result(size_t len, real beta)
{
    real *c = whole_numbers(len, 3);
    for (size_t i = 0; i < len && beta == 0; i++) c[i] = NAN;
    return c;
}

/* Returns whether all numbers are equal; NaN in results or padding counts as different. */
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

typedef void Product(GemmForm form, int M, int N, int K, const real *a, int lda, const real *b,
                     int ldb, real beta, real *c, int ldc);

/* Distances between rows as stored. */
typedef struct {
    int a, b, c;
} Rows;

/* Operands and result are parts of larger matrices, whose other columns must not change. */
static void check_rows(Product product, GemmForm form, int M, int N, int K, real beta,
                       const real *a, const real *b, Rows ld)
{
    const size_t len = (size_t)M * ld.c;
    real *want = result(len, beta);
    for (int i = 0; i < M; i++)
        for (int j = N; j < ld.c; j++) want[(size_t)i * ld.c + j] = 99;
    real *got = copy_of(want, len);
    gemm_plain(form, M, N, K, a, ld.a, b, ld.b, beta, want, ld.c);
    product(form, M, N, K, a, ld.a, b, ld.b, beta, got, ld.c);
    if (!same(got, want, len))
        ck_abort_msg("%s %s %d x %d x %d, rows %d, %d and %d apart, beta %g",
                     product == gemm_serial ? "gemm_serial" : "gemm_rows", form_name[form], M, N, K,
                     ld.a, ld.b, ld.c, (double)beta);
    free(want);
    free(got);
}

/* Rows a little farther apart than their length. */
static Rows padded(GemmForm form, int M, int N, int K)
{
    return (Rows){.a = (form == TN ? M : K) + 3, .b = (form == NT ? K : N) + 5, .c = N + 2};
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
                    check_rows(gemm_serial, form, sizes[i], sizes[j], sizes[k], 1 - beta, a, b,
                               padded(form, sizes[i], sizes[j], sizes[k]));
                }
    free(a);
    free(b);
}
END_TEST

/* Rows a multiple of 512 numbers apart: products with at least 48 rows copy operands in panels of
 * 256 x 128. Tests copies of a, of b and of both, with one panel, several panels and partial
 * ones. */
static const int panel_m[] = {47, 48, 130}, panel_n[] = {1, 128, 129, 260};
static const int panel_k[] = {256, 257, 520};

START_TEST(rows_that_collide)
{
    enum { MOST = 520, LD = 1024 };
    real *a = whole_numbers(MOST * LD, 1), *b = whole_numbers(MOST * LD, 2);
    for (GemmForm form = NN; form <= TN; form++)
        for (int i = 0; i < LEN(panel_m); i++)
            for (int j = 0; j < LEN(panel_n); j++)
                for (int k = 0; k < LEN(panel_k); k++)
                    for (int which = 1; which < 4; which++) {
                        if (form == NT && which < 3) continue; /* copies nothing */
                        const int M = panel_m[i], N = panel_n[j], K = panel_k[k];
                        Rows ld = padded(form, M, N, K);
                        if (which & 1) ld.a = (form == TN ? M : K) <= 512 ? 512 : LD;
                        if (which & 2) ld.b = (form == NT ? K : N) <= 512 ? 512 : LD;
                        if (which == 3) ld.c = 512;
                        check_rows(gemm_serial, form, M, N, K, (real)((i + j + k) % 2), a, b, ld);
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

/* Sizes large enough to be divided into blocks, by rows and by columns. */
static const int large[][3] = {{500, 64, 128},  {64, 500, 128},  {700, 129, 65},  {131, 515, 80},
                               {3000, 1, 2000}, {1, 3000, 2000}, {180, 180, 180}, {63, 1100, 70},
                               {64, 1100, 70},  {70, 1025, 300}};

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

/* With rows a little apart, or a multiple of 512 numbers, the result is correct and has the same
 * bits for any number of threads. */
static void check_threads(GemmForm form, int M, int N, int K, Rows ld)
{
    const size_t a_len = (size_t)(form == TN ? K : M) * ld.a;
    const size_t b_len = (size_t)(form == NT ? N : K) * ld.b, len = (size_t)M * ld.c;
    real *whole_a = whole_numbers(a_len, 11), *whole_b = whole_numbers(b_len, 12);
    real *a = normals(a_len, 13), *b = normals(b_len, 14), *first = NULL;
    for (int threads = 1; threads <= 3; threads++) {
        parallel_init(threads);
        if (threads == 2) check_rows(gemm_rows, form, M, N, K, 1, whole_a, whole_b, ld);
        real *c = normals(len, 15);
        gemm_rows(form, M, N, K, a, ld.a, b, ld.b, 1, c, ld.c);
        if (!first) first = copy_of(c, len);
        if (memcmp(c, first, len * sizeof *c) != 0)
            ck_abort_msg("gemm_rows %s %d x %d x %d, rows %d, %d and %d apart: other bits with %d "
                         "threads",
                         form_name[form], M, N, K, ld.a, ld.b, ld.c, threads);
        free(c);
    }
    free(whole_a), free(whole_b), free(a), free(b), free(first);
}

START_TEST(rows_apart_on_any_number_of_threads)
{
    const int shape[][3] = {
        {500, 64, 128}, {64, 500, 128}, {300, 129, 65}, {131, 515, 300}, {64, 1010, 40}};
    for (int i = 0; i < LEN(shape); i++)
        for (GemmForm form = NN; form <= TN; form++) {
            const int M = shape[i][0], N = shape[i][1], K = shape[i][2];
            check_threads(form, M, N, K, padded(form, M, N, K));
            check_threads(form, M, N, K, (Rows){1024, 1024, 1024});
        }
}
END_TEST

/* gemm_row adds 64 bytes to rows of a multiple of 512 bytes (128 floats), and nothing to others. */
START_TEST(distance_of_rows)
{
    enum { ROUND = 512 / sizeof(real), MORE = 64 / sizeof(real) };
    for (int n = 1; n <= 10 * ROUND; n++)
        ck_assert_int_eq(gemm_row(n), n % ROUND == 0 ? n + MORE : n);
}
END_TEST

/* The error against sums in double is at most that of K roundings (Higham 2002, eq. 3.13). A
 * product in a format shorter than float would exceed it. */
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
    blas_warm_up_end(); /* the thread that warms up must not outlive main */
}
END_TEST

SUITE("blas",
      TESTS(equal_to_the_plain_loop, rows_that_collide, plain_loop_by_hand, large_products_are_cut,
            same_bits_for_any_number_of_threads, rows_apart_on_any_number_of_threads,
            distance_of_rows, full_precision, has_a_name),
      NO_ABORTS)
