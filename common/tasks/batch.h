/* A batch of sequences: the input of a model. */
#ifndef BATCH_H
#define BATCH_H

#include "base/real.h"
#include "base/base.h"

typedef struct Task Task;

/* The first axis of a batch's arrays. A model states its layout (model.h) and the code that draws a
 * batch sets it; all other code uses batch_at and need not know it. */
typedef enum {
    TIME_MAJOR, /* (T,B): a step is a contiguous slice, as recurrent networks need it */
    BATCH_MAJOR /* (B,T): a sequence is a contiguous slice, as attention needs it */
} Layout;

/* B sequences of up to T steps. x has discrete inputs, u real inputs; y has one target per step, v
 * one real target per sequence (at its last step). Arrays that a task does not use are NULL. Shapes
 * are given for a time-major batch; a batch-major batch has (B,T) and (B,S).
 *
 * For pairs (pairs.h) s has the source, without BOS and EOS. The target y1 .. yn occurs twice: the
 * decoder's input is x = BOS y1 .. yn (teacher forcing), and it must predict y = y1 .. yn EOS. */
typedef struct {
    Layout layout;
    int T, B;
    int inputs; /* reals per step in u; 0: the inputs are ids in x */
    int *x;     /* (T,B) token ids; padding is id 0 with target -1, always after the true tokens */
    real *u;    /* (T,B,inputs) real inputs */
    int *y;     /* (T,B) target ids; -1: the step is not scored */
    real *v;    /* (B) real targets */
    int *aux;   /* (T,B) additional input of the task's metric, or -1 */

    /* Only for tasks that ask for them (Task.extras), else NULL. */
    int *segments; /* (T,B) the part of its sequence that a token belongs to, from 0 */
    int *labels;   /* (B) the class of each sequence, or -1 */
    real *weights; /* (T,B) the weight of each target in the loss */
    size_t cap;    /* capacity of the arrays above, in steps T*B */

    int S;        /* steps of the longest source; 0: no source, s and s_len are not used */
    int *s;       /* (S,B) source ids, PAD after the end of each source */
    int *s_len;   /* (B) lengths of the sources without padding, 1 .. S */
    size_t s_cap; /* capacity of s and s_len, in steps S*B */
} Batch;

/* Return the index of step t of sequence b in x, y, aux, segments and weights; of source step i in
 * s. */
static inline size_t batch_at(const Batch *batch, int t, int b)
{
    return batch->layout == TIME_MAJOR ? (size_t)t * batch->B + b : (size_t)b * batch->T + t;
}
static inline size_t batch_source_at(const Batch *batch, int i, int b)
{
    return batch->layout == TIME_MAJOR ? (size_t)i * batch->B + b : (size_t)b * batch->S + i;
}

/* Returns true if a model with this layout can read the batch. Both layouts are equal if B = 1. */
bool batch_is(const Batch *b, Layout layout);

Batch batch_new(void); /* time-major */
Batch batch_new_as(Layout layout);
void batch_free(Batch *b);
/* Makes room for T steps of B sequences and resets all values: x, segments, u, v to 0; y, labels,
 * aux to -1; weights to 1; S to 0 (a task with a source calls batch_source next). Keeps the
 * layout. */
void batch_resize(Batch *b, const Task *t, int T, int B);
/* Makes room for sources of up to S steps: sets s to PAD and s_len to 0. */
void batch_source(Batch *b, int S);

/* Drops all steps from T on (T <= b->T), and the source steps after the end of the longest
 * source. */
void batch_trim(Batch *b, int T);

/* Returns the number of targets that are not -1, or the sum of their weights if the batch has
 * weights; B if each sequence has one real target. */
double batch_scored(const Batch *b);

#endif
