/* Tasks: the data that a model is trained on and the score that it reaches.
 *
 * Running text, lists of lines, pairs and generated tasks have the same interface. A task fills
 * batches of sequences, and gives the scores of a model at chance level and of a perfect model. A
 * model needs to know nothing else, so every architecture can be compared on every task. */
#ifndef TASK_H
#define TASK_H

#include "base/rng.h"
#include "tasks/batch.h"
#include "tasks/score.h"
#include "tasks/split.h"

enum { TASK_LENGTHS = 64 }; /* lengths that a task can list for eval */

/* Arrays that a task's batches have in addition to x or u, y or v (batch.h). */
enum { BATCH_SEGMENTS = 1, BATCH_LABELS = 2, BATCH_WEIGHTS = 4 };

/* Selects the sequence to draw. */
typedef struct {
    Split split;
    int length; /* the maximal length (training), or the exact length (validation, test) */
    int item;   /* the number of the sequence, which is the same each time; -1: a random one */
    Rng *rng;   /* for a numbered sequence it is seeded with the number */
} Draw;

typedef struct {
    int target, source; /* steps */
} ItemLength;

struct Task {
    const char *name, *about;
    int vocab; /* input symbols; 0: the input is `inputs` reals per step */
    int inputs;
    int source_vocab; /* symbols of the source, which has at most `length` steps; 0: no source */
    int outputs;      /* classes predicted per step; 0: one real number, at the last step */
    int unknown; /* the class of unknown targets: predicting it is never right; 0: there is none */
    /* The length of the longest training sequence, counted as the literature does: in steps, but
     * copy-memory counts the delay, dyck the brackets, recall the pairs, shift the examples. */
    int length;
    int extra;             /* a sequence has at most length + extra steps */
    int shortest, longest; /* the lengths that `draw` accepts; longest 0: any */
    int steps, batch; /* defaults of a training run; with them the rnn reaches the task's bar */
    double lr;        /* default learning rate */

    const char *metric;     /* name of the metric, e.g. "accuracy" */
    const char *class_name; /* what numbers its subclasses (score_class), "shot"; NULL: none */
    double loss_chance, loss_perfect; /* NAN if unknown */
    double metric_chance, metric_perfect;
    int lengths[TASK_LENGTHS], n_lengths; /* lengths that eval reports, ascending: 20 40 80 160 */
    unsigned extras;                      /* BATCH_SEGMENTS | BATCH_LABELS | BATCH_WEIGHTS */

    /* Draws sequence b of a batch, writes it at the indices of batch_at, and returns its number of
     * steps. The caller has set all y to -1, x to 0 and s to PAD. A task with a source also sets s
     * and s_len. Has no state except the random generator. */
    int (*draw)(const Task *t, const Draw *draw, Batch *batch, int b);
    /* Tables and lists have a fixed number of items in each split, with known lengths; draw returns
     * item `item` modulo that number. NULL: sequences are generated without end. */
    int (*items)(const Task *t, Split split);
    ItemLength (*item_length)(const Task *t, Split split, int item);
    /* Adds the metric and the best possible loss of one sequence to the score; logits as in
     * task_score. NULL: the accuracy of the argmax over scored steps, and loss_perfect. Several
     * threads call it at the same time. */
    void (*score)(const Task *t, const Batch *batch, int b, const real *logits, Score *s);
    void *self; /* the task's own data */
    void (*free)(Task *t);
};

void task_close(Task *t);

/* Returns the index, below n, of the item to draw: item modulo n, or a random index if item is
 * -1. */
int draw_index(const Draw *draw, int n);

/* Draws B random sequences of a split into a batch, in its layout. T (and S) is the length of the
 * longest sequence drawn. length 0: the task's own. */
void task_batch(const Task *t, Split split, int length, Rng *rng, int B, Batch *out);

/* Draws the held-out sequences first .. first+B-1. They are numbered: sequence i of a split is
 * always the same. */
void task_heldout(const Task *t, Split split, int length, int first, int B, Batch *out);

/* Draws the sequences item[0] .. item[B-1] of a split. */
void task_numbered(const Task *t, Split split, int length, const int *item, int B, Batch *out);

#endif
