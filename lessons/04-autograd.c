/* Lesson 04: the chain rule on a tape, and the test that every derivative of this project passes.
 *
 * One neuron with two weights is recorded on the tape, printed, drawn and differentiated; then its
 * derivatives are compared with difference quotients, for steps eps from 1e-1 to 1e-12, in float
 * (through the tape) and in double (in plain C). See lessons/04-autograd.md. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "lessons/blind_sum.h"
#include "system/args.h"
#include "system/file.h"
#include "ops/ops.h"
#include "nn/params.h"
#include "system/plot.h"

static const Usage usage = {
    .program = "lessons/04-autograd",
    .about = "Differentiates a neuron of two weights on a tape, and by difference quotients.",
    .operands = "",
    .examples = "  ./lessons/04-autograd --out runs/l04 --overwrite\n"
                "  ./lessons/04-autograd --assign --out runs/l04-assign --overwrite\n",
};

typedef struct {
    const char *out, *plot;
    bool overwrite, assign;
    uint64_t seed;
} Config;

/* --- the neuron: L = (tanh(w1 x1 + w2 x2 + b) - t)^2 --------------------------------------------- */

static const double X1 = 1, X2 = 2, TARGET = 1;

typedef struct {
    Tensor *w1, *w2, *b; /* (1) each */
} Neuron;

static Neuron neuron_init(Params *ps, const double w[3])
{
    Neuron n;
    n.w1 = param(ps, SHAPE(1), 0, "w1");
    n.w2 = param(ps, SHAPE(1), 0, "w2");
    n.b = param(ps, SHAPE(1), 0, "b");
    for (int i = 0; i < 3; i++) ps->tensor[i]->data[0] = (real)w[i];
    return n;
}

static Tensor *constant(Tape *tp, double value)
{
    Tensor *t = tape_tensor(tp, SHAPE(1));
    t->data[0] = (real)value;
    return t;
}

/* y = a * b with the classic mistake in its backward pass: = where += must stand. */
static void mul_assign_backward(Node *nd)
{
    for (int j = 0; j < 2; j++)
        if (nd->in[j]->grad) nd->in[j]->grad[0] = nd->in[1 - j]->data[0] * nd->out->grad[0];
}

static Tensor *op_mul_assign(Tape *tp, Tensor *a, Tensor *b)
{
    Node *nd = tape_node(tp, "mul_assign", mul_assign_backward, a->shape, a, b);
    nd->out->data[0] = a->data[0] * b->data[0];
    return nd->out;
}

static Tensor *neuron_loss(Tape *tp, const Neuron *n, bool assign)
{
    Tensor *p1 = op_mul(tp, n->w1, constant(tp, X1));
    Tensor *p2 = op_mul(tp, n->w2, constant(tp, X2));
    Tensor *z = op_add(tp, op_add(tp, p1, p2), n->b);
    Tensor *y = op_tanh(tp, z);
    Tensor *e = op_add(tp, y, constant(tp, -TARGET));
    return assign ? op_mul_assign(tp, e, e) : op_mul(tp, e, e); /* e is used twice */
}

/* --- the tape, looked at ------------------------------------------------------------------------ */

static void print_gradients(const Tape *tp, const Params *ps)
{
    printf("\n%4s  %-14s %12s %12s\n", "node", "op", "value", "gradient");
    for (int i = 0; i < tp->n; i++) {
        const Tensor *y = tp->node[i]->out;
        printf("%4d  %-14s %12.6f %12.6f\n", i, tp->node[i]->name, (double)y->data[0],
               (double)y->grad[0]);
    }
    for (int i = 0; i < ps->n; i++)
        printf("      %-14s %12.6f %12.6f\n", ps->tensor[i]->name, (double)ps->tensor[i]->data[0],
               (double)ps->tensor[i]->grad[0]);
}

/* Gradients of parameters are added up until somebody sets them to zero. */
static void show_twice(Params *ps, const Neuron *n, bool assign, double dw1[2])
{
    Tape tp = {0};
    Tensor *loss = neuron_loss(&tp, n, assign);
    for (int i = 0; i < 2; i++) {
        tape_backward(&tp, loss);
        dw1[i] = (double)n->w1->grad[0];
    }
    tape_free(&tp);
    params_zero_grad(ps);
}

/* --- difference quotients: the V-curve ------------------------------------------------------------ */

typedef double (*Loss)(const double w[3]);

static double loss_in_double(const double w[3])
{
    const double e = tanh(w[0] * X1 + w[1] * X2 + w[2]) - TARGET;
    return e * e;
}

static void gradient_in_double(const double w[3], double g[3])
{
    const double y = tanh(w[0] * X1 + w[1] * X2 + w[2]);
    const double dz = 2 * (y - TARGET) * (1 - y * y);
    g[0] = X1 * dz, g[1] = X2 * dz, g[2] = dz;
}

/* The same on the tape, in float; also its gradient, unless g is NULL. */
static double tape_loss(const double w[3], double *g)
{
    Params ps = params_init(0);
    const Neuron n = neuron_init(&ps, w);
    Tape tp = {.frozen = !g};
    Tensor *loss = neuron_loss(&tp, &n, false);
    const double value = (double)loss->data[0];
    if (g) tape_backward(&tp, loss);
    for (int i = 0; g && i < 3; i++) g[i] = (double)ps.tensor[i]->grad[0];
    tape_free(&tp);
    params_free(&ps);
    return value;
}

static double loss_in_float(const double w[3])
{
    return tape_loss(w, NULL);
}

static double difference(Loss f, const double w[3], int i, double eps, bool central)
{
    double up[3] = {w[0], w[1], w[2]}, down[3] = {w[0], w[1], w[2]};
    up[i] += eps;
    down[i] -= eps;
    if (central) return (f(up) - f(down)) / (2 * eps); /* eq 4.5 */
    return (f(up) - f(w)) / eps;                       /* eq 4.4 */
}

enum { POINTS = 50, PER_DECADE = 4, STEPS = 11 * PER_DECADE + 1, CURVES = 5 };

static const struct {
    const char *name;
    Loss f; /* NULL: not by differences, but by tape_backward */
    bool central;
} curve[CURVES] = {{"forward, float", loss_in_float, false},
                   {"central, float", loss_in_float, true},
                   {"forward, double", loss_in_double, false},
                   {"central, double", loss_in_double, true},
                   {"the tape, float", NULL, false}};

/* |approximation - exact| / |exact| over the gradients of POINTS random neurons. */
static double relative_error(int k, double eps, uint64_t seed)
{
    double w[3], exact[3], g[3], wrong = 0, all = 0;
    Rng rng = rng_make(seed, RNG_TEST, 1);
    for (int p = 0; p < POINTS; p++) {
        for (int i = 0; i < 3; i++) w[i] = (double)(float)(2 * rng_uniform(&rng) - 1);
        gradient_in_double(w, exact);
        if (!curve[k].f) tape_loss(w, g);
        for (int i = 0; i < 3; i++) {
            if (curve[k].f) g[i] = difference(curve[k].f, w, i, eps, curve[k].central);
            wrong += (g[i] - exact[i]) * (g[i] - exact[i]);
            all += exact[i] * exact[i];
        }
    }
    return sqrt(wrong / all);
}

/* Measures and prints; returns the curves as CSV, free() it. */
static char *measure_curves(uint64_t seed)
{
    char *csv = NULL;
    size_t len;
    double best[CURVES] = {INFINITY, INFINITY, INFINITY, INFINITY, INFINITY};
    double best_eps[CURVES] = {0};
    FILE *f = open_memstream(&csv, &len);
    if (!f) abort(); /* no memory left */
    fprintf(f, "eps,forward_float,central_float,forward_double,central_double,tape_float\n");
    for (int s = 0; s < STEPS; s++) {
        const double eps = pow(10, -1 - (double)s / PER_DECADE);
        fprintf(f, "%.6e", eps);
        for (int k = 0; k < CURVES; k++) {
            const double error = relative_error(k, eps, seed);
            if (error < best[k]) best[k] = error, best_eps[k] = eps;
            fprintf(f, ",%.6e", error);
        }
        fputc('\n', f);
    }
    fclose(f);
    printf("\nrelative error of the gradient   at best     with eps\n");
    for (int k = 0; k < CURVES; k++) {
        printf("  %-28s %10.1e", curve[k].name, best[k]);
        if (curve[k].f) printf(" %12.1e", best_eps[k]);
        putchar('\n');
    }
    return csv;
}

static const char SCRIPT[] =
    "set termoption enhanced\nset datafile separator comma\n"
    "set title 'How exact is a difference quotient?'\nset xlabel 'step eps'\n"
    "set ylabel 'relative error of the gradient'\nset logscale xy\nset format '10^{%L}'\n"
    "set xrange [1e-12:1e-1]\nset yrange [1e-12:100]\nset ytics 100\n" PLOT_GRID
    "set key outside right center\n"
    "plot 'vcurve.csv' using 1:2 every ::1 with lines lw 2 lc rgb '#56b4e9' title 'forward, "
    "float', \\\n"
    "  '' using 1:3 every ::1 with lines lw 2 lc rgb '#0072b2' title 'central, float', \\\n"
    "  '' using 1:4 every ::1 with lines lw 2 lc rgb '#e69f00' title 'forward, double', \\\n"
    "  '' using 1:5 every ::1 with lines lw 2 lc rgb '#d55e00' title 'central, double', \\\n"
    "  '' using 1:6 every ::1 with lines dt 2 lw 2 lc rgb '#000000' title 'the tape, float'\n";

/* --- writing ------------------------------------------------------------------------------------ */

static bool write_file(const Config *c, const char *name, const char *text, Error *err)
{
    char *path = xformat("%s/%s", c->out, name);
    const bool ok = file_write(path, text, strlen(text), err);
    free(path);
    return ok;
}

static bool draw_curves(const Config *c, Error *err)
{
    char *csv = measure_curves(c->seed);
    const bool ok =
        write_file(c, "vcurve.csv", csv, err) && write_file(c, "vcurve.gp", SCRIPT, err);
    char *gp = xformat("%s/vcurve.gp", c->out), *picture = xformat("%s/vcurve.%s", c->out, c->plot);
    if (ok) plot_draw(gp, picture, c->plot, 900, 520);
    free(csv), free(gp), free(picture);
    return ok;
}

/* Records the neuron, prints tape and gradients, and writes the graph. */
static bool show_tape(const Config *c, Params *ps, const Neuron *n, Error *err)
{
    Tape tp = {.keep_grads = true};
    tape_backward(&tp, neuron_loss(&tp, n, c->assign));
    tape_print(&tp, stdout);
    print_gradients(&tp, ps);
    char *dot = NULL;
    size_t len;
    FILE *f = open_memstream(&dot, &len);
    if (!f) abort(); /* no memory left */
    tape_dot(&tp, f);
    fclose(f);
    const bool ok = write_file(c, "tape.dot", dot, err);
    free(dot);
    tape_free(&tp);
    params_zero_grad(ps);
    return ok;
}

/* --- the program ---------------------------------------------------------------------------------- */

/* By hand: z = 2*1 - 1*2 + ln 2 = ln 2, y = tanh(ln 2) = 0.6, e = -0.4, L = 0.16. */
static const double BY_HAND[3] = {2, -1, 0.69314718055994530942};

static bool run(const Config *c, Error *err)
{
    if (!c->overwrite && !dir_is_empty(c->out))
        return error_set(err, "%s holds a run already: give --overwrite or another --out", c->out);
    if (!dir_make(c->out, err)) return false;

    Params ps = params_init(c->seed);
    const Neuron n = neuron_init(&ps, BY_HAND);
    double dw1[2];
    bool ok = show_tape(c, &ps, &n, err);
    if (ok) {
        show_twice(&ps, &n, c->assign, dw1);
        printf("\ndL/dw1 after one backward %.6f, after a second without reset %.6f\n", dw1[0],
               dw1[1]);
        printf("dL/dw1 by central difference %.6f\n",
               difference(loss_in_double, BY_HAND, 0, 1e-5, true));
        blind_sum_show(c->seed);
        ok = draw_curves(c, err);
    }
    params_free(&ps);
    return ok;
}

int main(int argc, char **argv)
{
    Config c = {.out = "runs/l04", .plot = "png", .seed = 1337};
    Option option[] = {
        OPTION_STRING("out", &c.out, "directory for tape.dot, vcurve.csv and vcurve.png"),
        OPTION_FLAG("overwrite", &c.overwrite, "replace what is in --out"),
        OPTION_FLAG("assign", &c.assign,
                    "square the error with an op whose backward says = for +="),
        OPTION("seed", &c.seed, 0, 0x1p64, "of the random neurons and the random projection"),
        OPTION_CHOICE("plot", &c.plot, "png|svg|dumb|none", "the picture"),
    };
    int operand;
    const int status = args_parse(argc, argv, option, LEN(option), &usage, &operand);
    if (status >= 0) return status;
    Error err;
    if (!run(&c, &err)) {
        say("%s: error: %s\n", usage.program, err.text);
        return EXIT_FAILED;
    }
    return EXIT_OK;
}
