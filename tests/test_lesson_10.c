/* Lesson 10: the hand example, and how fast gradients fall (Bengio, Simard & Frasconi 1994). */
#include "by_hand.h"
#include "lstm_gru/lstm.h"
#include "nn/params.h"

enum { LAGS = 50, H = 32 };

/* One unit, three steps, u = 0.5 or 2; with tanh the inputs make every h 0.6, so 1 - h^2 = 0.64. */
static double three_steps(real u_value, bool squashed)
{
    const real ln2 = (real)0.69314718056; /* tanh(ln 2) = 0.6 */
    Tape tp = {.keep_grads = true};
    Tensor *u = GIVEN(&tp, SHAPE(1, 1), u_value), *first = GIVEN(&tp, SHAPE(1, 1), 0.6f),
           *h = first;
    for (int t = 0; t < 3; t++) {
        h = op_matmul(&tp, h, u);
        if (squashed) {
            Tensor *z = tape_tensor(&tp, SHAPE(1, 1));
            z->data[0] = ln2 - h->data[0];
            h = op_tanh(&tp, op_add(&tp, h, z));
        }
    }
    BACKWARD(&tp, h, 1);
    const double left = (double)first->grad[0];
    tape_free(&tp);
    return left;
}

START_TEST(three_factors)
{
    ck_assert_double_lt(fabs(three_steps(0.5f, false) - 0.125), 1e-7);
    ck_assert_double_lt(fabs(three_steps(2, false) - 8), 1e-6);
    ck_assert_double_lt(fabs(three_steps(0.5f, true) - 0.032768), 1e-6);
    ck_assert_double_lt(fabs(three_steps(2, true) - 2.097152), 1e-5);
}
END_TEST

/* Two parameters with the gradients 3 and 4 have a joint norm of 5: clipped at 1 they become 0.6 and 0.8.
 * A gradient below the limit does not change. */
START_TEST(clipped)
{
    Params ps = params_init(1);
    Tensor *a = param(&ps, SHAPE(1), 1, "a");
    Tensor *b = param(&ps, SHAPE(1), 1, "b");
    a->grad[0] = 3, b->grad[0] = 4;
    ck_assert_double_eq(params_clip(&ps, 1), 5);
    CK(a->grad, 0.6f);
    CK(b->grad, 0.8f);
    ck_assert_double_lt(fabs(params_clip(&ps, 2) - 1), 1e-6);
    CK(a->grad, 0.6f);
    CK(b->grad, 0.8f);
    params_free(&ps);
}
END_TEST

static double norm_of(const Tensor *t)
{
    double sum = 0;
    for (int i = 0; i < t->len; i++) sum += (double)t->grad[i] * (double)t->grad[i];
    return sqrt(sum);
}

static Tensor *normals(Tape *tp, Shape s, double std, Rng *rng)
{
    Tensor *t = tape_tensor(tp, s);
    for (int i = 0; i < t->len; i++) t->data[i] = (real)(std * rng_normal(rng));
    return t;
}

/* Returns the slope of ln |dL/dh| against the lag, by least squares, for a network with U = rho Q. */
static double slope(double rho, bool squashed, uint64_t seed)
{
    Tape tp = {.keep_grads = true};
    Params ps = params_init(seed);
    Rng rng = rng_make(seed, RNG_TEST, 0);
    Tensor *u = param(&ps, SHAPE(H, H), 0, "u"), *h[LAGS + 1];
    param_orthogonal(&ps, u, rho);
    h[0] = normals(&tp, SHAPE(1, H), 0.5, &rng);
    h[0]->requires_grad = true;
    for (int t = 1; t <= LAGS; t++) {
        h[t] = op_matmul(&tp, h[t - 1], u);
        if (squashed) h[t] = op_tanh(&tp, op_add(&tp, h[t], normals(&tp, SHAPE(1, H), 0.5, &rng)));
    }
    backward(&tp, h[LAGS], normals(&tp, SHAPE(H), 1, &rng)->data);
    double sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (int k = 0; k <= LAGS; k++) {
        const double y = log(norm_of(h[LAGS - k]));
        sx += k, sy += y, sxx += (double)k * k, sxy += k * y;
    }
    const int n = LAGS + 1;
    params_free(&ps), tape_free(&tp);
    return (n * sxy - sx * sy) / (n * sxx - sx * sx);
}

START_TEST(slope_is_ln_rho)
{
    const double rho[] = {0.8, 1.0, 1.2};
    for (int i = 0; i < LEN(rho); i++)
        for (uint64_t seed = 1; seed <= 5; seed++) {
            const double linear = slope(rho[i], false, seed), want = log(rho[i]);
            ck_assert_msg(fabs(linear - want) <= 0.02 * fabs(want) + 1e-6, "linear, rho %g: %g",
                          rho[i], linear);
            ck_assert_msg(slope(rho[i], true, seed) < want, "tanh, rho %g", rho[i]);
        }
}
END_TEST

/* An LSTM with weights of 0: the gradient of the cell has one factor sigmoid(forget bias) a step. */
START_TEST(cell_falls_by_its_gate)
{
    for (int bias = 0; bias <= 1; bias++) {
        Tape tp = {.keep_grads = true};
        Params ps = params_init(1);
        Rng rng = rng_make(1, RNG_TEST, 0);
        LstmLayer l = lstm_init(&ps, 1, H, true, bias);
        memset(l.w->data, 0, (size_t)l.w->len * sizeof(real));
        memset(l.u->data, 0, (size_t)l.u->len * sizeof(real));
        Tensor *first = tape_zeros(&tp, SHAPE(1, H)), *x = tape_zeros(&tp, SHAPE(1, 1));
        first->requires_grad = true;
        LstmState s = {.h = tape_zeros(&tp, SHAPE(1, H)), .c = first};
        for (int t = 0; t < LAGS; t++) s = lstm_step(&tp, &l, x, s);
        backward(&tp, s.c, normals(&tp, SHAPE(H), 1, &rng)->data);
        const double left = norm_of(first) / norm_of(s.c), f = 1 / (1 + exp(-bias));
        ck_assert_double_lt(fabs(left / pow(f, LAGS) - 1), 1e-3);
        params_free(&ps), tape_free(&tp);
    }
}
END_TEST

SUITE("lesson_10", TESTS(three_factors, clipped, slope_is_ln_rho, cell_falls_by_its_gate),
      NO_ABORTS)
