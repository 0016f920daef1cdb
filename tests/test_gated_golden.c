/* The gated networks equal PyTorch's nn.LSTM and nn.GRU with the same weights: logits, loss, final states
 * and the gradient of every parameter. tests/golden/gated.py makes the files. */
#include "models/model.h"
#include "golden.h"
#include "lstm_gru/gated.h"

/* Absolute error of values up to 4: some units in the last place of a float, or of a double. */
static const double TOLERANCE = sizeof(real) == sizeof(float) ? 2e-6 : 2e-14;

enum { B = 3, T = 7, V = 11, C = 5, H = 6, L = 2, BH = B * H };

static Golden g;
static Params ps;
static Gated gated;
static Model model;
static Batch batch;
static real state[L * 2 * BH]; /* each layer's h, followed by c in an LSTM */

/* Returns a layer's h or c in the model's state. */
static real *state_of(int layer, char which)
{
    return state + (gated.is_lstm ? 2 * layer + (which == 'c') : layer) * BH;
}

static void setup(const char *cell)
{
    char path[64];
    snprintf(path, sizeof path, "tests/golden/%s.safetensors", cell);
    g = golden_open(path);
    const Task task = {.vocab = V, .outputs = V};
    GatedConfig config = gated_defaults();
    config.cell = strcmp(cell, "gru") == 0 ? GATED_GRU : GATED_LSTM, config.layers = L,
    config.channels = C, config.hidden = H;
    config.inner_bias = true; /* like PyTorch's GRU */
    ps = params_init(1);
    gated = gated_init(&ps, &config, &task);
    model = gated_model(&gated);
    golden_set(&g, &ps);
    ck_assert_int_eq(model.state_size, (gated.is_lstm ? 2 : 1) * L * H);
    for (const char *which = gated.is_lstm ? "hc" : "h"; *which; which++) {
        const Tensor *start = golden_tensor(&g, (char[]){*which, '0', 0});
        for (int i = 0; i < L; i++)
            memcpy(state_of(i, *which), start->data + i * BH, BH * sizeof *state);
    }
    batch = (Batch){.T = T, .B = B, .x = golden_ids(&g, "ids"), .y = golden_ids(&g, "targets")};
}

static void teardown(void)
{
    params_free(&ps);
    golden_close(&g);
}

static void check_final_states(void)
{
    for (const char *which = gated.is_lstm ? "hc" : "h"; *which; which++) {
        real end[L * BH];
        for (int i = 0; i < L; i++) memcpy(end + i * BH, state_of(i, *which), BH * sizeof *end);
        golden_equal(&g, (char[]){*which, 'T', 0}, end, LEN(end), TOLERANCE);
    }
}

static const char *const cells[] = {"lstm", "gru"};

START_TEST(logits_and_final_states)
{
    for (int i = 0; i < LEN(cells); i++) {
        setup(cells[i]);
        const Tensor *logits = model.forward(&g.tape, model.self, &batch, state, NULL);
        golden_equal(&g, "logits", logits->data, logits->len, TOLERANCE);
        check_final_states();
        teardown();
    }
}
END_TEST

START_TEST(loss_and_every_gradient)
{
    for (int c = 0; c < LEN(cells); c++) {
        setup(cells[c]);
        Tensor *loss = model_loss(&g.tape, &model, &batch, state, NULL).mean;
        golden_equal(&g, "loss", loss->data, 1, TOLERANCE);
        tape_backward(&g.tape, loss);
        golden_gradients(&g, &ps, TOLERANCE);
        teardown();
    }
}
END_TEST

/* Returns a layer's state as a tensor (B,H). */
static Tensor *start_of(int layer, char which)
{
    Tensor *s = tape_tensor(&g.tape, SHAPE(B, H));
    memcpy(s->data, state_of(layer, which), BH * sizeof *s->data);
    return s;
}

static void keep(int layer, char which, const Tensor *s)
{
    memcpy(state_of(layer, which), s->data, BH * sizeof *s->data);
}

/* Runs one layer step by step, (T,B,...) -> (T,B,H). */
static Tensor *layer_steps(int layer, Tensor *x)
{
    Tensor *h[T];
    LstmState a = {.h = start_of(layer, 'h')};
    GruState b = {.h = a.h};
    if (gated.is_lstm) a.c = start_of(layer, 'c');
    for (int t = 0; t < T; t++) {
        Tensor *xt = op_rows(&g.tape, x, t, 1);
        if (gated.is_lstm)
            a = lstm_step(&g.tape, &gated.lstm[layer], xt, a);
        else
            b = gru_step(&g.tape, &gated.gru[layer], xt, b);
        h[t] = gated.is_lstm ? a.h : b.h;
    }
    keep(layer, 'h', h[T - 1]);
    if (gated.is_lstm) keep(layer, 'c', a.c);
    return op_stack(&g.tape, h, T);
}

/* The cells step by step, which are the definition of the fused layers. */
START_TEST(layers_step_by_step)
{
    for (int c = 0; c < LEN(cells); c++) {
        setup(cells[c]);
        Tensor *x = op_embed(&g.tape, gated.embed, batch.x, SHAPE(T, B));
        for (int i = 0; i < L; i++) x = layer_steps(i, x);
        const Tensor *logits = linear(&g.tape, &gated.head, x);
        golden_equal(&g, "logits", logits->data, logits->len, TOLERANCE);
        check_final_states();
        teardown();
    }
}
END_TEST

SUITE("gated_golden", TESTS(logits_and_final_states, loss_and_every_gradient, layers_step_by_step),
      NO_ABORTS)
