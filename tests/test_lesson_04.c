/* Lesson 04: the numbers that the page calculates by hand, and its claims about difference quotients. The
 * test includes the lesson's program, with main renamed, to call its functions. */
int lesson_main(int argc, char **argv);
#define main lesson_main
#include "../lessons/04-autograd.c"
#undef main

#include <unistd.h>

#include "suite.h"

#define ck_near(x, y, tolerance)                                                                   \
    ck_assert_msg(fabs((double)(x) - (double)(y)) <= (tolerance), "%s is %.9g, not %.9g", #x,      \
                  (double)(x), (double)(y))

START_TEST(neuron_by_hand)
{
    Params ps = params_init(0);
    const Neuron n = neuron_init(&ps, BY_HAND);
    Tape tp = {.keep_grads = true};
    Tensor *loss = neuron_loss(&tp, &n, false);
    tape_backward(&tp, loss);
    ck_assert_int_eq(tp.n, 7);
    const double value[7] = {2, -2, 0, 0.693147, 0.6, -0.4, 0.16};
    const double gradient[7] = {-0.512, -0.512, -0.512, -0.512, -0.8, -0.8, 1};
    for (int i = 0; i < 7; i++) {
        ck_near(tp.node[i]->out->data[0], value[i], 1e-6);
        ck_near(tp.node[i]->out->grad[0], gradient[i], 1e-6);
    }
    ck_near(n.w1->grad[0], -0.512, 1e-6);
    ck_near(n.w2->grad[0], -1.024, 1e-6);
    ck_near(n.b->grad[0], -0.512, 1e-6);
    tape_free(&tp);
    params_free(&ps);
}
END_TEST

/* e is used twice in L = e * e: with = in place of += one use is lost, and half of every gradient below. */
START_TEST(assignment_loses_half)
{
    Params ps = params_init(0);
    const Neuron n = neuron_init(&ps, BY_HAND);
    Tape tp = {0};
    Tensor *loss = neuron_loss(&tp, &n, true);
    tape_backward(&tp, loss);
    ck_near(loss->data[0], 0.16, 1e-6);
    ck_near(n.w1->grad[0], -0.256, 1e-6);
    ck_near(n.w2->grad[0], -0.512, 1e-6);
    tape_free(&tp);
    params_free(&ps);
}
END_TEST

START_TEST(second_backward_adds)
{
    Params ps = params_init(0);
    const Neuron n = neuron_init(&ps, BY_HAND);
    double dw1[2];
    show_twice(&ps, &n, false, dw1);
    ck_near(dw1[0], -0.512, 1e-6);
    ck_near(dw1[1], -1.024, 1e-6);
    ck_near(n.w1->grad[0], 0, 0); /* zero for the next step */
    params_free(&ps);
}
END_TEST

START_TEST(tape_equals_closed_form)
{
    Rng rng = rng_make(7, RNG_TEST, 0);
    for (int p = 0; p < 100; p++) {
        double w[3], g[3], exact[3];
        for (int i = 0; i < 3; i++) w[i] = (double)(float)(2 * rng_uniform(&rng) - 1);
        ck_near(tape_loss(w, g), loss_in_double(w), 1e-5);
        gradient_in_double(w, exact);
        for (int i = 0; i < 3; i++) ck_near(g[i], exact[i], 1e-5);
    }
}
END_TEST

/* The two sides of the V: the truncation error falls with eps (forward) or eps^2 (central), the rounding
 * error rises. */
START_TEST(curve_is_a_v)
{
    enum { FORWARD_FLOAT, CENTRAL_FLOAT, FORWARD_DOUBLE, CENTRAL_DOUBLE, TAPE };
    const uint64_t seed = 3;
    const double forward =
        relative_error(FORWARD_DOUBLE, 1e-2, seed) / relative_error(FORWARD_DOUBLE, 1e-3, seed);
    const double central =
        relative_error(CENTRAL_DOUBLE, 1e-2, seed) / relative_error(CENTRAL_DOUBLE, 1e-3, seed);
    ck_near(forward, 10, 0.5);
    ck_near(central, 100, 5);
    ck_assert_double_lt(relative_error(CENTRAL_DOUBLE, 1e-5, seed), 1e-9);
    ck_assert_double_gt(relative_error(CENTRAL_DOUBLE, 1e-12, seed), 1e-6);
    if (sizeof(real) == sizeof(double)) return; /* the tape is in double too */
    ck_assert_double_lt(relative_error(TAPE, 1, seed), 5e-7);
    ck_assert_double_gt(relative_error(CENTRAL_FLOAT, 3e-3, seed), 5e-6);
    ck_near(relative_error(CENTRAL_FLOAT, 1e-10, seed), 1, 0); /* w + eps is w */
}
END_TEST

START_TEST(sum_is_blind)
{
    const real ones[3] = {1, 1, 1}, r[3] = {(real)0.3, -1, (real)0.7};
    ck_assert_double_lt(projected_gap(op_silent_softmax, ones), 1e-4);
    ck_assert_double_gt(projected_gap(op_silent_softmax, r), 0.1);
    ck_assert_double_lt(projected_gap(op_softmax, r), 1e-4);
}
END_TEST

START_TEST(graph_shows_the_double_use)
{
    Params ps = params_init(0);
    const Neuron n = neuron_init(&ps, BY_HAND);
    Tape tp = {0};
    neuron_loss(&tp, &n, false);
    char *dot = NULL;
    size_t len;
    FILE *f = open_memstream(&dot, &len);
    tape_dot(&tp, f);
    fclose(f);
    const char *edge = "n5 -> n6;", *first = strstr(dot, edge);
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_nonnull(strstr(first + 1, edge));
    ck_assert_ptr_nonnull(strstr(dot, "\"w1\" -> n0;"));
    free(dot);
    tape_free(&tp);
    params_free(&ps);
}
END_TEST

START_TEST(run_is_not_overwritten)
{
    char dir[] = "/tmp/lesson04-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(dir));
    char *kept = xformat("%s/kept", dir);
    Error err;
    ck_assert(file_write(kept, "x", 1, &err));
    const Config c = {.out = dir, .plot = "none"};
    ck_assert(!run(&c, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "--overwrite"));
    unlink(kept);
    rmdir(dir);
    free(kept);
}
END_TEST

SUITE("lesson_04",
      TESTS(neuron_by_hand, assignment_loses_half, second_backward_adds, tape_equals_closed_form,
            curve_is_a_v, sum_is_blind, graph_shows_the_double_use, run_is_not_overwritten),
      NO_ABORTS)
