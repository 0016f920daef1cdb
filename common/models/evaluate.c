#include "models/evaluate.h"

#include <stdlib.h>

#include "system/stop.h"
#include "tasks/batches.h"

enum { EVAL_BATCH = 64, EVAL_STEPS = 128, STREAM_LEAST = 512 };

static void score_batch(const Data *d, const Model *m, Tape *tp, const Batch *batch, real *state,
                        Score *s)
{
    const Tensor *out = m->forward(tp, m->self, batch, state, NULL);
    task_score(&d->task, batch, out->data, s);
    tape_reset(tp);
}

/* Each stream starts from a state of zeros; so that few tokens are predicted from little before them, a
 * short text is cut into few. */
static int streams_for(int tokens)
{
    const int streams = tokens / STREAM_LEAST;
    return streams < 1 ? 1 : streams < EVAL_BATCH ? streams : EVAL_BATCH;
}

static void evaluate_running(const Data *d, const Model *m, Tape *tp, Batch *batch, Split split,
                             int64_t max_tokens, Score *s)
{
    const int streams = d->streams ? d->streams : streams_for(d->text.n[split]);
    const int tokens = EVAL_STEPS * streams;
    int batches = text_stream_batches(&d->text, split, EVAL_STEPS, streams);
    const int64_t wanted = (max_tokens + tokens - 1) / tokens;
    if (max_tokens && wanted < batches) batches = (int)wanted;
    real *state = xcalloc((size_t)m->state_size * streams + 1, sizeof *state);
    int64_t cursor = 0;
    for (int i = 0; i < batches && !stop_requested(); i++) {
        text_stream(&d->text, split, EVAL_STEPS, streams, &cursor, batch);
        score_batch(d, m, tp, batch, m->state_size ? state : NULL, s);
    }
    free(state);
}

/* Sequences 0 .. n-1 of a split; those of a table or list sorted by length, so that little is padding. */
static void evaluate_numbered(const Data *d, const Model *m, Tape *tp, Batch *batch, Split split,
                              int length, int n, Score *s)
{
    int *item = xmalloc(((size_t)n + 1) * sizeof *item);
    for (int i = 0; i < n; i++) item[i] = i;
    batches_sort(&d->task, split, item, n);
    for (int i = 0; i < n && !stop_requested(); i += EVAL_BATCH) {
        const int B = n - i < EVAL_BATCH ? n - i : EVAL_BATCH;
        task_numbered(&d->task, split, length, item + i, B, batch);
        score_batch(d, m, tp, batch, NULL, s);
    }
    free(item);
}

bool data_evaluate(const Data *d, const Model *m, Split split, int length, int sequences,
                   int64_t max_tokens, Score *s)
{
    Tape tp = {.frozen = true};
    Batch batch = batch_new_as(m->layout);
    if (data_is_running(d)) {
        evaluate_running(d, m, &tp, &batch, split, max_tokens, s);
    } else {
        if (d->is_text) sequences = d->text.lines[split];
        if (d->pairs.is_table && sequences > pairs_items(&d->pairs, split))
            sequences = pairs_items(&d->pairs, split);
        evaluate_numbered(d, m, &tp, &batch, split, length, sequences, s);
    }
    batch_free(&batch);
    tape_free(&tp);
    return !stop_requested();
}
