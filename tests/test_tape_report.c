/* tape_check on non-finite numbers, and the output of tape_print and tape_dot. */
#include "ops/ops.h"
#include "nn/params.h"
#include "suite.h"

static const real ones[] = {1, 1, 1, 1, 1, 1, 1, 1};

/* Declares a parameter with the values 1, 2, 3, ... */
static Tensor *counting(Params *ps, Shape s, const char *name)
{
    Tensor *t = param(ps, s, 0, "%s", name);
    for (int i = 0; i < t->len; i++) t->data[i] = (real)(i + 1);
    return t;
}

/* --- what went wrong -------------------------------------------------------------------------- */

static void ck_message(Tape *tp, Tensor *loss, const char *want)
{
    Error err = {{0}};
    ck_assert(!tape_check(tp, loss, &err));
    ck_assert_str_eq(err.text, want);
}

START_TEST(finds_a_bad_parameter)
{
    Params ps = params_init(1);
    Tape tp = {0};
    Tensor *x = counting(&ps, SHAPE(2, 2), "l0.x"), *w = counting(&ps, SHAPE(2, 2), "l0.w");
    w->data[2] = NAN;
    Tensor *loss = op_dot(&tp, op_matmul(&tp, op_tanh(&tp, x), w), ones);
    tape_backward(&tp, loss);
    ck_message(&tp, loss, "op matmul read the value nan in parameter l0.w (2,2), element 2");
    tape_free(&tp);
    params_free(&ps);
}
END_TEST

START_TEST(finds_an_overflow)
{
    Params ps = params_init(1);
    Tape tp = {0};
    Tensor *x = counting(&ps, SHAPE(1, 3), "x");
    Tensor *y = op_scale(&tp, op_scale(&tp, x, (real)1e38), -2);
    Tensor *loss = op_dot(&tp, op_softmax(&tp, y), ones);
    ck_message(&tp, loss,
               "op scale made the value -inf in its output (1,3), element 1, from finite inputs");
    tape_free(&tp);
    params_free(&ps);
}
END_TEST

/* L = 1e30 (1e30 x) has a finite value at x = 1e-30 but a gradient of 1e60: infinite in float. */
static Tensor *steep(Tape *tp, Tensor *x)
{
    return op_scale(tp, op_scale(tp, x, (real)1e30), (real)1e30);
}

START_TEST(finds_an_overflow_on_the_way_back)
{
    Params ps = params_init(1);
    Tape tp = {0};
    Tensor *x = param(&ps, SHAPE(2), 0, "embed");
    param_fill(&ps, x, (real)1e-30);
    Tensor *loss = op_dot(&tp, steep(&tp, x), (real[]){0, 1});
    tape_backward(&tp, loss);
    ck_assert(isinf(x->grad[1]));
    ck_message(&tp, loss,
               "backward of op scale made a gradient of inf in parameter embed (2), element 1");
    tape_free(&tp);
    params_free(&ps);
}
END_TEST

/* The loss reads the parameter through views only. Another view is used later; its op must not be
 * reported. */
START_TEST(finds_it_behind_slices)
{
    Params ps = params_init(1);
    Tape tp = {0};
    Tensor *x = param(&ps, SHAPE(2, 1), 0, "embed");
    param_fill(&ps, x, (real)1e-30);
    Tensor *a = op_dot(&tp, steep(&tp, op_rows(&tp, x, 1, 1)), ones);
    Tensor *b = op_dot(&tp, op_tanh(&tp, op_rows(&tp, x, 0, 2)), ones);
    Tensor *loss = op_add(&tp, a, b);
    tape_backward(&tp, loss);
    ck_message(&tp, loss,
               "backward of op scale made a gradient of inf in (1) of parameter embed, element 0");
    tape_free(&tp);
    params_free(&ps);
}
END_TEST

START_TEST(finds_nothing)
{
    Params ps = params_init(1);
    Tape tp = {0};
    Error err;
    Tensor *x = counting(&ps, SHAPE(2), "x");
    Tensor *loss = op_dot(&tp, op_mul(&tp, op_rows(&tp, x, 0, 2), x), ones);
    ck_assert(tape_check(&tp, loss, &err));
    tape_backward(&tp, loss);
    ck_assert(tape_check(&tp, loss, &err));
    tp.frozen = true;
    ck_assert(tape_check(&tp, op_dot(&tp, x, ones), &err));
    tape_free(&tp);
    params_free(&ps);
}
END_TEST

/* --- pictures --------------------------------------------------------------------------------- */

/* y = x w + c, L = dot(y[0], 1), as text. */
static char *drawn(void draw(const Tape *, FILE *))
{
    Params ps = params_init(1);
    Tape tp = {0};
    Tensor *x = counting(&ps, SHAPE(2, 2), "x"), *w = counting(&ps, SHAPE(3, 2, 3), "w");
    Tensor *y = op_matmul(&tp, x, op_rows(&tp, w, 2, 1));
    y = op_add(&tp, y, tape_zeros(&tp, SHAPE(2, 3)));
    op_dot(&tp, op_rows(&tp, y, 0, 1), ones);
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    draw(&tp, f);
    fclose(f);
    tape_free(&tp);
    params_free(&ps);
    return text;
}

START_TEST(as_a_list)
{
    char *text = drawn(tape_print);
    ck_assert_str_eq(text, "node  op             output         inputs\n"
                           "   0  matmul         (2,3)          x w\n"
                           "   1  add            (2,3)          #0 const(2,3)\n"
                           "   2  dot            (1)            #1\n");
    free(text);
}
END_TEST

START_TEST(as_a_graph)
{
    char *text = drawn(tape_dot);
    ck_assert_str_eq(text, "digraph tape {\n  rankdir=LR;\n  node [fontname=\"Helvetica\"];\n"
                           "  n0 [label=\"matmul\\n(2,3)\",shape=box];\n"
                           "  \"x\" [label=\"x\\n(2,2)\",shape=ellipse];\n  \"x\" -> n0;\n"
                           "  \"w\" [label=\"w\\n(3,2,3)\",shape=ellipse];\n  \"w\" -> n0;\n"
                           "  n1 [label=\"add\\n(2,3)\",shape=box];\n  n0 -> n1;\n"
                           "  c1_1 [label=\"const\\n(2,3)\",shape=plaintext];\n  c1_1 -> n1;\n"
                           "  n2 [label=\"dot\\n(1)\",shape=box];\n  n1 -> n2;\n}\n");
    free(text);
}
END_TEST

SUITE("tape_report",
      TESTS(finds_a_bad_parameter, finds_an_overflow, finds_an_overflow_on_the_way_back,
            finds_it_behind_slices, finds_nothing, as_a_list, as_a_graph),
      NO_ABORTS)
