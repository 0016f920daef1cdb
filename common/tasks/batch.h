/* A batch of sequences, as a model reads it. */
#ifndef BATCH_H
#define BATCH_H

#include "base/real.h"
#include "base/base.h"

typedef struct Task Task;

/* Which axis comes first in the arrays of a batch. A model says what it reads (model.h), and whoever draws the
 * batch sets it: batch_at hides the difference from everybody else. */
typedef enum {
    TIME_MAJOR, /* (T,B): a step is a slice, as recurrent networks want it */
    BATCH_MAJOR /* (B,T): a sequence is a slice, as attention wants it */
} Layout;

/* B sequences of up to T steps. Discrete inputs stand in x, real ones in u; per-step targets in y,
 * one real target a sequence (at its last step) in v. What a task does not use is NULL. Shapes are those
 * of a time-major batch; a batch-major one has (B,T) and (B,S).
 *
 * Of pairs (pairs.h) the source stands in s, without BOS or EOS, and the target y1 .. yn twice:
 * x = BOS y1 .. yn is what a decoder reads, y = y1 .. yn EOS what it is to predict. */
typedef struct {
    Layout layout;
    int T, B;
    int inputs; /* reals a step in u; 0: ids in x */
    int *x;     /* (T,B) token ids; padding is id 0 with target -1, always after the true tokens */
    real *u;    /* (T,B,inputs) real inputs */
    int *y;     /* (T,B) target ids, -1 where nothing is scored */
    real *v;    /* (B) real targets */
    int *aux;   /* (T,B) what the task's metric needs besides, or -1 */

    /* Of tasks that ask for them (Task.extras), else NULL. */
    int *segments; /* (T,B) which part of its sequence a token belongs to, from 0 */
    int *labels;   /* (B) the class of each sequence, or -1 */
    real *weights; /* (T,B) the weight of each target in the loss */
    size_t cap;    /* of the arrays above, in steps T*B */

    int S;        /* steps of the longest source; 0: no source, s and s_len are not in use */
    int *s;       /* (S,B) source ids, PAD after the end of each */
    int *s_len;   /* (B) true lengths, 1 .. S */
    size_t s_cap; /* of these two, in steps S*B */
} Batch;

/* Index of step t of sequence b in x, y, aux, segments and weights; of source step i in s. */
static inline size_t batch_at(const Batch *batch, int t, int b)
{
    return batch->layout == TIME_MAJOR ? (size_t)t * batch->B + b : (size_t)b * batch->T + t;
}
static inline size_t batch_source_at(const Batch *batch, int i, int b)
{
    return batch->layout == TIME_MAJOR ? (size_t)i * batch->B + b : (size_t)b * batch->S + i;
}

/* True if a model that reads `layout` can read the batch: of a single sequence both are the same. */
bool batch_is(const Batch *b, Layout layout);

Batch batch_new(void); /* time-major */
Batch batch_new_as(Layout layout);
void batch_free(Batch *b);
/* Makes room for T steps of B sequences: sets x, segments 0, y, labels, aux -1, u, v 0, weights 1, and S 0,
 * for batch_source to follow where there is one. Keeps the layout. */
void batch_resize(Batch *b, const Task *t, int T, int B);
void batch_source(Batch *b, int S); /* makes room for sources of up to S steps: s PAD, s_len 0 */

/* Drops the steps of all sequences from T on (T <= b->T), and those of the sources beyond the longest. */
void batch_trim(Batch *b, int T);

/* Returns the number of targets that are not -1, or with weights the sum of theirs; B where each sequence has one
 * real target. */
double batch_scored(const Batch *b);

#endif
