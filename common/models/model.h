/* The interface of every architecture. Through it the same programs train, evaluate and sample
 * every architecture on every task. */
#ifndef MODEL_H
#define MODEL_H

#include "decoding/decode.h"
#include "nn/params.h"
#include "ops/ops.h"
#include "tasks/task.h"

/* The training loss of one batch. */
typedef struct {
    Tensor *mean;  /* (1) the mean over `scored` items, in nats or as squared error */
    double scored; /* number of targets that are not -1, or of sequences with one real target */
} Loss;

typedef struct {
    const void *self; /* the architecture's own struct */
    const char *name; /* "rnn", "lstm": for reports and figures */
    /* The order of the gates in its matrices, "i f o g"; NULL if it has none. The checkpoint stores
     * it, because the shapes of the matrices do not show it. */
    const char *gates;

    Layout layout; /* the layout of its batches and logits */
    int context;   /* the largest number of steps of a sequence; 0: no limit */

    /* Computes the logits of a batch, (T,B,outputs) or (B,T,outputs); for tasks with a real target
     * the predictions (B,1). state: state_size * B reals, the initial hidden state, which is
     * overwritten with the final state, so that the next batch can continue; NULL: every sequence
     * starts from the model's initial state. dropout: the random numbers of dropout; NULL: no
     * dropout, for evaluation. */
    Tensor *(*forward)(Tape *tp, const void *self, const Batch *batch, real *state, Rng *dropout);
    int state_size;   /* reals of state per sequence; 0: the model carries no state */
    int state_blocks; /* number of blocks (B,state_size/state_blocks) in the state; 0: one */

    /* Opens a decoder that continues sequences of ids below vocab (models/model_decoder.h). NULL:
     * the decoder uses forward and the state; a model without state then cannot continue
     * sequences. */
    Decoder (*decoder)(const void *self, int vocab);

    /* The two halves of forward, for scoring with a vocabulary so large that the logits of a batch
     * do not fit into memory. hidden computes the last layer's output of each step, (T,B,C) or
     * (B,T,C); logits computes the logits (n,V) of n of its steps (n,C). NULL: use forward. Not for
     * tasks with a real target. */
    Tensor *(*hidden)(Tape *tp, const void *self, const Batch *batch, real *state, Rng *dropout);
    Tensor *(*logits)(Tape *tp, const void *self, Tensor *hidden);

    /* Computes the training loss of a batch; arguments as in forward. NULL:
     * loss_of_logits(forward). */
    Loss (*loss)(Tape *tp, const void *self, const Batch *batch, real *state, Rng *dropout);
} Model;

/* Returns the training loss: m->loss, or loss_of_logits if that is NULL. */
Loss model_loss(Tape *tp, const Model *m, const Batch *batch, real *state, Rng *dropout);

/* Returns the cross-entropy of logits, with shapes as in forward, or the squared error of
 * predictions (B,1). */
Loss loss_of_logits(Tape *tp, Tensor *logits, const Batch *batch);

/* The mean loss of one update over its micro-batches. {0} before the first micro-batch. */
typedef struct {
    double mean, scored; /* as in Loss */
} LossSum;

/* Runs the backward pass of one micro-batch of an update. The caller sets the gradients to 0 before
 * the first one. Afterwards sum->mean and the gradients g of ps are means over all items scored so
 * far, even if micro-batches differ in their number of items:
 *     g = (n g + m g') / (n + m)     n: items before, m: items of this loss, g': its gradients
 * An update with one micro-batch has the same bits as tape_backward(tp, loss.mean). Processes
 * combine their gradients by the same formula. Returns the tensor of the backward pass: loss.mean,
 * which is scaled from the second micro-batch on. */
Tensor *loss_backward(Tape *tp, Loss loss, Params *ps, LossSum *sum);

#endif
