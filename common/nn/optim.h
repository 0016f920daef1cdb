/* Optimisers and the learning-rate schedule. */
#ifndef OPTIM_H
#define OPTIM_H

#include "nn/params.h"

typedef enum { OPTIM_ADAMW, OPTIM_SGD } OptimKind;

typedef struct {
    OptimKind kind;
    double beta1, beta2, eps; /* AdamW; beta1 is also SGD's momentum */
    double weight_decay;      /* of tensors with two axes or more; biases and gains have none */
    int step;                 /* number of updates done */
    real *m, *v;              /* moments, laid out like the gradients (v: AdamW only) */
    size_t len;               /* length of m and of v: Params.trainable */
} Optim;

/* Returns an optimiser without moments. optim_allocate adds them (all 0) after params_allocate; it
 * aborts on a second call. optim_free frees them. */
Optim optim_options(OptimKind kind, double beta1, double beta2, double weight_decay);
void optim_allocate(Optim *o, const Params *ps);
/* Returns an optimiser with its moments: optim_options, then optim_allocate. */
Optim optim_init(OptimKind kind, const Params *ps, double beta1, double beta2, double weight_decay);
void optim_free(Optim *o);

/* Updates every parameter that is not frozen, and sets all gradients to 0.
 *
 * AdamW (Kingma & Ba 2015, Algorithm 1; decoupled weight decay of Loshchilov & Hutter 2019):
 *     m = b1 m + (1-b1) g           v = b2 v + (1-b2) g^2
 *     w = w - lr (m^ / (sqrt(v^) + eps) + decay w),   m^ = m / (1-b1^t), v^ = v / (1-b2^t)
 * SGD with momentum (Polyak 1964):
 *     m = b1 m + g                  w = w - lr (m + decay w)
 * lr and decay are scaled by the parameter's group (params_group). Aborts if the optimiser was made
 * for another number of parameters. */
void optim_step(Optim *o, Params *ps, double lr);

/* The learning rate of update `step`, counted from 1. It first rises linearly, lr step / warmup,
 * and reaches lr at update `warmup` (a warmup of 0 counts as 1). Then it falls along half a cosine
 * (Loshchilov & Hutter 2017):
 *     min_lr + (lr - min_lr) (1 + cos(pi part)) / 2,   part = (step - warmup) / (steps + 1 - warmup)
 * It would reach min_lr one update after the last one, so update `steps` still changes the weights.
 * With inverse_sqrt it falls as lr sqrt(warmup / step), but not below min_lr: the schedule of
 * Vaswani et al. (2017, eq 3), whose peak is lr = 1 / sqrt(d_model warmup). Aborts if step < 1. */
typedef struct {
    double lr, min_lr;
    int warmup, steps;
    bool inverse_sqrt;
} Schedule;
double lr_at(const Schedule *s, int step);

#endif
