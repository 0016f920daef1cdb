/* The fused LSTM recurrence, by hand and against the cell run step by step. */
#include "by_hand.h"
#include "lstm_gru/lstm.h"
#include "math/parallel.h"

/* T = 2, H = 1, u = [.2 -.4 .6 1], h0 = 1. With L = ln 2, sigmoid L = 2/3 and tanh L = 0.6.
 * Step 1: i f o g = 2/3 1/2 3/4 0.6, c0 = 2 (L - 0.4): c1 = L, h1 = 3/4 0.6 = 0.45.
 * Step 2: i f o g = 1/2 1/2 2/3 L: c2 = L/2 + L/2 = L, h2 = 2/3 0.6 = 0.4.
 * z is chosen so that z + h u gives these gates; h u is [.2 -.4 .6 1] in step 1 and
 * [.09 -.18 .27 .45] in step 2. */
static const real L = (real)0.69314718056, ln3 = (real)1.09861228867, atanh_L = (real)0.853988048;

typedef struct {
    Tensor *z, *h0, *c0, *u, *y;
} TwoSteps;

static TwoSteps two_steps(Tape *tp)
{
    TwoSteps s;
    s.z = GIVEN(tp, SHAPE(2, 1, 4), L - .2f, .4f, ln3 - .6f, L - 1, /* step 2: */
                -.09f, .18f, L - .27f, atanh_L - .45f);
    s.h0 = GIVEN(tp, SHAPE(1, 1), 1);
    s.c0 = GIVEN(tp, SHAPE(1, 1), 2 * (L - .4f));
    s.u = GIVEN(tp, SHAPE(1, 4), .2f, -.4f, .6f, 1);
    s.y = op_lstm(tp, sequence_of(s.z), s.h0, s.c0, s.u);
    ck_shape(s.y, SHAPE(2, 2, 1, 1));
    CK(s.y->data, .45f, .4f, L, L); /* h1 h2 c1 c2 */
    return s;
}

/* dL/dh2 = 1. Step 2: do = 0.6, dz_o = 0.6 2/9; dc2 = 2/3 (1 - 0.36) = 32/75; dz_i = dc2 L 1/4,
 * dz_f = dc2 c1 1/4, dz_g = dc2 1/2 (1 - L^2); dc1 = dc2 1/2 = 16/75.
 * dh1 = dz u = 0.1760496. Step 1: dc1 + dh1 3/4 0.64 = 0.2978371; dz_i = that 0.6 2/9, dz_f = that
 * c0 1/4, dz_o = dh1 0.6 3/16, dz_g = that 2/3 0.64. du = h0 dz1 + h1 dz2, dh0 = dz1 u, dc0 = that
 * 1/2. */
START_TEST(gradient_through_h)
{
    Tape tp = {0};
    const TwoSteps s = two_steps(&tp);
    BACKWARD(&tp, s.y, 0, 1, 0, 0);
    CK(s.z->grad, .0397116157f, .0436550556f, .0198055744f, .1270771702f, /* step 2: */
       .0739356993f, .0739356993f, .1333333333f, .1108366904f);
    CK(s.u->grad, .0729826803f, .0769261203f, .0798055744f, .1769536808f);
    CK(s.h0->grad, .1294408157f);
    CK(s.c0->grad, .1489185588f);
    tape_free(&tp);
}
END_TEST

/* dL/dc2 = 1. Step 2: dz_i = L/4, dz_f = L/4, dz_o = 0, dz_g = (1 - L^2) / 2, dc1 = 1/2; dh1 =
 * .2 L/4 - .4 L/4 + (1 - L^2) / 2 = 0.2251161, and step 1 as above with dc1 + dh1 3/4 0.64 =
 * 0.6080557. */
START_TEST(gradient_through_c)
{
    Tape tp = {0};
    const TwoSteps s = two_steps(&tp);
    BACKWARD(&tp, s.y, 0, 0, 0, 1);
    CK(s.z->grad, .0810740992f, .0891249135f, .0253255651f, .2594371176f, /* step 2: */
       L / 4, L / 4, 0, (1 - L * L) / 2);
    CK(s.u->grad, .1590531571f, .1671039713f, .0253255651f, .3763351895f);
    CK(s.h0->grad, .2551973111f);
    CK(s.c0->grad, .3040278722f);
    tape_free(&tp);
}
END_TEST

/* The cell of 1997 without a forget gate, [i o g] = 1/2 3/4 0.6: c = c0 + 0.3 = L,
 * h = 3/4 0.6 = 0.45. dL/dh = 1: dz_o = 0.6 3/16, dc = 3/4 0.64 = 0.48, dz_i = 0.48 0.6 1/4,
 * dz_g = 0.48 1/2 0.64, dc0 = dc. */
START_TEST(without_a_forget_gate)
{
    Tape tp = {0};
    Tensor *z = GIVEN(&tp, SHAPE(1, 1, 3), 0, ln3, L), *u = GIVEN(&tp, SHAPE(1, 3), .5f, -1, 2);
    Tensor *h0 = GIVEN(&tp, SHAPE(1, 1), 0), *c0 = GIVEN(&tp, SHAPE(1, 1), L - .3f);
    Tensor *y = op_lstm(&tp, sequence_of(z), h0, c0, u);
    CK(y->data, .45f, L);
    BACKWARD(&tp, y, 1, 0);
    CK(z->grad, .072f, .1125f, .1536f);
    CK(u->grad, 0, 0, 0);
    CK(h0->grad, .036f - .1125f + .3072f);
    CK(c0->grad, .48f);
    tape_free(&tp);
}
END_TEST

/* --- against the steps ------------------------------------------------------------------------ */

/* Which other op reads z: none; an op recorded before, whose backward comes later; an op recorded
 * after, whose backward comes first, so that op_lstm must add to an existing gradient. */
typedef enum { ALONE, READ_BEFORE, READ_AFTER, WAYS } Way;

typedef struct {
    int T, B, C, H;
    bool forget;
    LstmLayer l;
    Tensor *x, *h0, *c0, *r,
        *q; /* r (2,T,B,H), q (T,B,4H): the gradients of the outputs and of z */
} Case;

static Tensor *slow(Tape *tp, const Case *c)
{
    LstmState s = {.h = c->h0, .c = c->c0};
    Tensor **all = tape_save(tp, 2 * (size_t)c->T * sizeof *all), **h = all, **cell = all + c->T;
    for (int t = 0; t < c->T; t++) {
        s = lstm_step(tp, &c->l, op_rows(tp, c->x, t, 1), s);
        h[t] = s.h, cell[t] = s.c;
    }
    Tensor *both[] = {op_stack(tp, h, c->T), op_stack(tp, cell, c->T)};
    return op_stack(tp, both, 2); /* (2,T,B,H) */
}

/* The loss of both forms: y projected on r, plus z projected on q if another op reads z. */
static Tensor *loss(Tape *tp, const Case *c, bool fused, Way way, Tensor **y)
{
    Tensor *z = op_linear(tp, c->x, c->l.w, c->l.b), *besides = NULL;
    if (way == READ_BEFORE) besides = op_dot(tp, z, c->q->data);
    *y = fused ? op_lstm(tp, sequence_of(z), c->h0, c->c0, c->l.u) : slow(tp, c);
    if (way == READ_AFTER) besides = op_dot(tp, z, c->q->data);
    Tensor *l = op_dot(tp, *y, c->r->data);
    return besides ? op_add(tp, l, besides) : l;
}

static void check_case(int T, int B, int C, int H, bool forget, Way way)
{
    Tape tp = {0};
    Params ps = params_init(3);
    const int N = (forget ? 4 : 3) * H;
    Case c = {.T = T, .B = B, .C = C, .H = H, .forget = forget};
    c.l = lstm_init(&ps, C, H, forget, 1);
    Rng rng = rng_make(4, RNG_TEST, 0);
    for (int i = 0; i < N; i++) c.l.b->data[i] += (real)(.5 * rng_normal(&rng));
    c.x = param(&ps, SHAPE(T, B, C), 1, "x");
    c.h0 = param(&ps, SHAPE(B, H), .5, "h0");
    c.c0 = param(&ps, SHAPE(B, H), 1, "c0");
    c.r = param(&ps, SHAPE(2, T, B, H), 1. / (T * B), "r");
    c.q = param(&ps, SHAPE(T, B, N), 1. / (T * B), "q");

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
    ck_assert_msg(worst <= 2e-6, "(%d,%d,%d,%d), forget %d, way %d: %g apart", T, B, C, H, forget,
                  way, worst);
    ck_assert_double_gt(params_norm(&ps), .01); /* the gradients compared were not all 0 */
    free(grad);
    params_free(&ps);
    tape_free(&tp);
}

static const int shapes[][4] = {
    {1, 1, 1, 1}, {7, 1, 5, 4}, {6, 3, 2, 33}, {5, 40, 8, 33}, {9, 16, 3, 64}, {4, 19, 6, 128},
};

START_TEST(equals_its_steps)
{
    parallel_init(2);
    for (int i = 0; i < LEN(shapes); i++)
        for (int forget = 0; forget < 2; forget++)
            for (Way way = ALONE; way < WAYS; way++)
                check_case(shapes[i][0], shapes[i][1], shapes[i][2], shapes[i][3], forget, way);
}
END_TEST

/* lstm_layer returns all h and the last state as the next one; the bits are the same without a
 * gradient. */
START_TEST(layer_and_last_state)
{
    enum { T = 3, B = 2, H = 5 };
    Params ps = params_init(5);
    const LstmLayer l = lstm_init(&ps, 4, H, true, 1);
    Tensor *z = param(&ps, SHAPE(T, B, 4 * H), 1, "z");
    Tensor *h0 = param(&ps, SHAPE(B, H), 1, "h0"), *c0 = param(&ps, SHAPE(B, H), 1, "c0");
    Tape tp = {0}, frozen = {.frozen = true};
    LstmState s = {.h = h0, .c = c0}, other = s;
    const Tensor *hc = op_lstm(&tp, sequence_of(z), h0, c0, l.u),
                 *h = lstm_layer(&tp, &l, sequence_of(z), &s);
    const Tensor *again = lstm_layer(&frozen, &l, sequence_of(z), &other);
    ck_shape(h, SHAPE(T, B, H));
    ck_shape(s.h, SHAPE(B, H));
    ck_shape(s.c, SHAPE(B, H));
    const size_t bytes = B * H * sizeof(real);
    ck_assert_mem_eq(h->data, hc->data, T * bytes);
    ck_assert_mem_eq(s.h->data, hc->data + (T - 1) * B * H, bytes);
    ck_assert_mem_eq(s.c->data, hc->data + (2 * T - 1) * B * H, bytes);
    ck_assert_mem_eq(again->data, h->data, T * bytes);
    ck_assert_mem_eq(other.c->data, s.c->data, bytes);
    ck_assert(!again->requires_grad);
    tape_free(&tp), tape_free(&frozen), params_free(&ps);
}
END_TEST

START_TEST(layer_with_peepholes)
{
    Params ps = params_init(5);
    LstmLayer l = lstm_init(&ps, 4, 2, true, 1);
    l.p = param(&ps, SHAPE(3, 2), 0, "p");
    Tape tp = {0};
    LstmState s = {.h = tape_zeros(&tp, SHAPE(1, 2)), .c = tape_zeros(&tp, SHAPE(1, 2))};
    lstm_layer(&tp, &l, sequence_of(tape_zeros(&tp, SHAPE(3, 1, 8))), &s);
}
END_TEST

SUITE("ops_lstm",
      TESTS(gradient_through_h, gradient_through_c, without_a_forget_gate, equals_its_steps,
            layer_and_last_state),
      ABORTS(layer_with_peepholes))
