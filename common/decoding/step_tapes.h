/* What decoding carries from one step to the next (decode.h): tensors with a row a hypothesis. A hypothesis
 * goes on from the row that its parent left; a parent may stand several times, or not at all.
 *
 * Two tapes take turns, a step each: what a step leaves stays where it is until the next step has been made
 * of it. Nothing is put away and fetched again, and however many steps there are, two take up memory. */
#ifndef STEP_TAPES_H
#define STEP_TAPES_H

#include "autograd/tape.h"

/* {0} at first; then step_tapes_free. */
typedef struct {
    Tape tape[2]; /* frozen: no gradient flows from step to step */
    int now;      /* the last step's */
} StepTapes;

/* The tape of a step that begins, empty. What the last step left lives until the call after this one; what
 * the step before it left is gone. */
Tape *step_tapes_next(StepTapes *s);
void step_tapes_free(StepTapes *s);

/* Rows parent[0] .. parent[n-1] of x (m,...), copied onto tp: (n,...). Of NULL, which is nothing, NULL. */
Tensor *step_tapes_rows(Tape *tp, const Tensor *x, int n, const int *parent);

/* For what all n hypotheses look at: x, whose axis of that number is of size 1, n times along it. Copied onto
 * tp; but x itself if n is 1. */
Tensor *step_tapes_repeat(Tape *tp, Tensor *x, int axis, int n);

#endif
