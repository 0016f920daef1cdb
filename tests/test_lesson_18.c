/* Lesson 18: two questions asked by one head and by two, and two layers, set by hand, that do what one
 * layer cannot: find the token that followed an earlier occurrence of the same token. */
#include "by_hand.h"

#define SURE 60 /* a score so high that its weight is 1 */

/* Slot a holds value 1, slot b value 2; the slots are the keys, the values are one-hot. One head that asks
 * for both slots gives (1/2, 1/2), the same if the values are swapped. Two heads give both values. */
START_TEST(two_questions_by_hand)
{
    for (int swapped = 0; swapped < 2; swapped++) {
        Tape tp = {0};
        const real one = (real)!swapped, two = (real)swapped;
        const real *p;
        Tensor *k = GIVEN(&tp, SHAPE(1, 2, 2), 1, 0, 0, 1);
        Tensor *v = GIVEN(&tp, SHAPE(1, 2, 2), one, two, two, one);
        Tensor *q = GIVEN(&tp, SHAPE(1, 1, 2), 1, 1);
        CK(op_attention(&tp, q, k, v, 1, NULL, NULL)->data, 0.5f, 0.5f);

        Tensor *k2 = GIVEN(&tp, SHAPE(1, 2, 4), 1, 0, 1, 0, 0, 1, 0, 1);
        Tensor *v2 = GIVEN(&tp, SHAPE(1, 2, 4), one, two, one, two, two, one, two, one);
        Tensor *q2 = GIVEN(&tp, SHAPE(1, 1, 4), SURE, 0, 0, SURE);
        Tensor *y = op_attention(&tp, q2, k2, v2, 2, NULL, &p);
        CK(p, 1, 0, 0, 1); /* head 1 attends to a, head 2 to b */
        CK(y->data, one, two, two, one);
        tape_free(&tp);
    }
}
END_TEST

enum { TOKENS = 4, STEPS = 5, C = 2 * TOKENS };

/* The text a 1 b 2 a as ids 0 2 1 3 0. */
static const int text[] = {0, 2, 1, 3, 0}, swapped[] = {0, 3, 1, 2, 0};

/* Layer 1: step t asks for position t-1; the key of a step is its position, its value is its token. The
 * result is the previous token. Step 0 sees only itself. */
static Tensor *token_before(Tape *tp, Tensor *token, const AttentionMask *mask, const real **p)
{
    Tensor *q = tape_zeros(tp, token->shape), *k = tape_zeros(tp, token->shape);
    for (int t = 0; t < STEPS; t++) {
        k->data[t * C + t] = 1;
        if (t > 0) q->data[t * C + t - 1] = 4 * SURE;
    }
    return op_attention(tp, q, k, token, 1, mask, p);
}

static Tensor *tokens(Tape *tp, const int *ids, real size)
{
    Tensor *x = tape_zeros(tp, SHAPE(1, STEPS, C));
    for (int t = 0; t < STEPS; t++) x->data[t * C + ids[t]] = size;
    return x;
}

/* Layer 2: a step asks for its own token; the key of a step is the previous token, from layer 1. */
START_TEST(two_layers_by_hand)
{
    for (int i = 0; i < 2; i++) {
        Tape tp = {.frozen = true};
        const int *ids = i ? swapped : text;
        const AttentionMask mask = {.causal = true};
        const real *one, *two;
        Tensor *x = tokens(&tp, ids, 1);
        Tensor *before = token_before(&tp, x, &mask, &one);
        for (int t = 1; t < STEPS; t++) {
            ck_assert_double_eq_tol((double)one[t * STEPS + t - 1], 1, 1e-6);
            ck_assert_double_eq_tol((double)before->data[t * C + ids[t - 1]], 1, 1e-6);
        }
        for (int c = 0; c < C; c++) before->data[c] = 0; /* step 0 has no previous token */
        Tensor *y = op_attention(&tp, tokens(&tp, ids, 4 * SURE), before, x, 1, &mask, &two);
        ck_assert_double_eq_tol((double)two[4 * STEPS + 1], 1,
                                1e-6); /* attends to the step after the first a */
        ck_assert_double_eq_tol((double)y->data[4 * C + ids[1]], 1, 1e-6);
        tape_free(&tp);
    }
}
END_TEST

/* One layer with any weights: if the two values are swapped, the answer of the last step does not change. */
START_TEST(one_layer_cannot_tell)
{
    for (uint32_t seed = 0; seed < 5; seed++) {
        Tape tp = {.frozen = true};
        Rng rng = rng_make(seed, RNG_TEST, 0);
        real w[3][C * C], last[2][C];
        for (int j = 0; j < 3 * C * C; j++) w[j / (C * C)][j % (C * C)] = (real)rng_normal(&rng);
        for (int i = 0; i < 2; i++) {
            Tensor *x = tokens(&tp, i ? swapped : text, 1), *qkv[3];
            for (int j = 0; j < 3; j++) qkv[j] = op_matmul(&tp, x, given(&tp, SHAPE(C, C), w[j]));
            const AttentionMask mask = {.causal = true};
            Tensor *y = op_attention(&tp, qkv[0], qkv[1], qkv[2], 2, &mask, NULL);
            memcpy(last[i], y->data + 4 * C, sizeof last[i]);
        }
        ck_close("last step", last[0], last[1], C);
        tape_free(&tp);
    }
}
END_TEST

/* Heads are blocks of columns: two heads equal two attentions of half the width, concatenated. */
START_TEST(heads_are_blocks)
{
    Tape tp = {.frozen = true};
    Rng rng = rng_make(9, RNG_TEST, 0);
    Tensor *x[3];
    for (int j = 0; j < 3; j++) {
        x[j] = tape_tensor(&tp, SHAPE(1, STEPS, C));
        for (int i = 0; i < x[j]->len; i++) x[j]->data[i] = (real)rng_normal(&rng);
    }
    Tensor *both = op_attention(&tp, x[0], x[1], x[2], 2, NULL, NULL);
    for (int h = 0; h < 2; h++) {
        Tensor *part[3];
        for (int j = 0; j < 3; j++) part[j] = op_cols(&tp, x[j], h * C / 2, C / 2);
        Tensor *y = op_attention(&tp, part[0], part[1], part[2], 1, NULL, NULL);
        ck_close("head", op_cols(&tp, both, h * C / 2, C / 2)->data, y->data, STEPS * C / 2);
    }
    tape_free(&tp);
}
END_TEST

SUITE("lesson_18",
      TESTS(two_questions_by_hand, two_layers_by_hand, one_layer_cannot_tell, heads_are_blocks),
      NO_ABORTS)
