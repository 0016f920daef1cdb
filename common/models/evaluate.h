/* How a model does on held-out data of any kind. */
#ifndef EVALUATE_H
#define EVALUATE_H

#include "data/data.h"
#include "models/model.h"

/* Adds to *s how the model does on one batch; state as in Model.forward. With a large vocabulary the logits
 * of the batch are made and scored in blocks of at most 4 million reals. */
void model_score(const Model *m, const Task *t, const Batch *batch, real *state, Score *s);

/* Adds to *s how the model does on held-out data: generated tasks and lines on `sequences` sequences
 * of the given length (0: the task's own; lines: all there are; tables of pairs: no more than there
 * are), running text as a whole, in up to 64 streams of at least 512 tokens with carried state, or on its
 * first max_tokens tokens (0: all). Returns false if a signal ended it (stop.h): *s is then partial. */
bool data_evaluate(const Data *d, const Model *m, Split split, int length, int sequences,
                   int64_t max_tokens, Score *s);

#endif
