#include "math/gemm_plain.h"

#include <stddef.h>

void gemm_plain(GemmForm form, int M, int N, int K, const real *a, int lda, const real *b, int ldb,
                real beta, real *c, int ldc)
{
    for (int i = 0; i < M; i++) {
        real *row = c + (size_t)i * ldc;
        for (int j = 0; j < N && beta == 0; j++) row[j] = 0; /* c may contain NaN */
        for (int k = 0; k < K; k++) {
            const real aik = form == TN ? a[(size_t)k * lda + i] : a[(size_t)i * lda + k];
            if (form == NT)
                for (int j = 0; j < N; j++) row[j] += aik * b[(size_t)j * ldb + k];
            else
                for (int j = 0; j < N; j++) row[j] += aik * b[(size_t)k * ldb + j];
        }
    }
}
