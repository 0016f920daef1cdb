/* One step's look by scaled dot-product attention (Vaswani et al. 2017, s3.2.1), written out:
 * common/ops/ops_attention.c does the same for all steps, heads and sequences at once. */
#ifndef LOOK_H
#define LOOK_H

#include <math.h>
#include <stdbool.h>

#include "math/vecmath.h"

static inline real look_dot(const real *a, const real *b, int n)
{
    real sum = 0;
    for (int i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

static inline void look_softmax(real *e, int n)
{
    real max = e[0], sum = 0;
    for (int s = 1; s < n; s++) max = e[s] > max ? e[s] : max;
    for (int s = 0; s < n; s++) sum += e[s] = real_exp(e[s] - max);
    for (int s = 0; s < n; s++) e[s] /= sum;
}

/* q (D) looks at k (n,D) and takes from v (n,D), of which it sees the first `seen` >= 1: weights p (n)
 * and y (D). */
static inline void look(const real *q, const real *k, const real *v, int n, int D, int seen,
                        real scale, real *p, real *y)
{
    for (int s = 0; s < n; s++) p[s] = look_dot(q, k + s * D, D) * scale; /* eq 17.1 */
    for (int s = seen; s < n; s++) p[s] = -INFINITY;                      /* eq 17.2 */
    look_softmax(p, n);
    for (int c = 0; c < D; c++) {
        y[c] = 0;
        for (int s = 0; s < n; s++) y[c] += p[s] * v[s * D + c]; /* eq 17.3 */
    }
}

/* The same with the mask after the softmax: a mistake, to be watched. */
static inline void look_masked_late(const real *q, const real *k, const real *v, int n, int D,
                                    int seen, real scale, real *p, real *y)
{
    look(q, k, v, n, D, n, scale, p, y);
    for (int s = seen; s < n; s++) p[s] = 0;
    for (int c = 0; c < D; c++) {
        y[c] = 0;
        for (int s = 0; s < n; s++) y[c] += p[s] * v[s * D + c];
    }
}

/* The gradient of the scores from that of the weights. */
static inline void look_back(const real *p, const real *dp, int n, real *de)
{
    const real mean = look_dot(p, dp, n);
    for (int s = 0; s < n; s++) de[s] = p[s] * (dp[s] - mean); /* eq 17.4 */
}

#endif
