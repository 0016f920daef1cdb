#include "evaluator.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blas.h"
#include "checkpoint.h"
#include "file.h"
#include "parallel.h"
#include "plot.h"

enum { MAX_LENGTHS = LEN(((Task *)NULL)->lengths) };

EvalConfig eval_defaults(void)
{
    return (EvalConfig){.examples = 512,
                        .samples = 5,
                        .sample_len = 300,
                        .temperature = 1,
                        .top_p = 1,
                        .plot = "png",
                        .seed = 1337};
}

bool evaluator_fail(Evaluator *e, int status, const char *message)
{
    fprintf(stderr, "%s: error: %s\n", e->usage->program, message);
    e->status = status;
    return false;
}

/* --- opening ------------------------------------------------------------------------------------- */

static void name_arch(Evaluator *e)
{
    snprintf(e->arch, sizeof e->arch, "%.*s", (int)strcspn(e->usage->program, "/"),
             e->usage->program);
}

static bool read_config(Evaluator *e, Option *size, int n_size, Vocabularies *vocab, Error *err)
{
    char *path = xformat("%s/config.json", e->dir);
    json_t *config = json_read(path, err);
    free(path);
    if (!config) return false;
    Option data[] = {DATA_OPTIONS(&e->run)}, pairs[] = {PAIRS_OPTIONS(&e->run.pairs)};
    Option seed[] = {OPTION("seed", &e->seed, 0, 0x1p64, "")};
    const char *arch = json_string_value(json_object_get(config, "arch"));
    bool ok = true;
    name_arch(e);
    if (!arch || strcmp(arch, e->arch) != 0)
        ok = error_set(err, "%s holds a run of \"%s\": use ./%s/eval", e->dir, arch ? arch : "?",
                       arch ? arch : "?");
    ok = ok &&
         (e->run.of_pairs ? args_from_json(pairs, LEN(pairs), config, err)
                          : args_from_json(data, LEN(data), config, err)) &&
         args_from_json(seed, LEN(seed), config, err) &&
         args_from_json(size, n_size, config, err) && vocabularies_from_json(vocab, config, err);
    json_decref(config);
    return ok;
}

/* All of the text is held out; so it is given as both parts. */
static bool open_foreign(Evaluator *e, Error *err)
{
    EvalConfig *c = e->config;
    name_arch(e);
    if (!foreign_open(&e->foreign, c->import, c->vocab, err)) return false;
    e->run.text = c->text;
    e->run.valid = c->valid ? c->valid : data_name(&e->run);
    e->run.unit = e->foreign.vocab.unit == UNIT_BYTE ? "byte" : "char";
    const Vocabularies given = {.of_text = true, .vocab = e->foreign.vocab};
    if (!data_open(&e->data, &e->run, &given, err)) return false;
    e->data.streams = 1; /* as its makers would read it: from the beginning to the end */
    return true;
}

static bool open_run(Evaluator *e, Option *size, int n_size, Error *err)
{
    EvalConfig *c = e->config;
    Vocabularies vocab = {0};
    bool ok = read_config(e, size, n_size, &vocab, err);
    if (c->text) e->run.text = c->text;
    if (c->valid) e->run.valid = c->valid;
    ok = ok && data_open(&e->data, &e->run, &vocab, err);
    vocabularies_free(&vocab);
    return ok;
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
    if (!c->import) e->dir = xstrdup(argv[operand]);
    blas_warm_up();
    parallel_init(c->threads);
    const bool ok = c->import ? open_foreign(e, &err) : open_run(e, size, n_size, &err);
    return ok || evaluator_fail(e, EXIT_FAILED, err.text);
}

bool evaluator_load(Evaluator *e, Params *ps)
{
    Error err;
    return checkpoint_load_model(e->dir, ps, &err) || evaluator_fail(e, EXIT_FAILED, err.text);
}

int evaluator_close(Evaluator *e)
{
    blas_warm_up_end();
    data_close(&e->data);
    foreign_close(&e->foreign);
    json_decref(e->extra);
    free(e->dir);
    return e->status;
}

/* --- scores by length ------------------------------------------------------------------------------ */

typedef struct {
    int n, length[MAX_LENGTHS];
    Score score[MAX_LENGTHS];
} ByLength;

static ByLength by_length(const Evaluator *e, const Model *m)
{
    ByLength b = {0};
    const Task *t = &e->data.task;
    if (e->data.is_text || t->n_lengths < 2) return b;
    for (; b.n < t->n_lengths; b.n++) {
        b.length[b.n] = t->lengths[b.n];
        data_evaluate(&e->data, m, SPLIT_TEST, b.length[b.n], e->config->examples, 0,
                      &b.score[b.n]);
    }
    return b;
}

/* --- the report -------------------------------------------------------------------------------------- */

static void print_level(const char *name, double loss, double value)
{
    if (isnan(loss) && isnan(value)) return;
    printf("  %-14s %10.4f", name, loss);
    if (!isnan(value)) printf(" %14.4f", value);
    putchar('\n');
}

/* Foreign weights were trained on another text: nothing was counted there. */
static NgramLevel ngram_of(const Evaluator *e)
{
    if (e->config->import) return (NgramLevel){.loss = NAN};
    return data_ngram(&e->data);
}

static void print_report(const Evaluator *e, const Score *s, const ByLength *b, const Params *ps)
{
    const Task *t = &e->data.task;
    const char *metric = data_metric_name(&e->data);
    const double loss = s->loss / s->scored;
    const NgramLevel ngram = ngram_of(e);
    char counting[16];
    snprintf(counting, sizeof counting, "%d-gram", ngram.n);
    printf("%s on %s: %zu parameters, %.0f held-out %s\n\n", e->model, data_name(&e->run),
           ps->count, t->outputs ? s->scored : s->sequences, t->outputs ? "tokens" : "sequences");
    printf("  %-14s %10s %14s\n", "", t->outputs ? "loss (nats)" : "mse", metric);
    print_level("this model", loss, data_metric(&e->data, s));
    print_level("chance", t->loss_chance, t->metric_chance);
    print_level(counting, ngram.loss, ngram.loss / log(2));
    print_level("best possible", s->bayes / s->scored, t->metric_perfect);
    if (t->outputs) printf("  %-14s %10.4f\n", "perplexity", exp(loss));
    if (e->data.is_pairs) printf("  %-14s %10.4f\n", "exact match", s->right / s->sequences);
    if (e->data.is_text)
        printf("  %-14s %10.4f\n", "bits/byte", loss / log(2) / e->data.text.bytes_per_token);
    for (int k = 0; k < LEN(s->split_asked); k++)
        if (s->split_asked[k] > 0)
            printf("  %s with %d distractor%s: %.4f of %.0f\n", metric, k, k == 1 ? "" : "s",
                   s->split_hits[k] / s->split_asked[k], s->split_asked[k]);
    if (b->n) printf("\n  %8s %10s %14s %14s\n", "length", "loss", metric, "exact match");
    for (int i = 0; i < b->n; i++)
        printf("  %8d %10.4f %14.4f %14.4f\n", b->length[i], b->score[i].loss / b->score[i].scored,
               data_metric(&e->data, &b->score[i]), b->score[i].right / b->score[i].sequences);
}

static void set_number(json_t *o, const char *key, double x)
{
    json_object_set_new(o, key, isfinite(x) ? json_real(x) : json_null());
}

static void print_json(const Evaluator *e, const Score *s, const ByLength *b, const Params *ps)
{
    const Task *t = &e->data.task;
    json_t *o = json_object(), *exact = json_object(), *value = json_object();
    json_object_set_new(o, "arch", json_string(e->model));
    json_object_set_new(o, "task", json_string(t->name));
    set_number(o, "loss", s->loss / s->scored);
    set_number(o, "loss_chance", t->loss_chance);
    set_number(o, "loss_perfect", s->bayes / s->scored);
    json_object_set_new(o, "metric", json_string(data_metric_name(&e->data)));
    set_number(o, "value", data_metric(&e->data, s));
    set_number(o, "chance", t->metric_chance);
    set_number(o, "perfect", t->metric_perfect);
    if (t->outputs) set_number(o, "perplexity", exp(s->loss / s->scored));
    if (e->data.is_pairs) set_number(o, "exact", s->right / s->sequences);
    if (e->data.is_text) {
        set_number(o, "ngram_loss", ngram_of(e).loss);
        set_number(o, "bits_per_byte", s->loss / s->scored / log(2) / e->data.text.bytes_per_token);
    }
    json_object_set_new(o, "examples", json_integer((json_int_t)s->sequences));
    json_object_set_new(o, "tokens", json_integer((json_int_t)s->scored));
    json_object_set_new(o, "parameters", json_integer((json_int_t)ps->count));
    json_object_set_new(o, "seed", json_integer((json_int_t)e->seed));
    for (int i = 0; i < b->n; i++) {
        char length[16];
        snprintf(length, sizeof length, "%d", b->length[i]);
        set_number(exact, length, b->score[i].right / b->score[i].sequences);
        set_number(value, length, data_metric(&e->data, &b->score[i]));
    }
    json_object_set_new(o, "by_length", exact);
    json_object_set_new(o, "value_by_length", value);
    if (e->extra) json_object_update(o, e->extra);
    json_dumpf(o, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
    putchar('\n');
    json_decref(o);
}

/* --- samples ------------------------------------------------------------------------------------------ */

static void print_samples(Evaluator *e, const Model *m)
{
    const EvalConfig *c = e->config;
    const bool line = e->data.text.by_line;
    const Generation g = {.prompt = c->prompt,
                          .length = c->sample_len,
                          .line = line,
                          .sampling = {c->temperature, c->top_k, c->top_p}};
    if (c->samples) printf("\nsamples (temperature %g):\n", c->temperature);
    for (int i = 0; i < c->samples; i++) {
        if (!line) printf("--- %d ---\n", i + 1);
        const int unknown = generate(m, &e->data.text.vocab, &g, c->seed, i, stdout);
        if (unknown && i == 0)
            fprintf(stderr, "%s: warning: %d characters of the prompt are not in the vocabulary\n",
                    e->usage->program, unknown);
    }
}

/* --- figures ------------------------------------------------------------------------------------------ */

static void draw(const Evaluator *e, const char *name)
{
    const char *kind = e->config->plot;
    char *script = xformat("%s/%s.gp", e->dir, name),
         *picture = xformat("%s/%s.%s", e->dir, name, kind);
    if (file_exists(script)) plot_draw(script, picture, kind, 900, 600);
    free(script), free(picture);
}

static void write_text(const Evaluator *e, const char *name, const char *text)
{
    Error err;
    char *path = xformat("%s/%s", e->dir, name);
    if (!file_write(path, text, strlen(text), &err))
        fprintf(stderr, "%s: warning: %s\n", e->usage->program, err.text);
    free(path);
}

static void write_by_length(const Evaluator *e, const ByLength *b)
{
    const Task *t = &e->data.task;
    char *csv = xstrdup("length,value,exact\n");
    for (int i = 0; i < b->n; i++) {
        char *more =
            xformat("%s%d,%.6f,%.6f\n", csv, b->length[i], data_metric(&e->data, &b->score[i]),
                    b->score[i].right / b->score[i].sequences);
        free(csv);
        csv = more;
    }
    write_text(e, "by_length.csv", csv);
    /* Where even the best predictor errs, no sequence is right as a whole. */
    char *exact =
        t->loss_perfect > 0
            ? xstrdup("")
            : xformat(", \\\n     '' using 1:3 every ::1 with linespoints linewidth 2 pointtype 5 "
                      "linecolor rgb '%s' title 'whole sequences right'",
                      plot_color[1]);
    char *script = xformat(
        "set datafile separator comma\nset title '%s on %s, trained up to length %d'\n"
        "set xlabel 'length (steps)'\nset ylabel '%s'\nset logscale x 2\nset yrange [0:1.05]\n"
        "set grid linetype 1 linecolor rgb '#dddddd'\nset key bottom left\n"
        "plot 'by_length.csv' using 1:2 every ::1 with linespoints linewidth 2 pointtype 7 "
        "linecolor "
        "rgb '%s' title '%s'%s, \\\n     %g with lines dashtype 2 linecolor rgb '%s' title 'chance "
        "%g'\n",
        e->model, t->name, t->length, t->metric, plot_color[5], t->metric, exact, t->metric_chance,
        plot_color[7], t->metric_chance);
    write_text(e, "by_length.gp", script);
    free(csv), free(exact), free(script);
}

static void draw_figures(const Evaluator *e, const ByLength *b)
{
    if (strcmp(e->config->plot, "none") == 0 || !e->dir) return;
    if (b->n) write_by_length(e, b);
    draw(e, "loss");
    draw(e, "by_length");
    draw(e, "trace");
    draw(e, "gates");
}

void evaluator_report(Evaluator *e, const Model *m, const Params *ps)
{
    Score s = {0};
    e->model = m->name;
    data_evaluate(&e->data, m, SPLIT_TEST, e->run.seq_len, e->config->examples, 0, &s);
    const ByLength b = by_length(e, m);
    if (e->config->json)
        print_json(e, &s, &b, ps);
    else
        print_report(e, &s, &b, ps);
    if (e->data.is_text && !e->config->json && m->state_size) print_samples(e, m);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        evaluator_fail(e, EXIT_FAILED, "standard output: cannot write; is the disk full?");
        return;
    }
    draw_figures(e, &b);
}
