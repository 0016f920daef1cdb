/* The ops of large language models equal PyTorch's, values and gradients. tests/golden/ops_large.py
 * wrote the expected numbers. */
#include "golden.h"
#include "ops/ops.h"

/* Absolute tolerance for values up to 10: a few units in the last place of a float (or of a
 * double). */
static const double TOLERANCE = sizeof(real) == sizeof(float) ? 2e-6 : 2e-14;

static Golden g;
static Tensor *in[3];

static Tensor *value(const char *op, const char *what)
{
    char name[64];
    snprintf(name, sizeof name, "%s.%s", op, what);
    return golden_tensor(&g, name);
}

static void equal(const char *op, const char *what, const real *x, int n)
{
    char name[64];
    snprintf(name, sizeof name, "%s.%s", op, what);
    golden_equal(&g, name, x, n, TOLERANCE);
}

/* Opens the file and reads the inputs of an op. */
static void begin(const char *op, int inputs)
{
    static const char *const names[] = {"in0", "in1", "in2"};
    g = golden_open("tests/golden/ops_large.safetensors");
    for (int i = 0; i < inputs; i++) in[i] = value(op, names[i]);
}

/* Compares y, then the gradients of sum(r y) with respect to the inputs. */
static void end(const char *op, int inputs, Tensor *y)
{
    static const char *const names[] = {"d0", "d1", "d2"};
    equal(op, "y", y->data, y->len);
    tape_backward(&g.tape, op_dot(&g.tape, y, value(op, "r")->data));
    for (int i = 0; i < inputs; i++) equal(op, names[i], in[i]->grad, in[i]->len);
    golden_close(&g);
}

START_TEST(pointwise)
{
    begin("silu", 1);
    end("silu", 1, op_silu(&g.tape, in[0]));
    begin("log_sigmoid", 1);
    end("log_sigmoid", 1, op_log_sigmoid(&g.tape, in[0]));
    begin("exp", 1);
    end("exp", 1, op_exp(&g.tape, in[0]));
    begin("min", 2);
    end("min", 2, op_min(&g.tape, in[0], in[1]));
    begin("clamp", 1);
    end("clamp", 1, op_clamp(&g.tape, in[0], -1, 2));
    begin("swiglu", 2);
    end("swiglu", 2, op_swiglu(&g.tape, in[0], in[1]));
    begin("swiglu", 2);
    end("swiglu", 2, op_swiglu_halves(&g.tape, op_concat(&g.tape, in[0], in[1])));
}
END_TEST

START_TEST(rows)
{
    begin("layernorm", 3);
    end("layernorm", 3, op_layernorm(&g.tape, in[0], in[1], in[2], (real)0.1));
    begin("rmsnorm", 2);
    end("rmsnorm", 2, op_rmsnorm(&g.tape, in[0], in[1], (real)0.1));
    begin("l2_normalize", 1);
    end("l2_normalize", 1, op_l2_normalize(&g.tape, in[0], (real)2.5));
    begin("linear_gelu", 3);
    end("linear_gelu", 3, op_linear_gelu(&g.tape, in[0], in[1], in[2]));
    begin("linear_gelu_tanh", 3);
    end("linear_gelu_tanh", 3, op_linear_gelu_tanh(&g.tape, in[0], in[1], in[2]));
    begin("gather", 1);
    end("gather", 1, op_gather(&g.tape, in[0], golden_ids(&g, "gather.rows"), 4));
}
END_TEST

START_TEST(losses)
{
    begin("log_prob", 1);
    end("log_prob", 1, op_log_prob(&g.tape, in[0], golden_ids(&g, "log_prob.targets")));
    begin("cross_entropy_weighted", 1);
    end("cross_entropy_weighted", 1,
        op_cross_entropy_weighted(&g.tape, in[0], golden_ids(&g, "log_prob.targets"),
                                  value("cross_entropy_weighted", "weight")->data));
}
END_TEST

START_TEST(rotary)
{
    begin("rotary_halves", 1);
    Rotary how = {.base = 500000, .halves = true};
    end("rotary_halves", 1, op_rotary_with(&g.tape, in[0], 3, 5, &how));
    begin("rotary_linear", 1);
    how = (Rotary){.linear = 4, .halves = true};
    end("rotary_linear", 1, op_rotary_with(&g.tape, in[0], 2, 9, &how));
    begin("rotary_ntk", 1);
    how = (Rotary){.ntk = 4, .halves = true};
    end("rotary_ntk", 1, op_rotary_with(&g.tape, in[0], 2, 9, &how));
}
END_TEST

START_TEST(attention)
{
    begin("attention_grouped", 3);
    AttentionOptions o = {.heads = 6, .kv_heads = 2};
    end("attention_grouped", 3, op_attention_with(&g.tape, in[0], in[1], in[2], &o));
    begin("attention_window", 3);
    o = (AttentionOptions){.heads = 2, .kv_heads = 1};
    o.mask = &(AttentionMask){.causal = true, .window = 9};
    end("attention_window", 3, op_attention_with(&g.tape, in[0], in[1], in[2], &o));
}
END_TEST

SUITE("golden_ops_large", TESTS(pointwise, rows, losses, rotary, attention), NO_ABORTS)
