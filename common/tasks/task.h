/* Tasks: what a model is trained on and how well it does.
 *
 * One contract for running text, lists of lines and generated tasks: a task fills batches of
 * sequences, time-major, and says what chance and perfection would reach. Models need to know
 * nothing else, and every architecture can be compared on every task. */
#ifndef TASK_H
#define TASK_H

#include "base/rng.h"
#include "tasks/batch.h"
#include "tasks/score.h"
#include "tasks/split.h"

struct Task {
    const char *name, *about;
    int vocab; /* input symbols; 0: `inputs` reals a step */
    int inputs;
    int source_vocab; /* symbols of the source, which has at most `length` steps; 0: no source */
    int outputs;      /* classes predicted at a step; 0: one real number, at the last step */
    int length;       /* of the longest training sequence, counted as the field does: steps, except
                     that copy-memory counts the delay, dyck the brackets, recall the pairs */
    int extra;        /* a sequence has at most length + extra steps */
    int shortest, longest; /* the lengths `draw` can make; 0: any */
    int steps, batch;      /* a training run that reaches the task's bar with the rnn */
    double lr;

    const char *metric;               /* name of the metric, e.g. "accuracy" */
    double loss_chance, loss_perfect; /* NAN where not known */
    double metric_chance, metric_perfect;
    int lengths[8], n_lengths; /* every length that eval reports, ascending: 20 40 80 160 */

    /* Draws sequence b of a batch from the given split, of at most `length` (training) or just that
     * (validation, test); returns its number of steps. The caller has set all y to -1, x to 0 and s
     * to PAD; a task with a source fills in s and s_len too. Uses no state but the generator's. */
    int (*draw)(const Task *t, Split split, int length, Rng *rng, Batch *batch, int b);
    /* Adds the metric and the best possible loss of one sequence to the score, given the logits as
     * in task_score; NULL: accuracy of the argmax over scored steps, loss_perfect. Called by
     * several threads at once. */
    void (*score)(const Task *t, const Batch *batch, int b, const real *logits, Score *s);
    void *self; /* the task's own data */
    void (*free)(Task *t);
};

void task_close(Task *t);

/* B sequences of a split into a batch; T (and S) is that of the longest drawn. length 0: the task's
 * own. */
void task_batch(const Task *t, Split split, int length, Rng *rng, int B, Batch *out);

/* Held-out sequences are numbered: sequence i of a split is always the same one. */
void task_heldout(const Task *t, Split split, int length, int first, int B, Batch *out);

#endif
