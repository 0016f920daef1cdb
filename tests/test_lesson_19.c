/* Lesson 19: attention reads a set; and each kind of positions by hand. */
#include "models/model.h"
#include "by_hand.h"

#include "transformer/transformer.h"

#define LN2 ((real)0.69314718056)
#define LN3 ((real)1.09861228867)

/* A query of 1 and the words A (key ln 2, value 3) and B (key 0, value 6): the weights are 2/3 and 1/3 and
 * y = 4 in either order. */
START_TEST(a_set_by_hand)
{
    Tape tp = {0};
    const real *p;
    Tensor *q = GIVEN(&tp, SHAPE(1, 1, 1), 1);
    Tensor *ab = GIVEN(&tp, SHAPE(1, 2, 1), LN2, 0), *v = GIVEN(&tp, SHAPE(1, 2, 1), 3, 6);
    Tensor *ba = GIVEN(&tp, SHAPE(1, 2, 1), 0, LN2), *w = GIVEN(&tp, SHAPE(1, 2, 1), 6, 3);
    CK(op_attention(&tp, q, ab, v, 1, NULL, &p)->data, 4);
    CK(p, 2 / 3.f, 1 / 3.f);
    CK(op_attention(&tp, q, ba, w, 1, NULL, &p)->data, 4);
    CK(p, 1 / 3.f, 2 / 3.f);
    tape_free(&tp);
}
END_TEST

/* Two columns: PE(1) = (sin 1, cos 1) = (0.8415, 0.5403), and PE(3) is PE(1) rotated by 2: (0.1411,
 * -0.9900). With four columns the second pair rotates a hundred times more slowly. */
START_TEST(sinusoid_by_hand)
{
    real pe[2], four[4];
    positions_sinusoid(1, 2, pe);
    CK(pe, 0.8414710f, 0.5403023f);
    const double c = cos(2), s = sin(2), x = (double)pe[0], y = (double)pe[1];
    positions_sinusoid(3, 2, pe);
    ck_assert_double_eq_tol((double)pe[0], x * c + y * s, 1e-6);
    ck_assert_double_eq_tol((double)pe[1], y * c - x * s, 1e-6);
    CK(pe, 0.1411200f, -0.9899925f);
    positions_sinusoid(3, 4, four);
    CK(four, 0.1411200f, -0.9899925f, 0.0299955f, 0.9995500f);
}
END_TEST

/* q = k = (1, 0). At positions 5 and 3 they are (0.2837, -0.9589) and (-0.9900, 0.1411); their product is
 * cos 2 = -0.4161. At 105 and 103 it is the same. */
START_TEST(rotary_by_hand)
{
    Tape tp = {0};
    static const int places[] = {5, 105};
    for (int i = 0; i < 2; i++) {
        Tensor *x = GIVEN(&tp, SHAPE(1, 1, 2), 1, 0);
        const real *q = op_rotary(&tp, x, 1, places[i])->data;
        const real *k = op_rotary(&tp, x, 1, places[i] - 2)->data;
        if (i == 0) CK(q, 0.2836622f, -0.9589243f);
        if (i == 0) CK(k, -0.9899925f, 0.1411200f);
        ck_assert_double_eq_tol((double)(q[0] * k[0] + q[1] * k[1]), cos(2), 1e-6);
    }
    tape_free(&tp);
}
END_TEST

/* Three steps, all q . k = 0, a slope of ln 3. The last step has e = (-2 ln 3, -ln 3, 0) and the weights
 * 1/13, 3/13, 9/13. With ten more steps in front the last three keep the ratio 1 : 3 : 9. */
START_TEST(alibi_by_hand)
{
    Tape tp = {0};
    const real *p, slope[] = {LN3, LN3};
    const AttentionMask m = {.causal = true, .slope = slope};
    Tensor *x = tape_zeros(&tp, SHAPE(1, 3, 1)), *longer = tape_zeros(&tp, SHAPE(1, 13, 1));
    op_attention(&tp, x, x, x, 1, &m, &p);
    CK(p + 6, 1 / 13.f, 3 / 13.f, 9 / 13.f);
    op_attention(&tp, longer, longer, longer, 1, &m, &p);
    const real *last = p + 13 * 13 - 3;
    ck_assert_double_eq_tol((double)(last[1] / last[0]), 3, 1e-5);
    ck_assert_double_eq_tol((double)(last[2] / last[0]), 9, 1e-5);
    tape_free(&tp);
}
END_TEST

/* --- properties -------------------------------------------------------------------------------------- */

static Tensor *drawn(Tape *tp, int T, int C)
{
    Rng rng = rng_make(19, RNG_TEST, 0);
    Tensor *x = tape_tensor(tp, SHAPE(1, T, C));
    for (int i = 0; i < x->len; i++) x->data[i] = (real)rng_normal(&rng);
    return x;
}

/* Returns x with permuted rows: row t is row from[t] of x. */
static Tensor *in_order(Tape *tp, const Tensor *x, const int *from)
{
    const int T = x->shape.d[1], C = x->shape.d[2];
    Tensor *y = tape_tensor(tp, x->shape);
    for (int t = 0; t < T; t++)
        memcpy(y->data + t * C, x->data + from[t] * C, (size_t)C * sizeof *y->data);
    return y;
}

static double apart(const Tensor *a, const Tensor *b)
{
    double most = 0;
    for (int i = 0; i < a->len; i++)
        most = fmax(most, fabs((double)a->data[i] - (double)b->data[i]));
    return most;
}

/* attention(permuted x) = permuted attention(x), unless positions are added. */
START_TEST(outputs_permute)
{
    enum { T = 5, C = 8, H = 2 };
    static const int from[T] = {3, 0, 4, 1, 2};
    Tape tp = {.frozen = true};
    Tensor *x = drawn(&tp, T, C), *z = in_order(&tp, x, from);
    const real slope[] = {1, 0.5f, 1, 0.5f};
    const AttentionMask leaning = {.slope = slope};
    for (int way = 0; way < 3; way++) {
        const AttentionMask *m = way == 1 ? &leaning : NULL;
        Tensor *a = way == 2 ? op_rotary(&tp, x, H, 0) : x,
               *b = way == 2 ? op_rotary(&tp, z, H, 0) : z;
        const Tensor *y = op_attention(&tp, a, a, x, H, m, NULL);
        const double d = apart(in_order(&tp, y, from), op_attention(&tp, b, b, z, H, m, NULL));
        ck_assert_msg(way == 0 ? d < 1e-5 : d > 1e-2, "way %d: %g apart", way, d);
    }
    tape_free(&tp);
}
END_TEST

/* The same slope in both directions cannot tell a sequence from its mirror image; heads that each look in
 * one direction can. */
START_TEST(a_mirror_needs_two_ways)
{
    enum { T = 6, C = 8 };
    static const int mirror[T] = {5, 4, 3, 2, 1, 0};
    Tape tp = {.frozen = true};
    Tensor *x = drawn(&tp, T, C), *z = in_order(&tp, x, mirror);
    for (int heads = 1; heads <= 2; heads++) {
        const AttentionMask m = {.slope = positions_slopes(&tp, ALIBI, heads, true)};
        const Tensor *y = op_attention(&tp, x, x, x, heads, &m, NULL);
        const double d =
            apart(in_order(&tp, y, mirror), op_attention(&tp, z, z, z, heads, &m, NULL));
        ck_assert_msg(heads == 1 ? d < 1e-5 : d > 1e-2, "%d heads: %g apart", heads, d);
    }
    tape_free(&tp);
}
END_TEST

enum { WORDS = 9, STEPS = 6 };

/* Returns the logits of the last step of a decoder without positions. */
static void last_step(int layers, int *x, real *z)
{
    TransformerConfig c = transformer_defaults();
    c.layers = layers, c.channels = 16, c.heads = 2, c.ffn = 32, c.positions = NO_POSITIONS;
    const Task task = {.vocab = WORDS, .outputs = WORDS};
    Params ps = params_init(3);
    const Transformer m = transformer_init(&ps, &c, &task);
    const Model model = transformer_model(&m);
    Tape tp = {.frozen = true};
    const Batch batch = {.T = STEPS, .B = 1, .x = x};
    const Tensor *out = model.forward(&tp, model.self, &batch, NULL, NULL);
    memcpy(z, out->data + (STEPS - 1) * WORDS, WORDS * sizeof *z);
    tape_free(&tp);
    params_free(&ps);
}

/* One layer with a causal mask sees the earlier tokens as a set. But its outputs differ by position, since
 * each saw another number of tokens, so a second layer knows the order (Kazemnejad et al. 2023). */
START_TEST(a_mask_tells_order_to_the_second_layer)
{
    for (int layers = 1; layers <= 2; layers++) {
        int ab[STEPS] = {1, 2, 3, 4, 5, 6}, ba[STEPS] = {4, 2, 3, 1, 5, 6};
        real y[WORDS], z[WORDS];
        double most = 0;
        last_step(layers, ab, y), last_step(layers, ba, z);
        for (int i = 0; i < WORDS; i++) most = fmax(most, fabs((double)y[i] - (double)z[i]));
        ck_assert_msg(layers == 1 ? most < 1e-5 : most > 1e-3, "%d layers: %g apart", layers, most);
    }
}
END_TEST

SUITE("lesson_19",
      TESTS(a_set_by_hand, sinusoid_by_hand, rotary_by_hand, alibi_by_hand, outputs_permute,
            a_mirror_needs_two_ways, a_mask_tells_order_to_the_second_layer),
      NO_ABORTS)
