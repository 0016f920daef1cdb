/* A matrix product as a triple loop: the reference that every faster one must equal. */
#ifndef GEMM_PLAIN_H
#define GEMM_PLAIN_H

#include "base/real.h"

/* How the operands are stored: N as they stand, T transposed. */
typedef enum { NN, NT, TN } GemmForm;

/* c (M,N) = a b + beta c, with a (M,K) and b (K,N) after the transposes of `form`; all row major, lda,
 * ldb, ldc the distance between rows as stored. One thread. beta is 0 (c need not be initialised) or 1. */
void gemm_plain(GemmForm form, int M, int N, int K, const real *a, int lda, const real *b, int ldb,
                real beta, real *c, int ldc);

#endif
