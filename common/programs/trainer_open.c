/* The start of a training run: options, the options of a resumed run, data, run directory. */
#include "programs/trainer.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "formats/origin.h"
#include "math/blas.h"
#include "math/parallel.h"
#include "programs/run_config.h"
#include "programs/run_paths.h"
#include "system/file.h"
#include "system/stop.h"

TrainConfig train_defaults(const char *out)
{
    return (TrainConfig){.data = data_defaults(),
                         .out = out,
                         .optimizer = OPTIM_ADAMW,
                         .schedule = SCHEDULE_COSINE,
                         .plot = "png",
                         .accumulate = 1,
                         .warmup = 20,
                         .beta1 = 0.9,
                         .beta2 = 0.99,
                         .grad_clip = 1,
                         .seed = 1337};
}

/* --- opening -------------------------------------------------------------------------------------- */

/* Returns false with an error if an option has another value than in the resumed run, unless its table entry
 * says may_change. */
static bool same_options(Trainer *t, const json_t *config, Error *err)
{
    json_t *now = args_to_json(t->option, t->n_options);
    const char *key;
    json_t *value;
    bool ok = true;
    json_object_foreach(now, key, value)
    {
        char name[64];
        snprintf(name, sizeof name, "%s", key);
        for (char *c = name; *c; c++) *c = *c == '_' ? '-' : *c;
        const Option *o = args_find(t->option, t->n_options, name);
        const json_t *then = json_object_get(config, key);
        if (!ok || !o->given || o->may_change || !then || json_equal(value, then)) continue;
        char *a = json_dumps(then, JSON_ENCODE_ANY), *b = json_dumps(value, JSON_ENCODE_ANY);
        ok = error_set(err,
                       "--%s: the run in %s was started with %s, not %s; leave out the option, "
                       "or start a new run with another --out",
                       name, t->config->out, a, b);
        free(a), free(b);
    }
    json_decref(now);
    return ok;
}

static bool same_program(const Trainer *t, const json_t *config, Error *err)
{
    char arch[32];
    trainer_arch(t->usage, arch, sizeof arch);
    const char *then = json_string_value(json_object_get(config, "arch"));
    return !then || strcmp(then, arch) == 0 ||
           error_set(err, "--resume: %s: the run is of \"%s\"; use ./%s/train", t->config->out,
                     then, then);
}

/* Returns false with an error if the data is not that of the resumed run, whose fingerprint is t->expected. */
static bool same_data(const Trainer *t, Error *err)
{
    const char *then = t->expected.text, *now = t->fingerprint.text;
    return !*then || strcmp(then, now) == 0 || t->config->other_data ||
           error_set(
               err,
               "--resume: %s has changed since the run in %s was started (fingerprint %s, now %s); "
               "restore the old data, or continue with the new data by --other-data",
               data_name(&t->config->data), t->config->out, then, now);
}

/* Prints a note if --steps changes: the rest of the learning rate schedule changes with it. */
static void say_new_schedule(const Trainer *t, const json_t *config)
{
    const json_int_t then = json_integer_value(json_object_get(config, "steps"));
    const Option *steps = args_find(t->option, t->n_options, "steps");
    if (!steps->given || t->config->steps == then || t->config->quiet) return;
    say("%s: note: --steps is %d instead of %lld: from here on the learning rate follows the "
        "schedule of %d updates\n",
        t->usage->program, t->config->steps, (long long)then, t->config->steps);
}

/* Locks the directory, before anything in it is read. With --dry-run the directory stays as it is. Sets t->restart for
 * a run that was stopped before its first checkpoint. */
static bool open_to_resume(Trainer *t, const char *config, Error *err)
{
    const char *dir = t->config->out;
    char *state = xformat("%s/state.safetensors", dir);
    char *model = xformat("%s/model.safetensors", dir);
    bool ok = t->config->dry_run ? rundir_settle(dir, err)
              : file_exists(dir) ? rundir_open(&t->log.dir, dir, RUN_RESUME, err)
                                 : true;
    if (ok && !file_exists(config))
        ok = error_set(
            err, "--resume: %s: no such file, so there is no run to continue; leave out --resume",
            config);
    t->restart = ok && !file_exists(state);
    if (t->restart && file_exists(model))
        ok =
            error_set(err,
                      "--resume: %s: no such file, so the run cannot be continued; put it back, or "
                      "start a new run from the model with --init-from %s and another --out",
                      state, dir);
    free(state), free(model);
    return ok;
}

/* Reads the options and the vocabularies of the resumed run from its config.json. */
static bool open_resumed(Trainer *t, Vocabularies *vocab, Error *err)
{
    char *path = xformat("%s/config.json", t->config->out);
    json_t *config = open_to_resume(t, path, err) ? run_config_read(t->config->out, err) : NULL;
    bool ok = config != NULL;
    ok = ok && same_program(t, config, err) && same_options(t, config, err);
    const char *fingerprint = json_string_value(json_object_get(config, "data_fingerprint"));
    if (fingerprint) snprintf(t->expected.text, sizeof t->expected.text, "%s", fingerprint);
    const bool dry_run = t->config->dry_run, quiet = t->config->quiet;
    const char *out = t->config->out;
    if (ok && !(args_from_json(t->option, t->n_options, config, err) &&
                vocabularies_from_json(vocab, config, err)))
        ok = error_in(err, path);
    if (ok) {
        run_paths_keep(t->paths = json_object(), config);
        run_paths_find(&t->config->data, t->option, t->n_options, config);
    }
    char *state = xformat("%s/state.safetensors", out);
    ok = ok && origin_check_file(state, config, t->config->other_data, err);
    free(state), free(path);
    t->config->resume = true;
    t->config->overwrite = false;
    t->config->dry_run = dry_run;
    t->config->quiet = quiet;
    t->config->out = out;
    if (ok) say_new_schedule(t, config);
    json_decref(config);
    return ok;
}

bool trainer_open(Trainer *t, TrainConfig *c, Option *option, int n, const Usage *usage, int argc,
                  char **argv)
{
    parallel_start(argv);
    Error err;
    *t = (Trainer){
        .config = c, .option = option, .n_options = n, .usage = usage, .log = RUNLOG_CLOSED};
    Usage with_version = *usage;
    with_version.version = blas_name();
    int operand;
    t->status = args_parse(argc, argv, option, n, &with_version, &operand);
    if (t->status >= 0) return false;
    t->status = EXIT_OK;
    if (c->budget > 0 && args_find(option, n, "steps")->given && !c->resume)
        return trainer_fail(t, EXIT_USAGE,
                            "--steps and --budget: both set the number of updates; leave out one");
    if (c->fresh && !c->init_from && !c->resume)
        return trainer_fail(
            t, EXIT_USAGE, "--fresh: without --init-from all parameters are new; give --init-from");
    if (!c->resume && !data_options_fit(&c->data, option, n, &err))
        return trainer_fail(t, EXIT_USAGE, err.text);
    blas_warm_up();
    parallel_init(c->threads);

    Vocabularies vocab = {0};
    bool ok = !c->resume || open_resumed(t, &vocab, &err);
    if (ok && c->init_from && !c->resume) ok = trainer_tokens_from(t, &vocab, &err);
    if (ok && !c->quiet) data_say_waiting(&c->data, usage->program);
    ok = ok && data_open(&t->data, &c->data, &vocab, &err);
    vocabularies_free(&vocab);
    if (!ok) run_paths_missing(data_name(&c->data), run_paths_folder(t->paths), &err);
    if (!ok) return trainer_fail(t, EXIT_FAILED, err.text);
    if (c->stream && !data_is_running(&t->data))
        return trainer_fail(
            t, EXIT_USAGE, "--stream: the data is not a running text; give --text without --lines");
    data_warn_faults(&t->data, usage->program);
    t->fingerprint = data_fingerprint(&t->data);
    if (!same_data(t, &err)) return trainer_fail(t, EXIT_FAILED, err.text);
    if (c->steps == 0) c->steps = t->data.task.steps;
    if (c->batch == 0) c->batch = t->data.task.batch;
    if (c->lr == 0) c->lr = t->data.task.lr;
    if (c->data.seq_len == 0) c->data.seq_len = t->data.task.length;
    t->batch = batch_new();
    return true;
}

Optim trainer_optim(const TrainConfig *c)
{
    return optim_options(c->optimizer, c->beta1, c->beta2, c->weight_decay);
}

/* In one update: the order of so many is kept in memory, and no model is better for more. */
enum { MOST_SEQUENCES = 1 << 24 };

/* --- starting --------------------------------------------------------------------------------------- */

/* Returns false with an error if --steps is less than the updates that are done: config.json would then have a goal
 * that the run has passed. */
static bool goal_is_ahead(const Trainer *t, Error *err)
{
    const TrainConfig *c = t->config;
    return c->steps >= t->state.step ||
           error_set(
               err,
               "--steps %d: the run in %s has made %lld updates already; give more --steps, or "
               "leave the option out",
               c->steps, c->out, (long long)t->state.step);
}

/* After --other-data the lowest validation loss is of data that are gone: it is no bar for the new ones. */
static void forget_best(Trainer *t)
{
    const TrainState start = train_state();
    if (!*t->expected.text || strcmp(t->expected.text, t->fingerprint.text) == 0) return;
    t->state.best_loss = start.best_loss;
    t->state.best_step = start.best_step;
    t->state.worse = start.worse;
}

/* Opens the run directory and the log. Loads the parameters of a run that is continued or started from. */
static bool open_run(Trainer *t, Error *err)
{
    TrainConfig *c = t->config;
    t->out = c->out;
    if (t->restart && !c->quiet)
        say("%s: note: the run in %s was stopped before its first checkpoint, so there is nothing "
            "to continue; it starts again from the beginning\n",
            t->usage->program, c->out);
    if (c->resume && !t->restart) {
        if (!checkpoint_load_state(c->out, t->params, t->optim, &t->state, err)) return false;
        forget_best(t);
        if (!goal_is_ahead(t, err)) return false;
    } else {
        if (c->init_from && !trainer_init_from(t, err)) return false;
    }
    if (!c->resume) {
        if (!rundir_open(&t->log.dir, c->out, c->overwrite ? RUN_OVERWRITE : RUN_NEW, err))
            return false;
        c->out = t->log.dir.at;
    }
    t->step = (int)t->state.step;
    t->saved = t->state.step;
    return runlog_open(&t->log, c->resume, t->state.step - t->state.loss_count, err);
}

bool trainer_start(Trainer *t, const Model *model, Params *ps, Optim *o)
{
    TrainConfig *c = t->config;
    Error err;
    t->model = model;
    t->batch.layout = model->layout;
    const int64_t sequences = (int64_t)c->batch * c->accumulate;
    if (sequences > MOST_SEQUENCES) {
        error_set(&err,
                  "--batch %d x --accumulate %d: %lld sequences in one update; give at most %d",
                  c->batch, c->accumulate, (long long)sequences, MOST_SEQUENCES);
        return trainer_fail(t, EXIT_USAGE, err.text);
    }
    t->batches = batches_new(&t->data.task, c->seed, (int)sequences);
    t->params = ps;
    t->optim = o;
    if (!trainer_freeze(t, &err)) return trainer_fail(t, EXIT_USAGE, err.text);
    trainer_make_metadata(t);
    const bool load = c->resume && !t->restart;
    if (load && !trainer_state_fits(t, &err)) return trainer_fail(t, EXIT_FAILED, err.text);
    params_allocate(ps, load ? PARAMS_RESUME : PARAMS_TRAIN);
    if (c->dry_run) return trainer_print_sizes(t), false;
    optim_allocate(o, ps);
    t->state = train_state();
    if (c->stream && model->state_size) {
        t->state.carried_len = model->state_size * c->batch;
        t->state.carried = xcalloc((size_t)t->state.carried_len + 1, sizeof(real));
        t->carried_before = xcalloc((size_t)t->state.carried_len + 1, sizeof(real));
    }
    if (!open_run(t, &err)) return trainer_fail(t, EXIT_FAILED, err.text);
    stop_catch();
    signal(SIGPIPE, SIG_IGN);
    if (c->budget > 0 && !c->resume && !trainer_set_steps(t)) return false;
    if (load && !trainer_renew_state(t)) return false;
    /* Also with --resume, because --steps and others may have changed. */
    if (!trainer_write_config(t, &err)) return trainer_fail(t, EXIT_FAILED, err.text);
    t->log.quiet = c->quiet;
    if (!t->data.task.outputs) t->log.loss_name = "mse";
    t->schedule = (Schedule){.lr = c->lr,
                             .min_lr = c->min_lr,
                             .warmup = c->warmup,
                             .steps = c->steps,
                             .inverse_sqrt = c->schedule == SCHEDULE_INVERSE_SQRT};
    if (c->eval_every == 0) c->eval_every = c->steps < TRAIN_EVALS ? 1 : c->steps / TRAIN_EVALS;
    if (c->save_every == 0) c->save_every = c->steps < TRAIN_SAVES ? 1 : c->steps / TRAIN_SAVES;
    trainer_print_header(t);
    t->started = stop_clock() - t->state.seconds;
    return true;
}
