/* Compares gradients with central differences, in double:
 *
 *   dL/dw_i  ~  (L(w_i + h) - L(w_i - h)) / 2h        with an error of h^2 and of rounding / h
 *
 * The gradients start as random numbers, because backward must add to them. */
#ifndef GRADCHECK_H
#define GRADCHECK_H

#include "ops/ops.h"
#include "nn/params.h"
#include "suite.h"

#ifndef REAL_DOUBLE
#error "float is too coarse for gradient checks: build with -DREAL_DOUBLE"
#endif

#define GRADCHECK_STEP      1e-5
#define GRADCHECK_TOLERANCE 1e-6

typedef Tensor *BuildLoss(Tape *tp, void *arg); /* must return the same value every time */

static inline double loss_at(BuildLoss *loss, void *arg)
{
    Tape tp = {.frozen = true};
    const double value = loss(&tp, arg)->data[0];
    tape_free(&tp);
    return value;
}

static inline double relative_difference(double a, double b)
{
    return fabs(a - b) / fmax(fabs(a) + fabs(b), 1e-3);
}

/* Checks the gradient of every parameter that requires one; `what` names the case in messages.
 * Writes the largest |gradient| of each parameter to `largest`, which may be NULL. */
static inline void check_gradients(const char *what, Params *ps, BuildLoss *loss, void *arg,
                                   double *largest)
{
    Rng rng = rng_make(3, RNG_TEST, 0);
    real *before = xcalloc(ps->trainable, sizeof *before);
    for (size_t i = 0; i < ps->trainable; i++) ps->grad[i] = before[i] = rng_normal(&rng);
    Tape tp = {0};
    memset(tape_save(&tp, 1 << 20), 0xFF,
           1 << 20); /* fills the memory with NaN: finds ops that add where they must write */
    tape_reset(&tp);
    tape_backward(&tp, loss(&tp, arg));
    tape_free(&tp);
    for (int i = 0; i < ps->n; i++) {
        Tensor *w = ps->tensor[i];
        for (int j = 0; j < w->len && w->requires_grad; j++) {
            const real keep = w->data[j];
            w->data[j] = keep + GRADCHECK_STEP;
            const double up = loss_at(loss, arg);
            w->data[j] = keep - GRADCHECK_STEP;
            const double down = loss_at(loss, arg);
            w->data[j] = keep;
            const double numeric = (up - down) / (2 * GRADCHECK_STEP);
            const double analytic = w->grad[j] - before[w->grad - ps->grad + j];
            ck_assert_msg(relative_difference(numeric, analytic) < GRADCHECK_TOLERANCE,
                          "%s: d/d%s[%d]: numeric %.12g, backward %.12g", what, w->name, j, numeric,
                          analytic);
            if (largest) largest[i] = fmax(largest[i], fabs(analytic));
        }
    }
    free(before);
}

#endif
