/* Optimisers and the learning-rate schedule. */
#ifndef OPTIM_H
#define OPTIM_H

#include "nn/params.h"

typedef enum { OPTIM_ADAMW, OPTIM_SGD } OptimKind;

typedef struct {
    OptimKind kind;
    double beta1, beta2, eps; /* AdamW; beta1 is also SGD's momentum */
    double weight_decay;      /* on tensors of two axes and more; biases and gains are spared */
    int step;                 /* updates done */
    real *m, *v;              /* moments, laid out like the parameters (v: AdamW only) */
    size_t len;
} Optim;

Optim optim_init(OptimKind kind, const Params *ps, double beta1, double beta2, double weight_decay);
void optim_free(Optim *o);

/* AdamW (Kingma & Ba 2015, Algorithm 1; decoupled decay of Loshchilov & Hutter 2019):
 *     m = b1 m + (1-b1) g           v = b2 v + (1-b2) g^2
 *     w = w - lr (m^ / (sqrt(v^) + eps) + decay w),   m^ = m / (1-b1^t), v^ = v / (1-b2^t)
 * SGD with momentum (Polyak 1964):
 *     m = b1 m + g                  w = w - lr (m + decay w)
 * Also sets the gradients back to zero. */
void optim_step(Optim *o, Params *ps, double lr);

/* Linear warm-up to lr over `warmup` steps; then half a cosine down to min_lr, which the last step,
 * `steps`, has (Loshchilov & Hutter 2017): with min_lr 0 it moves nothing. Or with inverse_sqrt lr
 * sqrt(warmup / step), never below min_lr, a warm-up of 0 taken as 1: the schedule of Vaswani et al.
 * (2017, eq 3), whose peak is lr = 1 / sqrt(d_model warmup). Steps count from 1. */
typedef struct {
    double lr, min_lr;
    int warmup, steps;
    bool inverse_sqrt;
} Schedule;
double lr_at(const Schedule *s, int step);

#endif
