/* The output of an eval program: scores, the report or its JSON object. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "models/evaluate.h"
#include "models/model_decoder.h"
#include "programs/evaluator_report.h"
#include "system/stop.h"

/* --- scoring ------------------------------------------------------------------------------------------ */

static Findings find(const Evaluator *e, const Model *m)
{
    Findings r = {.model = m->name, .data = &e->data, .ngram.loss = NAN};
    const Task *t = &e->data.task;
    const int examples = e->config->examples;
    if (data_is_running(&e->data) && !m->state_size)
        r.window = data_window(&e->data, m, e->run.seq_len);
    data_evaluate(&e->data, m, SPLIT_TEST, e->run.seq_len, examples, 0, &r.all);
    if (!e->whole) r.ngram = ngram_level(&e->data); /* else there is no training text to count */
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

/* Returns the bits of the scored tokens divided by the bytes of these tokens. */
static double bits_per_byte(const Text *t, const Score *s)
{
    CHECK(s->scored == (double)t->scored, "bits/byte: %.0f of %lld tokens are scored", s->scored,
          (long long)t->scored);
    return s->loss / log(2) / (double)t->scored_bytes;
}

/* Prints bits per byte. For a model of words the figure is too low: the tokenizer drops capitals and white
 * space, and "<unk>" is easier to predict than the word. */
static void print_bits_per_byte(const Text *t, const Score *s)
{
    printf("  %-14s %10.4f", "bits/byte", bits_per_byte(t, s));
    if (tokenizer_of_words(&t->tokens))
        printf("   (lower case, %.2f%% of the words unknown: not comparable with characters)",
               100 * text_unknown(t, SPLIT_TEST));
    putchar('\n');
}

typedef struct {
    char text[512];
} DataName;

/* Returns the name of the data that is scored, as a terminal may read it. */
static DataName scored_data(const Evaluator *e)
{
    DataName name = {""};
    const char *valid = e->data.is_text ? e->run.valid : NULL;
    say_escape(name.text, sizeof name.text, valid ? valid : data_name(&e->run));
    return name;
}

/* Says which part of which file the scores are over. */
static void print_part(const Evaluator *e)
{
    const Text *t = &e->data.text;
    const DataName name = scored_data(e);
    const char *file = name.text;
    if (t->by_line && !e->run.valid)
        printf("  scored: %d of the %d lines of %s, one in ten\n", t->lines[SPLIT_VALID],
               t->lines[SPLIT_TRAIN] + t->lines[SPLIT_VALID], file);
    else if (t->by_line)
        printf("  scored: all %d lines of %s\n", t->lines[SPLIT_VALID], file);
    else if (t->held_bytes == t->held_file)
        printf("  scored: all %lld bytes of %s\n", (long long)t->held_file, file);
    else
        printf("  scored: the last %lld of the %lld bytes of %s\n", (long long)t->held_bytes,
               (long long)t->held_file, file);
}

/* Says which part of the held-out data the report is over, if it is not all of it, and how much of the past
 * the model sees. */
static void print_scored(const Evaluator *e, const Findings *r)
{
    const Data *d = &e->data;
    const TextCut *cut = &d->text.cut[SPLIT_VALID];
    const int pairs = d->pairs.is_table ? d->pairs.n[SPLIT_TEST] : 0;
    if (data_is_running(d) && !r->window)
        printf("  in one stream: each token is predicted from all tokens before it\n");
    else if (data_is_running(d))
        printf("  in windows of %d tokens: each is predicted from those before it in its window\n",
               r->window);
    if (cut->lines)
        printf("  not scored: %d tokens of %d lines, beyond the first %d of a line\n", cut->tokens,
               cut->lines, d->text.length);
    if (r->ngram.trained && r->ngram.trained < d->text.n[SPLIT_TRAIN] - d->text.by_line)
        printf("  the %d-gram is counted on the first %d of %d training tokens\n", r->ngram.n,
               r->ngram.trained, d->text.n[SPLIT_TRAIN]);
    if (r->all.sequences < pairs)
        printf("  the first %.0f of %d held-out pairs\n", r->all.sequences, pairs);
}

static void print_report(const Evaluator *e, const Findings *r, const Params *ps)
{
    const Score *s = &r->all;
    const Task *t = &e->data.task;
    const char *metric = data_metric_name(&e->data);
    const double loss = s->loss / s->scored;
    char counting[16];
    const DataName name = scored_data(e);
    snprintf(counting, sizeof counting, "%d-gram", r->ngram.n);
    printf("%s on %s: %zu parameters, %.0f held-out %s\n", e->model, name.text, ps->count,
           t->outputs ? s->scored : s->sequences, t->outputs ? "tokens" : "sequences");
    if (e->data.is_text) print_part(e);
    print_scored(e, r);
    putchar('\n');
    printf("  %-14s %10s %14s\n", "", t->outputs ? "loss (nats)" : "mse", metric);
    print_level("this model", loss, data_metric(&e->data, s));
    print_level("chance", t->loss_chance, t->metric_chance);
    print_level(counting, r->ngram.loss, r->ngram.loss / log(2));
    print_level("best possible", s->bayes / s->scored, t->metric_perfect);
    if (t->outputs) printf("  %-14s %10.4f\n", "perplexity", exp(loss));
    if (e->data.is_pairs)
        printf("  %-17s %7.4f   (after the true tokens before each)\n", "sequence accuracy",
               s->right / s->sequences);
    if (e->data.is_text) print_bits_per_byte(&e->data.text, s);
    for (int k = 0; k < LEN(s->split_asked); k++)
        if (s->split_asked[k] > 0)
            printf("  %s with %d %s%s: %.4f of %.0f\n", metric, k, t->class_name, k == 1 ? "" : "s",
                   s->split_hits[k] / s->split_asked[k], s->split_asked[k]);
    if (r->n) printf("\n  %8s %10s %14s %18s\n", "length", "loss", metric, "sequence accuracy");
    for (int i = 0; i < r->n; i++)
        printf("  %8d %10.4f %14.4f %18.4f\n", r->length[i], r->at[i].loss / r->at[i].scored,
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
    if (e->data.is_pairs) evaluator_set_number(o, "sequence_accuracy", s->right / s->sequences);
    if (e->data.is_text) {
        evaluator_set_number(o, "ngram_loss", r->ngram.loss);
        evaluator_set_number(o, "bits_per_byte", bits_per_byte(&e->data.text, s));
        json_object_set_new(o, "heldout_bytes", json_integer(e->data.text.held_bytes));
        json_object_set_new(o, "text_bytes", json_integer(e->data.text.held_file));
        evaluator_set_number(o, "unknown", text_unknown(&e->data.text, SPLIT_TEST));
        json_object_set_new(o, "cut_lines", json_integer(e->data.text.cut[SPLIT_VALID].lines));
        json_object_set_new(o, "cut_tokens", json_integer(e->data.text.cut[SPLIT_VALID].tokens));
    }
    if (data_is_running(&e->data)) json_object_set_new(o, "window", json_integer(r->window));
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

/* --- all of it ---------------------------------------------------------------------------------------- */

static bool score(Evaluator *e, const Model *m, const Params *ps, Findings *r)
{
    *r = find(e, m);
    if (evaluator_stopped(e)) return false;
    if (!isfinite(r->all.loss)) {
        evaluator_fail_numeric(e, ps, "the loss on held-out data");
        return false;
    }
    data_warn(&e->data, e->usage->program, false);
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
    if (evaluator_flush(e) && e->config->score && !evaluator_stopped(e)) evaluator_figures(e, &r);
}
