/* Counts n-grams for n = 1, 2, ... and shows what held-out text says about each: the loss on the
 * training text goes on falling with n, that on held-out text falls and then rises again, where
 * more and more contexts are ones never seen (lesson 03; Shannon 1951). */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "programs/evaluator.h"
#include "system/file.h"
#include "measure/ngram_level.h"
#include "system/plot.h"
#include "decoding/sample.h"
#include "system/utf8.h"
#include "tokens/detokenizer.h"

enum { LARGEST_N = 6 };

typedef struct {
    DataConfig data;
    Sampling sampling;
    int n_max, samples, sample_len;
    double smoothing;
    uint64_t seed;
    const char *out, *plot;
    bool json;
} NgramConfig;

static const Usage usage = {
    .program = "lessons/03-counting",
    .about =
        "Language models that only count: n-grams of 1 to --n-max tokens with Lidstone smoothing, "
        "their loss on training and held-out text, and samples from the best of them.",
    .operands = "",
    .examples = "  ./lessons/03-counting --samples 10\n"
                "  ./lessons/03-counting --text README.md --unit byte --n-max 5\n"
                "  ./lessons/03-counting --plot dumb --smoothing 0.01\n",
};

typedef struct {
    int V, first;   /* outcomes, and the id of the first of them (ngram.h) */
    const int *ids; /* (len) the training text, without the newline before the first line */
    int len;
    int newline;
} Tokens;

typedef struct {
    int n;
    int64_t contexts;
    double train, valid; /* nats per token */
} Row;

typedef struct {
    Row row[LARGEST_N];
    int n, best; /* rows; index of the one with the least held-out loss */
    Ngram model; /* of the best row */
} Result;

/* --- counting --------------------------------------------------------------------------------- */

static Tokens tokens_of(const Text *t)
{
    Tokens k = {.newline = tokenizer_id(&t->tokens, "\n"),
                .ids = t->ids[SPLIT_TRAIN] + t->by_line,
                .len = t->n[SPLIT_TRAIN] - t->by_line};
    k.V = text_outcomes(t, &k.first);
    return k;
}

/* Newlines fill the contexts that reach before the start, so that every n scores the same tokens. */
static Result count(const Text *t, const Tokens *k, int n_max, double smoothing)
{
    Result r = {.n = n_max};
    for (int i = 0; i < n_max; i++) {
        Ngram m = ngram_train(i + 1, k->first, k->V, smoothing, k->ids, k->len, k->newline);
        r.row[i] = (Row){i + 1, ngram_contexts(&m), ngram_text_loss(&m, t, SPLIT_TRAIN, k->newline),
                         ngram_text_loss(&m, t, SPLIT_VALID, k->newline)};
        if (i == 0 || r.row[i].valid < r.row[r.best].valid) {
            ngram_free(&r.model);
            r.model = m;
            r.best = i;
        } else {
            ngram_free(&m);
        }
    }
    return r;
}

/* --- report ----------------------------------------------------------------------------------- */
static double bits(double nats)
{
    return nats / log(2); /* eq 3.4 */
}

static void print_table(const Result *r, const Data *d, const Tokens *k)
{
    printf("%d %ss to learn from, %lld held out\n\n", k->len, tokenizer_item(&d->text.tokens),
           (long long)d->text.scored);
    printf("%2s %10s %12s %12s %10s %11s\n", "n", "contexts", "train nats", "valid nats",
           "valid bits", "perplexity");
    for (int i = 0; i < r->n; i++) {
        const Row *w = &r->row[i];
        printf("%2d %10lld %12.4f %12.4f %10.4f %11.3f%s\n", w->n, (long long)w->contexts, w->train,
               w->valid, bits(w->valid), exp(w->valid) /* eq 3.3 */, i == r->best ? "  best" : "");
    }
    printf("   %10s %12.4f %12.4f %10.4f %11.3f  uniform, ln %d\n", "-", log(k->V), log(k->V),
           log2(k->V), (double)k->V, k->V);
}

static json_t *rows_to_json(const Result *r)
{
    json_t *rows = json_array();
    for (int i = 0; i < r->n; i++) {
        json_t *o = json_object();
        json_object_set_new(o, "n", json_integer(r->row[i].n));
        json_object_set_new(o, "contexts", json_integer(r->row[i].contexts));
        evaluator_set_number(o, "train_loss", r->row[i].train);
        evaluator_set_number(o, "valid_loss", r->row[i].valid);
        json_array_append_new(rows, o);
    }
    return rows;
}

static void print_json(const Result *r, const NgramConfig *c, const Data *d, const Tokens *k)
{
    const Row *best = &r->row[r->best];
    json_t *o = json_object();
    json_object_set_new(o, "arch", json_string("ngram"));
    json_object_set_new(o, "task", json_string(d->task.name));
    evaluator_set_number(o, "loss", best->valid);
    json_object_set_new(o, "metric", json_string(data_metric_name(d)));
    evaluator_set_number(o, "value", bits(best->valid));
    evaluator_set_number(o, "chance", log2(k->V));
    json_object_set_new(o, "perfect", json_null());
    json_object_set_new(o, "examples", json_integer(d->text.scored));
    json_object_set_new(o, "parameters", json_integer(best->contexts * k->V));
    evaluator_set_seed(o, c->seed);
    json_object_set_new(o, "n", json_integer(best->n));
    evaluator_set_number(o, "smoothing", c->smoothing);
    json_object_set_new(o, "by_n", rows_to_json(r));
    json_dumpf(o, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(o);
}

/* --- samples ---------------------------------------------------------------------------------- */

/* A place of the training text to go on from, behind a newline where there is one. */
static int starting_place(const Tokens *k, int n, Rng *rng)
{
    int at = n + rng_below(rng, k->len - n + 1);
    while (at < k->len && k->ids[at - 1] != k->newline) at++;
    return at;
}

static void print_sample(const Ngram *m, const Data *d, const Tokens *k, const NgramConfig *c,
                         int index)
{
    const int before = m->n - 1;
    Rng rng = rng_make(c->seed, RNG_SAMPLE, (uint32_t)index);
    Utf8Printer printer = {0};
    const Tokenizer *v = &d->text.tokens;
    Detokenizer text = detokenizer_new(v);
    int *ids = xmalloc(((size_t)before + c->sample_len) * sizeof *ids);
    double *p = xmalloc(k->V * sizeof *p);
    real *logits = xmalloc(k->V * sizeof *logits);
    const int place = starting_place(k, m->n, &rng);
    memcpy(ids, k->ids + place - before, before * sizeof *ids);

    for (int t = before; t < before + c->sample_len; t++) {
        ngram_next(m, ids, t, k->newline, p);
        for (int i = 0; i < k->V; i++) logits[i] = (real)log(p[i]);
        if (v->unk >= k->first) logits[v->unk - k->first] = -INFINITY; /* never drawn */
        ids[t] = k->first + sample_token(logits, k->V, &c->sampling, &rng);
        if (c->data.lines && ids[t] == k->newline) break;
        detokenizer_put(&text, ids[t]);
        utf8_print(&printer, text.text, text.len, stdout);
        text.len = 0;
    }
    detokenizer_end(&text);
    utf8_print(&printer, text.text, text.len, stdout);
    detokenizer_free(&text);
    utf8_flush(&printer, stdout);
    putchar('\n');
    free(ids), free(p), free(logits);
}

/* --- the picture ------------------------------------------------------------------------------ */
typedef struct {
    const Result *result;
    const NgramConfig *config;
    const Tokens *tokens;
} Figure;

static void print_csv(FILE *f, const void *arg)
{
    const Result *r = ((const Figure *)arg)->result;
    fputs("n,contexts,train_loss,valid_loss\n", f);
    for (int i = 0; i < r->n; i++)
        fprintf(f, "%d,%lld,%.6f,%.6f\n", r->row[i].n, (long long)r->row[i].contexts,
                r->row[i].train, r->row[i].valid);
}

static void print_script(FILE *f, const void *arg)
{
    const Figure *figure = arg;
    const char *text = figure->config->data.text;
    const int V = figure->tokens->V;
    char *title = xformat("counting n-grams of %s", text ? text : "places.tsv");
    char *quoted = plot_quote(title);
    fprintf(f,
            "set datafile separator comma\nset title %s\nset xlabel 'n (tokens counted together)'\n"
            "set ylabel 'loss (nats per token)'\n" PLOT_GRID
            "set xtics 1\nset xrange [0.8:%d.2]\nset yrange [0:*]\nset key bottom left\n"
            "plot 'ngram.csv' using 1:3 every ::1 with linespoints linewidth 2 pointtype 6 "
            "linecolor rgb '%s' title 'training', \\\n"
            "     '' using 1:4 every ::1 with linespoints linewidth 2 pointtype 7 linecolor rgb "
            "'%s' title 'validation', \\\n"
            "     %.6f with lines dashtype 2 linewidth 1.5 linecolor rgb '%s' title 'uniform, ln "
            "%d'\n",
            quoted, figure->result->n, plot_color[5], plot_color[1], log(V), plot_color[7], V);
    free(title), free(quoted);
}

static bool draw(const Result *r, const NgramConfig *c, const Tokens *k, Error *err)
{
    const Figure figure = {r, c, k};
    char *csv = xformat("%s/ngram.csv", c->out), *script = xformat("%s/ngram.gp", c->out);
    char *picture = xformat("%s/ngram.%s", c->out, c->plot);
    const bool ok = dir_make(c->out, err) && file_print(csv, print_csv, &figure, err) &&
                    file_print(script, print_script, &figure, err);
    const bool shown = !(c->json && strcmp(c->plot, "dumb") == 0); /* stdout is the object's */
    if (ok && shown) plot_draw(script, picture, c->plot, 900, 600);
    free(csv), free(script), free(picture);
    return ok;
}

/* --- the program ------------------------------------------------------------------------------ */
static bool open_data(Data *d, NgramConfig *c, Error *err)
{
    c->data.seq_len = c->data.lines ? INT_MAX : c->n_max; /* counting cuts no line */
    if (!data_open(d, &c->data, NULL, err)) return false;
    data_warn_faults(d, usage.program);
    data_warn(d, usage.program, true);
    const Text *t = &d->text;
    const int train = t->n[SPLIT_TRAIN], valid = t->n[SPLIT_VALID];
    return (train > c->n_max && valid > c->n_max) ||
           error_set(err,
                     "%d tokens to learn from and %d held out are too few for --n-max %d; give "
                     "a longer text",
                     train, valid, c->n_max);
}

static bool run(NgramConfig *c, Error *err)
{
    Data d = {0};
    bool ok = open_data(&d, c, err);
    if (ok) {
        const Tokens k = tokens_of(&d.text);
        Result r = count(&d.text, &k, c->n_max, c->smoothing);
        if (c->json)
            print_json(&r, c, &d, &k);
        else
            print_table(&r, &d, &k);
        if (c->samples && !c->json)
            printf("\nsamples, n = %d, temperature %g:\n", r.model.n, c->sampling.temperature);
        for (int i = 0; i < c->samples && !c->json; i++) print_sample(&r.model, &d, &k, c, i);
        ok = draw(&r, c, &k, err);
        ngram_free(&r.model);
    }
    data_close(&d);
    return ok;
}

int main(int argc, char **argv)
{
    NgramConfig c = {.data = data_defaults(),
                     .sampling = {.temperature = 1, .top_p = 1},
                     .n_max = LARGEST_N,
                     .sample_len = 300,
                     .smoothing = 0.1,
                     .seed = 1337,
                     .out = "runs/ngram",
                     .plot = "png"};
    Option option[] = {
        OPTION_GROUP("Data"),
        OPTION_STRING("text", &c.data.text,
                      "text file, any UTF-8, - for standard input (default: "
                      "common/data/places.tsv, with --lines)"),
        OPTION_FLAG("lines", &c.data.lines, "the text has one item per line, as lists of names do"),
        OPTION_STRING("valid", &c.data.valid, "validation file (default: part of the text)"),
        OPTION("heldout", &c.data.heldout, 0.001, 0.9, "part of a running text held out, its end"),
        OPTION_CHOICE("unit", &c.data.unit, TOKEN_UNITS,
                      "what one token is (word: only those that occur twice get an id)"),
        OPTION("vocab-limit", &c.data.vocab_limit, 0, 10000000,
               "number of tokens that get an id, the most frequent ones (0: all)"),
        OPTION_GROUP("Counting"),
        OPTION("n-max", &c.n_max, 1, LARGEST_N, "the longest n-grams"),
        OPTION("smoothing", &c.smoothing, 0, 1e6, "added to every count"),
        OPTION_GROUP("Sampling"),
        OPTION("samples", &c.samples, 0, 100000, "texts to sample from the best n"),
        OPTION("sample-len", &c.sample_len, 1, 10000000, "tokens of a sample, at most"),
        OPTION("temperature", &c.sampling.temperature, 0, 100, "0: always the most likely token"),
        OPTION("top-k", &c.sampling.top_k, 0, 10000000, "only the k most likely tokens (0: all)"),
        OPTION("top-p", &c.sampling.top_p, 0, 1,
               "only the most likely tokens of total probability p"),
        OPTION("seed", &c.seed, 0, 0x1p64, "of the samples"),
        OPTION_GROUP("Output"),
        OPTION_STRING("out", &c.out, "directory of ngram.csv and the picture"),
        OPTION_FLAG("json", &c.json, "one JSON object instead of the table"),
        OPTION_CHOICE("plot", &c.plot, "png|svg|dumb|none", "the picture: loss against n"),
    };
    int operand;
    const int status = args_parse(argc, argv, option, LEN(option), &usage, &operand);
    if (status >= 0) return status;
    Error err;
    if (!c.data.text) c.data.lines = true; /* the default is a list of places */
    if (!data_options_fit(&c.data, option, LEN(option), &err))
        return say("%s: error: %s\n", usage.program, err.text), EXIT_USAGE;
    bool ok = run(&c, &err);
    if (fflush(stdout) != 0 && ok) ok = error_set(&err, "standard output cannot be written");
    if (!ok) say("%s: error: %s\n", usage.program, err.text);
    return ok ? EXIT_OK : EXIT_FAILED;
}
