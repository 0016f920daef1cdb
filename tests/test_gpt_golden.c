/* GPT equals Hugging Face's GPT2LMHeadModel and OpenAIGPTLMHeadModel with the same weights: logits, loss and the
 * gradient of every parameter. tests/golden/gpt.py makes the files. */
#include "golden.h"
#include "gpt/gpt.h"

/* Absolute error of values up to 4: some units in the last place of a float, or of a double. */
static const double TOLERANCE = sizeof(real) == sizeof(float) ? 4e-6 : 4e-14;

enum { B = 3, T = 7, V = 11, C = 8, H = 2, L = 2, CONTEXT = 9 };

static const struct {
    const char *name;
    GptNorm norm;
    GptGelu gelu;
    bool tied;
} networks[] = {
    {"gpt1", GPT_POST_NORM, GPT_TANH, true},
    {"gpt2", GPT_PRE_NORM, GPT_TANH, true},
    {"untied", GPT_PRE_NORM, GPT_ERF, false},
};

static Golden g;
static Params ps;
static Gpt net;
static Model model;
static Batch batch;

static void setup(int k)
{
    char path[64];
    snprintf(path, sizeof path, "tests/golden/gpt-%s.safetensors", networks[k].name);
    g = golden_open(path);
    GptConfig c = gpt_defaults();
    c.layers = L, c.channels = C, c.heads = H, c.context = CONTEXT;
    c.norm = networks[k].norm, c.gelu = networks[k].gelu, c.tied = networks[k].tied;
    ps = params_init(1);
    net = gpt_init(&ps, &c, V);
    model = gpt_model(&net);
    golden_set(&g, &ps);
    batch = (Batch){.layout = BATCH_MAJOR, .T = T, .B = B};
    batch.x = golden_ids(&g, "ids"), batch.y = golden_ids(&g, "targets");
}

static void teardown(void)
{
    params_free(&ps);
    golden_close(&g);
}

START_TEST(logits_loss_and_every_gradient)
{
    for (int k = 0; k < LEN(networks); k++) {
        setup(k);
        const Tensor *z = model.forward(&g.tape, model.self, &batch, NULL, NULL);
        golden_equal(&g, "logits", z->data, z->len, 2 * TOLERANCE);
        Tensor *loss = model_loss(&g.tape, &model, &batch, NULL, NULL).mean;
        golden_equal(&g, "loss", loss->data, 1, TOLERANCE);
        tape_backward(&g.tape, loss);
        golden_gradients(&g, &ps, 4 * TOLERANCE);
        teardown();
    }
}
END_TEST

/* The key/value cache gives Hugging Face's logits at each step. */
START_TEST(cached_steps)
{
    for (int k = 0; k < LEN(networks); k++) {
        setup(k);
        const Decoder d = gpt_decoder(&net, V);
        real z[B * T * V];
        for (int b = 0; b < B; b++)
            for (int t = 0; t < T; t++) {
                const int *id = &batch.x[b * T + t];
                real *row = z + (b * T + t) * V;
                if (t)
                    d.step(d.self, 1, (int[]){0}, id, row);
                else
                    d.start(d.self, 1, id, row);
            }
        golden_equal(&g, "logits", z, LEN(z), 2 * TOLERANCE);
        d.close(d.self);
        teardown();
    }
}
END_TEST

SUITE("gpt_golden", TESTS(logits_loss_and_every_gradient, cached_steps), NO_ABORTS)
