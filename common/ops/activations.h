/* Activation functions and their derivatives, for the pointwise ops and the fused ops. */
#ifndef ACTIVATIONS_H
#define ACTIVATIONS_H

#include "math/vecmath.h"

/* PHI(x): the standard normal distribution function; PHI_DENSITY: its derivative. */
#define PHI(x)         ((1 + real_erf((x) * (real)0.70710678118654752440)) / 2)
#define PHI_DENSITY(x) ((real)0.39894228040143267794 * real_exp(-(x) * (x) / 2))

/* y = x PHI(x) */
static inline real gelu(real x)
{
    return x * PHI(x);
}
static inline real gelu_slope(real x)
{
    return PHI(x) + x * PHI_DENSITY(x);
}

/* tanh form of GELU: x (1 + tanh u) / 2 with u = sqrt(2/pi) (x + 0.044715 x^3) */
#define GELU_U(x)  ((real)0.79788456080286535588 * ((x) + (real)0.044715 * (x) * (x) * (x)))
#define GELU_DU(x) ((real)0.79788456080286535588 * (1 + (real)0.134145 * (x) * (x)))
static inline real gelu_tanh(real x)
{
    return x * (1 + real_tanh(GELU_U(x))) / 2;
}
static inline real gelu_tanh_slope(real x)
{
    const real t = real_tanh(GELU_U(x));
    return (1 + t) / 2 + x * (1 - t * t) * GELU_DU(x) / 2;
}

/* y = x sigmoid(x) */
static inline real silu(real x)
{
    return x * real_sigmoid(x);
}
static inline real silu_slope(real x)
{
    const real s = real_sigmoid(x);
    return s * (1 + x * (1 - s));
}

/* log sigmoid(x) = min(x, 0) - log(1 + exp(-|x|)), which overflows for no x */
static inline real log_sigmoid(real x)
{
    const real a = x < 0 ? -x : x, small = (real)log1p((double)real_exp(-a));
    return (x < 0 ? x : 0) - small;
}

#endif
