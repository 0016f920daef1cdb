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

int data_streams(const Data *d, const Model *m, Split split)
{
    const int streams = d->text.n[split] / STREAM_LEAST;
    if (!m->state_size) return 0;
    if (d->streams) return d->streams;
    return streams < 1 ? 1 : streams < EVAL_BATCH ? streams : EVAL_BATCH;
}

int data_window(const Data *d, const Model *m, int length)
{
    if (length == 0) length = d->task.length;
    return m->context && m->context < length ? m->context : length;
}

/* Scores `steps` targets of a running text from ids[first] on, as one sequence. */
static void score_window(const Data *d, const Model *m, Batch *batch, const int *ids, int steps,
                         Score *s)
{
    batch_resize(batch, &d->task, steps, 1);
    for (int i = 0; i < steps; i++) batch->x[i] = ids[i], batch->y[i] = ids[i + 1];
    model_score(m, &d->task, batch, NULL, s);
}

static void evaluate_streams(const Data *d, const Model *m, Batch *batch, Split split,
                             int64_t max_tokens, Score *s)
{
    const int steps = EVAL_STEPS, streams = data_streams(d, m, split);
    const int tokens = steps * streams;
    int batches = text_stream_batches(&d->text, split, steps, streams);
    const int64_t wanted = (max_tokens + tokens - 1) / tokens;
    if (max_tokens && wanted < batches) batches = (int)wanted;
    real *state = xcalloc((size_t)m->state_size * streams + 1, sizeof *state);
    int64_t cursor = 0;
    for (int i = 0; i < batches && !stop_requested(); i++) {
        text_stream(&d->text, split, steps, streams, &cursor, batch);
        model_score(m, &d->task, batch, state, s);
    }
    free(state);
}

/* Scores the sequences 0 .. n-1 of a split, `most` at a time. Items of a table or list are sorted by length, so that
 * there is little padding. */
static void evaluate_numbered(const Data *d, const Model *m, Batch *batch, Split split, int length,
                              int n, int most, Score *s)
{
    int *item = xmalloc(((size_t)n + 1) * sizeof *item);
    for (int i = 0; i < n; i++) item[i] = i;
    batches_sort(&d->task, split, item, n);
    for (int i = 0; i < n && !stop_requested(); i += most) {
        const int B = n - i < most ? n - i : most;
        task_numbered(&d->task, split, length, item + i, B, batch);
        model_score(m, &d->task, batch, NULL, s);
    }
    free(item);
}

static void evaluate_windows(const Data *d, const Model *m, Batch *batch, Split split, int steps,
                             int64_t max_tokens, Score *s)
{
    const int targets = d->text.n[split] - 1;
    const int64_t wanted = (max_tokens + steps - 1) / steps;
    const bool all = !max_tokens || wanted > targets / steps;
    const int windows = all ? targets / steps : (int)wanted, rest = all ? targets % steps : 0;
    const int most = EVAL_BATCH * EVAL_STEPS / steps; /* so that long windows fit into memory */
    evaluate_numbered(d, m, batch, split, steps, windows, most > 1 ? most : 1, s);
    if (rest && !stop_requested())
        score_window(d, m, batch, d->text.ids[split] + windows * steps, rest, s);
}

bool data_evaluate(const Data *d, const Model *m, Split split, int length, int sequences,
                   int64_t max_tokens, Score *s)
{
    Batch batch = batch_new_as(m->layout);
    if (data_is_running(d)) {
        if (m->state_size)
            evaluate_streams(d, m, &batch, split, max_tokens, s);
        else
            evaluate_windows(d, m, &batch, split, data_window(d, m, length), max_tokens, s);
    } else {
        if (d->is_text) sequences = d->text.lines[split];
        if (d->pairs.is_table && sequences > pairs_items(&d->pairs, split))
            sequences = pairs_items(&d->pairs, split);
        evaluate_numbered(d, m, &batch, split, length, sequences, EVAL_BATCH, s);
    }
    batch_free(&batch);
    return !stop_requested();
}
