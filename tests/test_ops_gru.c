/* The fused GRU recurrence, by hand and against the cell run step by step. */
#include "by_hand.h"
#include "lstm_gru/gru.h"
#include "math/parallel.h"

/* T = 2, H = 1, u = [1 -1 .5], h0 = 0.2. With L = ln 2, sigmoid L = 2/3 and tanh L = 0.6; tanh ln 3
 * = 0.8. In both forms
 * step 1: r z n = 1/2 1/2 0.6, h1 = 0.2/2 + 0.6/2 = 0.4;
 * step 2: r z n = 2/3 1/3 0.8, h2 = 0.4/3 + 2/3 0.8 = 2/3.
 * a is chosen so that a + h u gives these gates; h u_rz is [.2 -.2] in step 1 and [.4 -.4] in
 * step 2. */
static const real L = (real)0.69314718056, ln3 = (real)1.09861228867;

/* With k = 0.1, q = h u_n + k is .2 and .3, and r q is .1 and .2.
 * dL/dh2 = 1: dz = 0.4 - 0.8, da_z = dz 2/9; dn = 2/3 (1 - 0.64) = 0.24, dq = 0.24 2/3 = 0.16;
 * dr = 0.24 0.3, da_r = dr 2/9; dh1 = 1/3 + da_r - da_z + 0.16/2 = 0.5182222 = D. Step 1: da_z =
 * D (0.2 - 0.6)/4, dn = D 1/2 0.64, dq = dn/2, da_r = dn 0.2/4, dh0 = D/2 + da_r - da_z + dq/2.
 * du = h0 [da_r da_z dq] + h1 (the same of step 2), dk = the sum of both dq. */
START_TEST(reset_after)
{
    Tape tp = {0};
    Tensor *a = GIVEN(&tp, SHAPE(2, 1, 3), -.2f, .2f, L - .1f, L - .4f, .4f - L, ln3 - .2f);
    Tensor *h0 = GIVEN(&tp, SHAPE(1, 1), .2f), *u = GIVEN(&tp, SHAPE(1, 3), 1, -1, .5f);
    Tensor *k = GIVEN(&tp, SHAPE(1), .1f), *h = op_gru_after(&tp, sequence_of(a), h0, u, k);
    ck_shape(h, SHAPE(2, 1, 1));
    CK(h->data, .4f, 2 / 3.f);
    BACKWARD(&tp, h, 0, 1);
    CK(a->grad, .0082915556f, -.0518222222f, .1658311111f, /* step 2: */
       .016f, -.0888888889f, .24f);
    CK(u->grad, .0080583111f, -.0459200000f, .0805831111f);
    CK(k->grad, .2429155556f);
    CK(h0->grad, .3606826667f);

    /* Without k, q = h u_n is .1 and .2, r q is .05 and .4/3; another a gives the same gates. */
    a = GIVEN(&tp, SHAPE(2, 1, 3), -.2f, .2f, L - .05f, L - .4f, .4f - L, ln3 - .4f / 3);
    CK(op_gru_after(&tp, sequence_of(a), h0, u, NULL)->data, .4f, 2 / 3.f);
    tape_free(&tp);
}
END_TEST

/* q = r h is .1 and .8/3, q u_n .05 and .4/3.
 * dL/dh2 = 1: da_z and dn = 0.24 as above; dq = 0.24/2, dr = dq 0.4, da_r = dr 2/9; dh1 = 1/3 +
 * dq 2/3 + da_r - da_z = 0.5128889 = D. Step 1: da_z = -D/10, dn = 0.32 D, dq = dn/2, da_r =
 * dq 0.2/4, dh0 = D/2 + dq/2 + da_r - da_z. du_n = q dn of both steps. */
START_TEST(reset_before)
{
    Tape tp = {0};
    Tensor *a = GIVEN(&tp, SHAPE(2, 1, 3), -.2f, .2f, L - .05f, L - .4f, .4f - L, ln3 - .4f / 3);
    Tensor *h0 = GIVEN(&tp, SHAPE(1, 1), .2f), *u = GIVEN(&tp, SHAPE(1, 3), 1, -1, .5f);
    Tensor *h = op_gru_before(&tp, sequence_of(a), h0, u);
    ck_shape(h, SHAPE(2, 1, 1));
    CK(h->data, .4f, 2 / 3.f);
    BACKWARD(&tp, h, 0, 1);
    CK(a->grad, .0041031111f, -.0512888889f, .1641244444f, /* step 2: */
       .0106666667f, -.0888888889f, .24f);
    CK(u->grad, .0050872889f, -.0458133333f, .0804124444f);
    CK(h0->grad, .3528675556f);
    tape_free(&tp);
}
END_TEST

/* --- against the steps ------------------------------------------------------------------------ */

typedef enum { AFTER, AFTER_WITH_K, BEFORE, FORMS } Form;

/* Which other op reads a: none; an op recorded before, whose backward comes later; an op recorded
 * after, whose backward comes first, so that the recurrence must add to an existing gradient. */
typedef enum { ALONE, READ_BEFORE, READ_AFTER, WAYS } Way;

typedef struct {
    int T;
    GruLayer l;
    Tensor *x, *h0, *r, *q; /* r (T,B,H), q (T,B,3H): the gradients of the outputs and of a */
} Case;

static Tensor *slow(Tape *tp, const Case *c)
{
    GruState s = {.h = c->h0};
    Tensor **h = tape_save(tp, (size_t)c->T * sizeof *h);
    for (int t = 0; t < c->T; t++) {
        s = gru_step(tp, &c->l, op_rows(tp, c->x, t, 1), s);
        h[t] = s.h;
    }
    return op_stack(tp, h, c->T);
}

static Tensor *fast(Tape *tp, const Case *c, Tensor *a)
{
    return c->l.after ? op_gru_after(tp, sequence_of(a), c->h0, c->l.u, c->l.k)
                      : op_gru_before(tp, sequence_of(a), c->h0, c->l.u);
}

/* The loss of both forms: h projected on r, plus a projected on q if another op reads a. */
static Tensor *loss(Tape *tp, const Case *c, bool fused, Way way, Tensor **y)
{
    Tensor *a = op_linear(tp, c->x, c->l.w, c->l.b), *besides = NULL;
    if (way == READ_BEFORE) besides = op_dot(tp, a, c->q->data);
    *y = fused ? fast(tp, c, a) : slow(tp, c);
    if (way == READ_AFTER) besides = op_dot(tp, a, c->q->data);
    Tensor *l = op_dot(tp, *y, c->r->data);
    return besides ? op_add(tp, l, besides) : l;
}

static void randomize(Tensor *t, uint32_t step)
{
    Rng rng = rng_make(4, RNG_TEST, step);
    for (int i = 0; i < t->len; i++) t->data[i] = (real)(.5 * rng_normal(&rng));
}

static void check_case(int T, int B, int C, int H, Form form, Way way)
{
    Tape tp = {0};
    Params ps = params_init(3);
    Case c = {.T = T, .l = gru_init(&ps, C, H, form != BEFORE, form == AFTER_WITH_K)};
    randomize(c.l.b, 1);
    if (c.l.k) randomize(c.l.k, 2);
    c.x = param(&ps, SHAPE(T, B, C), 1, "x");
    c.h0 = param(&ps, SHAPE(B, H), .5, "h0");
    c.r = param(&ps, SHAPE(T, B, H), 1. / (T * B), "r");
    c.q = param(&ps, SHAPE(T, B, 3 * H), 1. / (T * B), "q");

    Tensor *want, *got;
    tape_backward(&tp, loss(&tp, &c, false, way, &want));
    real *grad = xmalloc(ps.len * sizeof *grad);
    memcpy(grad, ps.grad, ps.len * sizeof *grad);
    params_zero_grad(&ps);
    tape_backward(&tp, loss(&tp, &c, true, way, &got));

    double worst = 0;
    for (int i = 0; i < got->len; i++)
        worst = fmax(worst, fabs((double)(got->data[i] - want->data[i])));
    for (size_t i = 0; i < ps.len; i++) worst = fmax(worst, fabs((double)(ps.grad[i] - grad[i])));
    ck_assert_msg(worst <= 2e-6, "(%d,%d,%d,%d), form %d, way %d: %g apart", T, B, C, H, form, way,
                  worst);
    ck_assert_double_gt(params_norm(&ps), .01); /* the gradients compared were not all 0 */
    free(grad);
    params_free(&ps);
    tape_free(&tp);
}

/* Rows of 3H = 384 and 4H = 512 reals would evict each other from the cache, so gemm_row spaces
 * them. */
static const int shapes[][4] = {
    {1, 1, 1, 1}, {7, 1, 5, 4}, {6, 3, 2, 33}, {5, 40, 8, 33}, {9, 16, 3, 64}, {4, 19, 6, 128},
};

START_TEST(equals_its_steps)
{
    parallel_init(2);
    for (int i = 0; i < LEN(shapes); i++)
        for (Form form = AFTER; form < FORMS; form++)
            for (Way way = ALONE; way < WAYS; way++)
                check_case(shapes[i][0], shapes[i][1], shapes[i][2], shapes[i][3], form, way);
}
END_TEST

/* gru_layer returns all h and the last one as the next state; the bits are the same without a
 * gradient. */
START_TEST(layer_and_last_state)
{
    enum { T = 3, B = 2, H = 5 };
    for (int after = 0; after < 2; after++) {
        Params ps = params_init(5);
        const GruLayer l = gru_init(&ps, 4, H, after, after);
        Tensor *a = param(&ps, SHAPE(T, B, 3 * H), 1, "a");
        Tensor *h0 = param(&ps, SHAPE(B, H), 1, "h0");
        Tape tp = {0}, frozen = {.frozen = true};
        GruState s = {.h = h0}, other = s;
        const Tensor *h = gru_layer(&tp, &l, sequence_of(a), &s),
                     *again = gru_layer(&frozen, &l, sequence_of(a), &other);
        ck_shape(h, SHAPE(T, B, H));
        ck_shape(s.h, SHAPE(B, H));
        ck_assert_mem_eq(s.h->data, h->data + (T - 1) * B * H, B * H * sizeof(real));
        ck_assert_mem_eq(again->data, h->data, T * B * H * sizeof(real));
        ck_assert(!again->requires_grad);
        tape_free(&tp), tape_free(&frozen), params_free(&ps);
    }
}
END_TEST

START_TEST(bias_inside_with_the_reset_before)
{
    Params ps = params_init(5);
    gru_init(&ps, 4, 2, false, true);
}
END_TEST

SUITE("ops_gru", TESTS(reset_after, reset_before, equals_its_steps, layer_and_last_state),
      ABORTS(bias_inside_with_the_reset_before))
