/* A matrix product as a triple loop: the reference for every faster one. */
#ifndef GEMM_PLAIN_H
#define GEMM_PLAIN_H

#include "base/real.h"

/* How a and b are stored: N not transposed, T transposed. */
typedef enum { NN, NT, TN } GemmForm;

/* c (M,N) = a b + beta c on one thread. a is (M,K) and b (K,N) after the transposes of `form`. All
 * are row major; lda, ldb, ldc are the distances between rows as stored. beta is 0 (c may be
 * uninitialised) or 1. */
void gemm_plain(GemmForm form, int M, int N, int K, const real *a, int lda, const real *b, int ldb,
                real beta, real *c, int ldc);

#endif
