/* Tasks: what a model is trained on and how well it does.
 *
 * One contract for running text, lists of lines and generated tasks: a task fills batches of
 * sequences, time-major, and says what chance and perfection would reach. Models need to know
 * nothing else, and every architecture can be compared on every task. */
#ifndef TASK_H
#define TASK_H

#include "rng.h"
#include "tensor.h"
#include "vocab.h"

typedef enum { SPLIT_TRAIN, SPLIT_VALID, SPLIT_TEST } Split;

/* B sequences of up to T steps. Discrete inputs stand in x, real ones in u; per-step targets in y,
 * one real target a sequence (at its last step) in v. What a task does not use is NULL.
 *
 * Of pairs (pairs.h) the source stands in s, without BOS or EOS, and the target y1 .. yn twice:
 * x = BOS y1 .. yn is what a decoder reads, y = y1 .. yn EOS what it is to predict. */
typedef struct {
    int T, B;
    int inputs; /* reals a step in u; 0: ids in x */
    int *x;     /* (T,B) token ids; padding is id 0 with target -1, always after the true tokens */
    real *u;    /* (T,B,inputs) real inputs */
    int *y;     /* (T,B) target ids, -1 where nothing is scored */
    real *v;    /* (B) real targets */
    int *aux;   /* (T,B) what the task's metric needs besides, or -1 */
    size_t cap; /* of the arrays, in steps T*B */

    int S;        /* steps of the longest source; 0: no source, s and s_len are not in use */
    int *s;       /* (S,B) source ids, PAD after the end of each */
    int *s_len;   /* (B) true lengths, 1 .. S */
    size_t s_cap; /* of these two, in steps S*B */
} Batch;

typedef struct Task Task;

/* Sums over scored items, over any number of batches; loss / scored is the mean, and so on. */
typedef struct {
    double loss;        /* sum of nats (or squared errors) over `scored` */
    double bayes;       /* the best possible loss on the same items; NAN if not known */
    double scored;      /* tokens (or sequences) the loss is summed over */
    double hits, asked; /* the metric's numerator and denominator */
    double split_hits[8], split_asked[8]; /* the metric by subclass, e.g. number of attractors */
    double right, sequences;              /* exact match of whole sequences */
} Score;

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

Batch batch_new(void);
void batch_free(Batch *b);
/* Room for T steps of B sequences: sets x 0, y -1, u v 0, aux -1, and S 0, for batch_source to
 * follow where there is one. */
void batch_resize(Batch *b, const Task *t, int T, int B);
void batch_source(Batch *b, int S); /* room for sources of up to S steps: sets s PAD, s_len 0 */

/* One of the generated tasks by its name in task_names. length 0: the task's own. Errors: another
 * name (the message lists them all), a length that the task does not have. */
bool task_open(Task *t, const char *name, int length, Error *err);
bool task_exists(const char *name); /* is it one of these? */
void task_close(Task *t);
extern const char *const task_names; /* "adding|copy-memory|parity| .. |induction" */

/* B sequences of a split into a batch; T (and S) is that of the longest drawn. length 0: the task's
 * own. */
void task_batch(const Task *t, Split split, int length, Rng *rng, int B, Batch *out);

/* Held-out sequences are numbered: sequence i of a split is always the same one. */
void task_heldout(const Task *t, Split split, int length, int first, int B, Batch *out);

/* Adds a batch to the score: loss, metric, exact match. The model's logits are (T,B,outputs), or
 * its answers (B) where outputs is 0. The same bits for any number of threads. */
void task_score(const Task *t, const Batch *b, const real *logits, Score *s);

/* Which split a sequence belongs to: by a hash of its content, never by the order of drawing, so
 * that training and test data are disjoint however much is drawn.
 *     h = splitmix64(FNV-1a(the tokens as 32-bit little-endian words)) mod 1000
 *     h < 100 test, h < 200 validation, else training */
Split split_of(const int *tokens, int n);
uint64_t content_hash(const int *tokens, int n); /* the h above before mod 1000 */

#endif
