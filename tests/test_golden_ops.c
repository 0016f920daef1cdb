/* Single ops, optimisers and clipping equal PyTorch's, values and gradients. tests/golden/ops.py
 * wrote the expected numbers. */
#include "golden.h"
#include "ops/ops.h"
#include "nn/optim.h"
#include "math/vecmath.h"

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
    g = golden_open("tests/golden/ops.safetensors");
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
    static const struct {
        const char *name;
        Tensor *(*op)(Tape *, Tensor *);
    } ops[] = {{"tanh", op_tanh},
               {"sigmoid", op_sigmoid},
               {"relu", op_relu},
               {"gelu", op_gelu},
               {"gelu_tanh", op_gelu_tanh}};
    for (int i = 0; i < LEN(ops); i++) {
        begin(ops[i].name, 1);
        end(ops[i].name, 1, ops[i].op(&g.tape, in[0]));
    }
}
END_TEST

START_TEST(erf_values)
{
    g = golden_open("tests/golden/ops.safetensors");
    Tensor *x = value("erf", "x");
    for (int i = 0; i < x->len; i++) x->data[i] = real_erf(x->data[i]);
    equal("erf", "y", x->data, x->len);
    golden_close(&g);
}
END_TEST

START_TEST(rows)
{
    begin("softmax", 1);
    end("softmax", 1, op_softmax(&g.tape, in[0]));
    begin("layernorm", 3);
    end("layernorm", 3, op_layernorm(&g.tape, in[0], in[1], in[2], (real)1e-5));
}
END_TEST

START_TEST(products)
{
    begin("matmul", 2);
    end("matmul", 2, op_matmul(&g.tape, in[0], in[1]));
    begin("linear", 3);
    end("linear", 3, op_linear(&g.tape, in[0], in[1], in[2]));
    begin("bmm", 2);
    end("bmm", 2, op_bmm(&g.tape, in[0], in[1], false, false));
}
END_TEST

START_TEST(embedding)
{
    begin("embed", 1);
    end("embed", 1, op_embed(&g.tape, in[0], golden_ids(&g, "embed.ids"), SHAPE(2, 3)));
}
END_TEST

START_TEST(losses)
{
    begin("cross_entropy", 1);
    end("cross_entropy", 1,
        op_cross_entropy(&g.tape, in[0], golden_ids(&g, "cross_entropy.targets")));
    begin("mse", 1);
    end("mse", 1, op_mse(&g.tape, in[0], value("mse", "goal")->data));
}
END_TEST

static Params ps;
static Tensor *w, *b;

/* Declares a matrix and a vector as parameters and sets their first values. */
static void optim_begin(void)
{
    g = golden_open("tests/golden/ops.safetensors");
    ps = params_init(1);
    w = param(&ps, SHAPE(4, 3), 0, "w");
    b = param(&ps, SHAPE(5), 0, "b");
    memcpy(w->data, value("optim", "w0")->data, (size_t)w->len * sizeof(real));
    memcpy(b->data, value("optim", "b0")->data, (size_t)b->len * sizeof(real));
}

static void gradients_of_step(int step)
{
    memcpy(w->grad, value("optim", "dw")->data + step * w->len, (size_t)w->len * sizeof(real));
    memcpy(b->grad, value("optim", "db")->data + step * b->len, (size_t)b->len * sizeof(real));
}

static void five_steps(const char *name, Optim o)
{
    enum { STEPS = 5 };
    real ws[STEPS * 12], bs[STEPS * 5];
    for (int step = 0; step < STEPS; step++) {
        gradients_of_step(step);
        optim_step(&o, &ps, 0.02);
        memcpy(ws + step * w->len, w->data, (size_t)w->len * sizeof(real));
        memcpy(bs + step * b->len, b->data, (size_t)b->len * sizeof(real));
    }
    equal(name, "w", ws, LEN(ws));
    equal(name, "b", bs, LEN(bs));
    optim_free(&o);
    params_free(&ps);
    golden_close(&g);
}

START_TEST(five_steps_of_adamw)
{
    optim_begin();
    five_steps("adamw", optim_init(OPTIM_ADAMW, &ps, 0.9, 0.98, 0.1));
}
END_TEST

START_TEST(five_steps_of_sgd)
{
    optim_begin();
    five_steps("sgd", optim_init(OPTIM_SGD, &ps, 0.9, 0, 0));
}
END_TEST

/* PyTorch divides by norm + 1e-6, the paper and we by the norm: the results differ by about
 * 1e-6. */
START_TEST(clipping)
{
    optim_begin();
    gradients_of_step(0);
    const real norm = (real)params_clip(&ps, 1);
    equal("clip", "norm", &norm, 1);
    golden_equal(&g, "clip.dw", w->grad, w->len, 2e-6);
    golden_equal(&g, "clip.db", b->grad, b->len, 2e-6);
    params_free(&ps);
    golden_close(&g);
}
END_TEST

SUITE("golden_ops",
      TESTS(pointwise, erf_values, rows, products, embedding, losses, five_steps_of_adamw,
            five_steps_of_sgd, clipping),
      NO_ABORTS)
