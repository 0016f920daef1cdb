/* --budget: measures before training how many updates fit into the given time. */
#include "programs/trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/say.h"
#include "system/stop.h"

/* The trial takes a twentieth of the budget, at most TRIAL_SECONDS and at least TRIAL_LEAST updates. The first
 * update is not counted, because it is slower: it touches new memory. */
enum { TRIAL_LEAST = 3, TRIAL_SECONDS = 3 };

/* Returns the seconds of one update, or 0 if a signal came. It makes updates with a learning rate of 0, which
 * change no parameter and leave the gradients zero, in the order of a training loop. */
static double seconds_of_update(Trainer *t)
{
    const TrainConfig *c = t->config;
    const double limit = fmin(c->budget / 20, TRIAL_SECONDS), begin = stop_clock();
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
        now = stop_clock() - begin;
        if (n++ == 0) first = now;
    }
    tape_free(&tp);
    optim_free(&trial);
    return n > 1 ? (now - first) / (n - 1) : 0;
}

static double seconds_of_validation(Trainer *t)
{
    const double begin = stop_clock();
    LogRow row;
    trainer_validate(t, &row);
    return stop_clock() - begin;
}

/* The files are removed again: a run without updates has no checkpoint. */
static double seconds_of_saving(Trainer *t)
{
    const double begin = stop_clock();
    trainer_save(t);
    const double seconds = stop_clock() - begin;
    const char *const name[] = {"state", "model"};
    for (int i = 0; i < LEN(name) && t->status == EXIT_OK; i++) {
        char *path = xformat("%s/%s.safetensors", t->config->out, name[i]);
        unlink(path);
        free(path);
    }
    return seconds;
}

/* Returns how many updates fit into `left` seconds, from the seconds of an update, a validation and a
 * checkpoint. Without --eval-every and --save-every a run has TRAIN_EVALS validations and TRAIN_SAVES
 * checkpoints, whatever the number of updates. */
static double updates_within(const TrainConfig *c, double left, double update, double eval,
                             double save)
{
    eval +=
        save /
        4; /* it may write best.safetensors: one copy of the parameters, where a checkpoint has four */
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
    const double begin = stop_clock();
    const TrainState before = t->state;
    c->steps = TRAIN_MOST_STEPS;
    const double update = seconds_of_update(t);
    if (before.carried) memset(before.carried, 0, (size_t)before.carried_len * sizeof(real));
    t->state = before;
    t->step = t->micro = 0;
    if (t->status != EXIT_OK) return false;
    const double eval = seconds_of_validation(t), save = seconds_of_saving(t);
    const double spent = stop_clock() - begin;
    const double steps = updates_within(c, c->budget - spent, update, eval, save);
    if (t->status == EXIT_OK && stop_requested()) t->status = EXIT_SIGNAL + stop_requested();
    if (t->status != EXIT_OK) return false;
    c->steps = steps < 1 ? 1 : steps > TRAIN_MOST_STEPS ? TRAIN_MOST_STEPS : (int)steps;
    if (steps < 1)
        say("%s: warning: --budget %g s is too short for one update: an update takes %.3f s, "
            "a validation %.3f s, a checkpoint %.3f s; the run makes one update\n",
            t->usage->program, c->budget, update, eval, save);
    else if (!c->quiet)
        say("budget of %g s: %.2f ms per update, %.2f s per validation, %.2f s per "
            "checkpoint: %d updates\n",
            c->budget, 1e3 * update, eval, save, c->steps);
    return true;
}
