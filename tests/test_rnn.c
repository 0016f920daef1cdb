/* The Elman network as a whole: it learns, it cannot see later tokens, padding and batching change nothing,
 * and its two ways of multiplying the inputs give the same results. (Numbers against PyTorch's:
 * test_rnn_golden.c. Gradients: double/models.c.) */
#include "models/model.h"
#include "reader.h"

#include "math/parallel.h"
#include "rnn/rnn.h"

static const Task task = {.vocab = V, .outputs = V};

static Model small(Params *ps, int which)
{
    static Rnn rnn;
    (void)which;
    parallel_init(1);
    rnn = rnn_init(ps, &(RnnConfig){.layers = 2, .channels = 5, .hidden = 12}, &task);
    return rnn_model(&rnn);
}

START_TEST(overfits_one_batch)
{
    check_overfits(small, 0);
}
END_TEST

START_TEST(sees_nothing_ahead)
{
    check_sees_nothing_ahead(small, 0);
}
END_TEST

START_TEST(padding_changes_nothing)
{
    check_padding(small, 0);
}
END_TEST

START_TEST(a_carried_state_joins_two_halves)
{
    check_state(small, 0);
}
END_TEST

START_TEST(a_sequence_is_the_same_alone)
{
    check_alone(small, 0);
}
END_TEST

/* |dL/dh| of an almost linear network (small weights keep tanh in its linear range) with an orthogonal U of
 * gain rho falls by rho at every step back (Pascanu, Mikolov & Bengio 2013). */
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

START_TEST(too_many_layers)
{
    RnnConfig c = {.layers = RNN_MAX_LAYERS + 1, .channels = 2, .hidden = 2};
    Params ps = params_init(1);
    rnn_init(&ps, &c, &task);
}
END_TEST

SUITE("rnn",
      TESTS(overfits_one_batch, sees_nothing_ahead, padding_changes_nothing,
            a_carried_state_joins_two_halves, a_sequence_is_the_same_alone, trace_follows_the_gain),
      ABORTS(too_many_layers))
