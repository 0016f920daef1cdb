/* Matrix products. The only file that names the library they come from. */
#ifndef BLAS_H
#define BLAS_H

#include "base/base.h"
#include "base/real.h"
#include "math/gemm_plain.h"

/* c (M,N) = a b + beta c, with a (M,K) and b (K,N) after the transposes of `form`; all row major,
 * lda, ldb, ldc the distance between rows as stored. One thread. beta is 0 (c need not be
 * initialised) or 1. */
void gemm_serial(GemmForm form, int M, int N, int K, const real *a, int lda, const real *b, int ldb,
                 real beta, real *c, int ldc);

/* The same on as many threads as the size deserves; the same bits for any number of threads, since the
 * blocks the product is cut into depend on M, N, K alone. NT, from 64 rows on, takes memory for at most 512
 * rows of b transposed while it runs. */
void gemm_rows(GemmForm form, int M, int N, int K, const real *a, int lda, const real *b, int ldb,
               real beta, real *c, int ldc);
/* The same for contiguous matrices. */
void gemm(GemmForm form, int M, int N, int K, const real *a, const real *b, real beta, real *c);

/* How many rows of c such a product gives a thread at a time; M: it is cut by columns, or not at all. For
 * callers that go on with those rows, as a bias and relu do, while they are in the cache. */
int gemm_share(int M, int N, int K);

/* How far apart to lay rows of n numbers in a matrix that many small products read: n, or a little
 * more where rows n apart would push each other out of the cache. */
int gemm_row(int n);

/* Prepares the library's kernels, which takes some tens of milliseconds, in the background while
 * the caller loads its data. Optional; a program that began it ends it before it exits, since a
 * library cannot be taken down while a thread runs in it. */
void blas_warm_up(void);
void blas_warm_up_end(void);

const char *blas_name(void); /* library, version, kernels; for --version and the bench */

#endif
