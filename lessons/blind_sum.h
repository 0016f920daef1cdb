/* Why a gradient check of a plain sum cannot test softmax: the sum of a softmax is always 1, so its gradient is 0
 * even if the backward pass is empty. A random projection of the output does not have this blind spot. */
#ifndef BLIND_SUM_H
#define BLIND_SUM_H

#include "ops/ops.h"

/* Computes softmax(x) with a backward pass that does nothing: the mistake to be found. */
Tensor *op_silent_softmax(Tape *tp, Tensor *x);

/* Returns the largest gap between the tape's gradient and central differences of
 * L = sum_i r[i] op(x)[i] over x (1,3). */
double projected_gap(Tensor *(*op)(Tape *, Tensor *), const real r[3]);

/* Prints the gaps of softmax and op_silent_softmax, for a plain sum and for a random projection. */
void blind_sum_show(uint64_t seed);

#endif
