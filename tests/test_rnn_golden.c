/* The recurrent network equals PyTorch's nn.RNN with the same weights: logits, loss, final state and the
 * gradient of every parameter. tests/golden/rnn.py makes the file. */
#include "models/model.h"
#include "golden.h"
#include "rnn/rnn.h"

/* Absolute error of values up to 4: some units in the last place of a float, or of a double. */
static const double TOLERANCE = sizeof(real) == sizeof(float) ? 2e-6 : 2e-14;

enum { B = 3, T = 7, V = 11, C = 5, H = 6, L = 2 };

static Golden g;
static Params ps;
static Rnn rnn;
static Model model;
static Batch batch;
static real state[L * B * H];

static void setup(void)
{
    g = golden_open("tests/golden/rnn.safetensors");
    const Task task = {.vocab = V, .outputs = V};
    ps = params_init(1);
    rnn = rnn_init(&ps, &(RnnConfig){.layers = L, .channels = C, .hidden = H}, &task);
    model = rnn_model(&rnn);
    golden_set(&g, &ps);
    memcpy(state, golden_tensor(&g, "h0")->data, sizeof state);
    batch = (Batch){.T = T, .B = B, .x = golden_ids(&g, "ids"), .y = golden_ids(&g, "targets")};
}

static void teardown(void)
{
    params_free(&ps);
    golden_close(&g);
}

START_TEST(logits_and_final_state)
{
    setup();
    const Tensor *logits = model.forward(&g.tape, model.self, &batch, state, NULL);
    golden_equal(&g, "logits", logits->data, logits->len, TOLERANCE);
    golden_equal(&g, "hT", state, LEN(state), TOLERANCE);
    teardown();
}
END_TEST

START_TEST(loss_and_every_gradient)
{
    setup();
    Tensor *loss = model_loss(&g.tape, &model, &batch, state, NULL).mean;
    golden_equal(&g, "loss", loss->data, 1, TOLERANCE);
    tape_backward(&g.tape, loss);
    golden_gradients(&g, &ps, TOLERANCE);
    teardown();
}
END_TEST

/* The layer step by step, which is the definition of the fused layer. */
START_TEST(layers_step_by_step)
{
    setup();
    Tensor *x = op_embed(&g.tape, rnn.embed, batch.x, SHAPE(T, B)), *h[T];
    for (int l = 0; l < L; l++) {
        Tensor *h0 = tape_tensor(&g.tape, SHAPE(B, H));
        memcpy(h0->data, state + l * B * H, (size_t)h0->len * sizeof *h0->data);
        x = rnn_layer_steps(&g.tape, &rnn.layer[l], x, h0, h);
        memcpy(state + l * B * H, h[T - 1]->data, (size_t)h0->len * sizeof *h0->data);
    }
    const Tensor *logits = linear(&g.tape, &rnn.head, x);
    golden_equal(&g, "logits", logits->data, logits->len, TOLERANCE);
    golden_equal(&g, "hT", state, LEN(state), TOLERANCE);
    teardown();
}
END_TEST

SUITE("rnn_golden", TESTS(logits_and_final_state, loss_and_every_gradient, layers_step_by_step),
      NO_ABORTS)
