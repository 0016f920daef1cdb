/* gemm_small against the plain triple loop, at sizes that fill its blocks and at others. */
#include "math/gemm_plain.h"
#include "math/blas_small.h"
#include "base/rng.h"
#include "suite.h"

enum { MOST = 70, LD = 80 };

static real a[MOST * LD], b[MOST * LD], c[MOST * LD], want[MOST * LD];

static void fill(real *x, uint32_t step)
{
    Rng rng = rng_make(2, RNG_TEST, step);
    for (int i = 0; i < MOST * LD; i++) x[i] = (real)rng_normal(&rng);
}

/* Numbers beside c's N columns and after its M rows must not change. */
static void check_product(GemmForm form, int M, int N, int K, real beta)
{
    fill(c, 3), fill(want, 3);
    if (beta == 0)
        for (int i = 0; i < M; i++) c[i * LD] = NAN; /* with beta 0 c is not read */
    gemm_plain(form, M, N, K, a, LD, b, LD, beta, want, LD);
    gemm_small(form, M, N, K, a, LD, b, LD, beta, c, LD);
    for (int i = 0; i < MOST * LD; i++)
        if (!(fabs((double)c[i] - (double)want[i]) <= 2e-5))
            ck_abort_msg("form %d, %d x %d x %d, beta %g: [%d] is %g, not %g", (int)form, M, N, K,
                         (double)beta, i, (double)c[i], (double)want[i]);
}

START_TEST(products)
{
    static const int sides[] = {1, 7, 8, 16, 33, 49, 64, 70};
    fill(a, 1), fill(b, 2);
    for (int i = 0; i < LEN(sides); i++)
        for (int j = 0; j < LEN(sides); j++)
            for (int k = 0; k < LEN(sides); k += 3)
                for (int form = 0; form < 4; form++)
                    check_product(form & 1 ? TN : NN, sides[i], sides[j], sides[k],
                                  (real)(form / 2));
}
END_TEST

START_TEST(transposes)
{
    static const int sides[] = {1, 5, 16, 17, 40};
    fill(a, 1);
    for (int i = 0; i < LEN(sides); i++)
        for (int k = 0; k < 3 * LEN(sides); k++) {
            const int rows = sides[i], columns = sides[k / 3];
            const int width = k % 3 == 0 ? rows : k % 3 == 1 ? rows + i : (rows + 15) / 16 * 16;
            fill(c, 3), fill(want, 3);
            transpose_small(c, LD, width, a, LD, rows, columns);
            for (int y = 0; y < columns; y++)
                for (int x = 0; x < width; x++) want[y * LD + x] = x < rows ? a[x * LD + y] : 0;
            ck_assert_mem_eq(c, want, sizeof c);
        }
}
END_TEST

START_TEST(has_no_form_nt)
{
    gemm_small(NT, 1, 1, 1, a, LD, b, LD, 0, c, LD);
}
END_TEST

SUITE("blas_small", TESTS(products, transposes), ABORTS(has_no_form_nt))
