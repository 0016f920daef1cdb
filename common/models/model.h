/* One contract for every architecture, so that the same programs train, evaluate and sample all of
 * them on every task. */
#ifndef MODEL_H
#define MODEL_H

#include "ops/ops.h"
#include "tasks/task.h"

typedef struct {
    const void *self; /* the architecture's own struct */
    const char *name; /* "rnn", "lstm": for reports and figures */
    /* The order of the gates in its matrices, "i f o g"; NULL: none. Written into the checkpoint,
     * since nothing else tells one order from another. */
    const char *gates;

    /* A batch to logits (T,B,outputs); for tasks with a real target to predictions (B,1).
     * state: state_size * B reals that are read at the start and overwritten at the end, so that
     * the next batch goes on where this one stopped; NULL: every sequence starts afresh.
     * dropout: its random numbers; NULL when not training. */
    Tensor *(*forward)(Tape *tp, const void *self, const Batch *batch, real *state, Rng *dropout);
    int state_size; /* reals that a sequence carries; 0: none */
} Model;

/* Mean loss over the scored tokens, in nats; or the mean squared error. */
Tensor *model_loss(Tape *tp, const Model *m, const Batch *batch, real *state, Rng *dropout);

#endif
