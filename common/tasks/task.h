/* Tasks: what a model is trained on and how well it does.
 *
 * One contract for running text, lists of lines and generated tasks: a task fills batches of
 * sequences and says what chance and perfection would reach. Models need to know
 * nothing else, and every architecture can be compared on every task. */
#ifndef TASK_H
#define TASK_H

#include "base/rng.h"
#include "tasks/batch.h"
#include "tasks/score.h"
#include "tasks/split.h"

enum { TASK_LENGTHS = 64 }; /* lengths that a task can list for eval */

/* What a task's batches have besides x or u, y or v (batch.h). */
enum { BATCH_SEGMENTS = 1, BATCH_LABELS = 2, BATCH_WEIGHTS = 4 };

/* Which sequence is drawn. */
typedef struct {
    Split split;
    int length; /* at most (training), or just that (validation, test) */
    int item;   /* the sequence of this number, the same one each time; -1: any, by rng */
    Rng *rng;   /* of a numbered sequence seeded by its number */
} Draw;

typedef struct {
    int target, source; /* steps */
} ItemLength;

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
    int lengths[TASK_LENGTHS], n_lengths; /* that eval reports, ascending: 20 40 80 160 */
    unsigned extras;                      /* BATCH_SEGMENTS | BATCH_LABELS | BATCH_WEIGHTS */

    /* Draws sequence b of a batch, at the places of batch_at; returns its number of steps. The caller has
     * set all y to -1, x to 0 and s to PAD; a task with a source fills in s and s_len too. Uses no
     * state but the generator's. */
    int (*draw)(const Task *t, const Draw *draw, Batch *batch, int b);
    /* Tables and lists have a fixed number of items in each split, of known lengths; draw returns item
     * `item` modulo that number. NULL: sequences are drawn without end. */
    int (*items)(const Task *t, Split split);
    ItemLength (*item_length)(const Task *t, Split split, int item);
    /* Adds the metric and the best possible loss of one sequence to the score, given the logits as
     * in task_score; NULL: accuracy of the argmax over scored steps, loss_perfect. Called by
     * several threads at once. */
    void (*score)(const Task *t, const Batch *batch, int b, const real *logits, Score *s);
    void *self; /* the task's own data */
    void (*free)(Task *t);
};

void task_close(Task *t);

/* Of n items the one to draw: item modulo n, or any. */
int draw_index(const Draw *draw, int n);

/* B sequences of a split into a batch, in its layout; T (and S) is that of the longest drawn. length 0:
 * the task's own. */
void task_batch(const Task *t, Split split, int length, Rng *rng, int B, Batch *out);

/* Held-out sequences are numbered: sequence i of a split is always the same one. */
void task_heldout(const Task *t, Split split, int length, int first, int B, Batch *out);

/* Sequences item[0] .. item[B-1] of a split. */
void task_numbered(const Task *t, Split split, int length, const int *item, int B, Batch *out);

#endif
