/* What the recurrences over whole sequences (ops_rnn.c, ops_lstm.c, ops_gru.c) share.
 *
 * What makes them fast: sequences do not meet, so each thread takes some of the batch through all
 * steps, without a barrier; the recurrent weight is copied once per call where that makes the T
 * products with it faster; and a weight's gradient, a sum over t, is one product. */
#ifndef OPS_RECURRENT_H
#define OPS_RECURRENT_H

#include "blas.h"
#include "ops.h"
#include "parallel.h"
#include "vecmath.h"

#include <string.h>

enum { ROWS = 16 }; /* sequences a thread takes at a time; not a function of the threads */

/* How many sequences a thread takes from b on. */
static inline int rows_from(int b, int B)
{
    return B - b < ROWS ? B - b : ROWS;
}

/* u (H,N) with its rows gemm_row(N) apart: u itself where that is N. */
static inline const real *rows_apart(Tape *tp, const Tensor *u)
{
    const int H = u->shape.d[0], N = u->shape.d[1], ld = gemm_row(N);
    if (ld == N) return u->data;
    real *copy = tape_save(tp, (size_t)H * ld * sizeof *copy);
    for (int i = 0; i < H; i++)
        memcpy(copy + (size_t)i * ld, u->data + (size_t)i * N, (size_t)N * sizeof *copy);
    return copy;
}

/* ut (N,H) = u^T, with rows ld apart: products with a transposed operand are slower. */
static inline void transpose_into(real *ut, int ld, const Tensor *u)
{
    const int H = u->shape.d[0], N = u->shape.d[1];
    for (int i = 0; i < H; i++)
        for (int j = 0; j < N; j++) ut[(size_t)j * ld + i] = u->data[(size_t)i * N + j];
}

static inline void set_to(real *restrict y, const real *restrict x, int n)
{
    memcpy(y, x, (size_t)n * sizeof *y);
}

/* y = sigmoid(y + x) */
static inline void sigmoid_of_sum(real *restrict y, const real *restrict x, int n)
{
#pragma omp simd
    for (int i = 0; i < n; i++) y[i] = real_sigmoid(y[i] + x[i]);
}

/* y = tanh(y + x) */
static inline void tanh_of_sum(real *restrict y, const real *restrict x, int n)
{
#pragma omp simd
    for (int i = 0; i < n; i++) y[i] = real_tanh(y[i] + x[i]);
}

/* y = tanh(y) */
static inline void tanh_inplace(real *restrict y, int n)
{
#pragma omp simd
    for (int i = 0; i < n; i++) y[i] = real_tanh(y[i]);
}

#endif
