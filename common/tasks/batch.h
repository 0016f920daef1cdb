/* A batch of sequences, as a model reads it. */
#ifndef BATCH_H
#define BATCH_H

#include "base/real.h"
#include "base/base.h"

typedef struct Task Task;

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

Batch batch_new(void);
void batch_free(Batch *b);
/* Room for T steps of B sequences: sets x 0, y -1, u v 0, aux -1, and S 0, for batch_source to
 * follow where there is one. */
void batch_resize(Batch *b, const Task *t, int T, int B);
void batch_source(Batch *b, int S); /* room for sources of up to S steps: sets s PAD, s_len 0 */

/* Returns the number of targets that are not -1, or B where each sequence has one real target. */
double batch_scored(const Batch *b);

#endif
