/* Parameters that are declared first and allocated once; frozen parameters; groups. */
#include "math/parallel.h"
#include "nn/layers.h"
#include "nn/optim.h"
#include "suite.h"

enum { C = 6, H = 8, V = 5, B = 4 };

typedef struct {
    Tensor *embed;
    Norm norm;
    Linear up, head;
} Net;

static Net net_init(Params *ps)
{
    Net n;
    n.embed = param(ps, SHAPE(V, C), 1, "trunk.embed");
    n.norm = norm_init(ps, C, "trunk.norm");
    n.up = linear_init(ps, C, H, "trunk.up");
    n.head = linear_init(ps, H, V, "head");
    return n;
}

static Tensor *net_loss(Tape *tp, const Net *n)
{
    static const int x[B] = {1, 4, 0, 1}, y[B] = {2, 3, 1, 0};
    Tensor *e = norm(tp, &n->norm, op_embed(tp, n->embed, x, SHAPE(B)));
    return op_cross_entropy(tp, linear(tp, &n->head, op_tanh(tp, linear(tp, &n->up, e))), y);
}

static void train(Params *ps, const Net *n, Optim *o, int steps)
{
    Tape tp = {0};
    for (int i = 0; i < steps; i++) {
        tape_backward(&tp, net_loss(&tp, n));
        params_clip(ps, 1);
        optim_step(o, ps, .05);
        tape_reset(&tp);
    }
    tape_free(&tp);
}

/* --- freezing --------------------------------------------------------------------------------- */

static void frozen_stays(OptimKind kind, const char *pattern, int matching)
{
    Params ps = params_declare(3);
    const Net n = net_init(&ps);
    ck_assert_int_eq(params_freeze(&ps, pattern), matching);
    params_allocate(&ps, PARAMS_TRAIN);
    real *before = xmalloc(ps.len * sizeof *before);
    memcpy(before, ps.value, ps.len * sizeof *before);
    Optim o = optim_init(kind, &ps, .9, .99, .5);
    train(&ps, &n, &o, 5);
    size_t trainable = 0;
    for (int i = 0; i < ps.n; i++) {
        const Tensor *t = ps.tensor[i];
        const bool same =
            memcmp(t->data, before + (t->data - ps.value), t->len * sizeof(real)) == 0;
        ck_assert_msg(same == !t->requires_grad, "%s: trained or not?", t->name);
        ck_assert_msg(!t->grad == !t->requires_grad, "%s: a gradient or none?", t->name);
        trainable += t->grad ? ((size_t)t->len + 15) / 16 * 16 : 0;
    }
    if (sizeof(real) == sizeof(float)) ck_assert_uint_eq(ps.trainable, trainable);
    ck_assert_uint_eq(o.len, ps.trainable);
    free(before);
    optim_free(&o);
    params_free(&ps);
}

START_TEST(frozen_bytes_stay)
{
    for (OptimKind kind = OPTIM_ADAMW; kind <= OPTIM_SGD; kind++) {
        frozen_stays(kind, "trunk.*", 5);
        frozen_stays(kind, "*.b", 3);
        frozen_stays(kind, "head.w", 1);
        frozen_stays(kind, "nothing", 0);
    }
}
END_TEST

/* Freezing some parameters changes no bit of the other gradients. */
START_TEST(others_have_the_same_gradients)
{
    Params all = params_init(3), some = params_declare(3);
    const Net a = net_init(&all), b = net_init(&some);
    params_freeze(&some, "trunk.[nu]*");
    params_allocate(&some, PARAMS_TRAIN);
    Tape tp = {0};
    tape_backward(&tp, net_loss(&tp, &a));
    tape_backward(&tp, net_loss(&tp, &b));
    for (int i = 0; i < some.n; i++) {
        const Tensor *t = some.tensor[i];
        if (t->grad) ck_assert_mem_eq(t->grad, all.tensor[i]->grad, t->len * sizeof(real));
    }
    ck_assert_ptr_nonnull(b.embed->grad); /* below the frozen layers */
    ck_assert_ptr_null(b.up.w->grad);
    tape_free(&tp);
    params_free(&all), params_free(&some);
}
END_TEST

/* If every parameter is frozen, the loss is not recorded; an update changes nothing and is not an
 * error. */
START_TEST(all_frozen)
{
    Params ps = params_declare(3);
    const Net n = net_init(&ps);
    params_freeze(&ps, "*");
    params_allocate(&ps, PARAMS_TRAIN);
    Tape tp = {0};
    ck_assert(!net_loss(&tp, &n)->requires_grad);
    Optim o = optim_init(OPTIM_ADAMW, &ps, .9, .99, 0);
    ck_assert_double_eq(params_clip(&ps, 1), 0);
    optim_step(&o, &ps, 1);
    params_zero_grad(&ps);
    tape_free(&tp);
    optim_free(&o);
    params_free(&ps);
}
END_TEST

/* --- groups ----------------------------------------------------------------------------------- */

/* A group is updated as by an optimiser with the group's learning rate and weight decay. */
START_TEST(groups_by_optimisers_of_their_own)
{
    Params ps = params_init(3), slow = params_init(3), rest = params_init(3);
    Params *const set[] = {&ps, &slow, &rest};
    Tensor *w[3], *u[3];
    for (int i = 0; i < 3; i++) {
        w[i] = param(set[i], SHAPE(3, 4), 1, "w");
        u[i] = param(set[i], SHAPE(2, 4), 1, "u");
    }
    ck_assert_int_eq(params_group(&ps, "w", .25, 3), 1);
    Optim o = optim_init(OPTIM_ADAMW, &ps, .9, .99, .1);
    Optim of_w = optim_init(OPTIM_ADAMW, &slow, .9, .99, .3); /* decay 3 times .1 */
    Optim of_u = optim_init(OPTIM_ADAMW, &rest, .9, .99, .1);
    Rng rng = rng_make(1, RNG_TEST, 0);
    for (int step = 0; step < 4; step++) {
        for (int k = 0; k < 12; k++)
            w[0]->grad[k] = w[1]->grad[k] = w[2]->grad[k] = (real)rng_normal(&rng);
        for (int k = 0; k < 8; k++)
            u[0]->grad[k] = u[1]->grad[k] = u[2]->grad[k] = (real)rng_normal(&rng);
        optim_step(&o, &ps, .1);
        optim_step(&of_w, &slow, .025);
        optim_step(&of_u, &rest, .1);
    }
    for (int k = 0; k < 12; k++) ck_assert_double_eq_tol(w[0]->data[k], w[1]->data[k], 1e-6);
    ck_assert_mem_eq(u[0]->data, u[2]->data, 8 * sizeof(real));
    ck_assert_mem_ne(w[0]->data, w[2]->data, 12 * sizeof(real));
    optim_free(&o), optim_free(&of_w), optim_free(&of_u);
    for (int i = 0; i < 3; i++) params_free(set[i]);
}
END_TEST

/* --- declaring, then allocating --------------------------------------------------------------- */

static void every_start(Params *ps)
{
    param(ps, SHAPE(3, 5), .5, "normal");
    param(ps, SHAPE(7), 0, "zero");
    param_fill(ps, param(ps, SHAPE(9), 1, "fill"), 2);
    param_fill_range(ps, param(ps, SHAPE(40), 0, "range"), 10, 20, -1);
    param_uniform(ps, param(ps, SHAPE(2, 3), 0, "uniform"), .1);
    param_orthogonal(ps, param(ps, SHAPE(4, 6), 0, "orthogonal"), 1);
    param_orthogonal_blocks(ps, param(ps, SHAPE(4, 12), 0, "blocks"), 1);
}

START_TEST(declared_or_at_once_the_same_values)
{
    Params a = params_init(8), b = params_declare(8), c = params_declare(8);
    every_start(&a), every_start(&b), every_start(&c);
    for (int i = 0; i < b.n; i++) ck_assert_ptr_null(b.tensor[i]->data);
    ck_assert_uint_eq(a.len, b.len); /* sizes are known before params_allocate */
    ck_assert_uint_eq(a.trainable, b.trainable);
    params_allocate(&b, PARAMS_TRAIN);
    params_allocate(&c, PARAMS_EVAL);
    ck_assert_mem_eq(a.value, b.value, a.len * sizeof(real));
    ck_assert_mem_eq(a.value, c.value, a.len * sizeof(real));
    ck_assert_ptr_nonnull(b.tensor[0]->grad);
    ck_assert_ptr_null(c.grad);
    for (int i = 0; i < c.n; i++) ck_assert(!c.tensor[i]->grad && !c.tensor[i]->requires_grad);
    const Tensor *range = params_find(&b, "range");
    for (int k = 0; k < 40; k++) ck_assert_double_eq(range->data[k], k >= 10 && k < 30 ? -1 : 0);
    params_free(&a), params_free(&b), params_free(&c);
}
END_TEST

static size_t address_space(void) /* bytes */
{
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%lu", &pages) != 1) pages = 0;
    if (f) fclose(f);
    return pages * 4096;
}

/* With GPT-2's shapes (Radford et al. 2019) an evaluation needs memory for the values only,
 * once. */
START_TEST(memory_of_gpt2)
{
    enum { WIDTH = 768, LAYERS = 12 };
    Params ps = params_declare(1);
    param(&ps, SHAPE(50257, WIDTH), .02, "wte");
    param(&ps, SHAPE(1024, WIDTH), .01, "wpe");
    for (int i = 0; i < LAYERS; i++) {
        params_push(&ps, "h%d", i);
        norm_init(&ps, WIDTH, "ln_1");
        linear_init(&ps, WIDTH, 3 * WIDTH, "attn");
        linear_init(&ps, WIDTH, WIDTH, "proj");
        norm_init(&ps, WIDTH, "ln_2");
        linear_init(&ps, WIDTH, 4 * WIDTH, "up");
        linear_init(&ps, 4 * WIDTH, WIDTH, "down");
        params_pop(&ps);
    }
    norm_init(&ps, WIDTH, "ln_f");
    ck_assert_uint_eq(ps.count, 124439808);
    const size_t before = address_space();
    params_allocate(&ps, PARAMS_LOAD);
    const size_t taken = address_space() - before;
#ifndef __SANITIZE_ADDRESS__
    if (before) ck_assert_uint_lt(taken, ps.count * sizeof(real) + (4 << 20));
#else
    (void)taken;
#endif
    params_free(&ps);
}
END_TEST

/* --- mistakes --------------------------------------------------------------------------------- */

static Params allocated(void)
{
    Params ps = params_declare(1);
    param(&ps, SHAPE(2), 0, "w");
    params_allocate(&ps, PARAMS_TRAIN);
    return ps;
}

START_TEST(allocated_twice)
{
    Params ps = allocated();
    params_allocate(&ps, PARAMS_TRAIN);
}
END_TEST

START_TEST(a_parameter_too_late)
{
    Params ps = allocated();
    param(&ps, SHAPE(2), 0, "u");
}
END_TEST

START_TEST(frozen_too_late)
{
    Params ps = allocated();
    params_freeze(&ps, "w");
}
END_TEST

START_TEST(a_range_too_long)
{
    Params ps = params_declare(1);
    param_fill_range(&ps, param(&ps, SHAPE(5), 0, "b"), 3, 3, 1);
}
END_TEST

SUITE("freeze",
      TESTS(frozen_bytes_stay, others_have_the_same_gradients, all_frozen,
            groups_by_optimisers_of_their_own, declared_or_at_once_the_same_values, memory_of_gpt2),
      ABORTS(allocated_twice, a_parameter_too_late, frozen_too_late, a_range_too_long))
