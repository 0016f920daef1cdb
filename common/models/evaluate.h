/* Evaluates a model on held-out data of any kind. */
#ifndef EVALUATE_H
#define EVALUATE_H

#include "data/data.h"
#include "models/model.h"

/* Adds the model's score on one batch to *s; state as in Model.forward. With a large vocabulary the
 * logits of the batch are computed and scored in blocks of at most 4 million reals. */
void model_score(const Model *m, const Task *t, const Batch *batch, real *state, Score *s);

/* Adds the model's score on held-out data to *s. Generated tasks: `sequences` sequences of `length`
 * steps (0: the task's own length). Lines: all lines of the split. Tables of pairs: at most
 * `sequences` pairs. Running text: the first max_tokens tokens (0: all), in up to 64 streams of at
 * least 512 tokens, with carried state; a model with a context (Model.context) reads each stream in
 * consecutive windows of `length` tokens (0: its context). Returns false if a signal ended the evaluation (stop.h); *s
 * is then partial. */
bool data_evaluate(const Data *d, const Model *m, Split split, int length, int sequences,
                   int64_t max_tokens, Score *s);

#endif
