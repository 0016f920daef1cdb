#include "models/evaluate.h"

#include <stdlib.h>

#include "system/stop.h"
#include "tasks/batches.h"

enum { LOGITS_AT_ONCE = 1 << 22 }; /* reals of logits in memory, 16 MB */
enum { EVAL_BATCH = 64, EVAL_STEPS = 128, STREAM_LEAST = 512 };

/* Scores all steps from the hidden states, in parts of at most LOGITS_AT_ONCE logits. */
static void score_hidden(const Task *t, const Model *m, const Batch *batch, Tensor *hidden,
                         Score *s)
{
    const int steps = batch->T * batch->B, C = hidden->len / steps;
    const int most = t->outputs < LOGITS_AT_ONCE ? LOGITS_AT_ONCE / t->outputs : 1;
    StepScore *step = xcalloc((size_t)steps, sizeof *step);
    Tape tp = {.frozen = true};
    for (int first = 0; first < steps; first += most) {
        const int n = steps - first < most ? steps - first : most;
        Tensor *rows = tape_view(&tp, hidden, SHAPE(n, C), first * C);
        const Tensor *logits = m->logits(&tp, m->self, rows); /* (n,V) */
        task_score_steps(t, batch, first, n, logits->data, step);
        tape_reset(&tp);
    }
    task_score_sum(t, batch, step, s);
    tape_free(&tp), free(step);
}

void model_score(const Model *m, const Task *t, const Batch *batch, real *state, Score *s)
{
    Tape tp = {.frozen = true};
    const double logits = (double)batch->T * batch->B * t->outputs;
    if (logits > LOGITS_AT_ONCE && m->hidden && !t->score) {
        score_hidden(t, m, batch, m->hidden(&tp, m->self, batch, state, NULL), s);
    } else {
        const Tensor *out = m->forward(&tp, m->self, batch, state, NULL);
        task_score(t, batch, out->data, s);
    }
    tape_free(&tp);
}

/* Returns the number of streams for a text, read in batches of `steps` steps. Each stream starts
 * from a state of zeros and predicts its first tokens from little context, so a short text gets few
 * streams. */
static int streams_for(int tokens, int steps)
{
    const int streams = tokens / STREAM_LEAST, most = EVAL_BATCH * EVAL_STEPS / steps;
    return streams < 1 || most < 1 ? 1 : streams < most ? streams : most;
}

/* Returns the steps of a batch of a running text. A model with a context begins anew in each batch,
 * so it reads windows of the length that it was trained on. */
static int steps_for(const Model *m, int length)
{
    if (!m->context) return EVAL_STEPS;
    return length && length < m->context ? length : m->context;
}

static void evaluate_running(const Data *d, const Model *m, Batch *batch, Split split, int length,
                             int64_t max_tokens, Score *s)
{
    const int steps = steps_for(m, length);
    const int streams = d->streams ? d->streams : streams_for(d->text.n[split], steps);
    const int tokens = steps * streams;
    int batches = text_stream_batches(&d->text, split, steps, streams);
    const int64_t wanted = (max_tokens + tokens - 1) / tokens;
    if (max_tokens && wanted < batches) batches = (int)wanted;
    real *state = xcalloc((size_t)m->state_size * streams + 1, sizeof *state);
    int64_t cursor = 0;
    for (int i = 0; i < batches && !stop_requested(); i++) {
        text_stream(&d->text, split, steps, streams, &cursor, batch);
        model_score(m, &d->task, batch, m->state_size ? state : NULL, s);
    }
    free(state);
}

/* Scores the sequences 0 .. n-1 of a split. Items of a table or list are sorted by length, so that
 * there is little padding. */
static void evaluate_numbered(const Data *d, const Model *m, Batch *batch, Split split, int length,
                              int n, Score *s)
{
    int *item = xmalloc(((size_t)n + 1) * sizeof *item);
    for (int i = 0; i < n; i++) item[i] = i;
    batches_sort(&d->task, split, item, n);
    for (int i = 0; i < n && !stop_requested(); i += EVAL_BATCH) {
        const int B = n - i < EVAL_BATCH ? n - i : EVAL_BATCH;
        task_numbered(&d->task, split, length, item + i, B, batch);
        model_score(m, &d->task, batch, NULL, s);
    }
    free(item);
}

bool data_evaluate(const Data *d, const Model *m, Split split, int length, int sequences,
                   int64_t max_tokens, Score *s)
{
    Batch batch = batch_new_as(m->layout);
    if (data_is_running(d)) {
        evaluate_running(d, m, &batch, split, length, max_tokens, s);
    } else {
        if (d->is_text) sequences = d->text.lines[split];
        if (d->pairs.is_table && sequences > pairs_items(&d->pairs, split))
            sequences = pairs_items(&d->pairs, split);
        evaluate_numbered(d, m, &batch, split, length, sequences, s);
    }
    batch_free(&batch);
    return !stop_requested();
}
