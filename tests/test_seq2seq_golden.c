/* The encoder-decoder networks equal PyTorch's with the same weights, for every form of attention: logits,
 * loss, attention weights and the gradient of every parameter. tests/golden/seq2seq.py makes the files;
 * its encoder reads packed sequences, so PyTorch itself handles the padding. */
#include "models/model.h"
#include "golden.h"
#include "seq2seq_attention/seq2seq.h"

/* Absolute error of values up to 4: some units in the last place of a float, or of a double. */
static const double TOLERANCE = sizeof(real) == sizeof(float) ? 2e-6 : 2e-14;

enum { B = 3, S = 6, T = 5, V_SOURCE = 9, V = 8, C = 4, H = 6 };

static const struct {
    AttentionKind attention;
    CellKind cell;
    int layers;
    bool bidirectional, feed, reverse;
} networks[] = {
    {ADDITIVE, CELL_GRU, 1, true, false, false},      {DOT, CELL_LSTM, 2, true, true, false},
    {GENERAL, CELL_GRU, 2, false, false, true},       {CONCAT, CELL_RNN, 1, true, true, false},
    {NO_ATTENTION, CELL_LSTM, 2, false, false, true},
};

static Golden g;
static Params ps;
static Seq2seq net;
static Model model;
static Batch batch;

static void setup(int k)
{
    char path[64];
    snprintf(path, sizeof path, "tests/golden/seq2seq-%s.safetensors",
             seq2seq_attention_names[networks[k].attention]);
    g = golden_open(path);
    const Task task = {.source_vocab = V_SOURCE, .vocab = V, .outputs = V};
    const Seq2seqConfig config = {.cell = networks[k].cell,
                                  .attention = networks[k].attention,
                                  .layers = networks[k].layers,
                                  .channels = C,
                                  .hidden = H,
                                  .bidirectional = networks[k].bidirectional,
                                  .feed = networks[k].feed,
                                  .reverse = networks[k].reverse};
    ps = params_init(1);
    net = seq2seq_init(&ps, &config, &task);
    model = seq2seq_model(&net);
    golden_set(&g, &ps);
    batch = (Batch){.T = T,
                    .B = B,
                    .S = S,
                    .s = golden_ids(&g, "source"),
                    .s_len = golden_ids(&g, "lengths"),
                    .x = golden_ids(&g, "ids"),
                    .y = golden_ids(&g, "targets")};
}

static void teardown(void)
{
    params_free(&ps);
    golden_close(&g);
}

START_TEST(logits)
{
    for (int k = 0; k < LEN(networks); k++) {
        setup(k);
        const Tensor *z = model.forward(&g.tape, model.self, &batch, NULL, NULL);
        golden_equal(&g, "logits", z->data, z->len, TOLERANCE);
        teardown();
    }
}
END_TEST

START_TEST(loss_and_every_gradient)
{
    for (int k = 0; k < LEN(networks); k++) {
        setup(k);
        Tensor *loss = model_loss(&g.tape, &model, &batch, NULL, NULL).mean;
        golden_equal(&g, "loss", loss->data, 1, TOLERANCE);
        tape_backward(&g.tape, loss);
        golden_gradients(&g, &ps, TOLERANCE);
        teardown();
    }
}
END_TEST

/* Step by step, as in decoding, with the attention weights. */
START_TEST(steps_and_weights)
{
    for (int k = 0; k < LEN(networks); k++) {
        setup(k);
        real z[T * B * V], p[T * B * S];
        const Memory memory = seq2seq_encode(&g.tape, &net, batch.s, batch.s_len, S, B, NULL);
        DecoderState state = seq2seq_start(&g.tape, &net, &memory);
        for (int t = 0; t < T; t++) {
            const Tensor *zt =
                seq2seq_step(&g.tape, &net, &memory, batch.x + (size_t)t * B, &state);
            memcpy(z + t * B * V, zt->data, B * V * sizeof *z);
            if (state.weights) memcpy(p + t * B * S, state.weights, B * S * sizeof *p);
        }
        golden_equal(&g, "logits", z, LEN(z), TOLERANCE);
        if (state.weights) golden_equal(&g, "weights", p, LEN(p), TOLERANCE);
        teardown();
    }
}
END_TEST

SUITE("seq2seq_golden", TESTS(logits, loss_and_every_gradient, steps_and_weights), NO_ABORTS)
