/* Matrix products of a few thousand numbers, for which calling the library costs more than the
 * product: 20 x 20 times 20 x 32 takes oneDNN 1 us, gemm_small 0.2 us. */
#ifndef BLAS_SMALL_H
#define BLAS_SMALL_H

#include "base/base.h"
#include "math/gemm_plain.h"

/* gemm_serial for the forms NN and TN; aborts on NT. Fastest if N is a multiple of 16. */
void gemm_small(GemmForm form, int M, int N, int K, const real *a, int lda, const real *b, int ldb,
                real beta, real *c, int ldc);

/* Writes from (rows,columns) transposed to `to` (columns,width); columns rows .. width-1 become
 * 0. */
void transpose_small(real *to, int ldto, int width, const real *from, int ldfrom, int rows,
                     int columns);

#endif
