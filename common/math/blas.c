/* Matrix products by oneDNN's dnnl_sgemm. It selects its kernels by CPU feature, so processors that
 * are newer than the library get fast kernels too. It is also fast for the small products of
 * recurrent networks. */
#include "math/gemm_plain.h"
#include "math/blas.h"

#include "math/blas_small.h"
#include "math/parallel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rows that lie a multiple of 512 bytes apart share few sets of the first-level cache and evict
 * each other. The higher the power of 2 in the distance, the fewer the sets. */
int gemm_row(int n)
{
    return n * sizeof(real) % 512 == 0 ? n + 64 / (int)sizeof(real) : n;
}

#ifdef REAL_DOUBLE

void gemm_serial(GemmForm form, int M, int N, int K, const real *a, int lda, const real *b, int ldb,
                 real beta, real *c, int ldc)
{
    gemm_plain(form, M, N, K, a, lda, b, ldb, beta, c, ldc);
}

void blas_warm_up(void)
{
}

void blas_warm_up_end(void)
{
}

const char *blas_name(void)
{
    return "plain loops in double";
}

#else

#include <dlfcn.h>
#include <dnnl.h>
#include <pthread.h>

#include "system/stop.h"

static void no_memory(void)
{
    too_large("out of memory in a matrix product");
}

/* If memory runs out, oneDNN throws a C++ exception, which C cannot catch and which aborts the
 * program. So we install a handler that C++'s `new` calls first. The symbol is the mangled name of
 * std::set_new_handler. */
static void catch_no_memory(void)
{
    void (*(*set)(void (*)(void)))(void);
    void *symbol = dlsym(RTLD_DEFAULT, "_ZSt15set_new_handlerPFvvE");
    memcpy(&set, &symbol, sizeof set);
    if (set) set(no_memory);
}

static void sgemm(GemmForm form, int M, int N, int K, const real *a, int lda, const real *b,
                  int ldb, real beta, real *c, int ldc)
{
    const char ta = form == TN ? 'T' : 'N', tb = form == NT ? 'T' : 'N';
    stop_blocks_here();
    const dnnl_status_t status = dnnl_sgemm(ta, tb, M, N, K, 1, a, lda, b, ldb, beta, c, ldc);
    if (status == dnnl_out_of_memory) no_memory();
    CHECK(status == dnnl_success, "dnnl_sgemm: status %d for %d x %d x %d", (int)status, M, N, K);
}

/* On processors without AVX-512 a product that walks down rows 2 KB apart (or a multiple) runs at
 * little more than half its speed. Such an operand is copied, one panel at a time, to rows 576
 * bytes apart. */
enum { PANEL = 128, PANEL_K = 256, PANEL_LD = PANEL + 16, WORTH_COPYING = 48 };

static bool collides(int ld)
{
    return ld % 512 == 0;
}

static void copy_panel(real *to, const real *from, int ld, int rows, int columns)
{
    for (int i = 0; i < rows; i++)
        memcpy(to + (size_t)i * PANEL_LD, from + (size_t)i * ld, (size_t)columns * sizeof *to);
}

/* gemm_serial for the forms NN and TN, which walk down the rows of b (TN: of a too). */
static void gemm_by_panels(GemmForm form, int M, int N, int K, const real *a, int lda,
                           const real *b, int ldb, real beta, real *c, int ldc)
{
    _Alignas(64) real a_copy[PANEL_K * PANEL_LD], b_copy[PANEL_K * PANEL_LD];
    const bool copy_a = form == TN && collides(lda), copy_b = collides(ldb);
    const int most_m = copy_a ? PANEL : M, most_n = copy_b ? PANEL : N;
    for (int at_n = 0; at_n < N; at_n += most_n)
        for (int at_k = 0; at_k < K; at_k += PANEL_K) {
            const int n = N - at_n < most_n ? N - at_n : most_n;
            const int k = K - at_k < PANEL_K ? K - at_k : PANEL_K;
            const real *b_at = b + (size_t)at_k * ldb + at_n;
            if (copy_b) copy_panel(b_copy, b_at, ldb, k, n);
            for (int at_m = 0; at_m < M; at_m += most_m) {
                const int m = M - at_m < most_m ? M - at_m : most_m;
                const real *a_at =
                    form == TN ? a + (size_t)at_k * lda + at_m : a + (size_t)at_m * lda + at_k;
                if (copy_a) copy_panel(a_copy, a_at, lda, k, m);
                sgemm(form, m, n, k, copy_a ? a_copy : a_at, copy_a ? PANEL_LD : lda,
                      copy_b ? b_copy : b_at, copy_b ? PANEL_LD : ldb, at_k ? 1 : beta,
                      c + (size_t)at_m * ldc + at_n, ldc);
            }
        }
}

void gemm_serial(GemmForm form, int M, int N, int K, const real *a, int lda, const real *b, int ldb,
                 real beta, real *c, int ldc)
{
    const bool copies = form != NT && M >= WORTH_COPYING &&
                        (collides(ldb) || (form == TN && collides(lda))) &&
                        dnnl_get_effective_cpu_isa() < dnnl_cpu_isa_avx512_core;
    (copies ? gemm_by_panels : sgemm)(form, M, N, K, a, lda, b, ldb, beta, c, ldc);
}

static void *warm_up(void *unused)
{
    const real a[16] = {0}, b[16] = {0};
    real c[16];
    (void)unused;
    gemm_serial(NN, 4, 4, 4, a, 4, b, 4, 0, c, 4);
    return NULL;
}

static pthread_t warming;
static bool is_warming;

void blas_warm_up(void)
{
    catch_no_memory();
    if (memory_limited()) { /* not in the background: a kernel without memory would crash */
        memory_check(0);
        warm_up(NULL);
        return;
    }
    if (!is_warming) is_warming = pthread_create(&warming, NULL, warm_up, NULL) == 0;
}

void blas_warm_up_end(void)
{
    if (is_warming) pthread_join(warming, NULL);
    is_warming = false;
}

const char *blas_name(void)
{
    static char name[64];
    const dnnl_version_t *v = dnnl_version();
    const dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
    const char *kernels = isa >= dnnl_cpu_isa_avx512_core ? "AVX-512"
                          : isa >= dnnl_cpu_isa_avx2      ? "AVX2"
                                                          : "SSE or generic";
    snprintf(name, sizeof name, "oneDNN %d.%d.%d, %s kernels", v->major, v->minor, v->patch,
             kernels);
    return name;
}

#endif

/* The longer side of c is divided into blocks, which threads take one at a time. The blocks do not
 * depend on the number of threads. oneDNN copies operands for each block, so few large blocks are
 * fastest: with blocks of 64 rows a product NT had 3/4 of the speed that it has with 160. */
enum { LEAST = 64, SHARES = 4, STEP = 16 };
static const double BLOCK_FLOPS = 4e6;

static int at_most(int a, int b)
{
    return a < b ? a : b;
}

static int quotient_up(int n, int divisor)
{
    return (n + divisor - 1) / divisor;
}

static int block_size(int side, double flops)
{
    const int shares = flops < SHARES * BLOCK_FLOPS ? (int)(flops / BLOCK_FLOPS) : SHARES;
    const int blocks = at_most(shares, side / LEAST);
    return blocks < 2 ? side : quotient_up(quotient_up(side, blocks), STEP) * STEP;
}

int gemm_share(int M, int N, int K)
{
    return M >= N ? block_size(M, 2.0 * M * N * K) : M;
}

/* Writes b (N,K) transposed to `to` (K,N), whose rows are ldto apart. */
static void transpose(real *to, int ldto, const real *b, int ldb, int N, int K)
{
    enum { ROWS = 64 }; /* rows of b that a thread takes at a time */
    PARALLEL_FOR(1.0 * N * K, r, N, ROWS, {
        const int rows = at_most(ROWS, N - r);
        transpose_small(to + r, ldto, rows, b + (size_t)r * ldb, ldb, rows, K);
    });
}

/* If a has at least WORTH_TRANSPOSING rows, NT runs as NN on a transposed copy of b, which is up to
 * 1.8 times as fast (AVX-512). The copy holds at most COPIED rows of b at a time: a copy of all
 * 50,257 x 768 would take 154 MB, and longer than it saves. Measured for M 64 to 2,048, N 128 to
 * 50,257 and K 128 to 3,072 on one and two threads: at most 3 % slower than NT, except for M <=
 * 128, N 3,072, K 768 on two threads (8 %). */
enum { WORTH_TRANSPOSING = 64, COPIED = 512 };

static void gemm_nt_by_panels(int M, int N, int K, const real *a, int lda, const real *b, int ldb,
                              real beta, real *c, int ldc)
{
    const int panels = quotient_up(N, COPIED);
    const int size = at_most(N, quotient_up(quotient_up(N, panels), STEP) * STEP);
    const int ld = gemm_row(size);
    real *copy = xaligned((size_t)K * ld * sizeof *copy); /* (K,size) */
    for (int n = 0; n < N; n += size) {
        const int columns = at_most(size, N - n);
        transpose(copy, ld, b + (size_t)n * ldb, ldb, columns, K);
        gemm_rows(NN, M, columns, K, a, lda, copy, ld, beta, c + n, ldc);
    }
    free(copy);
}

void gemm_rows(GemmForm form, int M, int N, int K, const real *a, int lda, const real *b, int ldb,
               real beta, real *c, int ldc)
{
    if (form == NT && M >= WORTH_TRANSPOSING) {
        gemm_nt_by_panels(M, N, K, a, lda, b, ldb, beta, c, ldc);
        return;
    }
    const double flops = 2.0 * M * N * K;
    const bool by_rows = M >= N;
    const int side = by_rows ? M : N, size = block_size(side, flops);
    PARALLEL_FOR(flops, at, side, size, {
        const size_t m = by_rows ? at : 0, n = by_rows ? 0 : at;
        const int len = at_most(size, side - at);
        gemm_serial(form, by_rows ? len : M, by_rows ? N : len, K, a + (form == TN ? m : m * lda),
                    lda, b + (form == NT ? n * ldb : n), ldb, beta, c + m * ldc + n, ldc);
    });
}

void gemm(GemmForm form, int M, int N, int K, const real *a, const real *b, real beta, real *c)
{
    gemm_rows(form, M, N, K, a, form == TN ? M : K, b, form == NT ? K : N, beta, c, N);
}
