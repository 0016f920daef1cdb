/* Ops whose rows are shared among threads, at a size where they are and where the last chunk is
 * shorter. They must equal a plain loop, with the same bits for any number of threads. */
#include "by_hand.h"
#include "math/parallel.h"
#include "nn/params.h"

enum { A = 7, B = 46, C = 1100, SIZE = A * B * C, HEADS = 11, D = C / HEADS, FIRST = 123, N = 901 };

typedef struct {
    const char *name;
    Tensor *(*op)(Tape *, Tensor *x, Tensor *w); /* x (A,B,C), w (C) */
    int (*place)(int i);                         /* y[i] = x[place(i)]; NULL if the op uses w */
} Move;

/* --- the ops, and the index in x of each value of y ------------------------------------------- */

static Tensor *cols(Tape *tp, Tensor *x, Tensor *w)
{
    (void)w;
    return op_cols(tp, x, FIRST, N);
}
static int of_cols(int i)
{
    return i / N * C + FIRST + i % N;
}

static Tensor *concat(Tape *tp, Tensor *x, Tensor *w)
{
    (void)w;
    return op_concat(tp, x, x);
}
static int of_concat(int i)
{
    return i / (2 * C) * C + i % C;
}

static Tensor *stack(Tape *tp, Tensor *x, Tensor *w)
{
    (void)w;
    return op_stack(tp, (Tensor *[]){x, x, x}, 3);
}
static int of_stack(int i)
{
    return i % SIZE;
}

static Tensor *swap(Tape *tp, Tensor *x, Tensor *w)
{
    (void)w;
    return op_swap(tp, x);
}
static int of_swap(int i)
{
    const int row = i / C; /* row / A, row % A of (B,A,C) */
    return (row % A * B + row / A) * C + i % C;
}

static Tensor *transpose(Tape *tp, Tensor *x, Tensor *w)
{
    (void)w;
    return op_transpose(tp, x);
}
static int of_transpose(int i)
{
    const int a = i / (B * C), c = i / B % C, b = i % B; /* of (A,C,B) */
    return (a * B + b) * C + c;
}

static Tensor *split(Tape *tp, Tensor *x, Tensor *w)
{
    (void)w;
    return op_split_heads(tp, x, HEADS, 0, 1);
}
static int of_split(int i)
{
    const int a = i / (HEADS * B * D), h = i / (B * D) % HEADS,
              b = i / D % B; /* of (A*HEADS,B,D) */
    return (a * B + b) * C + h * D + i % D;
}

static Tensor *merge(Tape *tp, Tensor *x,
                     Tensor *w) /* (A,B,C) is read as (1 * HEADS,T,D), T = SIZE / C */
{
    (void)w;
    return op_merge_heads(tp, op_reshape(tp, x, SHAPE(HEADS, SIZE / C, D)), HEADS);
}
static int of_merge(int i)
{
    const int t = i / C, h = i / D % HEADS;
    return (h * (SIZE / C) + t) * D + i % D;
}

static const Move moves[] = {
    {"cols", cols, of_cols},
    {"concat", concat, of_concat},
    {"stack", stack, of_stack},
    {"swap", swap, of_swap},
    {"transpose", transpose, of_transpose},
    {"split", split, of_split},
    {"merge", merge, of_merge},
    {"bias", op_bias, NULL},
    {"gain", op_gain, NULL},
};
enum { MOVES = LEN(moves) };

/* --- running one ------------------------------------------------------------------------------ */

typedef struct {
    Params ps;
    Tensor *x, *w; /* parameters (A,B,C), (C) */
    real *r;       /* the gradient dy, at most 3 x SIZE */
    Tape tape;
    Tensor *y;
} Run;

/* With `whole` all values are small whole numbers, so that sums are exact in any order. */
static Run run_new(bool whole)
{
    Run u = {.ps = params_init(5), .r = xcalloc(3 * SIZE, sizeof(real))};
    u.x = param(&u.ps, SHAPE(A, B, C), 1, "x"), u.w = param(&u.ps, SHAPE(C), 1, "w");
    Rng rng = rng_make(6, RNG_TEST, 0);
    for (int i = 0; i < 3 * SIZE; i++) u.r[i] = (real)rng_below(&rng, 15) - 7;
    for (int i = 0; i < SIZE && whole; i++) u.x->data[i] = (real)rng_below(&rng, 15) - 7;
    for (int i = 0; i < C && whole; i++) u.w->data[i] = (real)rng_below(&rng, 15) - 7;
    return u;
}

static void run(Run *u, const Move *m)
{
    tape_reset(&u->tape);
    params_zero_grad(&u->ps);
    u->y = m->op(&u->tape, u->x, u->w);
    tape_backward(&u->tape, op_dot(&u->tape, u->y, u->r));
}

static void run_free(Run *u)
{
    tape_free(&u->tape);
    params_free(&u->ps);
    free(u->r);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void check_equal(const char *name, const char *what, const real *is, const real *should,
                        int n)
{
    for (int i = 0; i < n; i++)
        if (is[i] != should[i])
            ck_abort_msg("%s: %s %d is %g, not %g", name, what, i, (double)is[i],
                         (double)should[i]);
}

/* Computes the expected y, dx and dw from x, w and r by plain loops. */
static void by_plain_loops(const Run *u, const Move *m, real *y, real *dx, real *dw)
{
    const real *x = u->x->data, *w = u->w->data;
    const bool is_gain = m->op == op_gain;
    for (int i = 0; i < u->y->len; i++) {
        const int from = m->place ? m->place(i) : i, c = i % C;
        y[i] = m->place ? x[from] : is_gain ? x[i] * w[c] : x[i] + w[c];
        dx[from] += is_gain ? u->r[i] * w[c] : u->r[i];
        if (!m->place) dw[c] += is_gain ? u->r[i] * x[i] : u->r[i];
    }
}

START_TEST(as_plain_loops)
{
    parallel_init(2);
    Run u = run_new(true);
    real *y = xcalloc(3 * SIZE, sizeof *y), *dx = xcalloc(SIZE, sizeof *dx);
    for (int k = 0; k < MOVES; k++) {
        real dw[C] = {0};
        run(&u, &moves[k]);
        memset(dx, 0, SIZE * sizeof *dx);
        by_plain_loops(&u, &moves[k], y, dx, dw);
        check_equal(moves[k].name, "y", u.y->data, y, u.y->len);
        check_equal(moves[k].name, "dx", u.x->grad, dx, SIZE);
        check_equal(moves[k].name, "dw", u.w->grad, dw, C);
    }
    free(y), free(dx);
    run_free(&u);
}
END_TEST

START_TEST(same_bits)
{
    Run one = run_new(false), more = run_new(false);
    for (int k = 0; k < MOVES; k++) {
        parallel_init(1);
        run(&one, &moves[k]);
        for (int threads = 2; threads <= 4; threads++) {
            parallel_init(threads);
            run(&more, &moves[k]);
            check_equal(moves[k].name, "y", more.y->data, one.y->data, one.y->len);
            check_equal(moves[k].name, "dx", more.x->grad, one.x->grad, SIZE);
            check_equal(moves[k].name, "dw", more.w->grad, one.w->grad, C);
        }
    }
    run_free(&one);
    run_free(&more);
}
END_TEST

SUITE("ops_shared", TESTS(as_plain_loops, same_bits), NO_ABORTS)
