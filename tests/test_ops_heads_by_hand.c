/* Multi-head attention by hand. */
#include "by_hand.h"

#define LN3 ((real)1.09861228867)

/* Two heads of one column, one query, two keys. Head 0: e = (0, ln 3), p = (1/4, 3/4), y = 1 + 6
 * = 7; with dy = 1, dp = (4, 8), de = p (dp - 7) = (-3/4, 3/4). Head 1: e = (ln 3, 0), y = 3 + 2 =
 * 5, de = (-3/4, 3/4) for dy = 1; here dy = 2 doubles it. */
START_TEST(by_hand)
{
    Tape tp = {0};
    const real *p;
    Tensor *q = GIVEN(&tp, SHAPE(1, 1, 2), 1, 2);
    Tensor *k = GIVEN(&tp, SHAPE(1, 2, 2), 0, LN3 / 2, LN3, 0);
    Tensor *v = GIVEN(&tp, SHAPE(1, 2, 2), 4, 4, 8, 8);
    Tensor *y = op_attention(&tp, q, k, v, 2, NULL, &p);
    ck_shape(y, SHAPE(1, 1, 2));
    CK(p, 0.25f, 0.75f, 0.75f, 0.25f);
    CK(y->data, 7, 5);
    BACKWARD(&tp, y, 1, 2);
    CK(q->grad, 0.75f * LN3, -0.75f * LN3);
    CK(k->grad, -0.75f, -3, 0.75f, 3);
    CK(v->grad, 0.25f, 1.5f, 0.75f, 0.5f);
    tape_free(&tp);
}
END_TEST

/* A head of 4 columns divides its scores by 2. */
START_TEST(scores_are_scaled)
{
    Tape tp = {0};
    Tensor *q = GIVEN(&tp, SHAPE(1, 1, 4), 2, 0, 0, 0);
    Tensor *k = GIVEN(&tp, SHAPE(1, 2, 4), 0, 9, 9, 9, LN3, 9, 9, 9);
    Tensor *v = GIVEN(&tp, SHAPE(1, 2, 4), 0, 4, 8, 12, 4, 4, 4, 4);
    CK(op_attention(&tp, q, k, v, 1, NULL, NULL)->data, 3, 4, 5, 6);
    tape_free(&tp);
}
END_TEST

SUITE("ops_heads_by_hand", TESTS(by_hand, scores_are_scaled), NO_ABORTS)
