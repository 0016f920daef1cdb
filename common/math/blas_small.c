/* Small matrix products. A block of c, several rows high and two vectors wide, stays in registers
 * while k runs. So each row of b is loaded once for all rows of the block, each number of a once
 * for both vectors. */
#include "math/gemm_plain.h"
#include "math/blas_small.h"

#ifdef __AVX512F__
enum { BYTES = 64, ROWS = 8 }; /* bytes of a vector; rows of a block, 16 of 32 registers */
#else
enum { BYTES = 32, ROWS = 4 }; /* a block takes 8 of 16 registers */
#endif

enum { LANES = BYTES / sizeof(real), WIDE = 2 };

typedef real Vector __attribute__((vector_size(BYTES), aligned(sizeof(real)), may_alias));
/* Element (i,k) of a is at[i * row + k * column]; exchanging row and column transposes a. */
typedef struct {
    const real *at;
    size_t row, column;
} Left;

/* Computes one block. Every caller passes constants for rows and wide, so its loops are
 * unrolled. */
static inline __attribute__((always_inline)) void block(int rows, int wide, int K, Left a,
                                                        const real *b, int ldb, real beta, real *c,
                                                        int ldc)
{
    const Vector zero = {0};
    Vector sum[ROWS][WIDE];
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < wide; j++)
            sum[i][j] = beta == 0 ? zero : ((Vector *)(c + (size_t)i * ldc))[j];
    for (int k = 0; k < K; k++) {
        const Vector *bk = (const Vector *)(b + (size_t)k * ldb);
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < wide; j++) sum[i][j] += a.at[i * a.row + k * a.column] * bk[j];
    }
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < wide; j++) ((Vector *)(c + (size_t)i * ldc))[j] = sum[i][j];
}

/* Computes all rows of c for `wide` vectors of columns. */
static inline __attribute__((always_inline)) void columns(int wide, int M, int K, Left a,
                                                          const real *b, int ldb, real beta,
                                                          real *c, int ldc)
{
    int i = 0;
    for (; i + ROWS <= M; i += ROWS, a.at += ROWS * a.row)
        block(ROWS, wide, K, a, b, ldb, beta, c + (size_t)i * ldc, ldc);
    for (; i + ROWS / 2 <= M; i += ROWS / 2, a.at += ROWS / 2 * a.row)
        block(ROWS / 2, wide, K, a, b, ldb, beta, c + (size_t)i * ldc, ldc);
    for (; i < M; i++, a.at += a.row) block(1, wide, K, a, b, ldb, beta, c + (size_t)i * ldc, ldc);
}

void gemm_small(GemmForm form, int M, int N, int K, const real *a, int lda, const real *b, int ldb,
                real beta, real *c, int ldc)
{
    CHECK(form == NN || form == TN, "gemm_small: form %d; must be NN or TN", (int)form);
    const Left left = form == NN ? (Left){a, lda, 1} : (Left){a, 1, lda};
    int j = 0;
    for (; j + WIDE * LANES <= N; j += WIDE * LANES)
        columns(WIDE, M, K, left, b + j, ldb, beta, c + j, ldc);
    for (; j + LANES <= N; j += LANES) columns(1, M, K, left, b + j, ldb, beta, c + j, ldc);
    if (j < N) gemm_plain(form, M, N - j, K, a, lda, b + j, ldb, beta, c + j, ldc);
}

/* ALL_LANES(f, side, 0) lists f(l, side) for l = 0 .. LANES-1: a shuffle's arguments must be
 * constants. */
#define LANES_4(f, side, l)  f(l, side), f(l + 1, side), f(l + 2, side), f(l + 3, side)
#define LANES_8(f, side, l)  LANES_4(f, side, l), LANES_4(f, side, l + 4)
#define LANES_16(f, side, l) LANES_8(f, side, l), LANES_8(f, side, l + 8)
#if defined REAL_DOUBLE && defined __AVX512F__
#define ALL_LANES LANES_8
#elif defined REAL_DOUBLE
#define ALL_LANES LANES_4
#elif defined __AVX512F__
#define ALL_LANES LANES_16
#else
#define ALL_LANES LANES_8
#endif

/* Exchanges squares of `side` lanes between rows a and b, which are `side` apart: a's squares above
 * the diagonal for b's squares below it. In a shuffle, index LANES is b's first lane. */
#define UPPER(l, side) ((l) & (side) ? (l) - (side) + LANES : (l))
#define LOWER(l, side) ((l) & (side) ? (l) + LANES : (l) + (side))
#define EXCHANGE(row, side)                                                                        \
    for (int i = 0; i < LANES; i++) {                                                              \
        if (i & (side)) continue;                                                                  \
        const Vector a = row[i], b = row[i + (side)];                                              \
        row[i] = __builtin_shufflevector(a, b, ALL_LANES(UPPER, side, 0));                         \
        row[i + (side)] = __builtin_shufflevector(a, b, ALL_LANES(LOWER, side, 0));                \
    }

/* Transposes up to LANES rows of LANES numbers in registers (Eklundh 1972): exchanges squares of
 * half the side across the diagonal, then squares of a quarter within each square, down to single
 * numbers. Missing rows count as 0. */
static inline __attribute__((always_inline)) void square(int rows, real *to, int ldto,
                                                         const real *from, int ldfrom)
{
    const Vector zero = {0};
    Vector row[LANES];
    for (int i = 0; i < LANES; i++)
        row[i] = i < rows ? *(const Vector *)(from + (size_t)i * ldfrom) : zero;
#if defined __AVX512F__ && !defined REAL_DOUBLE
    EXCHANGE(row, 8)
#endif
#if defined __AVX512F__ || !defined REAL_DOUBLE
    EXCHANGE(row, 4)
#endif
    EXCHANGE(row, 2)
    EXCHANGE(row, 1)
    for (int i = 0; i < LANES; i++) *(Vector *)(to + (size_t)i * ldto) = row[i];
}

void transpose_small(real *restrict to, int ldto, int width, const real *restrict from, int ldfrom,
                     int rows, int columns)
{
    const int whole = columns / LANES * LANES;
    int i = 0;
    for (; i < rows && i + LANES <= width; i += LANES)
        for (int j = 0; j < whole; j += LANES) {
            real *corner = to + (size_t)j * ldto + i;
            const real *at = from + (size_t)i * ldfrom + j;
            if (rows - i >= LANES)
                square(LANES, corner, ldto, at, ldfrom);
            else
                square(rows - i, corner, ldto, at, ldfrom);
        }
    for (int j = 0; j < columns; j++)
        for (int r = j < whole ? i : 0; r < width; r++)
            to[(size_t)j * ldto + r] = r < rows ? from[(size_t)r * ldfrom + j] : 0;
}
