/* The score of a model: sums over batches. */
#ifndef SCORE_H
#define SCORE_H

#include "tasks/batch.h"

enum { SCORE_CLASSES = 64 }; /* subclasses that a metric can be reported by */

/* Sums over the scored items of any number of batches. Means are quotients, for example loss /
 * scored. */
typedef struct {
    double loss;  /* sum of nats (or squared errors) over the scored items */
    double bayes; /* the best possible loss on the same items; NAN if unknown */
    double
        scored; /* scored items: tokens (or sequences), the sum of their weights (Batch.weights) */
    double hits, asked; /* the metric's numerator and denominator */
    /* The metric by subclass (score_class), for example by the number of attractors. */
    double split_hits[SCORE_CLASSES], split_asked[SCORE_CLASSES];
    /* Sequence accuracy: sequences whose targets are all predicted right, each after the true targets
     * before it (teacher forcing); all sequences. */
    double right, sequences;
} Score;

/* Counts one answer of a subclass (0 .. SCORE_CLASSES-1): hit is 1, 0, or 1/2 for a tie. */
void score_class(Score *s, int class, double hit);

/* The score of one step's logits. */
typedef struct {
    double nats; /* -log p(target) */
    int best;    /* the class of the largest logit */
} StepScore;

/* Computes step[first .. first+n-1] of a batch's T*B steps from their logits (n,outputs). Steps
 * without a target are left unchanged. */
void task_score_steps(const Task *t, const Batch *b, int first, int n, const real *logits,
                      StepScore *step);

/* Adds a batch whose steps have all been scored to *s. Not for tasks with their own score
 * function. */
void task_score_sum(const Task *t, const Batch *b, const StepScore *step, Score *s);

/* Adds a batch to the score: loss, metric, sequence accuracy. logits are (T,B,outputs) or (B,T,outputs),
 * in the batch's layout; if outputs is 0 they are predictions (B). Any number of threads gives the
 * same bits. */
void task_score(const Task *t, const Batch *b, const real *logits, Score *s);

#endif
