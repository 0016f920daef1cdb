/* The parameters of a model: named tensors in ONE contiguous block of values and one of gradients.
 *
 * So the optimiser is one loop, clipping one reduction, a checkpoint a list of named views. */
#ifndef PARAMS_H
#define PARAMS_H

#include "base/rng.h"
#include "autograd/tensor.h"

typedef struct {
    uint64_t seed;   /* of the initial values */
    Tensor **tensor; /* the parameters, in order of creation */
    int n;
    real *value, *grad; /* the blocks; each parameter starts at a multiple of 64 bytes */
    size_t len, cap;    /* reals in use (with padding, which stays 0) and reserved */
    size_t count;       /* reals that are parameters */
    char prefix[128];   /* of names, see params_push */
} Params;

Params params_init(uint64_t seed);
void params_free(Params *ps);

/* A new parameter called prefix + name, normal with standard deviation std (0: all zero). Initial
 * values depend on the seed and on how many parameters came before. The tensor lives as long as ps.
 * One param() per statement: C leaves the order of two calls in one expression open. */
Tensor *param(Params *ps, Shape s, double std, const char *fmt, ...) PRINTF_LIKE(4, 5);
Tensor *params_find(const Params *ps, const char *name); /* NULL if there is none */

void params_push(Params *ps, const char *fmt, ...) PRINTF_LIKE(2, 3); /* "l0" -> names "l0.w" */
void params_pop(Params *ps);

/* Other initialisers, for a parameter just made: they draw from its own stream. */
void param_fill(Tensor *t, real value);
void param_uniform(const Params *ps, Tensor *t, double a);       /* on [-a,a] */
void param_orthogonal(const Params *ps, Tensor *t, double gain); /* t t^T or t^T t = gain^2 I */

/* t (H,kH): each of its k blocks of H columns orthogonal by itself. */
void param_orthogonal_blocks(const Params *ps, Tensor *t, double gain);

void params_zero_grad(Params *ps);
double params_norm(const Params *ps);       /* sqrt(sum of squares) of all gradients */
double params_clip(Params *ps, double max); /* Pascanu et al. 2013, Algorithm 1: scales the
                                     gradients to norm max if above (max <= 0: never); returns the
                                     norm before. A non-finite norm leaves them as they are. */
#endif
