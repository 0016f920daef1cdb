/* Matrix products of a few thousand numbers, where calling the library costs more than the product:
 * 20 x 20 times 20 x 32 takes it a microsecond, and this 0.2. */
#ifndef BLAS_SMALL_H
#define BLAS_SMALL_H

#include "base/base.h"
#include "math/gemm_plain.h"

/* As gemm_serial, for the forms NN and TN. Fastest where N is a multiple of 16. */
void gemm_small(GemmForm form, int M, int N, int K, const real *a, int lda, const real *b, int ldb,
                real beta, real *c, int ldc);

/* to (columns,rows) = from (rows,columns) transposed, and 0 from column `rows` to `width`. */
void transpose_small(real *to, int ldto, int width, const real *from, int ldfrom, int rows,
                     int columns);

#endif
