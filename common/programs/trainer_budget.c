/* --budget: how many updates fit into a given time, measured before the first. */
#include "programs/trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "system/stop.h"

/* The trial takes a twentieth of the budget, TRIAL_SECONDS at most, but TRIAL_LEAST updates at least; the
 * first is not counted: it touches new memory. */
enum { TRIAL_LEAST = 3, TRIAL_SECONDS = 3 };

/* Updates with a learning rate of 0, which leave the parameters as they are and the gradients zero. The
 * order is that of a training loop. Returns the seconds of one update; 0 if a signal came. */
static double seconds_of_update(Trainer *t)
{
    const TrainConfig *c = t->config;
    const double limit = fmin(c->budget / 20, TRIAL_SECONDS), begin = clock_seconds();
    Optim trial = trainer_optim(c);
    optim_allocate(&trial, t->params);
    Tape tp = {0};
    double first = 0, now = 0;
    int n = 0;
    while ((n < TRIAL_LEAST || now < limit) && trainer_next(t)) {
        Rng dropout = rng_make(c->seed, RNG_DROPOUT, t->drawn);
        const Loss loss = model_loss(&tp, t->model, &t->batch, trainer_state(t), &dropout);
        if (!trainer_backward(t, &tp, loss)) continue;
        params_norm(t->params);
        optim_step(&trial, t->params, 0);
        tape_reset(&tp);
        now = clock_seconds() - begin;
        if (n++ == 0) first = now;
    }
    tape_free(&tp);
    optim_free(&trial);
    return n > 1 ? (now - first) / (n - 1) : 0;
}

static double seconds_of_validation(Trainer *t)
{
    const double begin = clock_seconds();
    LogRow row;
    trainer_validate(t, &row);
    return clock_seconds() - begin;
}

static double seconds_of_saving(Trainer *t)
{
    const double begin = clock_seconds();
    trainer_save(t);
    return clock_seconds() - begin;
}

/* What is left of the budget for updates, over what one takes. Without --eval-every and --save-every
 * there are EVALS validations and SAVES checkpoints, whatever the number of updates. */
static double updates_within(const TrainConfig *c, double left, double update, double eval,
                             double save)
{
    eval +=
        save / 4; /* it may be the best so far: one copy of the parameters where save writes four */
    if (c->eval_every)
        update += eval / c->eval_every;
    else
        left -= TRAIN_EVALS * eval;
    if (c->save_every)
        update += save / c->save_every;
    else
        left -= TRAIN_SAVES * save;
    return left / update;
}

bool trainer_set_steps(Trainer *t)
{
    TrainConfig *c = t->config;
    const double begin = clock_seconds();
    const TrainState before = t->state;
    c->steps = TRAIN_MOST_STEPS;
    const double update = seconds_of_update(t);
    if (before.carried) memset(before.carried, 0, (size_t)before.carried_len * sizeof(real));
    t->state = before;
    t->step = t->micro = 0;
    if (t->status != EXIT_OK) return false;
    const double eval = seconds_of_validation(t), save = seconds_of_saving(t);
    const double spent = clock_seconds() - begin;
    const double steps = updates_within(c, c->budget - spent, update, eval, save);
    if (t->status == EXIT_OK && stop_requested()) t->status = EXIT_SIGNAL + stop_requested();
    if (t->status != EXIT_OK) return false;
    c->steps = steps < 1 ? 1 : steps > TRAIN_MOST_STEPS ? TRAIN_MOST_STEPS : (int)steps;
    if (steps < 1)
        fprintf(stderr,
                "%s: warning: --budget %g s is too short: an update takes %.3f s, a validation "
                "%.3f s, a "
                "checkpoint %.3f s; one update is made\n",
                t->usage->program, c->budget, update, eval, save);
    else if (!c->quiet)
        fprintf(stderr,
                "budget of %g s: %.2f ms an update, %.2f s a validation, %.2f s a checkpoint: %d "
                "updates\n",
                c->budget, 1e3 * update, eval, save, c->steps);
    return true;
}
