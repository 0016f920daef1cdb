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
    real *m, *v;              /* moments, laid out like the gradients (v: AdamW only) */
    size_t len;               /* of each: Params.trainable */
} Optim;

/* An optimiser without moments; optim_allocate adds them once the parameters are allocated. */
Optim optim_options(OptimKind kind, double beta1, double beta2, double weight_decay);
void optim_allocate(Optim *o, const Params *ps);
/* Both. */
Optim optim_init(OptimKind kind, const Params *ps, double beta1, double beta2, double weight_decay);
void optim_free(Optim *o);

/* AdamW (Kingma & Ba 2015, Algorithm 1; decoupled decay of Loshchilov & Hutter 2019):
 *     m = b1 m + (1-b1) g           v = b2 v + (1-b2) g^2
 *     w = w - lr (m^ / (sqrt(v^) + eps) + decay w),   m^ = m / (1-b1^t), v^ = v / (1-b2^t)
 * SGD with momentum (Polyak 1964):
 *     m = b1 m + g                  w = w - lr (m + decay w)
 * with lr and decay scaled by the parameter's group (params_group). Frozen parameters stay as they are. Also
 * sets the gradients back to zero. */
void optim_step(Optim *o, Params *ps, double lr);

/* The learning rate of update `step`, counted from 1. Linear warm-up: lr step / warmup, which reaches lr at update
 * `warmup` (a warm-up of 0 counts as 1). Then half a cosine from lr down (Loshchilov & Hutter 2017):
 *     min_lr + (lr - min_lr) (1 + cos(pi part)) / 2,   part = (step - warmup) / (steps + 1 - warmup)
 * It would reach min_lr one update after the last one, so that update `steps` still moves. Or with inverse_sqrt
 * lr sqrt(warmup / step), never below min_lr: the schedule of Vaswani et al. (2017, eq 3), whose peak is
 * lr = 1 / sqrt(d_model warmup). */
typedef struct {
    double lr, min_lr;
    int warmup, steps;
    bool inverse_sqrt;
} Schedule;
double lr_at(const Schedule *s, int step);

#endif
