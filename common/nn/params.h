/* The parameters of a model: named tensors whose values share one contiguous block. The gradients
 * of the trainable parameters share another.
 *
 * So the optimiser is one loop, clipping is one reduction, a checkpoint is a list of named views,
 * and summing gradients over machines is one call. A model declares its parameters; params_allocate
 * then allocates both blocks once, at their final size. In between, parameters can be frozen or
 * grouped. */
#ifndef PARAMS_H
#define PARAMS_H

#include "autograd/tensor.h"
#include "base/rng.h"

typedef enum { START_NORMAL, START_UNIFORM, START_FILL, START_ORTHOGONAL } StartKind;

/* The initial values of a parameter. */
typedef struct {
    StartKind kind;
    double a;     /* standard deviation, bound, value or gain */
    int first, n; /* START_FILL: sets n values, starting at first; the others are 0 */
    bool blocks;  /* START_ORTHOGONAL: each block of H columns is orthogonal */
} Start;

/* How a parameter is initialised and updated. */
typedef struct {
    Start start;
    double rate_scale, decay_scale; /* factors on the optimiser's learning rate and weight decay */
    bool drawn;                     /* have the initial values been written? */
} ParamInfo;

typedef enum {
    PARAMS_TRAIN,  /* gradients and initial values */
    PARAMS_RESUME, /* gradients; values uninitialised, because they will be read from a file */
    PARAMS_EVAL,   /* initial values, no gradients */
    PARAMS_LOAD    /* values uninitialised, to be read from a file; no gradients */
} ParamsUse;

typedef struct {
    uint64_t seed;   /* seed of the initial values */
    Tensor **tensor; /* the parameters, in order of creation */
    ParamInfo *info; /* one entry per parameter */
    int n;
    real *value; /* the block of values; each parameter starts at a multiple of 64 bytes */
    real *grad;  /* the block of gradients of the parameters that are not frozen */
    size_t len, trainable;   /* lengths of value and grad in reals, with padding, which stays 0 */
    size_t count;            /* number of reals in all parameters, without padding */
    ParamsUse use;           /* argument of params_allocate */
    bool at_once, allocated; /* does each param() allocate? was params_allocate called? */
    char prefix[128];        /* prefix of the names, see params_push */
} Params;

/* Returns an empty set. Parameters are only declared (data is NULL) until params_allocate. */
Params params_declare(uint64_t seed);
/* Returns an empty set in which each param() allocates values and gradients at once. Every new
 * parameter moves the blocks and updates the tensors' pointers, so this is for small sets. */
Params params_init(uint64_t seed);
void params_free(Params *ps);

/* Allocates the blocks and draws the initial values. The values of a parameter depend on the seed
 * and on its index in the set, not on which parameters are frozen. Aborts on a second call. */
void params_allocate(Params *ps, ParamsUse use);

/* Declares a parameter named prefix + name, initialised from a normal distribution with standard
 * deviation std (0: all zero). The tensor lives as long as ps. Aborts if the name is taken. Write
 * one param() per statement: C does not define the order of two calls in one expression. */
Tensor *param(Params *ps, Shape s, double std, const char *fmt, ...) PRINTF_LIKE(4, 5);
Tensor *params_find(const Params *ps, const char *name); /* NULL if there is none */

void params_push(Params *ps, const char *fmt, ...) PRINTF_LIKE(2, 3); /* "l0" -> names "l0.w" */
void params_pop(Params *ps);

/* Set other initial values for a parameter. Each parameter has its own stream of random numbers. */
void param_fill(Params *ps, Tensor *t, double value);
void param_fill_range(Params *ps, Tensor *t, int first, int n, double value); /* the others are 0 */
void param_uniform(Params *ps, Tensor *t, double a);                          /* on [-a,a] */
void param_orthogonal(Params *ps, Tensor *t, double gain); /* t t^T or t^T t = gain^2 I */
/* Makes each of the k blocks of H columns of t (H,kH) orthogonal. */
void param_orthogonal_blocks(Params *ps, Tensor *t, double gain);

/* Freezes the parameters whose names match a shell pattern ("encoder*", "l[01].*"). They have no
 * gradient, no moments and no weight decay, and training does not change them. Must be called
 * before params_allocate, else it aborts. Returns how many parameters match. */
int params_freeze(Params *ps, const char *pattern);

/* Scales the learning rate of the matching parameters by rate_scale and their weight decay by
 * decay_scale. If several groups match a parameter, the last call counts. Returns how many
 * parameters match. */
int params_group(Params *ps, const char *pattern, double rate_scale, double decay_scale);

/* Writes the initial values of parameter i. In params_init.c; only params.c and params_init.c call
 * it. */
void params_draw(const Params *ps, int i);

/* --- gradients (params_grad.c) --- */

void params_zero_grad(Params *ps);
void params_scale_grad(Params *ps, double factor); /* multiplies all gradients */
double params_norm(const Params *ps); /* the norm of all gradients: sqrt(sum of squares) */
/* Clips the gradients: if their norm is above max, scales them to norm max (Pascanu et al. 2013,
 * Algorithm 1). Returns the norm before clipping. Changes nothing if max <= 0 or the norm is not
 * finite. */
double params_clip(Params *ps, double max);

#endif
