#include "programs/evaluator.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "math/blas.h"
#include "formats/checkpoint.h"
#include "system/file.h"
#include "system/start.h"
#include "system/stop.h"
#include "math/parallel.h"
#include "programs/run_paths.h"
#include "programs/rundir.h"

EvalConfig eval_defaults(void)
{
    return (EvalConfig){.score = true,
                        .examples = 512,
                        .samples = 5,
                        .sample_len = 300,
                        .temperature = 1,
                        .top_p = 1,
                        .repetition = 1,
                        .sample_batch = 1,
                        .plot = "png",
                        .seed = 1337};
}

bool evaluator_fail(Evaluator *e, int status, const char *message)
{
    say("%s: error: %s\n", e->usage->program, message);
    e->status = status;
    return false;
}

void evaluator_warn(const Evaluator *e, const char *message)
{
    say("%s: warning: %s\n", e->usage->program, message);
}

bool evaluator_stopped(Evaluator *e)
{
    stop_catch();
    if (!stop_requested()) return false;
    if (e->status == EXIT_OK)
        evaluator_fail(e, EXIT_SIGNAL + stop_requested(),
                       "stopped by a signal before the evaluation was complete");
    return true;
}

bool evaluator_flush(Evaluator *e)
{
    if (start_flush()) return true;
    e->status = EXIT_FAILED;
    return false;
}

/* --- opening ------------------------------------------------------------------------------------- */

static void name_arch(Evaluator *e)
{
    snprintf(e->arch, sizeof e->arch, "%.*s", (int)strcspn(e->usage->program, "/"),
             e->usage->program);
}

/* Opens weights of others and the text to score. The whole text is held out: it is given as the training
 * part and as the validation part. */
static bool open_weights(Evaluator *e, Error *err)
{
    EvalConfig *c = e->config;
    name_arch(e);
    int window = 0;
    const bool ok = c->open_import
                        ? c->open_import(c->import_arg, c->import, &e->weights.tokens, &window, err)
                        : weights_open(&e->weights, c->import, c->vocab, err);
    if (!ok) return false;
    e->whole = true;
    e->run.text = c->text;
    e->run.valid = c->valid ? c->valid : data_name(&e->run);
    e->run.unit = tokenizer_unit(&e->weights.tokens);
    const Vocabularies given = {.of_text = true, .tokens = e->weights.tokens};
    e->run.seq_len = window ? 1 : 0; /* so that a text shorter than a window is long enough */
    if (!c->score) return data_open_tokens(&e->data, &e->run, &given, err);
    if (!data_open(&e->data, &e->run, &given, err)) return false;
    e->run.seq_len = window;
    return true;
}

/* Adds what to do to the error if the training data of the run is not on this machine. Returns false. */
static bool missing_data(const Evaluator *e, Error *err)
{
    const char *path = data_name(&e->run);
    if (!path || file_exists(path) || e->config->text) return false;
    run_paths_missing(path, e->folder, err);
    const Error why = *err;
    return error_set(err, "%s; %s was trained on it: give %s", why.text, e->dir,
                     e->run.of_pairs
                         ? "other pairs with --pairs, or translate without data by --interactive"
                         : "another text with --text, or sample without data by --no-score");
}

/* Refuses an --output that would replace the pairs that are read, those of the run, or a file of the run. */
static bool output_is_free(const Evaluator *e, Error *err)
{
    const char *output = e->config->output;
    const PairsConfig *run = &e->run.pairs;
    const char *const read[] = {e->config->pairs, run->file, run->valid, run->test};
    bool is_free = !output || !rundir_has_file(e->dir, output);
    for (int i = 0; output && i < LEN(read); i++)
        is_free = is_free && !(read[i] && file_same(read[i], output));
    return is_free || error_set(err,
                                "--output %s: would replace the data or a file of the run in %s; "
                                "give another name",
                                output, e->dir);
}

/* Returns true if the program can go on without the text that the run was trained on: it then samples, and the
 * scores are left out with a warning. */
static bool samples_alone(Evaluator *e, const Vocabularies *vocab)
{
    EvalConfig *c = e->config;
    if (c->of_pairs || !vocab->of_text || c->text || c->json || !c->samples) return false;
    if (!data_name(&e->run) || file_exists(data_name(&e->run))) return false;
    char *message =
        xformat("%s is not here, so there are no scores; score another text with --text",
                data_name(&e->run));
    evaluator_warn(e, message);
    free(message);
    c->score = false;
    return true;
}

/* Prints which of the given files are pipes: reading them may wait. */
static void say_waiting(const Evaluator *e)
{
    const EvalConfig *c = e->config;
    DataConfig given = {.text = c->text, .valid = c->valid, .of_pairs = c->of_pairs};
    given.pairs.file = c->pairs;
    if (!c->json) data_say_waiting(&given, e->usage->program);
}

/* Fails if data of the run came from standard input and is not given again: the program would wait for it. */
static bool has_files(const Evaluator *e, Error *err)
{
    const EvalConfig *c = e->config;
    const PairsConfig *p = &e->run.pairs;
    const struct {
        const char *path, *given, *option;
    } file[] = {{e->run.text, c->text, "text"},
                {e->run.valid, c->valid ? c->valid : c->text, "valid"},
                {p->file, NULL, "pairs"},
                {p->valid, NULL, "pairs"},
                {p->test, NULL, "pairs"}};
    for (int i = 0; i < LEN(file); i++)
        if (file[i].path && !file[i].given && strcmp(file[i].path, "-") == 0)
            return error_set(err,
                             "%s was trained on standard input: give the text with --%s, or %s",
                             e->dir, file[i].option,
                             c->of_pairs ? "translate without data by --interactive"
                                         : "sample without data by --no-score");
    return true;
}

/* Opens the held-out data of the options, by default that of the run. Opens only the tokenizers if nothing
 * is scored. */
static bool open_data(Evaluator *e, const Vocabularies *vocab, Error *err)
{
    EvalConfig *c = e->config;
    const bool without = !c->score || (c->interactive && *c->interactive);
    if (without && (vocab->of_text || vocab->of_pairs))
        return data_open_tokens(&e->data, &e->run, vocab, err);
    if (c->pairs) {
        say_waiting(e);
        if (!data_open_test(&e->data, &e->run, vocab, c->pairs, err)) return false;
        e->run.pairs.file = c->pairs, e->run.pairs.task = NULL; /* data_name gives this file */
        return true;
    }
    e->own_text = e->run.text;
    if (!has_files(e, err)) return false;
    if (c->valid) e->run.valid = c->valid;
    say_waiting(e);
    if (c->text && !c->valid && !e->run.task) return evaluator_open_text(e, vocab, err);
    if (c->text) e->run.text = c->text;
    if (samples_alone(e, vocab)) return data_open_tokens(&e->data, &e->run, vocab, err);
    return data_open(&e->data, &e->run, vocab, err) || missing_data(e, err);
}

static bool open_run(Evaluator *e, Option *size, int n_size, Error *err)
{
    Vocabularies vocab = {0};
    name_arch(e);
    const bool ok = rundir_settle(e->dir, err) &&
                    evaluator_read_config(e, size, n_size, &vocab, err) && output_is_free(e, err) &&
                    open_data(e, &vocab, err);
    vocabularies_free(&vocab);
    return ok;
}

/* Adds to an error of the data, whose advice may be for training, which program has the option. */
static void say_whose_option(const Evaluator *e, const Option *option, int n, Error *err)
{
    const Error why = *err;
    const OptionName name = args_foreign(option, n, why.text);
    if (*name.text && !strstr(why.text, " train ")) /* it says so itself */
        error_set(err, "%s (--%s is an option of ./%s/train)", why.text, name.text, e->arch);
}

enum { MAX_OPTIONS = 40 };

bool evaluator_open(Evaluator *e, EvalConfig *c, Option *size, int n_size, Option *own, int n_own,
                    const Usage *usage, int argc, char **argv)
{
    const Option texts[] = {EVAL_OPTIONS(c)}, pairs[] = {EVAL_PAIRS_OPTIONS(c)};
    const Option *common = c->of_pairs ? pairs : texts;
    const int n_common = c->of_pairs ? LEN(pairs) : LEN(texts), n = n_common + n_own;
    Option option[MAX_OPTIONS];
    CHECK(n <= MAX_OPTIONS, "evaluator_open: %d options", n);
    memcpy(option, common, (size_t)n_common * sizeof *common);
    if (n_own) memcpy(option + n_common, own, (size_t)n_own * sizeof *own);
    Error err;
    int operand;
    if (!c->of_pairs) c->interactive = &c->ask;
    parallel_start(argv);
    *e = (Evaluator){.config = c, .usage = usage, .run = data_defaults()};
    e->run.of_pairs = c->of_pairs;
    e->run.or_task = c->or_task;
    Usage with_version = *usage;
    with_version.version = blas_name();
    e->status = args_parse(argc, argv, option, n, &with_version, &operand);
    if (e->status >= 0) return false;
    e->status = EXIT_OK;
    if (argc - operand != !c->import)
        return evaluator_fail(e, EXIT_USAGE,
                              c->of_pairs
                                  ? "give one run directory"
                                  : "give one run directory, e.g. runs/rnn, or --import PATH");
    if (!c->score && c->json)
        return evaluator_fail(
            e, EXIT_USAGE,
            "--json prints scores, and --no-score computes none; leave out one of them");
    if (c->ask && c->json)
        return evaluator_fail(e, EXIT_USAGE,
                              "--interactive prints texts, and --json a report; leave out one");
    if (c->output && c->interactive && *c->interactive)
        return evaluator_fail(e, EXIT_USAGE,
                              "--interactive translates to standard output: leave out --output");
    if (c->pairs && c->interactive && *c->interactive)
        return evaluator_fail(e, EXIT_USAGE, "--interactive scores nothing: leave out --pairs");
    if (c->text && c->valid && strcmp(c->text, "-") == 0 && strcmp(c->valid, "-") == 0)
        return evaluator_fail(e, EXIT_USAGE,
                              "--text - and --valid -: standard input can be read only once");
    if (c->pairs && !args_find(option, n, "examples")->given) c->examples = INT_MAX;
    if (!c->import) e->dir = xstrdup(argv[operand]);
    blas_warm_up();
    parallel_init(c->threads);
    const bool ok = c->import ? open_weights(e, &err) : open_run(e, size, n_size, &err);
    if (ok) data_warn_faults(&e->data, usage->program);
    if (!ok) say_whose_option(e, option, n, &err);
    e->data.streams = 1; /* the whole past is the context of each token (evaluate.h) */
    return ok || evaluator_fail(e, EXIT_FAILED, err.text);
}

/* Returns false with an error if another run may have taken the place of this one since config.json was read. */
static bool is_same_run(const Evaluator *e, Error *err)
{
    struct stat now;
    char *path = xformat("%s/config.json", e->dir);
    const bool same = stat(path, &now) == 0 && now.st_ino == e->opened.st_ino &&
                      now.st_mtim.tv_sec == e->opened.st_mtim.tv_sec &&
                      now.st_mtim.tv_nsec == e->opened.st_mtim.tv_nsec;
    free(path);
    return same ||
           error_set(err,
                     "%s: a program started to train in it while the run was read; run this "
                     "program again",
                     e->dir);
}

bool evaluator_load(Evaluator *e, Params *ps)
{
    Error err;
    const bool best = e->config->best;
    char *path = evaluator_model_path(e);
    bool ok =
        !best || file_exists(path) ||
        error_set(&err, "%s: no such file, because no validation has finished; leave out --best",
                  path);
    ok = ok && params_check(path, ps, &err);
    if (ok) params_allocate(ps, PARAMS_LOAD);
    ok = ok && params_load(path, ps, &err) && is_same_run(e, &err);
    free(path);
    return ok || evaluator_fail(e, EXIT_FAILED, err.text);
}

int evaluator_close(Evaluator *e)
{
    if (e->pictures) say("drawn in %s:%s\n", e->dir, e->pictures);
    blas_warm_up_end();
    data_close(&e->data);
    weights_close(&e->weights);
    json_decref(e->extra);
    free(e->dir), free(e->folder), free(e->pictures);
    return e->status;
}
