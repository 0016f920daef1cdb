/* Whole models: the gradient of the training loss with respect to every parameter. */
#include "models/model.h"
#include "lstm_gru/gated.h"
#include "gradcheck.h"
#include "rnn/rnn.h"

enum { T = 5, B = 3, V = 6 };

typedef struct {
    Model model;
    Batch batch;
    real state[2 * 2 * B * 4]; /* (L,B,H), for an LSTM (L,2,B,H) */
    bool carried;
} ModelCase;

static Tensor *loss_of_model(Tape *tp, void *arg)
{
    ModelCase *c = arg;
    Rng rng = rng_make(8, RNG_TEST, 0);
    real state[LEN(c->state)]; /* forward overwrites it */
    memcpy(state, c->state, sizeof state);
    return model_loss(tp, &c->model, &c->batch, c->carried ? state : NULL, &rng).mean;
}

/* The variants of a case: inputs, carried state, dropout. */
typedef struct {
    int layers;
    int inputs;   /* 0: ids and one target id per step; else reals and one target per sequence */
    bool carried; /* starts from a state of the previous batch */
    double dropout;
} Way;

static Task task_of(Way w)
{
    return (Task){.vocab = w.inputs ? 0 : V, .inputs = w.inputs, .outputs = w.inputs ? 0 : V};
}

static void check_model(const char *name, Params *ps, Model model, Way w)
{
    int x[T * B], y[T * B];
    real u[T * B * 2], v[B];
    Rng rng = rng_make(10, RNG_TEST, 0);
    for (int i = 0; i < T * B; i++) x[i] = rng_below(&rng, V);
    for (int i = 0; i < T * B; i++) y[i] = rng_below(&rng, V + 1) - 1;
    for (int i = 0; i < LEN(u); i++) u[i] = rng_normal(&rng);
    for (int b = 0; b < B; b++) v[b] = rng_normal(&rng);
    ModelCase c = {.model = model, .carried = w.carried, .batch = {.T = T, .B = B}};
    if (w.inputs)
        c.batch.u = u, c.batch.v = v, c.batch.inputs = w.inputs;
    else
        c.batch.x = x, c.batch.y = y;
    ck_assert_int_le(model.state_size * B, LEN(c.state));
    for (int i = 0; i < LEN(c.state); i++) c.state[i] = tanh(rng_normal(&rng));
    for (int i = 0; i < ps->n; i++) /* no bias stays 0, so that mixed-up biases are found */
        for (int j = 0; j < ps->tensor[i]->len; j++)
            ps->tensor[i]->data[j] += .3 * rng_normal(&rng);
    char what[128];
    snprintf(what, sizeof what, "%s of %d layers, %s%s%s", name, w.layers,
             w.inputs ? "reals" : "ids", w.carried ? ", carried state" : "",
             w.dropout > 0 ? ", dropout" : "");
    double largest[32] = {0};
    ck_assert_int_le(ps->n, LEN(largest));
    check_gradients(what, ps, loss_of_model, &c, largest);
    for (int i = 0; i < ps->n; i++) /* the gradients compared were not all 0 */
        ck_assert_msg(largest[i] > 1e-3, "%s: no gradient reached %s", what, ps->tensor[i]->name);
}

static void check_rnn(Way w)
{
    const Task task = task_of(w);
    Params ps = params_init(9);
    const int layers = w.layers;
    const double dropout = w.dropout;
    const RnnConfig config = {.layers = layers, .channels = 3, .hidden = 4, .dropout = dropout};
    const Rnn m = rnn_init(&ps, &config, &task);
    check_model("rnn", &ps, rnn_model(&m), w);
    params_free(&ps);
}

static void check_gated(const char *name, GatedConfig config, Way w)
{
    const Task task = task_of(w);
    Params ps = params_init(9);
    config.layers = w.layers, config.dropout = w.dropout;
    config.channels = 3, config.hidden = 4;
    const Gated m = gated_init(&ps, &config, &task);
    check_model(name, &ps, gated_model(&m), w);
    params_free(&ps);
}

/* Checks the five cells of the gated networks. */
static void check_all_gated(Way w)
{
    GatedConfig c = gated_defaults();
    check_gated("lstm", c, w);
    c.forget_gate = false;
    check_gated("lstm without forget gate", c, w);
    c.cell = GATED_GRU;
    check_gated("gru, reset after", c, w);
    c.inner_bias = true;
    check_gated("gru, reset after, bias inside", c, w);
    c.inner_bias = false, c.reset = RESET_BEFORE;
    check_gated("gru, reset before", c, w);
}

static void each_way(void check(Way))
{
    for (int layers = 1; layers <= 2; layers++)
        for (int inputs = 0; inputs <= 2; inputs += 2)
            for (int carried = 0; carried < 2; carried++)
                for (int dropped = 0; dropped < 2; dropped++)
                    check((Way){layers, inputs, carried, .3 * dropped});
}

START_TEST(whole_rnn)
{
    each_way(check_rnn);
}
END_TEST

START_TEST(whole_gated)
{
    each_way(check_all_gated);
}
END_TEST

SUITE("gradients of models", TESTS(whole_rnn, whole_gated), NO_ABORTS)
