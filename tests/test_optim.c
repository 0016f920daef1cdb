/* Updates by hand, in closed form and until convergence; the schedule at its corners. */
#include "ops/ops.h"
#include "nn/optim.h"
#include "math/parallel.h"
#include "suite.h"

static void ck_close(double got, double want)
{
    ck_assert_double_eq_tol(got, want, 1e-6 * fmax(1, fabs(want)));
}

/* --- AdamW ------------------------------------------------------------------------------------ */

/* b1 = 0.9, b2 = 0.99, lr = 0.1, decay = 0.5; one weight of 2 with gradients 4, then -2.
 *
 *   t = 1: m = 0.4, v = 0.16;  m^ = 4, v^ = 16: the step is m^ / sqrt v^ = 1
 *          w = 2 - 0.1 (1 + 0.5 * 2) = 1.8
 *   t = 2: m = 0.36 - 0.2 = 0.16, v = 0.1584 + 0.04 = 0.1984
 *          m^ = 0.16 / 0.19 = 0.8421053, v^ = 0.1984 / 0.0199 = 9.9698492, sqrt 3.1575068
 *          w = 1.8 - 0.1 (0.8421053 / 3.1575068 + 0.5 * 1.8) = 1.8 - 0.1 (0.2667 + 0.9) = 1.6833299
 */
START_TEST(adamw_by_hand)
{
    Params ps = params_init(1);
    Tensor *w = param(&ps, SHAPE(1, 1), 0, "w");
    w->data[0] = 2;
    Optim o = optim_init(OPTIM_ADAMW, &ps, .9, .99, .5);
    w->grad[0] = 4;
    optim_step(&o, &ps, .1);
    ck_close((double)w->data[0], 1.8);
    ck_close((double)o.m[0], .4);
    ck_close((double)o.v[0], .16);
    ck_assert(w->grad[0] == 0);
    w->grad[0] = -2;
    optim_step(&o, &ps, .1);
    ck_close((double)o.m[0], .16);
    ck_close((double)o.v[0], .1984);
    ck_close((double)w->data[0], 1.8 - .1 * (.16 / .19 / sqrt(.1984 / .0199) + .9));
    ck_assert_double_eq_tol((double)w->data[0], 1.68333, 1e-5);
    ck_assert_int_eq(o.step, 2);
    optim_free(&o);
    params_free(&ps);
}
END_TEST

/* The first update moves by lr for any gradient far above eps = 1e-8, and by lr / 2 for g = eps. A
 * gradient of 0 moves nothing. */
START_TEST(adamw_first_steps)
{
    const double g[] = {1e-3, 1, -1e6, 1e-8, 0}, want[] = {.01, .01, -.01, .005, 0};
    Params ps = params_init(1);
    Tensor *w = param(&ps, SHAPE(LEN(g)), 0, "w");
    for (int i = 0; i < LEN(g); i++) w->grad[i] = (real)g[i];
    Optim o = optim_init(OPTIM_ADAMW, &ps, .9, .999, 0);
    optim_step(&o, &ps, .01);
    for (int i = 0; i < LEN(g); i++)
        ck_assert_double_eq_tol((double)w->data[i], -want[i], fabs(want[i]) * 1e-3 + 1e-12);
    optim_free(&o);
    params_free(&ps);
}
END_TEST

/* --- both ------------------------------------------------------------------------------------- */

/* With gradient 0 a matrix shrinks by the factor 1 - lr decay per update; a vector (bias, gain)
 * does not. */
START_TEST(only_matrices_decay)
{
    for (OptimKind kind = OPTIM_ADAMW; kind <= OPTIM_SGD; kind++) {
        Params ps = params_init(1);
        Tensor *b = param(&ps, SHAPE(3), 0, "b"), *w = param(&ps, SHAPE(3, 1), 0, "w");
        Tensor *k = param(&ps, SHAPE(2, 2, 2), 0, "k");
        param_fill(&ps, b, 1);
        param_fill(&ps, w, 1);
        param_fill(&ps, k, 1);
        Optim o = optim_init(kind, &ps, .9, .99, .2);
        for (int step = 0; step < 3; step++) optim_step(&o, &ps, .5);
        for (int i = 0; i < 3; i++) ck_assert(b->data[i] == 1);
        for (int i = 0; i < 3; i++) ck_close((double)w->data[i], .9 * .9 * .9);
        for (int i = 0; i < 8; i++) ck_close((double)k->data[i], .9 * .9 * .9);
        optim_free(&o);
        params_free(&ps);
    }
}
END_TEST

/* Every element of every parameter has its own moments, and the padding between parameters stays 0,
 * for small parameters and for parameters that several threads share. With a constant gradient
 * m^ = g and v^ = g^2: AdamW moves by lr per update; SGD by lr g (1 + 1.5 + 1.75). */
START_TEST(all_elements)
{
    const int len[] = {7, 17, 8200, 1, 8192, 40000, 27};
    for (int round = 0; round < 6; round++) {
        const OptimKind kind = round % 2 ? OPTIM_SGD : OPTIM_ADAMW;
        parallel_init(1 + round / 2);
        Params ps = params_init(1);
        for (int i = 0; i < LEN(len); i++) param(&ps, SHAPE(len[i]), 0, "w%d", i);
        Optim o = optim_init(kind, &ps, .5, .75, 0);
        for (int step = 0; step < 3; step++) {
            for (int i = 0; i < ps.n; i++)
                for (int j = 0; j < ps.tensor[i]->len; j++)
                    ps.tensor[i]->grad[j] = (real)((100 * i + j) % 89);
            optim_step(&o, &ps, 1);
            ck_assert(params_norm(&ps) == 0);
        }
        double sum = 0;
        for (int i = 0; i < ps.n; i++)
            for (int j = 0; j < ps.tensor[i]->len; j++) {
                const double g = (100 * i + j) % 89,
                             moved = kind == OPTIM_SGD ? 4.25 * g : 3 * (g > 0);
                if (fabs((double)ps.tensor[i]->data[j] + moved) > 1e-5 * fmax(1, moved))
                    ck_abort_msg("kind %d, w%d[%d]: %g", kind, i, j, (double)ps.tensor[i]->data[j]);
                sum += (double)ps.tensor[i]->data[j];
            }
        for (size_t i = 0; i < ps.len; i++) sum -= (double)ps.value[i];
        ck_assert_double_lt(fabs(sum), 1e-3);
        optim_free(&o);
        params_free(&ps);
    }
}
END_TEST

/* With a constant gradient g, after t updates m = g (1 - b^t) / (1 - b), and w has moved by lr
 * times the sum of all m, lr g (t - b (1 - b^t) / (1 - b)) / (1 - b). */
START_TEST(momentum_in_closed_form)
{
    const double b = .8, lr = .01, g = 3;
    Params ps = params_init(1);
    Tensor *w = param(&ps, SHAPE(1), 0, "w");
    Optim o = optim_init(OPTIM_SGD, &ps, b, 0, 0);
    ck_assert_ptr_null(o.v);
    for (int t = 1; t <= 30; t++) {
        w->grad[0] = (real)g;
        optim_step(&o, &ps, lr);
        const double rest = 1 - pow(b, t);
        ck_close((double)o.m[0], g * rest / (1 - b));
        ck_close((double)w->data[0], -lr * g * (t - b * rest / (1 - b)) / (1 - b));
    }
    optim_free(&o);
    params_free(&ps);
}
END_TEST

/* L = mean (w - target)^2 falls to 0. */
static double minimised(OptimKind kind, double lr, int steps)
{
    const real target[] = {3, -1, .5f, 100};
    Params ps = params_init(1);
    Tensor *w = param(&ps, SHAPE(LEN(target)), 1, "w");
    Optim o = optim_init(kind, &ps, .9, .99, 0);
    const Schedule s = {.lr = lr, .min_lr = 0, .warmup = 10, .steps = steps};
    Tape tp = {0};
    double loss = 0;
    for (int step = 1; step <= steps; step++) {
        Tensor *l = op_mse(&tp, w, target);
        loss = (double)l->data[0];
        tape_backward(&tp, l);
        optim_step(&o, &ps, lr_at(&s, step));
        tape_reset(&tp);
    }
    tape_free(&tp);
    optim_free(&o);
    params_free(&ps);
    return loss;
}

START_TEST(both_converge)
{
    ck_assert_double_lt(minimised(OPTIM_ADAMW, 1, 800), 1e-8);
    ck_assert_double_lt(minimised(OPTIM_SGD, .1, 400), 1e-8);
}
END_TEST

START_TEST(for_other_parameters)
{
    Params ps = params_init(1);
    param(&ps, SHAPE(3), 0, "w");
    Optim o = optim_init(OPTIM_SGD, &ps, 0, 0, 0);
    param(&ps, SHAPE(3), 0, "late");
    optim_step(&o, &ps, 1);
}
END_TEST

/* --- the schedule ----------------------------------------------------------------------------- */

START_TEST(schedule)
{
    /* The half cosine spans updates 10 .. 110; update 110 does not happen. */
    const Schedule s = {.lr = 2, .min_lr = .5, .warmup = 10, .steps = 109};
    ck_close(lr_at(&s, 1), .2);
    ck_close(lr_at(&s, 5), 1);
    ck_close(lr_at(&s, 10), 2);
    ck_close(lr_at(&s, 35), .5 + 1.5 * (1 + sqrt(.5)) / 2); /* cos pi/4 */
    ck_close(lr_at(&s, 60), 1.25);                          /* half way: half way down */
    ck_assert_double_gt(lr_at(&s, 109), .5);
    ck_close(lr_at(&s, 110), .5);
    ck_close(lr_at(&s, 1000), .5);
    for (int step = 1; step < 110; step++)
        ck_assert(step < 10 ? lr_at(&s, step) < lr_at(&s, step + 1)
                            : lr_at(&s, step) > lr_at(&s, step + 1));
}
END_TEST

/* d^-0.5 min(step^-0.5, step warmup^-1.5) of Vaswani et al. (2017), for d = 512, warmup = 4000: the
 * peak is 6.99e-4. */
START_TEST(schedule_of_the_transformer)
{
    const Schedule s = {
        .lr = 1 / sqrt(512. * 4000), .warmup = 4000, .steps = 10, .inverse_sqrt = true};
    ck_assert_double_eq_tol(lr_at(&s, 4000), 6.98771e-4, 1e-9);
    for (int step = 1; step <= 100000; step += 333) {
        const double want = pow(512, -.5) * fmin(pow(step, -.5), step * pow(4000, -1.5));
        ck_assert_double_eq_tol(lr_at(&s, step), want, 1e-12);
    }
}
END_TEST

START_TEST(schedules_without_warmup_or_cosine)
{
    const Schedule cosine = {.lr = 2, .min_lr = 0, .warmup = 0, .steps = 100};
    ck_close(lr_at(&cosine, 1), 2);
    ck_close(lr_at(&cosine, 51), 1);
    ck_assert_double_gt(lr_at(&cosine, 100), 0);
    const Schedule once = {.lr = 100, .min_lr = 0, .warmup = 0, .steps = 1};
    ck_close(lr_at(&once, 1), 100); /* the only update changes the weights */
    const Schedule endless = {.lr = 2, .min_lr = 0, .warmup = 0, .steps = INT32_MAX};
    ck_close(lr_at(&endless, INT32_MAX), 0); /* no overflow */
    ck_close(lr_at(&endless, 1), 2);
    const Schedule constant = {.lr = 2, .min_lr = 2, .warmup = 0, .steps = 100};
    for (int step = 1; step <= 120; step++) ck_close(lr_at(&constant, step), 2);
    const Schedule rising = {.lr = 2, .min_lr = 1, .warmup = 100, .steps = 100};
    ck_close(lr_at(&rising, 100), 2);
    ck_close(lr_at(&rising, 101), 1);
}
END_TEST

START_TEST(step_0)
{
    const Schedule s = {.lr = 1, .steps = 10};
    lr_at(&s, 0);
}
END_TEST

SUITE("optim",
      TESTS(adamw_by_hand, adamw_first_steps, only_matrices_decay, all_elements,
            momentum_in_closed_form, both_converge, schedule, schedule_of_the_transformer,
            schedules_without_warmup_or_cosine),
      ABORTS(for_other_parameters, step_0))
