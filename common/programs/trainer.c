/* The functions that a training loop calls, and the end of a run. */
#include "programs/trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "math/blas.h"
#include "models/evaluate.h"
#include "system/stop.h"

enum { EVAL_SEQUENCES = 512, EVAL_TOKENS = 200000, LOG_ROWS = 500 };

bool trainer_fail(Trainer *t, int status, const char *message)
{
    if (t->log.dangling) fputc('\n', stderr);
    t->log.dangling = false;
    say("%s: error: %s\n", t->usage->program, message);
    t->status = status;
    return false;
}

void trainer_warn(const Trainer *t, bool ok, const Error *err)
{
    if (!ok) say("%s: warning: %s\n", t->usage->program, err->text);
}

/* --- a step ------------------------------------------------------------------------------------------ */

static bool log_step(Trainer *t, double norm);
static void save_at_end(Trainer *t);

bool trainer_stopped_early(const Trainer *t)
{
    return t->config->early_stop && t->state.worse >= t->config->early_stop;
}

static void draw_batch(Trainer *t)
{
    const TrainConfig *c = t->config;
    if (c->stream)
        text_stream(&t->data.text, SPLIT_TRAIN, c->data.seq_len, c->batch, &t->state.cursor,
                    &t->batch);
    else
        batches_draw(&t->batches, c->data.seq_len, t->step, t->micro, c->accumulate, &t->batch);
    t->state.tokens += (int64_t)t->batch.T * t->batch.B;
    t->drawn = (uint32_t)(t->step - 1) * (uint32_t)c->accumulate + (uint32_t)++t->micro;
}

/* Copies the state before an update of several micro-batches, so that a signal can stop the run between two
 * of them. */
static void remember(Trainer *t)
{
    t->before = t->state;
    if (t->state.carried)
        memcpy(t->carried_before, t->state.carried, (size_t)t->state.carried_len * sizeof(real));
}

static void drop_update(Trainer *t)
{
    real *carried = t->state.carried;
    t->state = t->before;
    if (carried) memcpy(carried, t->carried_before, (size_t)t->state.carried_len * sizeof(real));
    t->step--;
}

/* Begins the next update, or returns false if the run ends here, after saving it. */
static bool begin_update(Trainer *t)
{
    const TrainConfig *c = t->config;
    if (t->state.unlogged_norm >= 0) log_step(t, t->state.unlogged_norm);
    if (t->status == EXIT_OK && stop_requested()) t->status = EXIT_SIGNAL + stop_requested();
    if (t->status != EXIT_OK || t->step >= c->steps || trainer_stopped_early(t))
        return save_at_end(t), false;
    if (c->accumulate > 1) remember(t);
    t->step++;
    t->loss = (LossSum){0};
    t->micro = 0;
    return true;
}

bool trainer_next(Trainer *t)
{
    const bool within = t->micro > 0 && t->micro < t->config->accumulate;
    if (within && stop_requested()) {
        drop_update(t);
        t->status = EXIT_SIGNAL + stop_requested();
        return save_at_end(t), false;
    }
    if (!within && !begin_update(t)) return false;
    draw_batch(t);
    return true;
}

bool trainer_backward(Trainer *t, Tape *tp, Loss loss)
{
    t->backward = loss_backward(tp, loss, t->params, &t->loss);
    if (t->micro == t->config->accumulate || !isfinite(t->loss.mean)) return true;
    tape_reset(tp);
    return false;
}

real *trainer_state(Trainer *t)
{
    return t->state.carried;
}

bool trainer_finite(Trainer *t, Tape *tp, double norm)
{
    if (isfinite(t->loss.mean) && isfinite(norm)) return true;
    Error where;
    if (tape_check(tp, t->backward, &where))
        error_set(&where, "the sum of squares of the gradients overflowed");
    char *last =
        t->saved ? xformat("the last checkpoint in %s is of step %lld", t->out, (long long)t->saved)
                 : xstrdup("no checkpoint of this run was saved");
    char *message =
        xformat("step %d: the loss is %g and the norm of the gradient %g: %s; %s; start a new "
                "run with a smaller --lr or --grad-clip",
                t->step, t->loss.mean, norm, where.text, last);
    trainer_fail(t, EXIT_NUMERIC, message);
    free(message), free(last);
    return false;
}

/* --- saving, validating, logging ---------------------------------------------------------------------- */

/* Reports a numerical failure: the tensor that is not finite, if there is one, and what is left. */
static bool numeric_failure(Trainer *t, const char *what, const Error *where)
{
    char *left = t->saved ? xformat("the checkpoint of step %lld in %s is kept",
                                    (long long)t->saved, t->config->out)
                          : xstrdup("there is no checkpoint yet");
    char *message = xformat("step %d: %s%s%s; %s; use a smaller --lr or --grad-clip", t->step, what,
                            *where->text ? ": " : "", where->text, left);
    trainer_fail(t, EXIT_NUMERIC, message);
    free(left), free(message);
    return false;
}

/* Reports that a checkpoint was not written: a numerical failure if a value is not finite. */
static bool save_failed(Trainer *t, const Error *err)
{
    Error where;
    if (checkpoint_finite(t->params, t->optim, &t->state, &where))
        return trainer_fail(t, EXIT_FAILED, err->text);
    return numeric_failure(t, "nothing is saved", &where);
}

bool trainer_may_write(Trainer *t)
{
    Error err;
    return rundir_ours(&t->log.dir, &err) || trainer_fail(t, EXIT_FAILED, err.text);
}

/* The rows of the log are on the disk before the checkpoint is. */
bool trainer_save(Trainer *t)
{
    Error err;
    if (!trainer_may_write(t)) return false;
    const bool ok =
        runlog_sync(&t->log, &err) &&
        checkpoint_save(t->config->out, t->params, t->optim, &t->state, t->metadata, &err);
    if (ok) t->saved = t->state.step;
    return ok || save_failed(t, &err);
}

/* Saves a checkpoint of a run that has made updates. The first one puts the run in the place of an older one. */
static bool save_run(Trainer *t)
{
    Error err;
    if (!trainer_save(t)) return false;
    const bool ok = rundir_commit(&t->log.dir, &err);
    if (t->log.dir.at) t->config->out = t->log.dir.at;
    return ok || trainer_fail(t, EXIT_FAILED, err.text);
}

/* Saves a run that is over: complete, or stopped by a signal. Not after a failure: the log may lack a row. */
static void save_at_end(Trainer *t)
{
    const int status = t->status;
    if (t->ended || t->log.fd < 0 || t->state.step == 0) return;
    if (status == EXIT_NUMERIC || status == EXIT_FAILED) return;
    t->ended = save_run(t);
}

/* Saves the parameters with the lowest validation loss as best.safetensors. */
static bool save_best(Trainer *t)
{
    Error err;
    if (!trainer_may_write(t)) return false;
    char *path = xformat("%s/best.safetensors", t->config->out);
    const bool ok = params_save(path, t->params, t->metadata, &err);
    free(path);
    return ok || save_failed(t, &err);
}

bool trainer_validate(Trainer *t, LogRow *row)
{
    Score s = {0};
    if (!data_evaluate(&t->data, t->model, SPLIT_VALID, t->config->data.seq_len, EVAL_SEQUENCES,
                       EVAL_TOKENS, &s))
        return false;
    row->valid_loss = s.loss / s.scored;
    row->metric = data_metric(&t->data, &s);
    if (isfinite(row->valid_loss)) return true;
    Error where = {{0}};
    checkpoint_finite(t->params, t->optim, &t->state, &where);
    return numeric_failure(t, "the validation loss is not finite", &where);
}

static bool compare_with_best(Trainer *t, double valid_loss)
{
    TrainState *s = &t->state;
    s->worse++;
    if (!(valid_loss < s->best_loss)) return true;
    s->best_loss = valid_loss;
    s->best_step = t->step;
    s->worse = 0;
    return save_best(t);
}

/* Writes the log row of the current update, and validates and saves if either is due. Returns false after a
 * failure: nothing is saved after a row that could not be written. Returns false too if a signal interrupts the
 * validation: state.unlogged_norm then marks the row as missing, and a resumed run writes it first. */
static bool log_step(Trainer *t, double norm)
{
    const TrainConfig *c = t->config;
    TrainState *s = &t->state;
    Error err;
    LogRow row = {.step = s->step,
                  .tokens = s->tokens,
                  .seconds = s->seconds,
                  .train_loss = s->loss_sum / (double)s->loss_count,
                  .valid_loss = NAN,
                  .metric = NAN,
                  .lr = lr_at(&t->schedule, t->step),
                  .grad_norm = norm,
                  .tokens_per_second = (double)s->tokens / s->seconds};
    const bool last = t->step == c->steps, due = last || t->step % c->eval_every == 0;
    s->unlogged_norm = norm;
    if (due && !trainer_validate(t, &row)) return false;
    s->unlogged_norm = -1;
    if (due && !compare_with_best(t, row.valid_loss)) return false;
    if (due || t->step % (c->steps / LOG_ROWS + 1) == 0) {
        if (!runlog_write(&t->log, &row, &err)) return trainer_fail(t, EXIT_FAILED, err.text);
        s->loss_sum = 0;
        s->loss_count = 0;
    }
    runlog_show(&t->log, &row, c->steps, last || trainer_stopped_early(t));
    return last || t->step % c->save_every != 0 ||
           save_run(t); /* save_at_end saves the last step */
}

void trainer_log(Trainer *t, double norm)
{
    TrainState *s = &t->state;
    s->step = t->step;
    s->seconds = stop_clock() - t->started;
    s->loss_sum += t->loss.mean;
    s->loss_count++;
    log_step(t, norm);
}

/* --- closing ----------------------------------------------------------------------------------------- */

int trainer_close(Trainer *t)
{
    save_at_end(t);
    if (t->ended && trainer_may_write(t)) {
        trainer_draw_loss(t);
        trainer_print_summary(t);
        t->log.dangling = false;
    }
    if (t->out) t->config->out = t->out;
    blas_warm_up_end();
    runlog_close(&t->log);
    batch_free(&t->batch);
    batches_free(&t->batches);
    data_close(&t->data);
    json_decref(t->paths);
    json_decref(t->metadata);
    free(t->state.carried), free(t->carried_before);
    return t->status;
}
