/* Lesson 10: how a gradient travels back through time (Bengio, Simard & Frasconi 1994; Pascanu, Mikolov &
 * Bengio 2013). Untrained networks, run for 50 steps; the loss is r . h at the end, r random, and what
 * is measured is the length of its gradient with respect to the state k steps before.
 *
 *   linear   h_t = h_{t-1} U                 U = rho Q, Q orthogonal
 *   tanh     h_t = tanh(h_{t-1} U + z_t)     the same U, random inputs z_t
 *   cell     c_t = f c_{t-1} + i g           an LSTM without weights: f = sigmoid(forget bias)
 *
 * See lessons/10-long-term.md. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "system/args.h"
#include "system/file.h"
#include "lstm_gru/lstm.h"
#include "math/parallel.h"
#include "system/plot.h"

enum { LAGS = 50, HIDDEN = 64, CURVES = 8 };

static const double rho[] = {0.8, 1.0, 1.2}, forget_bias[] = {0, 1};

typedef struct {
    const char *name;
    double at[LAGS + 1]; /* |dL/dh| k steps before the end */
} Curve;

static Tensor *random_tensor(Tape *tp, Shape s, double std, Rng *rng)
{
    Tensor *t = tape_tensor(tp, s);
    for (int i = 0; i < t->len; i++) t->data[i] = (real)(std * rng_normal(rng));
    return t;
}

/* dL/dh of every state, for L = r . (the last one). */
static void measure(Tape *tp, Tensor **state, Rng *rng, Curve *c)
{
    const Tensor *r = random_tensor(tp, state[LAGS]->shape, 1, rng);
    tape_backward(tp, op_dot(tp, state[LAGS], r->data));
    for (int k = 0; k <= LAGS; k++) {
        const Tensor *s = state[LAGS - k];
        double sum = 0;
        for (int i = 0; i < s->len; i++) sum += (double)s->grad[i] * (double)s->grad[i];
        c->at[k] = sqrt(sum);
    }
}

static void recurrent(double gain, bool squashed, uint64_t seed, Curve *c)
{
    Tape tp = {.keep_grads = true};
    Params ps = params_init(seed);
    Rng rng = rng_make(seed, RNG_TEST, 0);
    Tensor *u = param(&ps, SHAPE(HIDDEN, HIDDEN), 0, "u"), *h[LAGS + 1];
    param_orthogonal(&ps, u, gain);
    h[0] = random_tensor(&tp, SHAPE(1, HIDDEN), 0.5, &rng);
    h[0]->requires_grad = true;
    for (int t = 1; t <= LAGS; t++) {
        h[t] = op_matmul(&tp, h[t - 1], u);
        if (squashed)
            h[t] = op_tanh(&tp, op_add(&tp, h[t], random_tensor(&tp, h[t]->shape, 0.5, &rng)));
    }
    measure(&tp, h, &rng, c); /* eq 10.1 */
    params_free(&ps);
    tape_free(&tp);
}

static void cell(double bias, uint64_t seed, Curve *c)
{
    Tape tp = {.keep_grads = true};
    Params ps = params_init(seed);
    Rng rng = rng_make(seed, RNG_TEST, 0);
    LstmLayer l = lstm_init(&ps, 1, HIDDEN, true, bias);
    memset(l.w->data, 0, (size_t)l.w->len * sizeof(real));
    memset(l.u->data, 0, (size_t)l.u->len * sizeof(real));
    Tensor *state[LAGS + 1], *x = tape_zeros(&tp, SHAPE(1, 1));
    LstmState s = {.h = tape_zeros(&tp, SHAPE(1, HIDDEN)), .c = tape_zeros(&tp, SHAPE(1, HIDDEN))};
    s.c->requires_grad = true;
    state[0] = s.c;
    for (int t = 1; t <= LAGS; t++) {
        s = lstm_step(&tp, &l, x, s);
        state[t] = s.c;
    }
    measure(&tp, state, &rng, c); /* eq 10.5 */
    params_free(&ps);
    tape_free(&tp);
}

/* Least squares: the slope of ln |dL/dh| against the lag. */
static double slope(const Curve *c)
{
    double sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (int k = 0; k <= LAGS; k++) {
        const double y = log(c->at[k]); /* eq 10.3 */
        sx += k, sy += y, sxx += (double)k * k, sxy += k * y;
    }
    const int n = LAGS + 1;
    return (n * sxy - sx * sy) / (n * sxx - sx * sx);
}

/* The bound: the norm of U is rho, and tanh' is at most 1. */
static double bound(double gain, int lags)
{
    return pow(gain, lags); /* eq 10.2 */
}

/* --- output ------------------------------------------------------------------------------------- */

static char *csv_of(const Curve *c, int n)
{
    char *text = xstrdup("lag");
    for (int k = -1; k <= LAGS; k++) {
        for (int i = -1; i < n; i++) {
            char *more = k < 0   ? xformat("%s%s%s", text, i < 0 ? "" : ",", i < 0 ? "" : c[i].name)
                         : i < 0 ? xformat("%s%d", text, k)
                                 : xformat("%s,%.6e", text, c[i].at[k] / c[i].at[0]);
            free(text);
            text = more;
        }
        char *more = xformat("%s\n", text);
        free(text);
        text = more;
    }
    return text;
}

static const char SCRIPT[] =
    "set datafile separator comma\nset title 'How much of the gradient is left, k steps back?'\n"
    "set xlabel 'lag k (steps before the loss)'\nset ylabel 'gradient at lag k / at lag 0'\n"
    "set logscale y\nset format y '%.0e'\nset yrange [1e-16:1e5]\nset key outside right\n" PLOT_GRID
    "color = '#0072b2 #000000 #d55e00'\n"
    "plot for [i=1:3] 'gradients.csv' using 1:1+i every ::1 with lines linewidth 2 linecolor rgb "
    "word(color, i) title 'linear, rho '.word('0.8 1.0 1.2', i), \\\n"
    "     for [i=1:3] '' using 1:4+i every ::1 with lines linewidth 2 dashtype 2 linecolor rgb "
    "word(color, i) title 'tanh, rho '.word('0.8 1.0 1.2', i), \\\n"
    "     for [i=1:2] '' using 1:7+i every ::1 with lines linewidth 2 dashtype 4 linecolor rgb "
    "word('#cc79a7 #009e73', i) title 'cell, f = '.word('0.50 0.73', i)\n";

static bool draw(const char *dir, const char *kind, const Curve *c, int n, Error *err)
{
    char *csv = csv_of(c, n), *table = xformat("%s/gradients.csv", dir);
    char *script = xformat("%s/gradients.gp", dir),
         *picture = xformat("%s/gradients.%s", dir, kind);
    const bool ok = dir_make(dir, err) && file_write(table, csv, strlen(csv), err) &&
                    file_write(script, SCRIPT, strlen(SCRIPT), err);
    if (ok) plot_draw(script, picture, kind, 1000, 560);
    free(csv), free(table), free(script), free(picture);
    return ok;
}

int main(int argc, char **argv)
{
    parallel_init(1); /* the BLAS too: what is printed depends on no number of cores */
    const char *out = "runs/l10", *plot = "png";
    uint64_t seed = 1337;
    Option option[] = {OPTION("seed", &seed, 0, 0x1p64, "of the weights"),
                       OPTION_STRING("out", &out, "directory of gradients.csv and the picture"),
                       OPTION_CHOICE("plot", &plot, "png|svg|dumb|none", "the picture")};
    const Usage usage = {.program = "lessons/10-long-term",
                         .about = "Measures how far back in time a gradient reaches.",
                         .operands = "",
                         .examples = "  ./lessons/10-long-term --out runs/l10\n"};
    int operand;
    const int status = args_parse(argc, argv, option, LEN(option), &usage, &operand);
    if (status >= 0) return status;

    Curve curve[CURVES] = {{"linear_0.8", {0}}, {"linear_1.0", {0}}, {"linear_1.2", {0}},
                           {"tanh_0.8", {0}},   {"tanh_1.0", {0}},   {"tanh_1.2", {0}},
                           {"cell_0", {0}},     {"cell_1", {0}}};
    for (int i = 0; i < 6; i++) {
        const double gain = rho[i % 3];
        recurrent(gain, i >= 3, seed, &curve[i]);
        printf("%-6s rho %.1f: slope %7.4f, ln rho %7.4f; left after %d steps %.2e, bound %.2e\n",
               i < 3 ? "linear" : "tanh", gain, slope(&curve[i]), log(gain), LAGS,
               curve[i].at[LAGS] / curve[i].at[0], bound(gain, LAGS));
    }
    for (int i = 0; i < 2; i++) {
        Curve *c = &curve[6 + i];
        cell(forget_bias[i], seed, c);
        printf("cell   bias %.0f: left after %d steps %.4e, %.4f^%d\n", forget_bias[i], LAGS,
               c->at[LAGS] / c->at[0], 1 / (1 + exp(-forget_bias[i])), LAGS);
    }
    Error err;
    if (draw(out, plot, curve, CURVES, &err)) return EXIT_OK;
    say("%s: error: %s\n", usage.program, err.text);
    return EXIT_FAILED;
}
