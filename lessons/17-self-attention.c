/* Lesson 17: why scores are divided by the root of d_k, and what becomes of a mask that comes too late
 * (Vaswani et al. 2017, s3.2.1). No training: random queries and keys, of 4 to 1024 numbers each, and a
 * sequence of six steps that looks at itself. See lessons/17-self-attention.md. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/say.h"
#include "system/args.h"
#include "system/file.h"
#include "lessons/look.h"
#include "system/plot.h"
#include "base/rng.h"

enum { KEYS = 32, QUERIES = 500, SIZES = 5, LARGEST = 1024, STEPS = 6, CHANNELS = 4 };

static const int size[SIZES] = {4, 16, 64, 256, 1024};

/* What is seen of the looks of QUERIES queries, on average. */
typedef struct {
    double spread;   /* standard deviation of the scores */
    double entropy;  /* of the weights, in bits; log2 KEYS: all alike */
    double largest;  /* weight */
    double gradient; /* length of de, for random dp of mean square 1 */
} Looks;

static void fill(real *x, int n, Rng *rng)
{
    for (int i = 0; i < n; i++) x[i] = (real)rng_normal(rng);
}

static void add_look(Looks *all, const real *p, const real *de)
{
    double entropy = 0, largest = 0, square = 0;
    for (int s = 0; s < KEYS; s++) {
        const double w = (double)p[s];
        if (w > 0) entropy -= w * log2(w);
        largest = fmax(largest, w);
        square += (double)de[s] * (double)de[s];
    }
    all->entropy += entropy / QUERIES;
    all->largest += largest / QUERIES;
    all->gradient += sqrt(square) / QUERIES;
}

static Looks measure(int D, real scale, uint64_t seed)
{
    Looks all = {0};
    Rng rng = rng_make(seed, RNG_TEST, (uint32_t)D);
    real *k = xmalloc((size_t)KEYS * D * sizeof *k), *y = xmalloc((size_t)D * sizeof *y);
    real q[LARGEST], p[KEYS], dp[KEYS], de[KEYS];
    for (int i = 0; i < QUERIES; i++) {
        fill(q, D, &rng), fill(k, KEYS * D, &rng), fill(dp, KEYS, &rng);
        for (int s = 0; s < KEYS; s++)
            all.spread += pow((double)(look_dot(q, k + s * D, D) * scale), 2) / (QUERIES * KEYS);
        look(q, k, k, KEYS, D, KEYS, scale, p, y);
        look_back(p, dp, KEYS, de);
        add_look(&all, p, de);
    }
    all.spread = sqrt(all.spread);
    free(k), free(y);
    return all;
}

/* --- the mask ---------------------------------------------------------------------------------------- */

typedef void Look(const real *q, const real *k, const real *v, int n, int D, int seen, real scale,
                  real *p, real *y);

/* Every step of x (STEPS,CHANNELS) looks at itself and those before it; the sums of the weights. */
static void look_all(Look *one, const real *x, real *sum, real *y)
{
    for (int t = 0; t < STEPS; t++) {
        real p[STEPS];
        one(x + t * CHANNELS, x, x, STEPS, CHANNELS, t + 1, 0.5f, p, y + t * CHANNELS);
        sum[t] = 0;
        for (int s = 0; s < STEPS; s++) sum[t] += p[s];
    }
}

/* The last step becomes another: how far does what the others take move? */
static void try_mask(const char *name, Look *one, uint64_t seed)
{
    real x[STEPS * CHANNELS], sum[STEPS], y[STEPS * CHANNELS], moved[STEPS * CHANNELS];
    double most = 0;
    Rng rng = rng_make(seed, RNG_TEST, 0);
    fill(x, STEPS * CHANNELS, &rng);
    look_all(one, x, sum, y);
    printf("mask %s the softmax: weights of step 1 .. %d sum to", name, STEPS);
    for (int t = 0; t < STEPS; t++) printf(" %.3f", (double)sum[t]);
    for (int c = 0; c < CHANNELS; c++) x[(STEPS - 1) * CHANNELS + c] *= -3;
    look_all(one, x, sum, moved);
    for (int i = 0; i < (STEPS - 1) * CHANNELS; i++)
        most = fmax(most, fabs((double)(moved[i] - y[i])));
    printf("\nmask %s the softmax: another last step moves the ones before by %.4f\n", name, most);
}

/* --- output ------------------------------------------------------------------------------------------ */

/* First as they are, then divided by the root of d_k. */
typedef struct {
    Looks raw[SIZES], scaled[SIZES];
} Table;

static void print_csv(FILE *f, const void *arg)
{
    const Table *t = arg;
    fputs("d_k,spread,spread_scaled,entropy,entropy_scaled,gradient,gradient_scaled\n", f);
    for (int i = 0; i < SIZES; i++)
        fprintf(f, "%d,%.4f,%.4f,%.4f,%.4f,%.6f,%.6f\n", size[i], t->raw[i].spread,
                t->scaled[i].spread, t->raw[i].entropy, t->scaled[i].entropy, t->raw[i].gradient,
                t->scaled[i].gradient);
}

static void print_script(FILE *f, const void *arg)
{
    (void)arg;
    fputs(
        "set datafile separator comma\nset logscale x 4\nset xrange [3:1400]\n"
        "set xtics (4,16,64,256,1024)\nset xlabel 'd_k (numbers of a query and a key)'\n" PLOT_GRID
        "set key right center\n"
        "set multiplot layout 1,2 title 'What does 1/sqrt(d_k) save?' font ',16'\n"
        "set ylabel 'entropy of the weights (bits)'\nset yrange [0:5.3]\n"
        "plot 'scale.csv' using 1:5 with linespoints linewidth 2 pointtype 7 linecolor rgb "
        "'#0072b2' title 'divided by sqrt(d_k)', \\\n"
        "     '' using 1:4 with linespoints linewidth 2 dashtype 2 pointtype 5 linecolor rgb "
        "'#d55e00' title 'as they are', \\\n"
        "     5 with lines dashtype 3 linecolor rgb '#555555' title 'all 32 keys alike'\n"
        "set ylabel 'gradient of the scores (length)'\nset yrange [0:*]\nset key bottom left\n"
        "plot 'scale.csv' using 1:7 with linespoints linewidth 2 pointtype 7 linecolor rgb "
        "'#0072b2' title 'divided by sqrt(d_k)', \\\n"
        "     '' using 1:6 with linespoints linewidth 2 dashtype 2 pointtype 5 linecolor rgb "
        "'#d55e00' title 'as they are'\n"
        "unset multiplot\n",
        f);
}

static bool draw(const char *dir, const char *kind, const Table *t, Error *err)
{
    char *csv = xformat("%s/scale.csv", dir), *script = xformat("%s/scale.gp", dir),
         *picture = xformat("%s/scale.%s", dir, kind);
    const bool ok = dir_make(dir, err) && file_print(csv, print_csv, t, err) &&
                    file_print(script, print_script, t, err);
    if (ok) plot_draw(script, picture, kind, 1000, 480);
    free(csv), free(script), free(picture);
    return ok;
}

int main(int argc, char **argv)
{
    const char *out = "runs/l17", *plot = "png";
    uint64_t seed = 1337;
    Option option[] = {OPTION("seed", &seed, 0, 0x1p64, "of queries and keys"),
                       OPTION_STRING("out", &out, "directory of scale.csv and the picture"),
                       OPTION_CHOICE("plot", &plot, "png|svg|dumb|none", "the picture")};
    const Usage usage = {.program = "lessons/17-self-attention",
                         .about = "Looks with scores of several sizes, and with a mask too late.",
                         .operands = "",
                         .examples = "  ./lessons/17-self-attention --out runs/l17\n"};
    int operand;
    const int status = args_parse(argc, argv, option, LEN(option), &usage, &operand);
    if (status >= 0) return status;

    Table t;
    for (int i = 0; i < SIZES; i++) {
        t.raw[i] = measure(size[i], 1, seed);
        t.scaled[i] = measure(size[i], (real)(1 / sqrt(size[i])), seed);
        printf("d_k %4d as it is: spread %7.3f bits %.3f largest %.3f gradient %.4f\n", size[i],
               t.raw[i].spread, t.raw[i].entropy, t.raw[i].largest, t.raw[i].gradient);
        printf("d_k %4d scaled:   spread %7.3f bits %.3f largest %.3f gradient %.4f\n", size[i],
               t.scaled[i].spread, t.scaled[i].entropy, t.scaled[i].largest, t.scaled[i].gradient);
    }
    const Looks *raw = &t.raw[SIZES - 1], *scaled = &t.scaled[SIZES - 1];
    printf("at %d: bits as they are %.3f, bits scaled %.3f; gradient as they are %.4f, gradient "
           "scaled %.4f\n",
           LARGEST, raw->entropy, scaled->entropy, raw->gradient, scaled->gradient);
    try_mask("before", look, seed);
    try_mask("after", look_masked_late, seed);
    Error err;
    if (draw(out, plot, &t, &err)) return EXIT_OK;
    say("%s: error: %s\n", usage.program, err.text);
    return EXIT_FAILED;
}
