/* Lesson 12: the two steps that the page calculates by hand, and its claims about the cell: its two
 * published forms are different functions, it has three quarters of the weights of an LSTM, and it is an
 * LSTM's cell with tied input and forget gates. */
#include "by_hand.h"
#include "lstm_gru/gru.h"
#include "lstm_gru/lstm.h"
#include "math/parallel.h"
#include "nn/params.h"

#define LN2 0.69314718056f
#define LN3 1.09861228867f

/* --- two steps of one unit -----------------------------------------------------------------------
 * u = (1, 1, 2) of r, z, n; h0 = 0. a_1 = (0, 0, ln 3) gives r 1/2, z 1/2, n 0.8, h1 = 0.4; a_2 =
 * (0, ln 3, ln 2) - 0.4 gives r 1/2, z 3/4, n 0.6, h2 = 0.45. L is h2. */

static const real two_inputs[6] = {0, 0, LN3, -0.4f, LN3 - 0.4f, LN2 - 0.4f};

static void check_two_steps(bool after)
{
    Tape tp = {0};
    Tensor *a = given(&tp, SHAPE(2, 1, 3), two_inputs);
    Tensor *h0 = GIVEN(&tp, SHAPE(1, 1), 0), *u = GIVEN(&tp, SHAPE(1, 3), 1, 1, 2);
    Tensor *h = after ? op_gru_after(&tp, sequence_of(a), h0, u, NULL)
                      : op_gru_before(&tp, sequence_of(a), h0, u);
    CK(h->data, 0.4f, 0.45f);
    BACKWARD(&tp, h, 0, 1);
    CK(a->grad, 0, -0.1809f, 0.16281f, 0.032f, -0.0375f, 0.16f);
    CK(u->grad, 0.0128f, -0.015f, 0.032f);
    CK(h0->grad, 0.43416f);
    tape_free(&tp);
}

/* With one unit both forms are equal: r (h u) = (r h) u. */
START_TEST(two_steps_fused)
{
    check_two_steps(true);
    check_two_steps(false);
}
END_TEST

START_TEST(two_steps_one_by_one)
{
    for (int after = 0; after < 2; after++) {
        Tape tp = {0};
        const GruLayer l = {.H = 1,
                            .after = after,
                            .w = GIVEN(&tp, SHAPE(3, 3), 1, 0, 0, 0, 1, 0, 0, 0, 1),
                            .u = GIVEN(&tp, SHAPE(1, 3), 1, 1, 2),
                            .b = GIVEN(&tp, SHAPE(3), 0, 0, 0)};
        GruState s = {.h = GIVEN(&tp, SHAPE(1, 1), 0)};
        Tensor *x1 = given(&tp, SHAPE(1, 3), two_inputs), *h1;
        Tensor *x2 = given(&tp, SHAPE(1, 3), two_inputs + 3);
        s = gru_step(&tp, &l, x1, s), h1 = s.h;
        CK(s.r->data, 0.5f);
        CK(s.z->data, 0.5f);
        CK(s.n->data, 0.8f);
        CK(s.h->data, 0.4f);
        s = gru_step(&tp, &l, x2, (GruState){.h = h1});
        CK(s.r->data, 0.5f);
        CK(s.z->data, 0.75f);
        CK(s.n->data, 0.6f);
        CK(s.h->data, 0.45f);
        BACKWARD(&tp, s.h, 1);
        CK(l.u->grad, 0.0128f, -0.015f, 0.032f);
        CK(x1->grad, 0, -0.1809f, 0.16281f);
        CK(x2->grad, 0.032f, -0.0375f, 0.16f);
        tape_free(&tp);
    }
}
END_TEST

/* --- the two published forms --------------------------------------------------------------------- */

/* A layer with random weights and biases, and an input. */
typedef struct {
    Params ps;
    GruLayer l;
    Tensor *x, *h0, *r;
} Random;

static Random random_of(int T, int B, int C, int H, bool after, bool inner_bias)
{
    Random m = {.ps = params_init(12)};
    m.l = gru_init(&m.ps, C, H, after, inner_bias);
    m.x = param(&m.ps, SHAPE(T, B, C), 1, "x");
    m.h0 = param(&m.ps, SHAPE(B, H), .5, "h0");
    m.r = param(&m.ps, SHAPE(T, B, H), 1. / (T * B), "r");
    Rng rng = rng_make(12, RNG_TEST, 0);
    for (int i = 0; i < m.l.b->len; i++) m.l.b->data[i] = (real)(.5 * rng_normal(&rng));
    for (int i = 0; inner_bias && i < H; i++) m.l.k->data[i] = (real)(.5 * rng_normal(&rng));
    return m;
}

static Tensor *all_at_once(Tape *tp, const Random *m, const GruLayer *l)
{
    GruState s = {.h = m->h0};
    return gru_layer(tp, l, sequence_of(op_linear(tp, m->x, l->w, l->b)), &s); /* (T,B,H) */
}

static double distance(const real *a, const real *b, size_t n)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++) worst = fmax(worst, fabs((double)a[i] - (double)b[i]));
    return worst;
}

static void check_steps(int T, int B, int C, int H, bool after, bool inner_bias)
{
    Tape tp = {0};
    Random m = random_of(T, B, C, H, after, inner_bias);
    Tensor **step = tape_save(&tp, (size_t)T * sizeof *step);
    GruState s = {.h = m.h0};
    for (int t = 0; t < T; t++) {
        s = gru_step(&tp, &m.l, op_rows(&tp, m.x, t, 1), (GruState){.h = s.h});
        step[t] = s.h;
    }
    Tensor *slow = op_stack(&tp, step, T); /* (T,B,H) */
    backward(&tp, slow, m.r->data);
    real *want = xmalloc(m.ps.len * sizeof *want);
    memcpy(want, m.ps.grad, m.ps.len * sizeof *want);
    params_zero_grad(&m.ps);
    Tensor *fast = all_at_once(&tp, &m, &m.l);
    backward(&tp, fast, m.r->data);
    const double values = distance(fast->data, slow->data, (size_t)fast->len);
    const double grads = distance(m.ps.grad, want, m.ps.len);
    ck_assert_msg(values <= 3e-6 && grads <= 3e-6, "(%d,%d,%d,%d), after %d: %g and %g apart", T, B,
                  C, H, after, values, grads);
    free(want);
    params_free(&m.ps);
    tape_free(&tp);
}

START_TEST(fused_equals_its_steps)
{
    parallel_init(2);
    const int shape[][4] = {{1, 1, 1, 1}, {7, 3, 5, 4}, {9, 40, 8, 33}, {12, 32, 16, 128}};
    for (int i = 0; i < LEN(shape); i++) {
        const int *s = shape[i];
        check_steps(s[0], s[1], s[2], s[3], false, false);
        check_steps(s[0], s[1], s[2], s[3], true, false);
        check_steps(s[0], s[1], s[2], s[3], true, true);
    }
}
END_TEST

/* Runs both forms with the same weights; b_r is added to the reset gate's bias. */
static bool forms_agree(int T, int B, int C, int H, real b_r, double *apart)
{
    Tape tp = {0};
    Random m = random_of(T, B, C, H, true, false);
    for (int j = 0; j < H; j++) m.l.b->data[j] += b_r;
    GruLayer other = m.l;
    other.after = false;
    const Tensor *after = all_at_once(&tp, &m, &m.l), *before = all_at_once(&tp, &m, &other);
    const size_t n = (size_t)after->len;
    const bool same = memcmp(after->data, before->data, n * sizeof(real)) == 0;
    *apart = distance(after->data, before->data, n);
    params_free(&m.ps);
    tape_free(&tp);
    return same;
}

static const int form_shape[][4] = {
    {4, 1, 3, 2}, {7, 3, 5, 4}, {5, 17, 8, 33}, {20, 32, 16, 128}, {3, 40, 4, 250}};

START_TEST(reset_open_same_bits)
{
    parallel_init(2);
    for (int i = 0; i < LEN(form_shape); i++) {
        const int *s = form_shape[i];
        double apart;
        ck_assert_msg(forms_agree(s[0], s[1], s[2], s[3], 30, &apart), "(%d,%d,%d,%d): %g apart",
                      s[0], s[1], s[2], s[3], apart);
    }
}
END_TEST

START_TEST(else_two_functions)
{
    parallel_init(2);
    for (int i = 0; i < LEN(form_shape); i++) {
        const int *s = form_shape[i];
        double apart;
        ck_assert(!forms_agree(s[0], s[1], s[2], s[3], 0, &apart));
        ck_assert_msg(apart > 0.01, "(%d,%d,%d,%d): %g apart", s[0], s[1], s[2], s[3], apart);
    }
}
END_TEST

/* --- beside the LSTM ----------------------------------------------------------------------------- */

START_TEST(three_quarters_of_an_lstm)
{
    const int size[][2] = {{1, 1}, {2, 48}, {64, 128}, {7, 33}};
    for (int i = 0; i < LEN(size); i++) {
        Params gru = params_init(1), lstm = params_init(1);
        gru_init(&gru, size[i][0], size[i][1], true, false);
        lstm_init(&lstm, size[i][0], size[i][1], true, 1);
        ck_assert_uint_eq(4 * gru.count, 3 * lstm.count);
        params_free(&gru), params_free(&lstm);
    }
}
END_TEST

/* 1 - sigmoid(x) = sigmoid(-x): an LSTM with a_i = -a_f has tied gates. If no weight reads h, then o does
 * not matter, and c is the h of a GRU with z = f. */
START_TEST(gates_tied)
{
    enum { T = 9, B = 2, H = 3 };
    Tape tp = {0};
    Tensor *a = tape_tensor(&tp, SHAPE(T, B, 3 * H)), *z = tape_tensor(&tp, SHAPE(T, B, 4 * H));
    Rng rng = rng_make(12, RNG_TEST, 1);
    for (int i = 0; i < T * B; i++)
        for (int j = 0; j < H; j++) {
            real *gru = a->data + (size_t)i * 3 * H + j, *lstm = z->data + (size_t)i * 4 * H + j;
            for (int k = 0; k < 3; k++) gru[k * H] = (real)rng_normal(&rng);
            lstm[0] = -gru[H], lstm[H] = gru[H], lstm[2 * H] = 0, lstm[3 * H] = gru[2 * H];
        }
    Tensor *start = tape_zeros(&tp, SHAPE(B, H));
    const Tensor *h =
        op_gru_after(&tp, sequence_of(a), start, tape_zeros(&tp, SHAPE(H, 3 * H)), NULL);
    const Tensor *hc = op_lstm(&tp, sequence_of(z), start, start, tape_zeros(&tp, SHAPE(H, 4 * H)));
    ck_assert_double_le(distance(h->data, hc->data + h->len, (size_t)h->len), 1e-6);
    tape_free(&tp);
}
END_TEST

/* 100 steps with open gates and n (or g) near 1: c counts the steps, h stays a mean of ones. */
START_TEST(only_the_cell_counts)
{
    enum { T = 100 };
    Tape tp = {0};
    Tensor *a = tape_tensor(&tp, SHAPE(T, 1, 3)), *z = tape_tensor(&tp, SHAPE(T, 1, 4));
    for (int t = 0; t < T; t++) {
        memcpy(a->data + 3 * t, (const real[]){0, 3, 20}, 3 * sizeof(real));
        memcpy(z->data + 4 * t, (const real[]){20, 20, 0, 20}, 4 * sizeof(real));
    }
    Tensor *start = tape_zeros(&tp, SHAPE(1, 1));
    const Tensor *h = op_gru_after(&tp, sequence_of(a), start, tape_zeros(&tp, SHAPE(1, 3)), NULL);
    const Tensor *hc = op_lstm(&tp, sequence_of(z), start, start, tape_zeros(&tp, SHAPE(1, 4)));
    ck_assert_double_eq_tol((double)hc->data[2 * T - 1], 100, 1e-3);
    ck_assert_double_le((double)h->data[T - 1], 1);
    ck_assert_double_gt((double)h->data[T - 1], .98);
    tape_free(&tp);
}
END_TEST

/* --- the update gate ----------------------------------------------------------------------------- */

/* z = 1: 50 steps do not change a bit of the state. z = 0: nothing of the state stays. */
START_TEST(keep_or_replace)
{
    enum { T = 50, B = 3, C = 2, H = 6 };
    for (int keep = 0; keep < 2; keep++) {
        Tape tp = {0};
        Random m = random_of(T, B, C, H, true, false);
        for (int j = 0; j < H; j++) m.l.b->data[H + j] = keep ? 30 : -30;
        const Tensor *h = all_at_once(&tp, &m, &m.l);
        const real *last = h->data + (size_t)(T - 1) * B * H;
        const bool same = memcmp(last, m.h0->data, (size_t)B * H * sizeof(real)) == 0;
        ck_assert_int_eq(same, keep);
        params_free(&m.ps);
        tape_free(&tp);
    }
}
END_TEST

/* Chung's z is 1 - z: the z columns of all weights have the opposite sign. */
START_TEST(chungs_z)
{
    enum { B = 4, C = 3, H = 5 };
    Tape tp = {0};
    Random m = random_of(1, B, C, H, true, false);
    const GruState cho = gru_step(&tp, &m.l, op_rows(&tp, m.x, 0, 1), (GruState){.h = m.h0});
    Tensor *part[] = {m.l.w, m.l.u, m.l.b};
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < part[k]->len; i++)
            if (i % (3 * H) / H == 1) part[k]->data[i] *= -1;
    const GruState swapped = gru_step(&tp, &m.l, op_rows(&tp, m.x, 0, 1), (GruState){.h = m.h0});
    for (int i = 0; i < B * H; i++) {
        const double z = (double)swapped.z->data[i], n = (double)swapped.n->data[i];
        const double chung = (1 - z) * (double)m.h0->data[i] + z * n;
        ck_assert_double_eq_tol(chung, (double)cho.h->data[i], 1e-6);
    }
    ck_assert_double_gt(distance(swapped.h->data, cho.h->data, B * H),
                        0.1); /* the same weights in Cho's form */
    params_free(&m.ps);
    tape_free(&tp);
}
END_TEST

SUITE("lesson_12",
      TESTS(two_steps_fused, two_steps_one_by_one, fused_equals_its_steps, reset_open_same_bits,
            else_two_functions, three_quarters_of_an_lstm, gates_tied, only_the_cell_counts,
            keep_or_replace, chungs_z),
      NO_ABORTS)
