/* The training batches of a task, as a function of (seed, step), and batches of similar lengths.
 *
 * A batch is as long as its longest sequence, and the rest is padding, which costs as much as tokens. Of
 * tables and lists (Task.items) the batches are therefore cut from items sorted by length:
 *
 *   order   the n items in a new random order each epoch: every item once in n draws, for ever on
 *   pool    100 batches (fewer of a small table: no more than n items) in that order, sorted by the
 *           length of the target, then of the source, and cut into batches
 *   step    the pool's batches come in a random order
 *
 * A table whose batches have little padding even at random, at most a quarter of all steps, is not sorted:
 * batches of items that are all alike make noisier updates (dates sorted by their form took a Transformer
 * from 0.97 exact to 0.75 after 400 updates).
 *
 * Which items share a batch changes with every epoch. Sequences that are drawn without end come as
 * task_batch draws them. */
#ifndef BATCHES_H
#define BATCHES_H

#include "tasks/task.h"

typedef struct {
    const Task *task;
    uint64_t seed;
    int B;
    int *item;        /* (pool_batches,B) of the pool at hand, batch after batch */
    bool by_length;   /* are pools sorted? */
    int pool_batches; /* 0: sequences are drawn without end, and there are no pools */
    int64_t pool;     /* -1: none yet */
    int *order;       /* (n) of the epoch at hand */
    int64_t epoch;    /* -1: none yet */
    Rng rng;          /* of the batch at hand, where sequences are drawn without end */
} Batches;

/* B sequences a batch. *task is borrowed. */
Batches batches_new(const Task *task, uint64_t seed, int B);
void batches_free(Batches *b);

/* Part number `part` >= 0 of the `parts` equal micro-batches of batch number `step` >= 1 of the training split,
 * in out's layout; length as in task_batch. A batch is the same whatever was drawn before, so that a
 * resumed run goes on to the bit; its parts must be drawn in order. */
void batches_draw(Batches *b, int length, int step, int part, int parts, Batch *out);

/* Sorts n items of a split by the length of the target, then of the source; tasks without items stay as
 * they are. */
void batches_sort(const Task *task, Split split, int *item, int n);

#endif
