/* Matrix products. Only this file and blas.c name the library that computes them. */
#ifndef BLAS_H
#define BLAS_H

#include "base/base.h"
#include "base/real.h"
#include "math/gemm_plain.h"

/* c (M,N) = a b + beta c on one thread. a is (M,K) and b (K,N) after the transposes of `form`. All
 * are row major; lda, ldb, ldc are the distances between rows as stored. beta is 0 (c may be
 * uninitialised) or 1. */
void gemm_serial(GemmForm form, int M, int N, int K, const real *a, int lda, const real *b, int ldb,
                 real beta, real *c, int ldc);

/* gemm_serial on as many threads as pay for the size. The bits do not depend on the number of
 * threads, because the product is divided into blocks by M, N, K only. NT with M >= 64 allocates
 * memory for at most 512 rows of b while it runs. */
void gemm_rows(GemmForm form, int M, int N, int K, const real *a, int lda, const real *b, int ldb,
               real beta, real *c, int ldc);
/* gemm_rows for contiguous matrices. */
void gemm(GemmForm form, int M, int N, int K, const real *a, const real *b, real beta, real *c);

/* Returns how many rows of c gemm_rows gives a thread at a time; M means that it divides by
 * columns, or not at all. For callers that process those rows further (bias, relu) while they are
 * in the cache. */
int gemm_share(int M, int N, int K);

/* Returns the best distance between rows of n numbers, for a matrix that many small products read:
 * n, or a little more if rows n apart would evict each other from the cache. */
int gemm_row(int n);

/* Prepares the library's kernels in the background, which takes some tens of milliseconds, while
 * the caller loads its data. Optional. A program that calls blas_warm_up must call blas_warm_up_end
 * before it exits, because the library must not be unloaded while a thread runs in it. */
void blas_warm_up(void);
void blas_warm_up_end(void);

const char *blas_name(void); /* library, version, kernels; for --version and the bench */

#endif
