/* Evaluates a model on held-out data of any kind. */
#ifndef EVALUATE_H
#define EVALUATE_H

#include "data/data.h"
#include "models/model.h"

/* Adds the model's score on one batch to *s; state as in Model.forward. With a large vocabulary the
 * logits of the batch are computed and scored in blocks of at most 4 million reals. */
void model_score(const Model *m, const Task *t, const Batch *batch, real *state, Score *s);

/* Adds the model's score on held-out data to *s. Generated tasks: `sequences` sequences of `length`
 * steps (0: the task's own length). Lines: all lines of the split, each from an empty context. Tables
 * of pairs: at most `sequences` pairs. Running text: the first max_tokens tokens (0: all) after the
 * first. Returns false if a signal ended the evaluation (stop.h); *s is then partial.
 *
 * What a model sees of a running text decides its loss. A model with a state reads data_streams
 * streams with carried state. In one stream each token has all tokens before it as context, and the
 * loss is that of the model's own predictions, token by token. More streams are faster, but each
 * starts from a state of zeros, which costs some loss: eval reads one stream, and validation in
 * training up to 64 of at least 512 tokens. A model without a state reads consecutive windows of
 * data_window tokens, each from an empty context. */
bool data_evaluate(const Data *d, const Model *m, Split split, int length, int sequences,
                   int64_t max_tokens, Score *s);

/* Returns the number of streams: d->streams, or up to 64 if that is 0; 0 if the model has no state. */
int data_streams(const Data *d, const Model *m, Split split);
/* Returns the tokens of a window: `length` (0: the task's), at most the model's context. */
int data_window(const Data *d, const Model *m, int length);

#endif
