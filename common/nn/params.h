/* The parameters of a model: named tensors in ONE contiguous block of values, and the gradients of those that
 * are trained in another.
 *
 * So the optimiser is one loop, clipping one reduction, a checkpoint a list of named views, and a sum of
 * gradients over machines one call. A model declares its parameters; params_allocate then makes both blocks,
 * once and at their final size. In between, parameters can be frozen or put into groups. */
#ifndef PARAMS_H
#define PARAMS_H

#include "autograd/tensor.h"
#include "base/rng.h"

typedef enum { START_NORMAL, START_UNIFORM, START_FILL, START_ORTHOGONAL } StartKind;

/* The initial values of a parameter. */
typedef struct {
    StartKind kind;
    double a;     /* standard deviation, bound, value or gain */
    int first, n; /* START_FILL: n values from first on, the others are 0 */
    bool blocks;  /* START_ORTHOGONAL: each block of H columns by itself */
} Start;

/* What the optimiser does with a parameter. */
typedef struct {
    Start start;
    double rate_scale, decay_scale; /* 1: its learning rate and weight decay are the optimiser's */
    bool drawn;                     /* the initial values stand in memory */
} ParamInfo;

typedef enum {
    PARAMS_TRAIN, /* gradients and initial values */
    PARAMS_RESUME, /* gradients; the values are not initialised, since they will be read from a file */
    PARAMS_EVAL, /* initial values, no gradients */
    PARAMS_LOAD  /* no gradients; the values will be read from a file */
} ParamsUse;

typedef struct {
    uint64_t seed;   /* of the initial values */
    Tensor **tensor; /* the parameters, in order of creation */
    ParamInfo *info; /* of each */
    int n;
    real *value; /* the block of values; each parameter starts at a multiple of 64 bytes */
    real *grad;  /* the block of gradients: of the parameters that are not frozen */
    size_t len, trainable;   /* reals of the two blocks (with padding, which stays 0) */
    size_t count;            /* reals that are parameters */
    ParamsUse use;           /* of params_allocate */
    bool at_once, allocated; /* each param() allocates; params_allocate was called */
    char prefix[128];        /* of names, see params_push */
} Params;

/* A set whose parameters only are declared until params_allocate: data is NULL. */
Params params_declare(uint64_t seed);
/* A set in which each param() allocates at once, values and gradients. The blocks move with every parameter,
 * the tensors' pointers with them: for small sets. */
Params params_init(uint64_t seed);
void params_free(Params *ps);

/* Allocates the blocks and draws the initial values, which depend on the seed and on how many parameters were
 * declared before, not on what is frozen. Aborts on a second call. */
void params_allocate(Params *ps, ParamsUse use);

/* Declares a parameter called prefix + name, normal with standard deviation std (0: all zero). The tensor lives
 * as long as ps. One param() per statement: C leaves the order of two calls in one expression open. */
Tensor *param(Params *ps, Shape s, double std, const char *fmt, ...) PRINTF_LIKE(4, 5);
Tensor *params_find(const Params *ps, const char *name); /* NULL if there is none */

void params_push(Params *ps, const char *fmt, ...) PRINTF_LIKE(2, 3); /* "l0" -> names "l0.w" */
void params_pop(Params *ps);

/* Other initial values for a parameter. Random ones come from its own stream. */
void param_fill(Params *ps, Tensor *t, double value);
void param_fill_range(Params *ps, Tensor *t, int first, int n, double value); /* the others are 0 */
void param_uniform(Params *ps, Tensor *t, double a);                          /* on [-a,a] */
void param_orthogonal(Params *ps, Tensor *t, double gain); /* t t^T or t^T t = gain^2 I */
/* t (H,kH): each of its k blocks of H columns orthogonal by itself. */
void param_orthogonal_blocks(Params *ps, Tensor *t, double gain);

/* Freezes the parameters whose name matches a shell pattern ("encoder*", "l[01].*"): they have no gradient, no
 * moments and no decay, and training does not change them. Comes before params_allocate. Returns how many
 * matched. */
int params_freeze(Params *ps, const char *pattern);

/* Makes the learning rate of the parameters that match rate_scale times the optimiser's, and their weight decay
 * decay_scale times. The last group that matches a parameter counts. Returns how many matched. */
int params_group(Params *ps, const char *pattern, double rate_scale, double decay_scale);

/* params_init.c, for params.c: writes the initial values of parameter i. */
void params_draw(const Params *ps, int i);

/* --- gradients (params_grad.c) --- */

void params_zero_grad(Params *ps);
double params_norm(const Params *ps); /* sqrt(sum of squares) of all gradients */
/* Scales the gradients to norm max if theirs is above it (Pascanu et al. 2013, Algorithm 1); max <= 0: never.
 * Returns the norm before. A non-finite norm leaves them as they are. */
double params_clip(Params *ps, double max);

#endif
