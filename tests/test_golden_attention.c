/* Attention and label smoothing equal PyTorch's, values and gradients. tests/golden/attention.py
 * wrote the expected numbers. */
#include "golden.h"
#include "ops/ops.h"

/* Absolute tolerance for values up to 10: a few units in the last place of a float (or of a
 * double). */
static const double TOLERANCE = sizeof(real) == sizeof(float) ? 3e-6 : 2e-14;

static const char *of(const char *name, const char *what)
{
    static char text[64];
    snprintf(text, sizeof text, "%s.%s", name, what);
    return text;
}

static void check(const char *name, int heads, bool causal, bool padded)
{
    Golden g = golden_open("tests/golden/attention.safetensors");
    Tensor *q = golden_tensor(&g, of(name, "q")), *k = golden_tensor(&g, of(name, "k"));
    Tensor *v = golden_tensor(&g, of(name, "v")), *r = golden_tensor(&g, of(name, "r"));
    const AttentionMask m = {.causal = causal,
                             .len = padded ? golden_ids(&g, of(name, "len")) : NULL};
    Tensor *y = op_attention(&g.tape, q, k, v, heads, &m, NULL);
    golden_equal(&g, of(name, "y"), y->data, y->len, TOLERANCE);
    tape_backward(&g.tape, op_dot(&g.tape, y, r->data));
    golden_equal(&g, of(name, "dq"), q->grad, q->len, TOLERANCE);
    golden_equal(&g, of(name, "dk"), k->grad, k->len, TOLERANCE);
    golden_equal(&g, of(name, "dv"), v->grad, v->len, TOLERANCE);
    golden_close(&g);
}

START_TEST(attention)
{
    check("plain", 3, false, false);
    check("causal", 2, true, false);
    check("padded", 2, false, true);
    check("causal_padded", 1, true, true);
    check("cached", 4, true, false);
}
END_TEST

/* nn.MultiheadAttention: three projections, attention, and a fourth. */
START_TEST(multihead)
{
    Golden g = golden_open("tests/golden/attention.safetensors");
    static const char *const projections[] = {"q", "k", "v", "out"};
    Tensor *w[4], *b[4], *x = golden_tensor(&g, "multihead.x"),
                         *m = golden_tensor(&g, "multihead.m");
    for (int i = 0; i < 4; i++) {
        char name[32];
        snprintf(name, sizeof name, "w_%s", projections[i]);
        w[i] = golden_tensor(&g, of("multihead", name));
        name[0] = 'b';
        b[i] = golden_tensor(&g, of("multihead", name));
    }
    Tensor *q = op_linear(&g.tape, x, w[0], b[0]), *k = op_linear(&g.tape, m, w[1], b[1]);
    Tensor *v = op_linear(&g.tape, m, w[2], b[2]);
    Tensor *looked = op_attention(&g.tape, q, k, v, 3, NULL, NULL);
    Tensor *y = op_linear(&g.tape, looked, w[3], b[3]);
    golden_equal(&g, "multihead.y", y->data, y->len, TOLERANCE);
    tape_backward(&g.tape, op_dot(&g.tape, y, golden_tensor(&g, "multihead.r")->data));
    golden_equal(&g, "multihead.dx", x->grad, x->len, TOLERANCE);
    golden_equal(&g, "multihead.dm", m->grad, m->len, TOLERANCE);
    for (int i = 0; i < 4; i++) {
        char name[32];
        snprintf(name, sizeof name, "dw_%s", projections[i]);
        golden_equal(&g, of("multihead", name), w[i]->grad, w[i]->len, 3 * TOLERANCE);
        name[1] = 'b';
        golden_equal(&g, of("multihead", name), b[i]->grad, b[i]->len, 3 * TOLERANCE);
    }
    golden_close(&g);
}
END_TEST

START_TEST(smoothed_labels)
{
    Golden g = golden_open("tests/golden/attention.safetensors");
    Tensor *z = golden_tensor(&g, "smoothed.z");
    Tensor *y =
        op_cross_entropy_smoothed(&g.tape, z, golden_ids(&g, "smoothed.targets"), (real)0.1);
    golden_equal(&g, "smoothed.y", y->data, 1, TOLERANCE);
    tape_backward(&g.tape, y);
    golden_equal(&g, "smoothed.dz", z->grad, z->len, TOLERANCE);
    golden_close(&g);
}
END_TEST

SUITE("golden_attention", TESTS(attention, multihead, smoothed_labels), NO_ABORTS)
