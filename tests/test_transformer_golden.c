/* The Transformer equals PyTorch's with the same weights: logits, loss, the loss with label smoothing and the
 * gradient of every parameter. tests/golden/transformer.py makes the files. */
#include "models/model.h"
#include "golden.h"
#include "layout_help.h"
#include "transformer/transformer.h"

/* Absolute error of values up to 4: some units in the last place of a float, or of a double. */
static const double TOLERANCE = sizeof(real) == sizeof(float) ? 4e-6 : 4e-14;

enum { B = 3, S = 6, T = 5, V_SOURCE = 9, V = 8, C = 8, H = 2, F = 12, L = 2 };

static const struct {
    const char *name;
    Positions positions;
    NormPlace norm;
    bool has_encoder, tied;
} networks[] = {
    {"post", SINUSOID, POST_NORM, true, true},
    {"pre", LEARNED, PRE_NORM, true, false},
    {"decoder", SINUSOID, PRE_NORM, false, true},
};

static Golden g;
static Params ps;
static Transformer net;
static Model model;
static Batch file, batch; /* time-major; the same, batch-major */

static void setup(int k)
{
    char path[64];
    snprintf(path, sizeof path, "tests/golden/transformer-%s.safetensors", networks[k].name);
    g = golden_open(path);
    const Task task = {
        .source_vocab = networks[k].has_encoder ? V_SOURCE : 0, .vocab = V, .outputs = V};
    TransformerConfig config = transformer_defaults();
    config.layers = L, config.channels = C, config.heads = H, config.ffn = F;
    config.positions = networks[k].positions, config.norm = networks[k].norm;
    config.tied = networks[k].tied, config.longest = S + 1;
    ps = params_init(1);
    net = transformer_init(&ps, &config, &task);
    model = transformer_model(&net);
    golden_set(&g, &ps);
    file = (Batch){.T = T, .B = B, .x = golden_ids(&g, "ids"), .y = golden_ids(&g, "targets")};
    if (net.has_encoder) {
        file.S = S;
        file.s = golden_ids(&g, "source");
        file.s_len = golden_ids(&g, "lengths");
    }
    batch = batch_major(&file);
}

static void teardown(void)
{
    batch_free(&batch);
    params_free(&ps);
    golden_close(&g);
}

START_TEST(logits_and_smoothed_loss)
{
    for (int k = 0; k < LEN(networks); k++) {
        setup(k);
        Tensor *z = model.forward(&g.tape, model.self, &batch, NULL, NULL);
        real by_step[T * B * V];
        time_major_logits(z->data, T, B, V, by_step);
        golden_equal(&g, "logits", by_step, z->len, TOLERANCE);
        const Tensor *smoothed = op_cross_entropy_smoothed(&g.tape, z, batch.y, (real)0.1);
        golden_equal(&g, "smoothed", smoothed->data, 1, TOLERANCE);
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
        golden_gradients(&g, &ps, 4 * TOLERANCE);
        teardown();
    }
}
END_TEST

/* Step by step with the key/value cache, as in decoding. */
START_TEST(cached_steps)
{
    for (int k = 0; k < LEN(networks); k++) {
        setup(k);
        Tape tp = {.frozen = true};
        real z[T * B * V];
        KeyValues source = {0}, past = {0};
        if (net.has_encoder) source = transformer_read(&tp, &net, batch.s, batch.s_len, S, B);
        for (int t = 0; t < T; t++) {
            const Tensor *zt = transformer_step(&tp, &net, net.has_encoder ? &source : NULL,
                                                batch.s_len, file.x + (size_t)t * B, B, t, &past);
            memcpy(z + t * B * V, zt->data, B * V * sizeof *z);
        }
        golden_equal(&g, "logits", z, LEN(z), TOLERANCE);
        tape_free(&tp);
        teardown();
    }
}
END_TEST

SUITE("transformer_golden", TESTS(logits_and_smoothed_loss, loss_and_every_gradient, cached_steps),
      NO_ABORTS)
