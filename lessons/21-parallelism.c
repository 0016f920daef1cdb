/* Lesson 21: what waits, what is computed, what is kept, and how long it takes, for one layer of an
 * Elman network, of a GRU and of a Transformer's decoder:
 *
 *   costs    computed from the sizes: multiply-adds, memory, steps that wait
 *   depth    the longest chain of operations on the tape, of one sequence of T steps
 *   products GFLOP/s of 1,024 rows times one weight, some rows at a time
 *   steps    milliseconds and megabytes of a training step, by threads; always as many tokens, so T
 *            times as long sequences are T times fewer
 *   memory   bytes that one attention over T steps holds, forwards and backwards
 *   writing  time of step t when steps are written one by one
 *
 * See lessons/21-parallelism.md. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "lessons/costs.h"
#include "lessons/one_layer.h"
#include "math/blas.h"
#include "math/parallel.h"
#include "system/args.h"
#include "system/file.h"

enum { LONGEST = 1024, MOST_ROUNDS = 99 };

static const int lengths[] = {64, 128, 256, 512, 1024};

typedef struct {
    int channels, heads, tokens, rounds, threads;
    bool weights;
    const char *part, *out;
} Config;

/* The least of several times: what lies above it is the doing of other programs. */
static double least(const double *x, int n)
{
    double best = x[0];
    for (int i = 1; i < n; i++) best = x[i] < best ? x[i] : best;
    return best;
}

/* Multiply-adds of the layer in a forward pass of the batch, in millions. */
static double millions(const Config *c, int kind, int T, int B)
{
    const TransformerConfig size = one_layer_decoder(c->channels, c->heads);
    if (kind == RNN) return B * layer_cost(COST_RNN, &size, T).products / 1e6;
    if (kind == GRU) return B * layer_cost(COST_GRU, &size, T).products / 1e6;
    const double masked = (double)T * T * c->channels; /* half of the part that grows as T^2 */
    return B / 1e6 *
           (layer_cost(COST_ATTENTION, &size, T).products - masked +
            layer_cost(COST_FEED_FORWARD, &size, T).products);
}

static void print_costs(const Config *c)
{
    const TransformerConfig size = one_layer_decoder(c->channels, c->heads);
    costs_print(&size);
}

/* --- depth -------------------------------------------------------------------------------------------- */

static void print_depth(const Config *c)
{
    for (int kind = 0; kind < ONE_LAYERS; kind++) {
        OneLayer *n = one_layer_new(kind, c->channels, c->heads);
        for (int i = 0; i < LEN(lengths); i++) {
            one_layer_draw(n, lengths[i], 1);
            const int longest = one_layer_depth(n, kind, lengths[i]);
            printf("chain %-7s T %4d: %5d operations, at once %.0f multiply-adds\n",
                   one_layer_names[kind], lengths[i], longest,
                   1e6 * millions(c, kind, lengths[i], 1) / longest); /* eq 21.1 */
        }
        one_layer_free(n);
    }
}

/* --- products ----------------------------------------------------------------------------------------- */

/* GFLOP/s of 1,024 rows times a weight (C,C), `rows` of them at a time. */
static double product_rate(const Config *c, int rows)
{
    const int C = c->channels, row = gemm_row(C);
    const size_t len = (size_t)LONGEST * C;
    real *x = xcalloc(2 * len + (size_t)C * row, sizeof *x), *y = x + len, *w = y + len;
    double seconds[MOST_ROUNDS];
    for (int i = -1; i < MOST_ROUNDS; i++) {
        const double start = clock_seconds();
        for (size_t at = 0; at < len; at += (size_t)rows * C)
            gemm_serial(NN, rows, C, C, x + at, C, w, row, 0, y + at, C);
        seconds[i < 0 ? 0 : i] = clock_seconds() - start;
    }
    free(x);
    return 2e-9 * (double)len * C / least(seconds, MOST_ROUNDS);
}

static void print_products(const Config *c)
{
    double rate = 0, alone = 0;
    parallel_init(1);
    for (int rows = 1; rows <= LONGEST; rows *= 4) {
        rate = product_rate(c, rows);
        if (rows == 1) alone = rate;
        printf("1024 rows, %4d at a time: %.1f GFLOP/s\n", rows, rate);
    }
    printf("1024 rows at once: %.1f times as fast as one by one\n", rate / alone);
}

/* --- a training step ---------------------------------------------------------------------------------- */

/* Seconds; *bytes: what the tape held. */
static double train(OneLayer *n, size_t *bytes)
{
    const double start = clock_seconds();
    tape_backward(&n->tape, model_loss(&n->tape, &n->model, &n->batch, NULL, NULL).mean);
    params_clip(&n->ps, 1);
    optim_step(&n->optim, &n->ps, 1e-4);
    const double seconds = clock_seconds() - start;
    *bytes = n->tape.arena.used;
    tape_reset(&n->tape);
    return seconds;
}

/* The networks and the threads take turns, so that a machine that grows slow favours none of them. */
static void measure_length(const Config *c, OneLayer **n, int T, FILE *csv, double *slower)
{
    const int B = c->tokens / T;
    const int threads[] = {1, c->threads};
    double seconds[ONE_LAYERS][LEN(threads)][MOST_ROUNDS];
    size_t bytes[ONE_LAYERS][LEN(threads)];
    for (int kind = 0; kind < ONE_LAYERS; kind++) one_layer_draw(n[kind], T, B);
    for (int round = -1; round < c->rounds; round++) /* the first warms up */
        for (int kind = 0; kind < ONE_LAYERS; kind++)
            for (int i = 0; i < LEN(threads); i++) {
                parallel_init(threads[i]);
                seconds[kind][i][round < 0 ? 0 : round] = train(n[kind], &bytes[kind][i]);
            }
    for (int kind = 0; kind < ONE_LAYERS; kind++) {
        double ms[LEN(threads)];
        for (int i = 0; i < LEN(threads); i++) {
            ms[i] = 1000 * least(seconds[kind][i], c->rounds);
            fprintf(csv, "%s,%d,%d,%d,%.3f,%.3f,%d,%.1f\n", one_layer_names[kind], T, B, threads[i],
                    ms[i], (double)bytes[kind][i] / 1e6, kind == DECODER ? 1 : T,
                    millions(c, kind, T, B));
        }
        slower[kind] = T == lengths[0] ? 1 / ms[0] : slower[kind] * (T == LONGEST ? ms[0] : 1);
        printf("%-7s %4d sequences of %4d: %6.1f ms, on %d threads %6.1f, %.2f times as fast; "
               "%5.1f MB\n",
               one_layer_names[kind], B, T, ms[0], c->threads, ms[1], ms[0] / ms[1],
               (double)bytes[kind][0] / 1e6);
    }
}

static void measure_steps(const Config *c, FILE *csv)
{
    OneLayer *n[ONE_LAYERS];
    for (int kind = 0; kind < ONE_LAYERS; kind++)
        n[kind] = one_layer_new(kind, c->channels, c->heads);
    fprintf(csv, "model,steps,sequences,threads,ms,MB,waits,millions\n");
    double slower[ONE_LAYERS] = {0}; /* at the longest, than at the shortest */
    for (int i = 0; i < LEN(lengths); i++) measure_length(c, n, lengths[i], csv, slower);
    for (int kind = 0; kind < ONE_LAYERS; kind++)
        printf("%-7s T %d takes %.2f times as long as T %d\n", one_layer_names[kind],
               lengths[LEN(lengths) - 1], slower[kind], lengths[0]);
    for (int kind = 0; kind < ONE_LAYERS; kind++) one_layer_free(n[kind]);
}

/* --- memory of attention ------------------------------------------------------------------------------ */

static Tensor *random_tensor(Tape *tp, Shape s)
{
    Rng rng = rng_make(1337, RNG_TEST, 1);
    Tensor *t = tape_tensor(tp, s);
    for (int i = 0; i < t->len; i++) t->data[i] = (real)rng_normal(&rng);
    t->requires_grad = true;
    return t;
}

/* What masked attention over T steps holds at the end of its backward pass, in bytes. */
static size_t held(const Config *c, int T)
{
    Tape tp = {0};
    const AttentionMask mask = {.causal = true};
    const Shape s = SHAPE(1, T, c->channels);
    const real *weights;
    Tensor *x = random_tensor(&tp, s);
    Tensor *y = op_attention(&tp, x, random_tensor(&tp, s), random_tensor(&tp, s), c->heads, &mask,
                             c->weights ? &weights : NULL);
    tape_backward(&tp, op_dot(&tp, y, x->data));
    const size_t used = tp.arena.used;
    tape_free(&tp);
    return used;
}

static void measure_memory(const Config *c, FILE *csv)
{
    fprintf(csv, "steps,MB\n");
    double mb[3];
    parallel_init(1);
    for (int i = 0; i < LEN(mb); i++) {
        const int T = 512 << i;
        mb[i] = (double)held(c, T) / 1e6;
        fprintf(csv, "%d,%.3f\n", T, mb[i]);
        printf("attention over %4d steps holds %.2f MB\n", T, mb[i]);
    }
    printf("4 times the steps, memory times %.2f\n", mb[2] / mb[0]);
}

/* --- writing ------------------------------------------------------------------------------------------ */

/* Seconds of step t of the decoder, with the keys and values of the t steps before at hand. */
static double write_attention(OneLayer *n, int t)
{
    const int token = 1, C = n->decoder.config.channels;
    KeyValues past = {0};
    n->tape.frozen = true;
    if (t) past.k[0] = tape_zeros(&n->tape, SHAPE(1, t, C));
    if (t) past.v[0] = tape_zeros(&n->tape, SHAPE(1, t, C));
    const double start = clock_seconds();
    transformer_step(&n->tape, &n->decoder, NULL, NULL, &token, 1, t, &past);
    const double seconds = clock_seconds() - start;
    tape_reset(&n->tape);
    return seconds;
}

/* The same of a recurrent network, which reads a token and its state of the step before. */
static double write_recurrent(OneLayer *n, real *state)
{
    n->tape.frozen = true;
    const double start = clock_seconds();
    n->model.forward(&n->tape, n->model.self, &n->batch, state, NULL);
    const double seconds = clock_seconds() - start;
    tape_reset(&n->tape);
    return seconds;
}

static void measure_writing(const Config *c, FILE *csv)
{
    real *state = xcalloc((size_t)c->channels, sizeof *state);
    fprintf(csv, "model,step,us\n");
    parallel_init(1);
    for (int kind = 0; kind < ONE_LAYERS; kind++) {
        OneLayer *n = one_layer_new(kind, c->channels, c->heads);
        double first = 0, last = 0;
        one_layer_draw(n, 1, 1);
        for (int t = 63; t < LONGEST; t += 64) {
            double seconds[MOST_ROUNDS];
            for (int i = -1; i < MOST_ROUNDS; i++)
                seconds[i < 0 ? 0 : i] =
                    kind == DECODER ? write_attention(n, t) : write_recurrent(n, state);
            const double us = 1e6 * least(seconds, MOST_ROUNDS);
            if (t == 63) first = us;
            last = us;
            fprintf(csv, "%s,%d,%.2f\n", one_layer_names[kind], t + 1, us);
        }
        printf("writing, %-7s step 64: %.1f us, step %d: %.1f us, times %.1f\n",
               one_layer_names[kind], first, LONGEST, last, last / first);
        one_layer_free(n);
    }
    free(state);
}

/* --- main ---------------------------------------------------------------------------------------------- */

typedef struct {
    const char *name;
    void (*measure)(const Config *, FILE *csv);
} Measurement;

static bool run(const Config *c, const Measurement *m, Error *err)
{
    char *csv = NULL, *path = xformat("%s/%s.csv", c->out, m->name);
    size_t len = 0;
    FILE *f = open_memstream(&csv, &len);
    CHECK(f, "no memory for %s", path);
    m->measure(c, f);
    fclose(f);
    const bool ok = file_write(path, csv, len, err);
    free(csv), free(path);
    return ok;
}

static bool fits(const Config *c, Error *err)
{
    if (c->channels % c->heads)
        return error_set(err, "--channels %d: must be a multiple of --heads %d", c->channels,
                         c->heads);
    if (c->tokens % LONGEST)
        return error_set(err, "--tokens %d: must be a multiple of %d, the longest sequence",
                         c->tokens, LONGEST);
    return true;
}

int main(int argc, char **argv)
{
    Config c = {.channels = 128,
                .heads = 4,
                .tokens = 1024,
                .rounds = 21,
                .threads = 2,
                .part = "all",
                .out = "runs/l21"};
    static const Measurement measurements[] = {
        {"steps", measure_steps}, {"memory", measure_memory}, {"writing", measure_writing}};
    Option option[] = {
        OPTION_CHOICE("part", &c.part, "all|costs|depth|products|steps|memory|writing",
                      "what to measure"),
        OPTION("channels", &c.channels, 1, 4096, "size of embeddings and states"),
        OPTION("heads", &c.heads, 1, 64, "heads of the attention"),
        OPTION("tokens", &c.tokens, LONGEST, 1 << 20,
               "tokens of a training step; a multiple of 1024"),
        OPTION("rounds", &c.rounds, 1, MOST_ROUNDS,
               "training steps, of whose times the least is printed"),
        OPTION("threads", &c.threads, 1, 256, "threads that are compared with one"),
        OPTION_FLAG("weights", &c.weights, "keep the weights of all heads (part memory)"),
        OPTION_STRING("out", &c.out, "directory of the tables")};
    const Usage usage = {.program = "lessons/21-parallelism",
                         .about = "Measures what waits in a recurrent layer and in attention.",
                         .operands = "",
                         .examples = "  ./lessons/21-parallelism --out runs/l21\n"};
    int operand;
    parallel_start(argv);
    const int status = args_parse(argc, argv, option, LEN(option), &usage, &operand);
    if (status >= 0) return status;

    Error err;
    const bool all = strcmp(c.part, "all") == 0;
    const bool fit = fits(&c, &err);
    bool ok = fit && dir_make(c.out, &err);
    if (ok && (all || strcmp(c.part, "costs") == 0)) print_costs(&c);
    if (ok && (all || strcmp(c.part, "depth") == 0)) print_depth(&c);
    if (ok && (all || strcmp(c.part, "products") == 0)) print_products(&c);
    for (int i = 0; i < LEN(measurements) && ok; i++)
        if (all || strcmp(c.part, measurements[i].name) == 0) ok = run(&c, &measurements[i], &err);
    if (ok) return EXIT_OK;
    say("%s: error: %s\n", usage.program, err.text);
    return fit ? EXIT_FAILED : EXIT_USAGE;
}
