/* Attention and smoothed labels equal PyTorch's: values and gradients. tests/golden/attention.py
 * made the file. */
#include "golden.h"
#include "ops.h"

/* Absolute, on values up to 10: a few units in the last place of a float; of a double there. */
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

SUITE("golden_attention", TESTS(attention, smoothed_labels), NO_ABORTS)
