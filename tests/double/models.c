/* Whole models: the gradient of the training loss with respect to every parameter. */
#include "gradcheck.h"
#include "rnn.h"

enum { T = 5, B = 3, V = 6 };

typedef struct {
    Model model;
    Batch batch;
    real state[2 * B * 4]; /* (L,B,H) */
    bool carried;
} ModelCase;

static Tensor *loss_of_model(Tape *tp, void *arg)
{
    ModelCase *c = arg;
    Rng rng = rng_make(8, RNG_TEST, 0);
    real state[LEN(c->state)]; /* forward overwrites it */
    memcpy(state, c->state, sizeof state);
    return model_loss(tp, &c->model, &c->batch, c->carried ? state : NULL, &rng);
}

/* inputs 0: ids and a target id a step; else real inputs and one real target a sequence. */
static void check_rnn(int layers, int inputs, bool carried, double dropout)
{
    const Task task = {.vocab = inputs ? 0 : V, .inputs = inputs, .outputs = inputs ? 0 : V};
    Params ps = params_init(9);
    Rnn m = rnn_init(
        &ps, &(RnnConfig){.layers = layers, .channels = 3, .hidden = 4, .dropout = dropout}, &task);
    int x[T * B], y[T * B];
    real u[T * B * 2], v[B];
    Rng rng = rng_make(10, RNG_TEST, 0);
    for (int i = 0; i < T * B; i++) x[i] = rng_below(&rng, V);
    for (int i = 0; i < T * B; i++) y[i] = rng_below(&rng, V + 1) - 1;
    for (int i = 0; i < LEN(u); i++) u[i] = rng_normal(&rng);
    for (int b = 0; b < B; b++) v[b] = rng_normal(&rng);
    ModelCase c = {.model = rnn_model(&m), .carried = carried, .batch = {.T = T, .B = B}};
    if (inputs)
        c.batch.u = u, c.batch.v = v, c.batch.inputs = inputs;
    else
        c.batch.x = x, c.batch.y = y;
    for (int i = 0; i < LEN(c.state); i++) c.state[i] = tanh(rng_normal(&rng));
    for (int i = 0; i < ps.n; i++) /* no bias at 0, where all of them would look alike */
        for (int j = 0; j < ps.tensor[i]->len; j++) ps.tensor[i]->data[j] += .3 * rng_normal(&rng);
    char what[96];
    snprintf(what, sizeof what, "rnn of %d layers, %s%s%s", layers, inputs ? "reals" : "ids",
             carried ? ", carried state" : "", dropout > 0 ? ", dropout" : "");
    check_gradients(what, &ps, loss_of_model, &c, NULL);
    params_free(&ps);
}

START_TEST(whole_rnn)
{
    for (int layers = 1; layers <= 2; layers++)
        for (int inputs = 0; inputs <= 2; inputs += 2)
            for (int carried = 0; carried < 2; carried++)
                for (int dropped = 0; dropped < 2; dropped++)
                    check_rnn(layers, inputs, carried, .3 * dropped);
}
END_TEST

SUITE("gradients of models", TESTS(whole_rnn), NO_ABORTS)
