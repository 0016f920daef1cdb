/* exp, tanh, sigmoid and erf as polynomials without branches, so that the compiler turns a loop
 * over them into vector code instead of a library call per element. Also two loops that every
 * backward pass needs.
 *
 * The error against the exact value, over every float of the range (tests/test_vecmath.c), is at
 * most 2 units in the last place (tanh: 2.5; sigmoid: 3, but below -87 it stays at 1.7e-38). exp is
 * 0 below -87.3 and infinity above 88. Infinities and NaN behave as in libm. The coefficients are
 * our own minimax fits: weighted least squares on Chebyshev points, reweighted towards the largest
 * relative error. The double build, which exists to check gradients, calls libm. */
#ifndef VECMATH_H
#define VECMATH_H

#include <math.h>
#include <string.h>

#include "base/real.h"

/* Returns the index of the largest of n >= 1 numbers; ties go to the lower index. NaN never wins
 * unless all numbers are NaN. */
static inline int argmax(const real *x, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        if (x[i] > x[best] || isnan(x[best])) best = i;
    return best;
}

#ifdef REAL_DOUBLE

static inline real real_exp(real x)
{
    return exp(x);
}
static inline real real_tanh(real x)
{
    return tanh(x);
}
static inline real real_erf(real x)
{
    return erf(x);
}
static inline real real_sigmoid(real x)
{
    return 1 / (1 + exp(-x));
}
static inline real real_sqrt(real x)
{
    return sqrt(x);
}

#else

#include <stdint.h>

static inline real real_sqrt(real x)
{
    return sqrtf(x);
}

/* Returns exp(r) - 1, where x = k ln 2 + r with |r| <= ln 2 / 2, so exp(x) = 2^k exp(r). Adding 1.5
 * * 2^23 rounds x / ln 2 to a whole number k, which is then in the low bits of the sum, *k_bits. */
static inline float exp_reduced(float x, uint32_t *k_bits)
{
    const float shifted = x * 1.442695041f + 12582912.0f, k = shifted - 12582912.0f;
    const float r = (x - k * 0.693145752f) - k * 1.42860677e-6f; /* ln 2 in two parts */
    float p = 1.979035733e-04f;
    p = p * r + 1.394465874e-03f;
    p = p * r + 8.333497044e-03f;
    p = p * r + 4.166629495e-02f;
    p = p * r + 1.666666587e-01f;
    p = p * r + 5.000000068e-01f;
    memcpy(k_bits, &shifted, sizeof shifted);
    return (p * r) * r + r;
}

/* Returns p such that exp(x) = *scale (1 + p) for -87.33 <= x <= 88, where *scale = 2^k is a normal
 * number. Near x = 0 *scale is 1, so (*scale - 1) + *scale p is exp(x) - 1 without cancellation. */
static inline float exp_parts(float x, float *scale)
{
    uint32_t bits;
    const float p = exp_reduced(x, &bits);
    bits = (bits + 127) << 23; /* shifts out the bits above k */
    memcpy(scale, &bits, sizeof *scale);
    return p;
}

/* Returns 0 if the exact value is below the normal numbers, and infinity from half the largest
 * float on. In both cases e is arbitrary and unused. */
static inline real real_exp(real x)
{
    const float lo = -87.33654f, hi = 88;
    float scale;
    const float p = exp_parts(x, &scale), e = scale + scale * p; /* keeps NaN */
    return x < lo ? 0 : x > hi ? INFINITY : e;
}

/* Returns (exp(2|x|) - 1) / (exp(2|x|) + 1) with the sign of x. */
static inline real real_tanh(real x)
{
    const float a = fabsf(x);
    float scale;
    const float p = exp_parts(a > 10 ? 20 : 2 * a, &scale); /* keeps NaN */
    const float e = (scale - 1) + scale * p;
    return copysignf(e / (e + 2), x);
}

/* An odd polynomial for |x| < 1; else 1 - exp(polynomial), where the polynomial fits log(1 -
 * erf). */
static inline real real_erf(real x)
{
    const float a = fabsf(x), s = x * x, t = (a < 4 ? a : 4) - 2;
    float p = -8.010281348e-04f + 7.854129478e-05f * s;
    p = p * s + 5.188338736e-03f;
    p = p * s - 2.685381862e-02f;
    p = p * s + 1.128358535e-01f;
    p = p * s - 3.761262585e-01f;
    p = p * s + 1.283791660e-01f;
    const float small = x + x * p; /* 2 / sqrt(pi) = 1 + 0.128... */
    float q = 1.377057296e-04f - 2.169777054e-05f * t;
    q = q * t - 7.302125798e-04f;
    q = q * t + 3.570519602e-03f;
    q = q * t - 1.646581122e-02f;
    q = q * t - 9.237509809e-01f;
    q = q * t - 4.418160784e+00f;
    q = q * t - 5.364941260e+00f;
    const float large = copysignf(1 - real_exp(q), x);
    return a < 1 ? small : x != x ? x : large;
}

/* For negative x it is exp(x) / (1 + exp(x)), so it never overflows. Values below 1.7e-38, the
 * value at -87, are rounded up to it. */
static inline real real_sigmoid(real x)
{
    const float a = fabsf(x);
    float scale;
    const float p = exp_parts(-(a > 87 ? 87 : a), &scale), e = scale + scale * p;
    return (x < 0 ? e : 1) / (1 + e);
}

#endif

/* y += x, n numbers: adds to a gradient. */
static inline void add_to(real *restrict y, const real *restrict x, int n)
{
    for (int i = 0; i < n; i++) y[i] += x[i];
}

/* y += s x */
static inline void add_scaled(real *restrict y, const real *restrict x, real s, int n)
{
    for (int i = 0; i < n; i++) y[i] += s * x[i];
}

#endif
