/* How well a model does: sums over batches. */
#ifndef SCORE_H
#define SCORE_H

#include "tasks/batch.h"

enum { SCORE_CLASSES = 64 }; /* subclasses that a metric can be reported by */

/* Sums over scored items, over any number of batches; loss / scored is the mean, and so on. */
typedef struct {
    double loss;        /* sum of nats (or squared errors) over `scored` */
    double bayes;       /* the best possible loss on the same items; NAN if not known */
    double scored;      /* tokens (or sequences) the loss is summed over */
    double hits, asked; /* the metric's numerator and denominator */
    /* The metric by subclass, e.g. the number of attractors (score_class). */
    double split_hits[SCORE_CLASSES], split_asked[SCORE_CLASSES];
    double right, sequences; /* exact match of whole sequences */
} Score;

/* Counts one answer of a subclass, below SCORE_CLASSES: hit is 1, 0, or 1/2 for a tie. */
void score_class(Score *s, int class, double hit);

/* What the logits of one step say of its target. */
typedef struct {
    double nats; /* -log p(target) */
    int best;    /* the class of the largest logit */
} StepScore;

/* Fills in step[first .. first+n-1] of a batch's T*B, from the n rows of their logits (n,outputs); steps
 * without a target stay as they are. */
void task_score_steps(const Task *t, const Batch *b, int first, int n, const real *logits,
                      StepScore *step);

/* Adds a batch whose steps have all been scored; not for tasks with a score of their own. */
void task_score_sum(const Task *t, const Batch *b, const StepScore *step, Score *s);

/* Adds a batch to the score: loss, metric, exact match. The model's logits are (T,B,outputs) or (B,T,outputs),
 * as the batch's layout has it, or its answers (B) where outputs is 0. The same bits for any number of threads. */
void task_score(const Task *t, const Batch *b, const real *logits, Score *s);

#endif
