/* The output of an eval program: scores, the report or its JSON object, figures. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "measure/ngram_level.h"
#include "models/evaluate.h"
#include "models/model_decoder.h"
#include "programs/evaluator.h"
#include "system/file.h"
#include "system/noted.h"
#include "system/plot.h"
#include "system/stop.h"
#include "programs/runlog_script.h"
#include "models/trace.h"

/* --- scoring ------------------------------------------------------------------------------------------ */

enum { MAX_LENGTHS = LEN(((Task *)NULL)->lengths) };

typedef struct {
    const char *model;
    const Data *data;
    Score all;
    int n, length[MAX_LENGTHS]; /* of a task with several sequence lengths */
    Score at[MAX_LENGTHS];      /* scores at length[i] */
    NgramLevel ngram;
} Findings;

static Findings find(const Evaluator *e, const Model *m)
{
    Findings r = {.model = m->name, .data = &e->data, .ngram.loss = NAN};
    const Task *t = &e->data.task;
    const int examples = e->config->examples;
    data_evaluate(&e->data, m, SPLIT_TEST, e->run.seq_len, examples, 0, &r.all);
    if (!e->config->import)
        r.ngram = ngram_level(&e->data); /* foreign weights were trained on another text */
    if (e->data.is_text || t->n_lengths < 2) return r;
    for (; r.n < t->n_lengths && !stop_requested(); r.n++) {
        r.length[r.n] = t->lengths[r.n];
        data_evaluate(&e->data, m, SPLIT_TEST, r.length[r.n], examples, 0, &r.at[r.n]);
    }
    return r;
}

/* --- the report -------------------------------------------------------------------------------------- */

static void print_level(const char *name, double loss, double value)
{
    if (isnan(loss) && isnan(value)) return;
    printf("  %-14s %10.4f", name, loss);
    if (!isnan(value)) printf(" %14.4f", value);
    putchar('\n');
}

/* Prints bits per byte. For a model of words the figure is too low: the tokenizer drops capitals and white
 * space, and "<unk>" is easier to predict than the word. */
static void print_bits_per_byte(const Text *t, double loss)
{
    printf("  %-14s %10.4f", "bits/byte", loss / log(2) / t->bytes_per_token);
    if (tokenizer_of_words(&t->tokens))
        printf("   (lower case, %.2f%% of the words unknown: not comparable with characters)",
               100 * text_unknown(t, SPLIT_TEST));
    putchar('\n');
}

static void print_report(const Evaluator *e, const Findings *r, const Params *ps)
{
    const Score *s = &r->all;
    const Task *t = &e->data.task;
    const char *metric = data_metric_name(&e->data);
    const double loss = s->loss / s->scored;
    char counting[16];
    snprintf(counting, sizeof counting, "%d-gram", r->ngram.n);
    printf("%s on %s: %zu parameters, %.0f held-out %s\n\n", e->model, data_name(&e->run),
           ps->count, t->outputs ? s->scored : s->sequences, t->outputs ? "tokens" : "sequences");
    printf("  %-14s %10s %14s\n", "", t->outputs ? "loss (nats)" : "mse", metric);
    print_level("this model", loss, data_metric(&e->data, s));
    print_level("chance", t->loss_chance, t->metric_chance);
    print_level(counting, r->ngram.loss, r->ngram.loss / log(2));
    print_level("best possible", s->bayes / s->scored, t->metric_perfect);
    if (t->outputs) printf("  %-14s %10.4f\n", "perplexity", exp(loss));
    if (e->data.is_pairs) printf("  %-14s %10.4f\n", "exact match", s->right / s->sequences);
    if (e->data.is_text) print_bits_per_byte(&e->data.text, loss);
    for (int k = 0; k < LEN(s->split_asked); k++)
        if (s->split_asked[k] > 0)
            printf("  %s with %d %s%s: %.4f of %.0f\n", metric, k, t->class_name, k == 1 ? "" : "s",
                   s->split_hits[k] / s->split_asked[k], s->split_asked[k]);
    if (r->n) printf("\n  %8s %10s %14s %14s\n", "length", "loss", metric, "exact match");
    for (int i = 0; i < r->n; i++)
        printf("  %8d %10.4f %14.4f %14.4f\n", r->length[i], r->at[i].loss / r->at[i].scored,
               data_metric(&e->data, &r->at[i]), r->at[i].right / r->at[i].sequences);
}

void evaluator_set_number(json_t *o, const char *key, double x)
{
    json_object_set_new(o, key, isfinite(x) ? json_real(x) : json_null());
}

void evaluator_set_seed(json_t *o, uint64_t seed)
{
    const Option option[] = {OPTION("seed", &seed, 0, 0x1p64, "")};
    json_t *config = args_to_json(option, LEN(option));
    json_object_update(o, config);
    json_decref(config);
}

/* Sets "value_by_shot", or the like: the metric of each subclass. */
static void set_classes(json_t *o, const Task *t, const Score *s)
{
    json_t *value = json_object();
    char key[64], class[16];
    for (int k = 0; k < LEN(s->split_asked); k++) {
        snprintf(class, sizeof class, "%d", k);
        if (s->split_asked[k] > 0)
            evaluator_set_number(value, class, s->split_hits[k] / s->split_asked[k]);
    }
    snprintf(key, sizeof key, "value_by_%s", t->class_name);
    json_object_set_new(o, key, value);
}

static void print_json(const Evaluator *e, const Findings *r, const Params *ps)
{
    const Score *s = &r->all;
    const Task *t = &e->data.task;
    json_t *o = json_object(), *exact = json_object(), *value = json_object();
    json_object_set_new(o, "arch", json_string(e->model));
    json_object_set_new(o, "task", json_string(t->name));
    evaluator_set_number(o, "loss", s->loss / s->scored);
    evaluator_set_number(o, "loss_chance", t->loss_chance);
    evaluator_set_number(o, "loss_perfect", s->bayes / s->scored);
    json_object_set_new(o, "metric", json_string(data_metric_name(&e->data)));
    evaluator_set_number(o, "value", data_metric(&e->data, s));
    evaluator_set_number(o, "chance", t->metric_chance);
    evaluator_set_number(o, "perfect", t->metric_perfect);
    if (t->outputs) evaluator_set_number(o, "perplexity", exp(s->loss / s->scored));
    if (e->data.is_pairs) evaluator_set_number(o, "exact", s->right / s->sequences);
    if (e->data.is_text) {
        evaluator_set_number(o, "ngram_loss", r->ngram.loss);
        evaluator_set_number(o, "bits_per_byte",
                             s->loss / s->scored / log(2) / e->data.text.bytes_per_token);
        evaluator_set_number(o, "unknown", text_unknown(&e->data.text, SPLIT_TEST));
    }
    json_object_set_new(o, "examples", json_integer((json_int_t)s->sequences));
    json_object_set_new(o, "tokens", json_integer((json_int_t)s->scored));
    json_object_set_new(o, "parameters", json_integer((json_int_t)ps->count));
    evaluator_set_seed(o, e->seed);
    for (int i = 0; i < r->n; i++) {
        char length[16];
        snprintf(length, sizeof length, "%d", r->length[i]);
        evaluator_set_number(exact, length, r->at[i].right / r->at[i].sequences);
        evaluator_set_number(value, length, data_metric(&e->data, &r->at[i]));
    }
    if (t->class_name) set_classes(o, t, s);
    json_object_set_new(o, "by_length", exact);
    json_object_set_new(o, "value_by_length", value);
    if (e->extra) json_object_update(o, e->extra);
    json_dumpf(o, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
    putchar('\n');
    json_decref(o);
}

/* --- a model that is not finite ----------------------------------------------------------------------- */

/* --- figures ------------------------------------------------------------------------------------------ */

bool evaluator_write(const Evaluator *e, const char *name, void (*print)(FILE *f, const void *arg),
                     const void *arg)
{
    Error err;
    char *path = xformat("%s/%s", e->dir, name);
    noted_add(e->dir, name);
    const bool ok = file_print(path, print, arg, &err);
    if (!ok) evaluator_warn(e, err.text);
    free(path);
    return ok;
}

static void note_figure(const char *dir, const char *name, const char *kind)
{
    char *script = xformat("%s.gp", name), *picture = xformat("%s.%s", name, kind);
    noted_add(dir, script), noted_add(dir, picture);
    free(script), free(picture);
}

void evaluator_draw(Evaluator *e, const char *name, int width, int height)
{
    const char *kind = e->config->plot;
    char *script = xformat("%s/%s.gp", e->dir, name);
    char *picture = xformat("%s/%s.%s", e->dir, name, kind);
    note_figure(e->dir, name, kind);
    if (plot_draw(script, picture, kind, width, height) && file_exists(picture)) {
        char *before = e->pictures;
        e->pictures = xformat("%s %s.%s", before ? before : "", name, kind);
        free(before);
    }
    free(script), free(picture);
}

static void print_lengths(FILE *f, const void *arg)
{
    const Findings *r = arg;
    fputs("length,value,exact\n", f);
    for (int i = 0; i < r->n; i++)
        fprintf(f, "%d,%.6f,%.6f\n", r->length[i], data_metric(r->data, &r->at[i]),
                r->at[i].right / r->at[i].sequences);
}

static void print_lengths_script(FILE *f, const void *arg)
{
    const Findings *r = arg;
    const Task *t = &r->data->task;
    fprintf(f,
            "set datafile separator comma\nset title '%s on %s, trained up to length %d'\n"
            "set xlabel 'length (steps)'\nset ylabel '%s'\nset logscale x 2\n"
            "set yrange [0:1.05]\n" PLOT_GRID PLOT_KEY_BELOW
            "plot 'by_length.csv' using 1:2 every ::1 with linespoints linewidth 2 pointtype 7 "
            "linecolor rgb '%s' title '%s'",
            r->model, t->name, t->length, t->metric, plot_color[5], t->metric);
    /* If even the best predictor makes errors, no sequence is right as a whole. */
    if (!(t->loss_perfect > 0))
        fprintf(f,
                ", \\\n     '' using 1:3 every ::1 with linespoints linewidth 2 pointtype 5 "
                "linecolor rgb '%s' title 'whole sequences right'",
                plot_color[1]);
    fprintf(f, ", \\\n     %g with lines dashtype 2 linecolor rgb '%s' title 'chance %.3g'\n",
            t->metric_chance, plot_color[7], t->metric_chance);
}

static void draw_lengths(Evaluator *e, const Findings *r)
{
    if (r->n && evaluator_write(e, "by_length.csv", print_lengths, r) &&
        evaluator_write(e, "by_length.gp", print_lengths_script, r))
        evaluator_draw(e, "by_length", 900, 600);
}

/* Returns true if training wrote DIR/name.csv. */
static bool has_csv(const Evaluator *e, const char *name)
{
    char *path = xformat("%s/%s.csv", e->dir, name);
    const bool there = file_exists(path);
    free(path);
    return there;
}

/* Draws the loss again. With --text or --valid it does not: log.csv has the losses on the data of the run,
 * and the levels in the figure would be those of other data. */
static void draw_loss(Evaluator *e, const Findings *r)
{
    if (e->config->text || e->config->valid || !has_csv(e, "log")) return;
    Error err;
    const LossFigure figure = {e->model, &e->run, &e->data, r->ngram};
    if (runlog_script(e->dir, &figure, &err))
        evaluator_draw(e, "loss", 900, 600);
    else
        evaluator_warn(e, err.text);
}

static void draw_trace(Evaluator *e, const char *name, bool (*script)(const char *dir, Error *err))
{
    Error err;
    if (!has_csv(e, name)) return;
    if (script(e->dir, &err))
        evaluator_draw(e, name, 900, 600);
    else
        evaluator_warn(e, err.text);
}

static void draw_figures(Evaluator *e, const Findings *r)
{
    if (strcmp(e->config->plot, "none") == 0 || !e->dir) return;
    draw_loss(e, r);
    draw_lengths(e, r);
    draw_trace(e, "trace", trace_lags_script);
    draw_trace(e, "gates", trace_gates_script);
}

/* --- all of it ---------------------------------------------------------------------------------------- */

static bool score(Evaluator *e, const Model *m, const Params *ps, Findings *r)
{
    *r = find(e, m);
    if (evaluator_stopped(e)) return false;
    if (!isfinite(r->all.loss)) {
        evaluator_fail_numeric(e, ps, "the loss on held-out data");
        return false;
    }
    if (e->config->json)
        print_json(e, r, ps);
    else
        print_report(e, r, ps);
    return true;
}

void evaluator_report(Evaluator *e, const Model *m, const Params *ps)
{
    Findings r;
    e->model = m->name;
    if (e->status != EXIT_OK || evaluator_stopped(e)) return;
    if (e->config->ask) {
        if (e->data.is_text)
            evaluator_continue_lines(e, m, ps);
        else
            evaluator_fail(e, EXIT_USAGE, "--interactive: the run is of no text; leave it out");
        return;
    }
    if (e->config->score && !score(e, m, ps, &r)) return;
    if (e->data.is_text && !e->config->json && model_decodes(m)) evaluator_sample(e, m, ps);
    if (evaluator_flush(e) && e->config->score && !evaluator_stopped(e)) draw_figures(e, &r);
}
