#include "models/evaluate.h"
#include "programs/trainer.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "math/blas.h"
#include "system/file.h"
#include "math/parallel.h"

enum { EVAL_SEQUENCES = 512, EVAL_TOKENS = 200000, LOG_ROWS = 500 };
static const double SAME_SIGNAL = 0.25; /* seconds */

TrainConfig train_defaults(const char *out)
{
    return (TrainConfig){.data = data_defaults(),
                         .out = out,
                         .optimizer = "adamw",
                         .schedule = "cosine",
                         .plot = "png",
                         .warmup = 20,
                         .beta1 = 0.9,
                         .beta2 = 0.99,
                         .grad_clip = 1,
                         .seed = 1337};
}

bool trainer_fail(Trainer *t, int status, const char *message)
{
    if (t->log.dangling) fputc('\n', stderr);
    t->log.dangling = false;
    fprintf(stderr, "%s: error: %s\n", t->usage->program, message);
    t->status = status;
    return false;
}

void trainer_warn(const Trainer *t, bool ok, const Error *err)
{
    if (!ok) fprintf(stderr, "%s: warning: %s\n", t->usage->program, err->text);
}

/* --- signals: the first asks for a save and an orderly end, the second ends at once -------------- */

static volatile sig_atomic_t signal_caught;
static volatile double signal_time;

/* timeout(1) sends its signal twice, to the program and to its group: within SAME_SIGNAL it is one. */
static void on_signal(int number)
{
    const double now = clock_seconds();
    if (!signal_caught) signal_time = now;
    if (signal_caught && now - signal_time > SAME_SIGNAL) _exit(EXIT_SIGNAL + number);
    signal_caught = number;
}

/* The handler has a stack of its own: some of oneDNN's kernels use the stack pointer to walk a buffer on
 * the heap, and the frame of a signal, kilobytes of saved registers, would be written over what lies
 * before it. The kernel offers a signal to the main thread first, the one that calls this. */
static void catch_signals(void)
{
    static char stack[1 << 16];
    const stack_t own = {.ss_sp = stack, .ss_size = sizeof stack};
    const struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_RESTART | SA_ONSTACK};
    sigaltstack(&own, NULL);
    signal_caught = 0;
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* --- opening -------------------------------------------------------------------------------------- */

/* Options that may differ between a run and its continuation: none of them changes a number that
 * was already computed. */
static bool may_change(const char *name)
{
    static const char *const free_to[] = {"steps",   "out",   "resume",  "overwrite",  "plot",
                                          "threads", "quiet", "dry-run", "save-every", "trace"};
    for (int i = 0; i < LEN(free_to); i++)
        if (strcmp(name, free_to[i]) == 0) return true;
    return false;
}

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
        if (!ok || !o->given || may_change(name) || !then || json_equal(value, then)) continue;
        char *a = json_dumps(then, JSON_ENCODE_ANY), *b = json_dumps(value, JSON_ENCODE_ANY);
        ok = error_set(err,
                       "--%s: the run in %s was started with %s, not %s; leave it out, "
                       "or start another run with another --out",
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
           error_set(err, "--resume: %s holds a run of \"%s\": use ./%s/train", t->config->out,
                     then, then);
}

/* --resume: the options come from config.json, and the vocabularies with them. */
static bool open_resumed(Trainer *t, Vocabularies *vocab, Error *err)
{
    char *path = xformat("%s/config.json", t->config->out);
    json_t *config = file_exists(path) ? json_read(path, err) : NULL;
    bool ok = config != NULL;
    if (!file_exists(path))
        error_set(err, "--resume: %s is not there: no run to go on with; leave out --resume", path);
    ok = ok && same_program(t, config, err) && same_options(t, config, err);
    const bool dry_run = t->config->dry_run, quiet = t->config->quiet;
    const char *out = t->config->out;
    if (ok && !(args_from_json(t->option, t->n_options, config, err) &&
                vocabularies_from_json(vocab, config, err)))
        ok = error_in(err, path);
    free(path);
    t->config->resume = true;
    t->config->overwrite = false;
    t->config->dry_run = dry_run;
    t->config->quiet = quiet;
    t->config->out = out;
    json_decref(config);
    return ok;
}

bool trainer_open(Trainer *t, TrainConfig *c, Option *option, int n, const Usage *usage, int argc,
                  char **argv)
{
    parallel_start(argv);
    Error err;
    *t = (Trainer){.config = c, .option = option, .n_options = n, .usage = usage, .log = {-1, -1}};
    Usage with_version = *usage;
    with_version.version = blas_name();
    int operand;
    t->status = args_parse(argc, argv, option, n, &with_version, &operand);
    if (t->status >= 0) return false;
    t->status = EXIT_OK;
    if (!c->resume && !data_options_fit(&c->data, option, n, &err))
        return trainer_fail(t, EXIT_USAGE, err.text);
    blas_warm_up();
    parallel_init(c->threads);

    Vocabularies vocab = {0};
    bool ok = !c->resume || open_resumed(t, &vocab, &err);
    ok = ok && data_open(&t->data, &c->data, &vocab, &err);
    vocabularies_free(&vocab);
    if (!ok) return trainer_fail(t, EXIT_FAILED, err.text);
    if (c->stream && !data_is_running(&t->data))
        return trainer_fail(t, EXIT_USAGE,
                            "--stream needs a running text: give --text without --lines");
    if (c->steps == 0) c->steps = t->data.task.steps;
    if (c->batch == 0) c->batch = t->data.task.batch;
    if (c->lr == 0) c->lr = t->data.task.lr;
    if (c->data.seq_len == 0) c->data.seq_len = t->data.task.length;
    t->batch = batch_new();
    return true;
}

Optim trainer_optim(const TrainConfig *c, const Params *ps)
{
    const OptimKind kind = c->optimizer[0] == 's' ? OPTIM_SGD : OPTIM_ADAMW;
    return optim_init(kind, ps, c->beta1, c->beta2, c->weight_decay);
}

/* --- starting --------------------------------------------------------------------------------------- */

static bool write_config(Trainer *t, Error *err)
{
    char arch[32], *path = xformat("%s/config.json", t->config->out);
    trainer_arch(t->usage, arch, sizeof arch);
    json_t *config = args_to_json(t->option, t->n_options);
    json_object_set_new(config, "resume", json_false()); /* how a run was called, not what it is */
    json_object_set_new(config, "arch", json_string(arch));
    json_object_set_new(config, "parameters", json_integer((json_int_t)t->params->count));
    vocabularies_to_json(&t->data, config);
    const bool ok = json_write(path, config, err);
    json_decref(config);
    free(path);
    return ok;
}

bool trainer_start(Trainer *t, const Model *model, Params *ps, Optim *o)
{
    TrainConfig *c = t->config;
    Error err;
    t->model = model;
    t->params = ps;
    t->optim = o;
    if (c->dry_run) return trainer_print_sizes(t), false;
    if (c->stream) {
        t->state.carried_len = model->state_size * c->batch;
        t->state.carried = xcalloc((size_t)t->state.carried_len + 1, sizeof(real));
    }
    bool ok = !c->resume || checkpoint_load_state(c->out, ps, o, &t->state, &err);
    t->step = (int)t->state.step;
    ok = ok && runlog_open(&t->log, c->out, c->resume, c->overwrite, t->step, &err) &&
         write_config(t, &err); /* also on --resume, which may have been given more --steps */
    if (!ok) return trainer_fail(t, EXIT_FAILED, err.text);
    t->log.quiet = c->quiet;
    if (!t->data.task.outputs) t->log.loss_name = "mse";
    t->schedule = (Schedule){.lr = c->lr,
                             .min_lr = c->min_lr,
                             .warmup = c->warmup,
                             .steps = c->steps,
                             .inverse_sqrt = strcmp(c->schedule, "inverse-sqrt") == 0};
    if (c->eval_every == 0) c->eval_every = c->steps < 20 ? 1 : c->steps / 20;
    if (c->save_every == 0) c->save_every = c->steps < 10 ? 1 : c->steps / 10;
    trainer_print_header(t);
    catch_signals();
    t->started = clock_seconds() - t->state.seconds;
    return true;
}

/* --- a step ------------------------------------------------------------------------------------------ */

bool trainer_next(Trainer *t)
{
    const TrainConfig *c = t->config;
    if (t->status != EXIT_OK || t->step >= c->steps) return false;
    if (signal_caught) return t->status = EXIT_SIGNAL + signal_caught, false;
    t->step++;
    Rng rng = rng_make(c->seed, RNG_BATCH, (uint32_t)t->step);
    if (c->stream)
        text_stream(&t->data.text, SPLIT_TRAIN, c->data.seq_len, c->batch, &t->state.cursor,
                    &t->batch);
    else
        task_batch(&t->data.task, SPLIT_TRAIN, c->data.seq_len, &rng, c->batch, &t->batch);
    return true;
}

real *trainer_state(Trainer *t)
{
    return t->state.carried;
}

bool trainer_finite(Trainer *t, Tape *tp, Tensor *loss, double norm)
{
    if (isfinite(loss->data[0]) && isfinite(norm)) return true;
    Error where;
    if (tape_check(tp, loss, &where))
        error_set(&where, "the sum of squares of the gradients overflowed");
    char *message = xformat(
        "step %d: the loss is %g, the gradient's norm %g: %s; the last checkpoint "
        "in %s is of step %lld; try a smaller --lr or --grad-clip",
        t->step, (double)loss->data[0], norm, where.text, t->config->out, (long long)t->state.step);
    trainer_fail(t, EXIT_NUMERIC, message);
    free(message);
    return false;
}

static bool save(Trainer *t)
{
    Error err;
    const char *gates = t->model->gates;
    json_t *metadata = gates ? json_pack("{s:s}", "gates", gates) : NULL;
    const bool ok = checkpoint_save(t->config->out, t->params, t->optim, &t->state, metadata, &err);
    json_decref(metadata);
    return ok || trainer_fail(t, EXIT_FAILED, err.text);
}

static void validate(Trainer *t, LogRow *row)
{
    Score s = {0};
    data_evaluate(&t->data, t->model, SPLIT_VALID, t->config->data.seq_len, EVAL_SEQUENCES,
                  EVAL_TOKENS, &s);
    row->valid_loss = s.loss / s.scored;
    row->metric = data_metric(&t->data, &s);
}

void trainer_log(Trainer *t, double loss, double norm)
{
    const TrainConfig *c = t->config;
    TrainState *s = &t->state;
    Error err;
    s->step = t->step;
    s->tokens += (int64_t)t->batch.T * t->batch.B;
    s->seconds = clock_seconds() - t->started;
    s->loss_sum += loss;
    s->loss_count++;
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
    if (due) validate(t, &row);
    if (due || t->step % (c->steps / LOG_ROWS + 1) == 0) {
        if (!runlog_write(&t->log, &row, &err)) trainer_fail(t, EXIT_FAILED, err.text);
        s->loss_sum = 0;
        s->loss_count = 0;
    }
    runlog_show(&t->log, &row, c->steps, last);
    if (!last && t->step % c->save_every == 0) save(t); /* the last is saved on closing */
}

/* --- closing ----------------------------------------------------------------------------------------- */

int trainer_close(Trainer *t)
{
    if (t->log.fd >= 0 && t->state.step > 0 && t->status != EXIT_NUMERIC &&
        t->status != EXIT_FAILED) {
        const int status = t->status;
        if (save(t)) {
            t->status = status;
            trainer_draw_loss(t);
            trainer_print_summary(t);
            t->log.dangling = false;
        }
    }
    blas_warm_up_end();
    runlog_close(&t->log);
    batch_free(&t->batch);
    data_close(&t->data);
    free(t->state.carried);
    return t->status;
}
