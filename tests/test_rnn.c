/* The Elman network as a whole: it learns, it cannot see ahead, padding and batching change nothing,
 * and its two ways of multiplying the inputs are one. (Its numbers against PyTorch's stand in
 * test_rnn_golden.c, its gradients in double/models.c.) */
#include "suite.h"

#include "optim.h"
#include "parallel.h"
#include "rnn.h"

enum { V = 7, T = 6, B = 4 };

static const Task task = {.vocab = V, .outputs = V};

static void random_ids(int *ids, int n, uint32_t step)
{
    Rng rng = rng_make(5, RNG_TEST, step);
    for (int i = 0; i < n; i++) ids[i] = rng_below(&rng, V);
}

static Rnn small_rnn(Params *ps)
{
    const RnnConfig config = {.layers = 2, .channels = 5, .hidden = 12};
    parallel_init(1);
    return rnn_init(ps, &config, &task);
}

/* Logits into out (T,B,V). */
static void logits_of(const Rnn *m, const Batch *batch, real *state, real *out)
{
    Tape tp = {.frozen = true};
    const Model model = rnn_model(m);
    const Tensor *y = model.forward(&tp, model.self, batch, state, NULL);
    memcpy(out, y->data, (size_t)y->len * sizeof *out);
    tape_free(&tp);
}

START_TEST(overfits_one_batch)
{
    Params ps = params_init(1);
    const Rnn m = small_rnn(&ps);
    const Model model = rnn_model(&m);
    Optim o = optim_init(OPTIM_ADAMW, &ps, 0.9, 0.99, 0);
    int x[T * B], y[T * B];
    random_ids(x, T * B, 1);
    random_ids(y, T * B, 2);
    for (int b = 0; b < B; b++) x[b] = b; /* no two sequences start alike: all can be told apart */
    const Batch batch = {.T = T, .B = B, .x = x, .y = y};
    Tape tp = {0};
    double loss = 0;
    for (int step = 0; step < 400; step++) {
        Tensor *l = model_loss(&tp, &model, &batch, NULL, NULL);
        tape_backward(&tp, l);
        optim_step(&o, &ps, 0.02);
        loss = (double)l->data[0];
        tape_reset(&tp);
    }
    ck_assert_double_lt(loss, 0.005);
    tape_free(&tp), optim_free(&o), params_free(&ps);
}
END_TEST

START_TEST(sees_nothing_ahead)
{
    Params ps = params_init(2);
    const Rnn m = small_rnn(&ps);
    int x[T * B], y[T * B] = {0};
    real before[T * B * V], after[T * B * V];
    random_ids(x, T * B, 1);
    const Batch batch = {.T = T, .B = B, .x = x, .y = y};
    logits_of(&m, &batch, NULL, before);
    for (int t = 1; t < T; t++) {
        for (int i = t * B; i < T * B; i++) x[i] = (x[i] + 1) % V;
        logits_of(&m, &batch, NULL, after);
        ck_assert_msg(!memcmp(before, after, (size_t)(t * B * V) * sizeof(real)), "t = %d", t);
        ck_assert(memcmp(before, after, sizeof before) != 0);
        random_ids(x, T * B, 1);
    }
    params_free(&ps);
}
END_TEST

/* The loss and every gradient of a batch of sequences of unequal length do not depend on the ids
 * that pad the shorter ones. */
START_TEST(padding_changes_nothing)
{
    Params ps = params_init(3);
    const Rnn m = small_rnn(&ps);
    const Model model = rnn_model(&m);
    int x[T * B], y[T * B];
    random_ids(x, T * B, 1);
    random_ids(y, T * B, 2);
    for (int t = 3; t < T; t++) y[t * B + 1] = -1; /* sequence 1 has three steps */
    const Batch batch = {.T = T, .B = B, .x = x, .y = y};
    Tape tp = {0};
    real loss[2], *grad = calloc(ps.len, sizeof *grad);
    for (int trial = 0; trial < 2; trial++) {
        for (int t = 3; t < T; t++) x[t * B + 1] = trial ? V - 1 : 0;
        Tensor *l = model_loss(&tp, &model, &batch, NULL, NULL);
        tape_backward(&tp, l);
        loss[trial] = l->data[0];
        if (trial == 0)
            memcpy(grad, ps.grad, ps.len * sizeof *grad);
        else
            ck_assert(memcmp(grad, ps.grad, ps.len * sizeof *grad) == 0);
        params_zero_grad(&ps);
        tape_reset(&tp);
    }
    ck_assert(loss[0] == loss[1]);
    free(grad), tape_free(&tp), params_free(&ps);
}
END_TEST

START_TEST(a_carried_state_joins_two_halves)
{
    Params ps = params_init(4);
    const Rnn m = small_rnn(&ps);
    int x[T * B], y[T * B] = {0};
    real whole[T * B * V] = {0}, halves[T * B * V] = {0},
                       *state = calloc(2 * 12 * B, sizeof *state);
    random_ids(x, T * B, 1);
    logits_of(&m, &(Batch){.T = T, .B = B, .x = x, .y = y}, NULL, whole);
    for (int half = 0; half < 2; half++) {
        const int at = half * T / 2 * B;
        logits_of(&m, &(Batch){.T = T / 2, .B = B, .x = x + at, .y = y}, state, halves + at * V);
    }
    for (int i = 0; i < T * B * V; i++)
        ck_assert_double_lt(fabs((double)(whole[i] - halves[i])), 1e-6);
    free(state), params_free(&ps);
}
END_TEST

/* With fewer tokens than words the embeddings are multiplied, with more the table is: the same
 * logits for the same sequence, alone or beside others. */
START_TEST(a_sequence_is_the_same_alone)
{
    Params ps = params_init(5);
    const Rnn m = small_rnn(&ps);
    int x[T * B], y[T * B] = {0}, alone[T];
    real all[T * B * V] = {0}, one[T * V] = {0};
    random_ids(x, T * B, 1);
    logits_of(&m, &(Batch){.T = T, .B = B, .x = x, .y = y}, NULL, all);
    for (int b = 0; b < B; b++) {
        for (int t = 0; t < T; t++) alone[t] = x[t * B + b];
        logits_of(&m, &(Batch){.T = T, .B = 1, .x = alone, .y = y}, NULL, one);
        for (int t = 0; t < T; t++)
            for (int v = 0; v < V; v++)
                ck_assert_double_lt(fabs((double)(all[(t * B + b) * V + v] - one[t * V + v])),
                                    1e-6);
    }
    params_free(&ps);
}
END_TEST

/* |dL/dh| of a linear-like network (tiny weights keep tanh straight) with an orthogonal U of gain
 * rho falls by rho at every step back (Pascanu, Mikolov & Bengio 2013). */
START_TEST(trace_follows_the_gain)
{
    enum { STEPS = 20 };
    Params ps = params_init(6);
    const RnnConfig config = {.layers = 1, .channels = 5, .hidden = 12};
    parallel_init(1);
    const Rnn m = rnn_init(&ps, &config, &task);
    for (int i = 0; i < m.embed->len; i++) m.embed->data[i] *= (real)1e-4;
    for (int i = 0; i < m.layer[0].u->len; i++) m.layer[0].u->data[i] *= (real)0.8;
    int x[STEPS * B], y[STEPS * B];
    random_ids(x, STEPS * B, 1);
    random_ids(y, STEPS * B, 2);
    double norm[STEPS] = {0};
    rnn_trace(&m, &(Batch){.T = STEPS, .B = B, .x = x, .y = y}, norm);
    for (int k = 1; k < STEPS; k++) ck_assert_double_lt(fabs(norm[k] / norm[k - 1] - 0.8), 1e-3);
    params_free(&ps);
}
END_TEST

SUITE("rnn",
      TESTS(overfits_one_batch, sees_nothing_ahead, padding_changes_nothing,
            a_carried_state_joins_two_halves, a_sequence_is_the_same_alone, trace_follows_the_gain),
      NO_ABORTS)
