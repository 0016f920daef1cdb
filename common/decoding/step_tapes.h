/* Holds the state that decoding (decode.h) carries from one step to the next: tensors with one row
 * for each hypothesis. A hypothesis continues from the row of its parent; a parent may occur
 * several times or not at all.
 *
 * Two tapes alternate from step to step. The tensors of a step stay on its tape, so the next step
 * can read them without a copy. However many steps there are, only two of them use memory. */
#ifndef STEP_TAPES_H
#define STEP_TAPES_H

#include "autograd/tape.h"

/* Initialise with {0}; free with step_tapes_free. */
typedef struct {
    Tape tape[2]; /* frozen: no gradient flows from step to step */
    int now;      /* index of the current step's tape */
} StepTapes;

/* Begins a step and returns its tape, empty. The tensors of the previous step live until the next
 * call; the tensors of the step before that are freed now. */
Tape *step_tapes_next(StepTapes *s);
void step_tapes_free(StepTapes *s);

/* Copies rows parent[0] .. parent[n-1] of x (m,...) onto tp and returns them: (n,...). Returns NULL
 * if x is NULL, the state before the first step. */
Tensor *step_tapes_rows(Tape *tp, const Tensor *x, int n, const int *parent);

/* Returns x repeated n times along an axis of size 1, for a tensor that all n hypotheses share (the
 * encoded source). The result is a copy on tp, or x itself if n is 1. */
Tensor *step_tapes_repeat(Tape *tp, Tensor *x, int axis, int n);

#endif
