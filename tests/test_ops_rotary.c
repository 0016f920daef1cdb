/* Positions in attention: rotary embedding and ALiBi slopes. By hand, against PyTorch
 * (tests/golden/positions.py), and by their defining property: the result depends on distances
 * only. */
#include "by_hand.h"
#include "golden.h"
#include "math/parallel.h"

/* Absolute tolerance, for values up to 4. */
static const double TOLERANCE = sizeof(real) == sizeof(float) ? 2e-6 : 1e-14;

#define LN3 ((real)1.09861228867)

/* Two columns rotate by 1 per position: (1,0) at position 1 becomes (cos 1, sin 1), (0,1) at
 * position 2 becomes (-sin 2, cos 2). Backward rotates the other way: dy = (1,0) at position 1
 * gives dx = (cos 1, -sin 1). */
START_TEST(rotary_by_hand)
{
    Tape tp = {0};
    const real c1 = 0.5403023f, s1 = 0.8414710f, c2 = -0.4161468f, s2 = 0.9092974f;
    Tensor *x = GIVEN(&tp, SHAPE(1, 3, 2), 3, 4, 1, 0, 0, 1);
    Tensor *y = op_rotary(&tp, x, 1, 0);
    CK(y->data, 3, 4, c1, s1, -s2, c2);
    BACKWARD(&tp, y, 5, 6, 1, 0, 0, 1);
    CK(x->grad, 5, 6, c1, -s1, s2, c2);
    tape_free(&tp);
}
END_TEST

/* A head of four columns: the second pair rotates by 1/100 per position. Both heads rotate
 * equally. */
START_TEST(pairs_turn_more_and_more_slowly)
{
    Tape tp = {0};
    Tensor *x = GIVEN(&tp, SHAPE(1, 1, 8), 1, 0, 1, 0, 1, 0, 1, 0);
    const real *y = op_rotary(&tp, x, 2, 50)->data;
    const real c50 = 0.9649660f, s50 = -0.2623749f, c = 0.8775826f, s = 0.4794255f; /* of 50, 1/2 */
    CK(y, c50, s50, c, s, c50, s50, c, s);
    tape_free(&tp);
}
END_TEST

static real *drawn(Tensor *x, uint32_t stream)
{
    Rng rng = rng_make(stream, RNG_TEST, 0);
    for (int i = 0; i < x->len; i++) x->data[i] = (real)rng_normal(&rng);
    return x->data;
}

/* q at position m, k at position n: their product equals that at m + i and n + i, and differs from
 * that at another distance. */
START_TEST(only_the_distance_counts)
{
    enum { C = 16, LONG = 2000 };
    Tape tp = {.frozen = true};
    Tensor *q = tape_tensor(&tp, SHAPE(1, 1, C)), *k = tape_tensor(&tp, SHAPE(1, 1, C));
    drawn(q, 1), drawn(k, 2);
    const int d[] = {0, 1, 7, 300};
    double at_0[LEN(d)];
    for (int i = 0; i < LEN(d); i++)
        for (int m = 0; m < LONG; m += 333) {
            const real *a = op_rotary(&tp, q, 1, m + d[i])->data;
            const real *b = op_rotary(&tp, k, 1, m)->data;
            double product = 0;
            for (int c = 0; c < C; c++) product += (double)a[c] * (double)b[c];
            if (m == 0) at_0[i] = product;
            ck_assert_double_eq_tol(product, at_0[i], 1e-5);
        }
    for (int i = 1; i < LEN(d); i++) ck_assert(fabs(at_0[i] - at_0[0]) > 1e-3);
    tape_free(&tp);
}
END_TEST

/* Other programs pair column i with i + D/2: the same result with the columns in another order. */
START_TEST(pairing_halves_is_the_same)
{
    enum { D = 8, T = 5 };
    Tape tp = {.frozen = true};
    Tensor *x = tape_tensor(&tp, SHAPE(1, T, D)), *z = tape_tensor(&tp, SHAPE(1, T, D));
    drawn(x, 3);
    for (int i = 0; i < T * D; i++) { /* from pairs of neighbours to pairs i, i + D/2 */
        const int c = i % D;
        z->data[i - c + c / 2 + (c % 2 ? D / 2 : 0)] = x->data[i];
    }
    const real *y = op_rotary(&tp, x, 1, 0)->data;
    for (int t = 0; t < T; t++)
        for (int i = 0; i < D / 2; i++) {
            const double angle = t * pow(10000, -2.0 * i / D), c = cos(angle), s = sin(angle);
            const double a = (double)z->data[t * D + i], b = (double)z->data[t * D + i + D / 2];
            ck_assert_double_eq_tol((double)y[t * D + 2 * i], a * c - b * s, 1e-6);
            ck_assert_double_eq_tol((double)y[t * D + 2 * i + 1], a * s + b * c, 1e-6);
        }
    tape_free(&tp);
}
END_TEST

/* --- slopes ----------------------------------------------------------------------------------- */

/* All scores are 0. With a slope of ln 3 for earlier keys the last of three queries has
 * e = (-2 ln 3, -ln 3, 0), p = (1, 3, 9) / 13. With a slope of ln 9 for later keys the first query
 * has p = (81, 9, 1) / 91. */
START_TEST(slopes_by_hand)
{
    Tape tp = {0};
    const real *p, slope[] = {LN3, 2 * LN3};
    Tensor *q = GIVEN(&tp, SHAPE(1, 3, 4), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    Tensor *v = GIVEN(&tp, SHAPE(1, 3, 4), 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0);
    const AttentionMask m = {.slope = slope};
    op_attention(&tp, q, q, v, 1, &m, &p);
    CK(p, 81 / 91.f, 9 / 91.f, 1 / 91.f, 3 / 13.f, 9 / 13.f, 1 / 13.f, 1 / 13.f, 3 / 13.f,
       9 / 13.f);
    tape_free(&tp);
}
END_TEST

/* Hidden keys before a sequence change its result only by the rounding of sums. A slope of INFINITY
 * for later keys equals a causal mask, to the last bit. */
START_TEST(slopes_know_no_places)
{
    enum { T = 9, MORE = 40, C = 8, H = 2 };
    Tape tp = {.frozen = true};
    const real slope[] = {0.5f, 0.03f, INFINITY, INFINITY};
    Tensor *x = tape_tensor(&tp, SHAPE(1, T + MORE, C)), *part = tape_tensor(&tp, SHAPE(1, T, C));
    drawn(x, 4);
    memcpy(part->data, x->data + MORE * C, T * C * sizeof(real));
    unsigned char *allowed = tape_save(&tp, (T + MORE) * (T + MORE));
    for (int i = 0; i < (T + MORE) * (T + MORE); i++) allowed[i] = i % (T + MORE) >= MORE;
    const AttentionMask all = {.slope = slope, .allowed = allowed}, few = {.slope = slope};
    const AttentionMask causal = {.slope = slope, .causal = true};
    const real *y = op_attention(&tp, x, x, x, H, &all, NULL)->data + MORE * C;
    const real *z = op_attention(&tp, part, part, part, H, &few, NULL)->data;
    const real *past = op_attention(&tp, part, part, part, H, &causal, NULL)->data;
    for (int i = 0; i < T * C; i++) ck_assert_double_eq_tol((double)y[i], (double)z[i], 2e-6);
    ck_assert_mem_eq(z, past, T * C * sizeof *z);
    tape_free(&tp);
}
END_TEST

/* One query at a time over a growing cache stands at the position of the last key. */
START_TEST(slopes_in_a_cache)
{
    enum { T = 40, C = 8 };
    Tape tp = {.frozen = true};
    const real slope[] = {0.3f, 0.05f, 0, 0};
    const AttentionMask m = {.slope = slope, .causal = true};
    Tensor *x = tape_tensor(&tp, SHAPE(1, T, C));
    drawn(x, 5);
    const real *whole = op_attention(&tp, x, x, x, 2, &m, NULL)->data;
    for (int t = 0; t < T; t++) {
        Tensor *q = tape_tensor(&tp, SHAPE(1, 1, C)), *k = tape_tensor(&tp, SHAPE(1, t + 1, C));
        memcpy(q->data, x->data + t * C, C * sizeof(real));
        memcpy(k->data, x->data, (size_t)(t + 1) * C * sizeof(real));
        const real *y = op_attention(&tp, q, k, k, 2, &m, NULL)->data;
        for (int c = 0; c < C; c++)
            ck_assert_double_eq_tol((double)y[c], (double)whole[t * C + c], 2e-6);
    }
    tape_free(&tp);
}
END_TEST

/* --- PyTorch, threads ------------------------------------------------------------------------- */

START_TEST(rotary_is_pytorchs)
{
    Golden g = golden_open("tests/golden/positions.safetensors");
    Tensor *x = golden_tensor(&g, "rotary.x"), *y = op_rotary(&g.tape, x, 3, 5);
    golden_equal(&g, "rotary.y", y->data, y->len, TOLERANCE);
    tape_backward(&g.tape, op_dot(&g.tape, y, golden_tensor(&g, "rotary.r")->data));
    golden_equal(&g, "rotary.dx", x->grad, x->len, TOLERANCE);
    golden_close(&g);
}
END_TEST

START_TEST(slopes_are_pytorchs)
{
    static const char *const cases[] = {"alibi", "sided"};
    for (int i = 0; i < LEN(cases); i++) {
        Golden g = golden_open("tests/golden/positions.safetensors");
        Tensor *x[5], *slope;
        char name[32];
        for (int j = 0; j < LEN(x); j++) {
            snprintf(name, sizeof name, "%s.%c", cases[i], "qkvyr"[j]);
            x[j] = golden_tensor(&g, name);
        }
        snprintf(name, sizeof name, "%s.slope", cases[i]);
        slope = golden_tensor(&g, name);
        const AttentionMask m = {.causal = i == 0, .slope = slope->data};
        Tensor *y = op_attention(&g.tape, x[0], x[1], x[2], 2, &m, NULL);
        snprintf(name, sizeof name, "%s.y", cases[i]);
        golden_equal(&g, name, y->data, y->len, TOLERANCE);
        tape_backward(&g.tape, op_dot(&g.tape, y, x[4]->data));
        for (int j = 0; j < 3; j++) {
            snprintf(name, sizeof name, "%s.d%c", cases[i], "qkv"[j]);
            golden_equal(&g, name, x[j]->grad, x[j]->len, TOLERANCE);
        }
        golden_close(&g);
    }
}
END_TEST

/* Enough rows for several threads. */
START_TEST(same_bits_on_any_threads)
{
    enum { B = 16, T = 200, C = 64 };
    real *first = NULL;
    for (int threads = 1; threads <= 3; threads++) {
        Tape tp = {0};
        parallel_init(threads);
        Tensor *x = tape_tensor(&tp, SHAPE(B, T, C));
        const real *r = drawn(x, 6);
        x->requires_grad = true;
        Tensor *y = op_rotary(&tp, x, 4, 3);
        backward(&tp, y, r);
        real *both = xmalloc(2 * (size_t)x->len * sizeof *both);
        memcpy(both, y->data, (size_t)x->len * sizeof *both);
        memcpy(both + x->len, x->grad, (size_t)x->len * sizeof *both);
        if (first) ck_assert_mem_eq(first, both, 2 * (size_t)x->len * sizeof *both);
        if (first)
            free(both);
        else
            first = both;
        tape_free(&tp);
    }
    free(first);
    parallel_init(1);
}
END_TEST

SUITE("ops_rotary",
      TESTS(rotary_by_hand, pairs_turn_more_and_more_slowly, only_the_distance_counts,
            pairing_halves_is_the_same, slopes_by_hand, slopes_know_no_places, slopes_in_a_cache,
            rotary_is_pytorchs, slopes_are_pytorchs, same_bits_on_any_threads),
      NO_ABORTS)
