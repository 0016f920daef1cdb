/* Shared by the recurrences over whole sequences (ops_rnn.c, ops_lstm.c, ops_gru.c).
 *
 * Three things make them fast. Sequences are independent, so each thread runs a part of the batch
 * through all steps without a barrier. The recurrent weight is copied once per call if that makes
 * its products faster. And a weight's gradient, a sum over t, is one product. */
#ifndef OPS_RECURRENT_H
#define OPS_RECURRENT_H

#include "math/blas.h"
#include "math/blas_small.h"
#include "ops/ops_embed.h"
#include "math/parallel.h"
#include "math/vecmath.h"

#include <string.h>

enum { ROWS = 16 }; /* sequences that a thread takes at a time, for any number of threads */

/* Returns how many sequences a thread takes that starts at b. */
static inline int rows_from(int b, int B)
{
    return B - b < ROWS ? B - b : ROWS;
}

/* Returns z's shape (T,B,N). Aborts unless z has three axes or its ids are rows of its table; the
 * message calls the tensor `name` and says that it must be `want`. */
Shape sequence_check(const char *op, const char *name, const char *want, const SequenceInput *z);
/* Returns z with a copy of its ids that lives until tape_reset. */
SequenceInput sequence_keep(Tape *tp, const SequenceInput *z);

/* Returns the N numbers of row t*B+b. If they are a row of a table, the op adds the gradients of
 * all steps to the table's gradient at the end of its backward pass (embed_gradient). */
static inline const real *input_row(const SequenceInput *in, size_t row, int N)
{
    return in->rows->data + (in->ids ? (size_t)in->ids[row] : row) * N;
}

/* A recurrent weight u (H,N), laid out for fast products. If there are many products (steps times
 * parts of the batch), u is copied with its rows gemm_row(N) apart, and u^T too, because products
 * with a transposed operand are slower. For few products a copy would cost more than it saves. */
typedef struct {
    const Tensor *tensor;
    const real *u; /* rows ld apart */
    real *ut;      /* (N,H) u transposed, rows ldt apart; NULL for few products */
    int ld, ldt;
} Recurrent;

enum { WORTH_A_COPY = 8 }; /* from so many products on, u is copied */

/* Prepares u for T steps of B sequences; back tells whether a backward pass will follow. */
static inline Recurrent recurrent_weight(Tape *tp, const Tensor *u, int T, int B, bool back)
{
    const int H = u->shape.d[0], N = u->shape.d[1];
    const bool copies = (int64_t)T * ((B + ROWS - 1) / ROWS) >= WORTH_A_COPY;
    Recurrent w = {.tensor = u, .u = u->data, .ld = copies ? gemm_row(N) : N, .ldt = gemm_row(H)};
    if (back && copies) w.ut = tape_save(tp, (size_t)N * w.ldt * sizeof *w.ut);
    if (w.ld == N) return w;
    real *copy = tape_save(tp, (size_t)H * w.ld * sizeof *copy);
    for (int i = 0; i < H; i++)
        memcpy(copy + (size_t)i * w.ld, u->data + (size_t)i * N, (size_t)N * sizeof *copy);
    w.u = copy;
    return w;
}

/* Transposes u if that pays. Must be called at the start of the backward pass. */
static inline void recurrent_transpose(const Recurrent *w)
{
    const int H = w->tensor->shape.d[0], N = w->tensor->shape.d[1];
    if (w->ut) transpose_small(w->ut, w->ldt, H, w->tensor->data, N, H, N);
}

/* y = beta y + h u for columns first .. first+n-1 of u: h (rows,H), y (rows,n) with rows ldy
 * apart. */
static inline void times_u(const Recurrent *w, int first, int n, int rows, const real *h, real beta,
                           real *y, int ldy)
{
    const int H = w->tensor->shape.d[0];
    gemm_serial(NN, rows, n, H, h, H, w->u + first, w->ld, beta, y, ldy);
}

/* dh = beta dh + d u^T for columns first .. first+n-1 of u: d (rows,n) with rows ldd apart, dh
 * (rows,H). */
static inline void times_ut(const Recurrent *w, int first, int n, int rows, const real *d, int ldd,
                            real beta, real *dh)
{
    const int H = w->tensor->shape.d[0];
    if (w->ut)
        gemm_serial(NN, rows, H, n, d, ldd, w->ut + (size_t)first * w->ldt, w->ldt, beta, dh, H);
    else
        gemm_serial(NT, rows, H, n, d, ldd, w->u + first, w->ld, beta, dh, H);
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
