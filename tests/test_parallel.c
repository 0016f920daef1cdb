/* Threads: how many work, and that their number changes no bit of a result. */
#include "models/model.h"
#include "nn/optim.h"
#include "math/parallel.h"
#include "rnn/rnn.h"
#include "suite.h"

#include <time.h>

enum { MOST = 4 }; /* most threads tested */

/* --- how many --------------------------------------------------------------------------------- */

START_TEST(how_many)
{
    for (int n = 1; n <= 8; n++) {
        parallel_init(n);
        ck_assert_int_eq(parallel_max(), n);
        ck_assert_int_eq(parallel_threads(1e9), n);
        ck_assert_int_eq(parallel_threads(100), 1);
    }
    parallel_init(100000);
    ck_assert_int_le(parallel_max(), 256);
}
END_TEST

/* The last step would go beyond INT_MAX. */
START_TEST(as_many_as_an_int_counts)
{
    parallel_init(2);
    for (double flops = 1; flops < 1e10; flops *= 1e9) {
        int calls[2] = {0};
        PARALLEL_FOR(flops, i, INT32_MAX, 1 << 30, calls[i != 0]++);
        ck_assert_int_eq(calls[0], 1);
        ck_assert_int_eq(calls[1], 1);
    }
}
END_TEST

START_TEST(from_the_environment)
{
    setenv("OMP_NUM_THREADS", "3", 1);
    parallel_init(0);
    ck_assert_int_eq(parallel_max(), 3);
    parallel_init(2); /* the argument takes precedence over OMP_NUM_THREADS */
    ck_assert_int_eq(parallel_max(), 2);
    static const char *const nonsense[] = {"", "-2", "0", "many"};
    for (int i = 0; i < LEN(nonsense); i++) {
        setenv("OMP_NUM_THREADS", nonsense[i], 1);
        parallel_init(0);
        ck_assert_int_ge(parallel_max(), 1);
        ck_assert_int_le(parallel_max(), 256);
    }
}
END_TEST

/* Inside a parallel region no further threads are used. */
START_TEST(never_nested)
{
    int inside = 0;
    parallel_init(2);
#pragma omp parallel for num_threads(parallel_threads(1e9)) reduction(max : inside)
    for (int i = 0; i < 2; i++) inside = parallel_threads(1e9);
    ck_assert_int_eq(inside, 1);
}
END_TEST

/* Runs `times` regions in which the second thread comes `late` milliseconds after the first has
 * done its part. Returns whether all of them ran on two threads. */
static bool run_late(int times, int late)
{
    for (int k = 0; k < times; k++) {
        if (parallel_threads(1e9) == 1) return false;
        PARALLEL_FOR(1e9, i, 2, 1, {
            if (i == 1) nanosleep(&(struct timespec){.tv_nsec = late * 1000000L}, NULL);
        });
    }
    return true;
}

/* While regions wait for a late thread, one thread works; all are tried again soon. */
START_TEST(one_thread_beside_a_late_one)
{
    unsetenv("OMP_DYNAMIC");
    parallel_init(2);
    ck_assert(!run_late(1000, 2));
    const double start = clock_seconds();
    while (parallel_threads(1e9) == 1 && clock_seconds() < start + 10) {
    }
    ck_assert_int_eq(parallel_threads(1e9), 2);
    ck_assert(!run_late(1000, 2)); /* the next pause is longer */
    parallel_init(2);              /* resets the pause */
    ck_assert_int_eq(parallel_threads(1e9), 2);
    setenv("OMP_DYNAMIC", "false", 1); /* always all threads */
    parallel_init(2);
    ck_assert(run_late(30, 2));
}
END_TEST

/* --- the same bits ---------------------------------------------------------------------------- */

/* The results of a computation: some reals, by value. */
typedef struct {
    real *data;
    size_t len;
} Result;

static void add_to(Result *r, const real *data, size_t len)
{
    r->data = xrealloc(r->data, (r->len + len) * sizeof *data);
    memcpy(r->data + r->len, data, len * sizeof *data);
    r->len += len;
}

static void check_bits(Result compute(void))
{
    Result first = {0};
    for (int threads = 1; threads <= MOST; threads++) {
        parallel_init(threads);
        Result r = compute();
        if (threads == 1) add_to(&first, r.data, r.len);
        ck_assert_uint_eq(r.len, first.len);
        for (size_t i = 0; i < r.len; i++)
            if (memcmp(r.data + i, first.data + i, sizeof *r.data) != 0 || isnan(r.data[i]))
                ck_abort_msg("value %zu is %.9g with %d threads, %.9g with one", i,
                             (double)r.data[i], threads, (double)first.data[i]);
        free(r.data);
    }
    free(first.data);
}

/* Three updates of a small Rnn: losses, gradients, weights. */
static Result train_rnn(void)
{
    enum { T = 20, B = 40, V = 50, H = 48 };
    const Task task = {.vocab = V, .outputs = V};
    const RnnConfig config = {.layers = 2, .channels = 24, .hidden = H, .dropout = .2};
    Params ps = params_init(1);
    const Rnn m = rnn_init(&ps, &config, &task);
    const Model model = rnn_model(&m);
    Optim o = optim_init(OPTIM_ADAMW, &ps, .9, .99, .01);
    static int x[T * B], y[T * B];
    Rng rng = rng_make(2, RNG_TEST, 0);
    for (int i = 0; i < T * B; i++) x[i] = rng_below(&rng, V);
    for (int i = 0; i < T * B; i++) y[i] = rng_below(&rng, V + 1) - 1;
    const Batch batch = {.T = T, .B = B, .x = x, .y = y};
    Tape tp = {0};
    Result r = {0};
    for (int step = 0; step < 3; step++) {
        Tensor *loss = model_loss(&tp, &model, &batch, NULL, &rng).mean;
        tape_backward(&tp, loss);
        params_clip(&ps, 1);
        add_to(&r, loss->data, 1);
        add_to(&r, ps.grad, ps.len);
        optim_step(&o, &ps, .01);
        add_to(&r, ps.value, ps.len);
        tape_reset(&tp);
    }
    tape_free(&tp);
    optim_free(&o);
    params_free(&ps);
    return r;
}

START_TEST(rnn)
{
    check_bits(train_rnn);
}
END_TEST

/* Runs every op that uses threads, at a size where it does. */
static Result all_ops(void)
{
    enum { B = 6, T = 50, C = 128 };
    Params ps = params_init(3);
    Tensor *x = param(&ps, SHAPE(B, T, C), 1, "x"), *w = param(&ps, SHAPE(C, C), .1, "w");
    Tensor *b = param(&ps, SHAPE(C), 1, "b"), *g = param(&ps, SHAPE(C), 1, "g");
    int *target = xmalloc(B * T * sizeof *target), ids[B * T];
    for (int i = 0; i < B * T; i++) ids[i] = i * i % C;
    for (int i = 0; i < B * T; i++) target[i] = i * 7 % (C + 1) - 1;
    Tape tp = {0};
    Rng rng = rng_make(4, RNG_TEST, 0);
    Tensor *h = op_layernorm(&tp, op_linear(&tp, x, w, b), g, b, (real)1e-5);
    h = op_add(&tp, op_gelu(&tp, h), op_gelu_tanh(&tp, op_scale(&tp, h, 2)));
    Tensor *a = op_softmax(&tp, op_bmm(&tp, h, x, false, true)); /* (B,T,T) */
    h = op_add(&tp, op_bmm(&tp, a, h, false, false), op_bmm(&tp, a, h, true, false));
    Tensor *e = op_embed_sum(&tp, &(EmbedSum){.word = w,
                                              .ids = ids,
                                              .scale = 2,
                                              .position = op_rows(&tp, w, 7, T),
                                              .shape = SHAPE(B, T)});
    Tensor *up = op_linear_relu(&tp, h, w, b), *sum = op_linear_add(&tp, e, up, w, b);
    h = op_add(&tp, h, op_mul(&tp, sum, e));
    Tensor *c = op_bmm(&tp, op_tanh(&tp, h), op_sigmoid(&tp, h), true, false); /* (B,C,C) */
    h = op_add(&tp, op_matmul(&tp, h, w), op_relu(&tp, op_bias(&tp, h, b)));
    h = op_dropout(&tp, op_bmm(&tp, op_mul(&tp, h, h), c, false, true), (real).1, &rng);
    Tensor *loss = op_cross_entropy(&tp, op_scale(&tp, h, (real).001), target);
    tape_backward(&tp, loss);
    Result r = {0};
    add_to(&r, loss->data, 1);
    add_to(&r, h->data, (size_t)h->len);
    add_to(&r, ps.grad, ps.len);
    tape_free(&tp);
    params_free(&ps);
    free(target);
    return r;
}

START_TEST(ops)
{
    check_bits(all_ops);
}
END_TEST

SUITE("parallel",
      TESTS(how_many, as_many_as_an_int_counts, from_the_environment, never_nested,
            one_thread_beside_a_late_one, rnn, ops),
      NO_ABORTS)
