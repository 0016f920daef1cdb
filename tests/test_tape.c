/* The tape: recording, the backward pass, reset and reuse of memory. */
#include "ops/ops.h"
#include "nn/params.h"
#include "suite.h"

static const real ones[] = {1, 1, 1, 1, 1, 1, 1, 1};

static void ck_reals(const real *got, int n, const real *want)
{
    for (int i = 0; i < n; i++)
        ck_assert_msg(got[i] == want[i], "element %d is %.9g, not %.9g", i, (double)got[i],
                      (double)want[i]);
}

/* Declares a parameter with the values 1, 2, 3, ... */
static Tensor *counting(Params *ps, Shape s, const char *name)
{
    Tensor *t = param(ps, s, 0, "%s", name);
    for (int i = 0; i < t->len; i++) t->data[i] = (real)(i + 1);
    return t;
}

/* --- gradients -------------------------------------------------------------------------------- */

/* L = sum r x x with x = (1,2,3), r = (1,10,100): each backward pass adds dx = 2 r x =
 * (2,40,600). */
START_TEST(accumulates_until_zeroed)
{
    const real r[] = {1, 10, 100};
    Params ps = params_init(1);
    Tape tp = {0};
    Tensor *x = counting(&ps, SHAPE(3), "x");
    for (int step = 1; step <= 3; step++) {
        Tensor *loss = op_dot(&tp, op_mul(&tp, x, x), r);
        ck_assert(loss->data[0] == 1 + 40 + 900);
        tape_backward(&tp, loss);
        tape_reset(&tp);
        ck_assert_int_eq(tp.n, 0);
        const real times = (real)step;
        ck_reals(x->grad, 3, (real[]){2 * times, 40 * times, 600 * times});
    }
    params_zero_grad(&ps);
    tape_backward(&tp, op_dot(&tp, op_mul(&tp, x, x), r));
    ck_reals(x->grad, 3, (real[]){2, 40, 600});
    tape_free(&tp);
    params_free(&ps);
}
END_TEST

/* y = 2 x + 3 x + x * x, dy/dx = 5 + 2 x: the gradient arrives by three paths. */
START_TEST(many_uses_add_up)
{
    Params ps = params_init(1);
    Tape tp = {0};
    Tensor *x = counting(&ps, SHAPE(2), "x");
    Tensor *z = op_scale(&tp, x, 1); /* an intermediate result with several uses */
    Tensor *sum = op_add(&tp, op_scale(&tp, z, 2), op_scale(&tp, z, 3));
    tape_backward(&tp, op_dot(&tp, op_add(&tp, sum, op_mul(&tp, z, z)), ones));
    ck_reals(x->grad, 2, (real[]){7, 9});
    tape_free(&tp);
    params_free(&ps);
}
END_TEST

/* With keep_grads an intermediate result keeps its own gradient. op_add could share its buffer with
 * its first input, but here this input has another use, recorded earlier, that adds to it. */
START_TEST(kept_gradients_are_apart)
{
    Params ps = params_init(1);
    Tape tp = {.keep_grads = true};
    Tensor *x = counting(&ps, SHAPE(2), "x");
    Tensor *z = op_scale(&tp, x, 1), *other = op_scale(&tp, z, 10);
    Tensor *sum = op_add(&tp, z, op_scale(&tp, x, 1));
    tape_backward(&tp, op_dot(&tp, op_add(&tp, op_mul(&tp, sum, sum), other), ones));
    ck_reals(sum->grad, 2, (real[]){4, 8});
    ck_reals(z->grad, 2, (real[]){14, 18});
    tape_free(&tp);
    params_free(&ps);
}
END_TEST

/* z = x, y = z z, L = 5 (y_1 + y_2): dL/dx = 10 x. Two passes add twice that to the parameter, but
 * y, z and z's view hold the gradient of one pass. After a pass from another loss they have none,
 * because that loss does not depend on them. */
START_TEST(passes_add_up_in_parameters_alone)
{
    for (int keep = 0; keep < 2; keep++) {
        Params ps = params_init(1);
        Tape tp = {.keep_grads = keep};
        Tensor *x = counting(&ps, SHAPE(2), "x");
        Tensor *z = op_scale(&tp, x, 1), *view = op_rows(&tp, z, 0, 2);
        Tensor *y = op_mul(&tp, z, view), *other = op_dot(&tp, x, ones);
        Tensor *loss = op_dot(&tp, op_scale(&tp, y, 5), ones);
        for (int pass = 1; pass <= 3; pass++) {
            const real times = (real)pass;
            tape_backward(&tp, loss);
            ck_reals(x->grad, 2, (real[]){10 * times, 20 * times});
            if (keep) ck_reals(y->grad, 2, (real[]){5, 5});
            if (keep) ck_reals(z->grad, 2, (real[]){10, 20});
            if (keep) ck_reals(view->grad, 2, (real[]){10, 20});
        }
        tape_backward(&tp, other);
        ck_reals(x->grad, 2, (real[]){31, 61});
        ck_assert(y->grad == NULL && z->grad == NULL && (!keep || view->grad == NULL));
        tape_free(&tp);
        params_free(&ps);
    }
}
END_TEST

/* Tensors that the loss does not depend on get no gradient, whether recorded before or after the
 * loss. */
START_TEST(side_branches)
{
    Params ps = params_init(1);
    Tape tp = {.keep_grads = true};
    Tensor *x = counting(&ps, SHAPE(2), "x");
    Tensor *before = op_scale(&tp, x, 100);
    Tensor *loss = op_dot(&tp, op_scale(&tp, x, 4), ones);
    Tensor *after = op_scale(&tp, loss, 100);
    tape_backward(&tp, loss);
    ck_assert(before->grad == NULL && after->grad == NULL);
    ck_reals(x->grad, 2, (real[]){4, 4});
    tape_free(&tp);
    params_free(&ps);
}
END_TEST

START_TEST(constants_and_frozen_tapes_record_nothing)
{
    Params ps = params_init(1);
    Tape tp = {0};
    Tensor *x = counting(&ps, SHAPE(2), "x"), *c = tape_zeros(&tp, SHAPE(2));
    ck_assert(!op_add(&tp, c, c)->requires_grad);
    ck_assert_int_eq(tp.n, 0);
    ck_assert(op_add(&tp, c, x)->requires_grad);
    ck_assert_int_eq(tp.n, 1);
    tape_reset(&tp);

    tp.frozen = true;
    Tensor *loss = op_dot(&tp, op_mul(&tp, op_rows(&tp, x, 0, 2), x), ones);
    ck_assert_int_eq(tp.n, 0);
    ck_assert(!loss->requires_grad);
    ck_assert(loss->data[0] == 5);
    ck_reals(x->grad, 2, (real[]){0, 0});
    tape_free(&tp);
    params_free(&ps);
}
END_TEST

/* x = [1 2; 3 4; 5 6], y = 2 x; L = r . y[0] + s . y[1..2] + sum of y, through views and views of
 * views. dy = [r0+1 r1+1; s0+1 ...], dx = 2 dy. */
START_TEST(views_share_the_gradient)
{
    const real r[] = {10, 20}, s[] = {30, 40, 50, 60};
    for (int of_parameter = 0; of_parameter < 2; of_parameter++) {
        Params ps = params_init(1);
        Tape tp = {0};
        Tensor *x = counting(&ps, SHAPE(3, 2), "x"), *y = of_parameter ? x : op_scale(&tp, x, 2);
        const real twice = of_parameter ? 1 : 2;
        Tensor *row = op_rows(&tp, y, 0, 1);
        Tensor *rest = op_reshape(&tp, op_rows(&tp, y, 1, 2), SHAPE(4));
        ck_assert_ptr_eq(rest->data, y->data + 2);
        ck_assert_ptr_eq(rest->view_of, y);
        ck_assert(shape_equal(row->shape, SHAPE(2)));
        Tensor *a = op_add(&tp, op_dot(&tp, row, r), op_dot(&tp, rest, s));
        tape_backward(&tp, op_add(&tp, a, op_dot(&tp, y, ones)));
        for (int i = 0; i < 6; i++) ck_assert(x->grad[i] == twice * (real)(10 * (i + 1) + 1));
        tape_free(&tp);
        params_free(&ps);
    }
}
END_TEST

/* The second loss needs a new buffer for y's gradient; the view `row` must not use the old one. */
START_TEST(two_losses_on_one_tape)
{
    Params ps = params_init(1);
    Tape tp = {0};
    Tensor *x = counting(&ps, SHAPE(2, 2), "x"), *y = op_scale(&tp, x, 2);
    Tensor *row = op_rows(&tp, y, 1, 1), *other = op_scale(&tp, row, 10);
    tape_backward(&tp, op_dot(&tp, row, ones));
    ck_reals(x->grad, 4, (real[]){0, 0, 2, 2});
    params_zero_grad(&ps);
    Tensor *z = op_scale(&tp, x, 5); /* its gradient may take the old buffer */
    tape_backward(&tp, op_add(&tp, op_dot(&tp, other, ones), op_dot(&tp, z, ones)));
    ck_reals(x->grad, 4, (real[]){5, 5, 25, 25});
    tape_free(&tp);
    params_free(&ps);
}
END_TEST

START_TEST(the_loss_may_be_a_view)
{
    Params ps = params_init(1);
    Tape tp = {0};
    Tensor *x = counting(&ps, SHAPE(3), "x");
    tape_backward(&tp, op_rows(&tp, op_scale(&tp, x, 7), 1, 1));
    ck_reals(x->grad, 3, (real[]){0, 7, 0});
    tape_free(&tp);
    params_free(&ps);
}
END_TEST

/* --- memory ----------------------------------------------------------------------------------- */

enum { LINKS = 20, WIDE = 10000 };

static Tensor *chain(Tape *tp, Tensor *x, Tensor **link)
{
    for (int i = 0; i < LINKS; i++) x = link[i] = op_scale(tp, op_add(tp, x, x), (real).6);
    return op_dot(tp, x, x->data);
}

/* A chain of ops needs the gradients of two links at a time only, or all of them with keep_grads.
 * The result is the same to the last bit. */
START_TEST(gradient_buffers_are_used_again)
{
    const size_t buffer = WIDE * sizeof(real);
    real grad[2][WIDE];
    for (int keep = 0; keep < 2; keep++) {
        Params ps = params_init(1);
        Tape tp = {.keep_grads = keep};
        Tensor *x = param(&ps, SHAPE(WIDE), 1, "x"), *link[LINKS];
        Tensor *loss = chain(&tp, x, link);
        const size_t before = tp.arena.used;
        tape_backward(&tp, loss);
        const size_t buffers = (tp.arena.used - before) / buffer;
        if (keep)
            ck_assert_uint_ge(buffers, 2 * LINKS);
        else
            ck_assert_uint_le(buffers, 2);
        for (int i = 0; i < LINKS; i++) ck_assert((link[i]->grad != NULL) == keep);
        memcpy(grad[keep], x->grad, sizeof grad[keep]);
        tape_free(&tp);
        params_free(&ps);
    }
    ck_assert_mem_eq(grad[0], grad[1], sizeof grad[0]);
}
END_TEST

START_TEST(the_arena_stops_growing_after_one_step)
{
    Params ps = params_init(1);
    Tape tp = {0};
    Tensor *x = param(&ps, SHAPE(WIDE), 1, "x"), *link[LINKS];
    size_t reserved = 0;
    for (int step = 0; step < 5; step++) {
        tape_backward(&tp, chain(&tp, x, link));
        tape_reset(&tp);
        if (step == 0) reserved = arena_reserved(&tp.arena);
        ck_assert_uint_eq(arena_reserved(&tp.arena), reserved);
    }
    tape_free(&tp);
    params_free(&ps);
}
END_TEST

/* Returns the gradient of a chain of tanhs, on a new tape or on one that has done a shorter
 * step. */
static void deep_gradient(bool short_step_before, real *grad)
{
    Params ps = params_init(1);
    Tape tp = {0};
    Tensor *x = param(&ps, SHAPE(WIDE), 1, "x"), *y = x;
    if (short_step_before) tape_backward(&tp, op_dot(&tp, op_tanh(&tp, op_tanh(&tp, x)), x->data));
    tape_reset(&tp);
    params_zero_grad(&ps);
    for (int i = 0; i < LINKS; i++) y = op_tanh(&tp, y);
    tape_backward(&tp, op_dot(&tp, y, x->data));
    memcpy(grad, x->grad, WIDE * sizeof *grad);
    tape_free(&tp);
    params_free(&ps);
}

/* A reset drops the spare gradient buffers too: in a longer step their memory holds values. */
START_TEST(a_reset_forgets_gradient_buffers)
{
    real fresh[WIDE], used[WIDE];
    deep_gradient(false, fresh);
    deep_gradient(true, used);
    ck_assert_mem_eq(fresh, used, sizeof fresh);
}
END_TEST

/* Records more nodes than the node table holds at first. */
START_TEST(long_tapes)
{
    Params ps = params_init(1);
    Tape tp = {0};
    Tensor *x = counting(&ps, SHAPE(1), "x"), *y = x;
    for (int i = 0; i < 3000; i++) y = op_add(&tp, y, x);
    ck_assert_int_eq(tp.n, 3000);
    tape_backward(&tp, y);
    ck_reals(x->grad, 1, (real[]){3001});
    tape_free(&tp);
    params_free(&ps);
}
END_TEST

/* --- mistakes --------------------------------------------------------------------------------- */

START_TEST(loss_of_two_numbers)
{
    Params ps = params_init(1);
    Tape tp = {0};
    tape_backward(&tp, op_scale(&tp, counting(&ps, SHAPE(2), "x"), 2));
}
END_TEST

START_TEST(loss_without_parameters)
{
    Tape tp = {0};
    tape_backward(&tp, op_dot(&tp, tape_zeros(&tp, SHAPE(2)), ones));
}
END_TEST

START_TEST(backward_of_a_frozen_tape)
{
    Params ps = params_init(1);
    Tape tp = {.frozen = true};
    tape_backward(&tp, op_dot(&tp, counting(&ps, SHAPE(2), "x"), ones));
}
END_TEST

START_TEST(view_beyond_the_end)
{
    Tape tp = {0};
    tape_view(&tp, tape_zeros(&tp, SHAPE(6)), SHAPE(2, 2), 3);
}
END_TEST

START_TEST(view_before_the_start)
{
    Tape tp = {0};
    tape_view(&tp, tape_zeros(&tp, SHAPE(6)), SHAPE(2), -1);
}
END_TEST

SUITE("tape",
      TESTS(accumulates_until_zeroed, many_uses_add_up, kept_gradients_are_apart,
            passes_add_up_in_parameters_alone, side_branches,
            constants_and_frozen_tapes_record_nothing, views_share_the_gradient,
            two_losses_on_one_tape, the_loss_may_be_a_view, gradient_buffers_are_used_again,
            the_arena_stops_growing_after_one_step, a_reset_forgets_gradient_buffers, long_tapes),
      ABORTS(loss_of_two_numbers, loss_without_parameters, backward_of_a_frozen_tape,
             view_beyond_the_end, view_before_the_start))
