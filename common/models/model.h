/* One contract for every architecture, so that the same programs train, evaluate and sample all of
 * them on every task. */
#ifndef MODEL_H
#define MODEL_H

#include "decoding/decode.h"
#include "nn/params.h"
#include "ops/ops.h"
#include "tasks/task.h"

/* What training minimises on one batch. */
typedef struct {
    Tensor *mean;  /* (1) of one item, averaged over `scored` items: nats, or the squared error */
    double scored; /* targets that are not -1; or sequences, where each has one real target */
} Loss;

typedef struct {
    const void *self; /* the architecture's own struct */
    const char *name; /* "rnn", "lstm": for reports and figures */
    /* The order of the gates in its matrices, "i f o g"; NULL: none. Written into the checkpoint,
     * since nothing else tells one order from another. */
    const char *gates;

    Layout layout; /* of the batches that it reads, and of its logits */

    /* A batch to logits (T,B,outputs), or (B,T,outputs); for tasks with a real target to predictions (B,1).
     * state: state_size * B reals that are read at the start and overwritten at the end, so that
     * the next batch goes on where this one stopped; NULL: every sequence starts afresh.
     * dropout: its random numbers; NULL when not training. */
    Tensor *(*forward)(Tape *tp, const void *self, const Batch *batch, real *state, Rng *dropout);
    int state_size;   /* reals that a sequence carries; 0: none */
    int state_blocks; /* the state is so many blocks (B,state_size/state_blocks); 0: one */

    /* Opens a decoder that continues sequences of ids below vocab (models/model_decoder.h). NULL: it is
     * made of forward and the state, or the model continues no sequences. */
    Decoder (*decoder)(const void *self, int vocab);

    /* The two halves of forward, for scoring with a vocabulary so large that the logits of a batch do not
     * fit: what the last layer computes of each step, (T,B,C) or (B,T,C), and the logits (n,V) of n
     * steps (n,C) of it. NULL: only forward. Not for tasks with a real target. */
    Tensor *(*hidden)(Tape *tp, const void *self, const Batch *batch, real *state, Rng *dropout);
    Tensor *(*logits)(Tape *tp, const void *self, Tensor *hidden);

    /* The training loss of a batch; arguments as in forward. NULL: loss_of_logits of forward. */
    Loss (*loss)(Tape *tp, const void *self, const Batch *batch, real *state, Rng *dropout);
} Model;

Loss model_loss(Tape *tp, const Model *m, const Batch *batch, real *state, Rng *dropout);

/* Returns the cross-entropy of logits, shaped as in forward, or the squared error of predictions (B,1). */
Loss loss_of_logits(Tape *tp, Tensor *logits, const Batch *batch);

/* The mean loss of one update, over all its micro-batches. {0} before the first. */
typedef struct {
    double mean, scored; /* as in Loss */
} LossSum;

/* Runs the backward pass of one micro-batch of an update. Before the first one the gradients are 0. After
 * each, sum->mean and the gradients g of ps are means over all items scored so far, whatever the number
 * of items in each micro-batch:
 *     g = (n g + m g') / (n + m)     n: items before, m: items of this loss, g': its gradients
 * An update of a single micro-batch has the bits of tape_backward(tp, loss.mean). Processes combine their
 * gradients by the same formula. Returns what went backward: loss.mean, scaled from the second one on. */
Tensor *loss_backward(Tape *tp, Loss loss, Params *ps, LossSum *sum);

#endif
