/* Lesson 05: a neural language model (Bengio, Ducharme, Vincent & Jauvin 2003), and what decides
 * whether it learns: how it starts, how it steps, how far it steps.
 *
 *   e = embed[x_1] .. embed[x_N]     the last N characters, each a learned vector of C numbers
 *   h = tanh(e W + b)                H features of them together
 *   z = h U + c                      a logit for each of V characters; softmax gives probabilities
 *
 * Unlike the counts of lesson 03 it can answer for a context that it never saw, when it has seen
 * one with similar vectors. The paper's direct connections from e to z are left out.
 *
 * Shapes: B examples, N context, C channels, H hidden, V vocabulary. See lessons/05-training.md. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "decoding/sample.h"
#include "lessons/nplm.h"
#include "system/file.h"
#include "math/parallel.h"
#include "system/plot.h"
#include "system/utf8.h"

static const Usage usage = {
    .program = "lessons/05-training",
    .about =
        "Trains the neural language model of Bengio et al. (2003) on a list of lines, and shows "
        "what its start, its optimiser and its learning rate do.",
    .operands = "",
    .examples = "  ./lessons/05-training --out runs/l05 --overwrite\n"
                "  ./lessons/05-training --experiment sweep --out runs/l05 --overwrite\n",
};

static Config defaults(void)
{
    Config c = {.data = data_defaults(),
                .experiment = "train",
                .optimizer = "adamw",
                .out = "runs/l05",
                .plot = "png",
                .context = 3,
                .channels = 10,
                .hidden = 200,
                .batch = 128,
                .threads = 1,
                .warmup = 100,
                .lr = 0.01,
                .init = 1,
                .init_last = 0.1,
                .seed = 1337};
    c.data.lines = true;
    return c;
}

/* --- tables and pictures ------------------------------------------------------------------------ */

typedef struct {
    FILE *f;
    char *text;
    size_t len;
} Sheet;

static FILE *sheet_open(Sheet *s)
{
    s->f = open_memstream(&s->text, &s->len);
    CHECK(s->f, "open_memstream failed");
    return s->f;
}

static const char SETTINGS[] =
    "set datafile separator comma\nset key autotitle columnhead\nset grid\n"
    "set linetype 1 lc rgb '#0072b2' lw 2\nset linetype 2 lc rgb '#d55e00' lw 2\n"
    "set linetype 3 lc rgb '#009e73' lw 2\nset linetype 4 lc rgb '#cc79a7' lw 2\n";

/* Writes NAME.csv and NAME.gp, and draws NAME.png with each column against the first, and ln V as
 * the baseline if that makes sense; `more` are commands of this picture alone. */
static bool sheet_draw(const Lab *lab, Sheet *s, const char *name, const char *more,
                       const char *style, bool baseline, Error *err)
{
    const char *kind = lab->c->plot, *out = lab->c->out;
    int columns = 1;
    fclose(s->f);
    for (const char *head = s->text; *head != '\n'; head++) columns += *head == ',';
    char *csv = xformat("%s/%s.csv", out, name), *gp = xformat("%s/%s.gp", out, name);
    char *picture = xformat("%s/%s.%s", out, name, kind);
    char *line = baseline
                     ? xformat(", %.6f with lines dt 2 lc rgb '#000000' title 'ln V'", lab->ln_V)
                     : xstrdup("");
    char *script = xformat("%s%splot for [k=2:%d] '%s.csv' using 1:k with %s lt k-1%s\n", SETTINGS,
                           more, columns, name, style, line);
    const bool ok =
        file_write(csv, s->text, s->len, err) && file_write(gp, script, strlen(script), err);
    if (ok) plot_draw(gp, picture, kind, 900, 540);
    free(csv), free(gp), free(picture), free(line), free(script), free(s->text);
    return ok;
}

/* Mean of the last losses up to step i: single batches are too noisy to compare by eye. */
static double smooth(const double *curve, int steps, int i)
{
    const int from = i > steps / 50 ? i - steps / 50 : 0;
    double sum = 0;
    for (int k = from; k <= i; k++) sum += curve[k];
    return sum / (i - from + 1);
}

static void print_samples(const Lab *lab, const Nplm *m, int samples)
{
    const Sampling plain = {.temperature = 1, .top_p = 1};
    const Tokenizer *v = &lab->data.text.tokens;
    const int newline = tokenizer_id(v, "\n"), N = m->N;
    Tape tp = {.frozen = true};
    for (int s = 0; s < samples; s++) {
        Rng rng = rng_make(lab->c->seed, RNG_SAMPLE, (uint32_t)s);
        int *x = tape_save(&tp, N * sizeof *x), id;
        for (int j = 0; j < N; j++) x[j] = newline;
        printf("  ");
        for (int i = 0; i < 40; i++) {
            char room[2];
            real *logits = nplm_logits(&tp, m, x, 1)->data;
            if (v->unk >= 0) logits[v->unk] = -INFINITY; /* never drawn */
            id = sample_token(logits, lab->V, &plain, &rng);
            if (id == newline) break;
            utf8_show(tokenizer_name(v, id, room), stdout);
            memmove(x, x + 1, (N - 1) * sizeof *x);
            x[N - 1] = id;
        }
        putchar('\n');
        tape_reset(&tp);
    }
    tape_free(&tp);
}

/* --- the experiments: plans side by side, on the same batches ------------------------------------- */

/* Trains a fresh model by each plan, prints how it went, and draws the losses as NAME.png. */
static bool compare(const Lab *lab, const char *name, const Plan *plan, int n, Error *err)
{
    const int steps = plan[0].steps;
    double *curve = xcalloc((size_t)n * steps, sizeof *curve);
    Sheet s;
    fprintf(sheet_open(&s), "step");
    for (int r = 0; r < n; r++) {
        Params ps = params_init(lab->c->seed);
        const Nplm m = nplm_init(&ps, lab, &plan[r]);
        double *c = curve + (size_t)r * steps;
        const double started = clock_seconds(), valid = nplm_train(lab, &plan[r], &ps, &m, c);
        if (n == 1) print_samples(lab, &m, 8);
        printf("%s: starts at %.3f ln V (%.4f)\n", plan[r].label, c[0] / lab->ln_V, c[0]);
        printf("%s: validation %.4f, training %.4f, %d steps, %zu parameters, %.1f s\n",
               plan[r].label, valid, smooth(c, steps, steps - 1), steps, ps.count,
               clock_seconds() - started);
        fprintf(s.f, ",%s", plan[r].label);
        params_free(&ps);
    }
    for (int i = 0; i < steps; i += i < 100 ? 1 : 1 + steps / 250) {
        fprintf(s.f, "\n%d", i);
        for (int r = 0; r < n; r++)
            fprintf(s.f, ",%.5f", smooth(curve + (size_t)r * steps, steps, i));
    }
    free(curve);
    return sheet_draw(
        lab, &s, name,
        "set title 'How fast does the loss fall, and from where?'\nset xlabel 'step'\n"
        "set ylabel 'training loss (nats a character)'\nset key right center\n",
        "lines", true, err);
}

static bool experiment_train(const Lab *lab, const Plan *base, Error *err)
{
    return compare(lab, "train", base, 1, err);
}

static bool experiment_optimizers(const Lab *lab, const Plan *base, Error *err)
{
    Plan plan[4] = {*base, *base, *base, *base};
    plan[0].label = "SGD", plan[0].optimizer = "sgd", plan[0].lr = 0.3;
    plan[1].label = "momentum", plan[1].optimizer = "momentum", plan[1].lr = 0.03;
    plan[2].label = "AdamW", plan[2].optimizer = "adamw", plan[2].lr = 0.003;
    plan[3].label = "AdamW with schedule", plan[3].optimizer = "adamw", plan[3].lr = 0.01;
    for (int r = 0; r < 3; r++) plan[r].min_lr = plan[r].lr, plan[r].warmup = 0; /* constant */
    return compare(lab, "optimizers", plan, LEN(plan), err);
}

enum { BINS = 40 };

/* Counts the values of h at the start, over 1000 examples; returns the share beyond +-0.97. */
static double saturation(const Lab *lab, const Plan *p, double share[BINS])
{
    Params ps = params_init(lab->c->seed);
    const Nplm m = nplm_init(&ps, lab, p);
    Tape tp = {.frozen = true};
    const Tensor *h = nplm_hidden(&tp, &m, lab->train.x, lab->train.n < 1000 ? lab->train.n : 1000);
    int saturated = 0;
    for (int i = 0; i < h->len; i++) {
        const int k = (int)((double)(h->data[i] + 1) / 2 * BINS);
        share[k < BINS ? k : BINS - 1] += 100.0 / h->len;
        saturated += fabs((double)h->data[i]) > 0.97;
    }
    const double percent = 100.0 * saturated / h->len;
    tape_free(&tp);
    params_free(&ps);
    return percent;
}

static bool experiment_start(const Lab *lab, const Plan *base, Error *err)
{
    Plan plan[3] = {*base, *base, *base};
    plan[0].label = "last layer x 0.1", plan[0].init = 1, plan[0].init_last = 0.1;
    plan[1].label = "all x 1", plan[1].init = 1, plan[1].init_last = 1;
    plan[2].label = "all x 5", plan[2].init = 5, plan[2].init_last = 5;
    if (!compare(lab, "start", plan, LEN(plan), err)) return false;
    double share[2][BINS] = {0};
    Sheet s;
    fprintf(sheet_open(&s), "h,init x 1,init x 5\n");
    for (int r = 0; r < 2; r++)
        printf("%s: saturated %.1f %% of h\n", plan[r + 1].label,
               saturation(lab, &plan[r + 1], share[r]));
    for (int k = 0; k < BINS; k++)
        fprintf(s.f, "%.3f,%.4f,%.4f\n", 2 * (k + 0.5) / BINS - 1, share[0][k], share[1][k]);
    return sheet_draw(lab, &s, "saturation",
                      "set title 'Where do the tanh units start?'\nset xlabel 'h'\n"
                      "set ylabel 'values of h (%)'\nset key top center\nset xrange [-1:1]\n",
                      "histeps", false, err);
}

/* One short run for each optimiser and learning rate. The edge: the first rate above the best whose
 * loss is worse than knowing nothing, or no number; too small a rate learns nothing either. */
static bool experiment_sweep(const Lab *lab, const Plan *base, Error *err)
{
    static const char *const optimizer[3] = {"sgd", "momentum", "adamw"};
    double best[3] = {INFINITY, INFINITY, INFINITY}, best_lr[3] = {0}, edge[3] = {0};
    double *curve = xcalloc(base->steps, sizeof *curve);
    Sheet s;
    fprintf(sheet_open(&s), "lr,SGD,momentum,AdamW\n");
    printf("%10s %10s %10s %10s\n", "lr", "sgd", "momentum", "adamw");
    for (int k = 0; k <= 10; k++) { /* 1e-4 .. 10 */
        const double lr = pow(10, -4 + k / 2.0);
        printf("%10.1e", lr), fprintf(s.f, "%.4e", lr);
        for (int r = 0; r < 3; r++) {
            Plan p = *base;
            p.optimizer = optimizer[r], p.lr = p.min_lr = lr, p.warmup = 0;
            Params ps = params_init(lab->c->seed);
            const Nplm m = nplm_init(&ps, lab, &p);
            const double valid = nplm_train(lab, &p, &ps, &m, curve);
            if (valid < best[r])
                best[r] = valid, best_lr[r] = lr, edge[r] = 0;
            else if (!(valid < lab->ln_V) && edge[r] == 0)
                edge[r] = lr;
            printf(" %10.4f", valid), fprintf(s.f, ",%.5f", valid);
            params_free(&ps);
        }
        putchar('\n'), fputc('\n', s.f);
    }
    free(curve);
    for (int r = 0; r < 3; r++) {
        printf("%s: best %.4f with lr %.1e, ", optimizer[r], best[r], best_lr[r]);
        if (edge[r] > 0)
            printf("diverges from lr %.1e\n", edge[r]);
        else
            puts("does not diverge");
    }
    return sheet_draw(
        lab, &s, "sweep",
        "set title 'Where is the edge of the learning rate?'\nset logscale x\n"
        "set xlabel 'learning rate'\nset ylabel 'validation loss (nats a character)'\n"
        "set format x '%.0e'\nset yrange [*:7]\nset key outside right center\n",
        "linespoints pt 7", true, err);
}

/* --- the program ---------------------------------------------------------------------------------- */

static bool run(const Config *c, Error *err)
{
    static const struct {
        const char *name;
        bool (*run)(const Lab *, const Plan *, Error *);
        int steps; /* unless --steps tells */
    } experiment[] = {{"train", experiment_train, 10000},
                      {"start", experiment_start, 2000},
                      {"optimizers", experiment_optimizers, 2000},
                      {"sweep", experiment_sweep, 500}};
    Lab lab;
    if (!c->overwrite && !dir_is_empty(c->out))
        return error_set(err, "%s holds a run already: give --overwrite or another --out", c->out);
    if (!dir_make(c->out, err) || !lab_open(&lab, c, err)) return false;
    printf("%d training and %d validation examples, V %d, ln V %.4f\n", lab.train.n, lab.valid.n,
           lab.V, lab.ln_V);
    Plan plan = {.label = c->optimizer,
                 .optimizer = c->optimizer,
                 .lr = c->lr,
                 .warmup = c->warmup,
                 .steps = c->steps,
                 .init = c->init,
                 .init_last = c->init_last};
    bool ok = true;
    for (int i = 0; i < LEN(experiment); i++) {
        if (strcmp(c->experiment, experiment[i].name) != 0) continue;
        if (!plan.steps) plan.steps = experiment[i].steps;
        ok = experiment[i].run(&lab, &plan, err);
    }
    lab_close(&lab);
    return ok;
}

int main(int argc, char **argv)
{
    parallel_start(argv);
    Config c = defaults();
    Option option[] = {
        OPTION_CHOICE("experiment", &c.experiment, "train|start|optimizers|sweep", "what to show"),
        OPTION_STRING("text", &c.data.text, "one item a line (default: common/data/places.tsv)"),
        OPTION_STRING("valid", &c.data.valid, "validation file (default: one line in ten)"),
        OPTION("context", &c.context, 1, 64, "characters before, N"),
        OPTION("channels", &c.channels, 1, 4096, "numbers a character's vector has, C"),
        OPTION("hidden", &c.hidden, 1, 65536, "tanh units, H"),
        OPTION("steps", &c.steps, 0, 100000000, "updates (0: as the experiment has it)"),
        OPTION("batch", &c.batch, 1, 65536, "examples an update"),
        OPTION("lr", &c.lr, 0, 100, "peak learning rate"),
        OPTION("warmup", &c.warmup, 0, 100000000, "updates of linear warm-up"),
        OPTION_CHOICE("optimizer", &c.optimizer, "sgd|momentum|adamw", "how to update"),
        OPTION("init", &c.init, 0, 100, "scale of the first layer's initial weights"),
        OPTION("init-last", &c.init_last, 0, 100, "scale of the last layer's initial weights"),
        OPTION("seed", &c.seed, 0, 0x1p64, "of weights, batches and samples"),
        OPTION("threads", &c.threads, 0, 256,
               "threads (0: all cores; the model is too small to gain)"),
        OPTION_STRING("out", &c.out, "directory of tables and pictures"),
        OPTION_FLAG("overwrite", &c.overwrite, "replace what is in --out"),
        OPTION_CHOICE("plot", &c.plot, "png|svg|dumb|none", "the pictures"),
    };
    int operand;
    const int status = args_parse(argc, argv, option, LEN(option), &usage, &operand);
    if (status >= 0) return status;
    parallel_init(c.threads);
    Error err;
    if (!run(&c, &err)) {
        say("%s: error: %s\n", usage.program, err.text);
        return EXIT_FAILED;
    }
    return EXIT_OK;
}
