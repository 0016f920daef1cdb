/* How well a model does: sums over batches. */
#ifndef SCORE_H
#define SCORE_H

#include "tasks/batch.h"

/* Sums over scored items, over any number of batches; loss / scored is the mean, and so on. */
typedef struct {
    double loss;        /* sum of nats (or squared errors) over `scored` */
    double bayes;       /* the best possible loss on the same items; NAN if not known */
    double scored;      /* tokens (or sequences) the loss is summed over */
    double hits, asked; /* the metric's numerator and denominator */
    double split_hits[8], split_asked[8]; /* the metric by subclass, e.g. number of attractors */
    double right, sequences;              /* exact match of whole sequences */
} Score;

/* Adds a batch to the score: loss, metric, exact match. The model's logits are (T,B,outputs), or
 * its answers (B) where outputs is 0. The same bits for any number of threads. */
void task_score(const Task *t, const Batch *b, const real *logits, Score *s);

#endif
