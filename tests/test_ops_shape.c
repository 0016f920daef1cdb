/* The ops that move values, worked by hand. */
#include "by_hand.h"

START_TEST(rows_cols_reshape)
{
    Tape tp = {0};
    Tensor *x = GIVEN(&tp, SHAPE(2, 3), 1, 2, 3, 4, 5, 6);
    ck_shape(op_rows(&tp, x, 0, 2), SHAPE(2, 3));
    ck_shape(op_rows(&tp, x, 1, 1), SHAPE(3));
    ck_shape(op_rows(&tp, op_rows(&tp, x, 1, 1), 2, 1), SHAPE(1));
    CK(op_rows(&tp, x, 1, 1)->data, 4, 5, 6);
    ck_shape(op_reshape(&tp, x, SHAPE(3, 1, 2)), SHAPE(3, 1, 2));
    CK(op_reshape(&tp, x, SHAPE(6))->data, 1, 2, 3, 4, 5, 6);
    Tensor *y = op_cols(&tp, x, 1, 2);
    ck_shape(y, SHAPE(2, 2));
    CK(y->data, 2, 3, 5, 6);
    BACKWARD(&tp, y, 1, 2, 3, 4);
    CK(x->grad, 0, 1, 2, 0, 3, 4);
    tape_free(&tp);
}
END_TEST

START_TEST(stack_concat_transpose)
{
    Tape tp = {0};
    Tensor *a = GIVEN(&tp, SHAPE(2, 1), 1, 2), *b = GIVEN(&tp, SHAPE(2, 1), 3, 4);
    Tensor *y = op_stack(&tp, (Tensor *[]){a, b, a}, 3);
    ck_shape(y, SHAPE(3, 2, 1));
    CK(y->data, 1, 2, 3, 4, 1, 2);
    BACKWARD(&tp, y, 1, 2, 3, 4, 10, 20);
    CK(a->grad, 11, 22);
    CK(b->grad, 3, 4);

    Tensor *c = GIVEN(&tp, SHAPE(2, 2), 5, 6, 7, 8);
    y = op_concat(&tp, b, c);
    ck_shape(y, SHAPE(2, 3));
    CK(y->data, 3, 5, 6, 4, 7, 8);
    b->grad = NULL;
    BACKWARD(&tp, y, 1, 2, 3, 4, 5, 6);
    CK(b->grad, 1, 4);
    CK(c->grad, 2, 3, 5, 6);

    Tensor *x = GIVEN(&tp, SHAPE(2, 1, 2), 1, 2, 3, 4);
    ck_shape(op_transpose(&tp, x), SHAPE(2, 2, 1));
    x = GIVEN(&tp, SHAPE(2, 3), 1, 2, 3, 4, 5, 6), y = op_transpose(&tp, x);
    CK(y->data, 1, 4, 2, 5, 3, 6);
    BACKWARD(&tp, y, 1, 2, 3, 4, 5, 6);
    CK(x->grad, 1, 3, 5, 2, 4, 6);
    tape_free(&tp);
}
END_TEST

/* B = 1, T = 2, two parts (say queries and keys) of H = 2 heads with D = 1 channel; a row is
 * q0 q1 k0 k1. Head 0 of the keys is 3 7, head 1 is 4 8. */
START_TEST(heads)
{
    Tape tp = {0};
    Tensor *x = GIVEN(&tp, SHAPE(1, 2, 4), 1, 2, 3, 4, 5, 6, 7, 8);
    Tensor *k = op_split_heads(&tp, x, 2, 1, 2);
    ck_shape(k, SHAPE(2, 2, 1));
    CK(k->data, 3, 7, 4, 8);
    Tensor *y = op_merge_heads(&tp, k, 2);
    ck_shape(y, SHAPE(1, 2, 2));
    CK(y->data, 3, 4, 7, 8);
    BACKWARD(&tp, y, 10, 20, 30, 40);
    CK(x->grad, 0, 0, 10, 20, 0, 0, 30, 40);
    tape_free(&tp);
}
END_TEST

START_TEST(swap)
{
    Tape tp = {0};
    Tensor *x = GIVEN(&tp, SHAPE(2, 3, 2), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
    Tensor *y = op_swap(&tp, x);
    ck_shape(y, SHAPE(3, 2, 2));
    CK(y->data, 1, 2, 7, 8, 3, 4, 9, 10, 5, 6, 11, 12);
    BACKWARD(&tp, y, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
    CK(x->grad, 1, 2, 5, 6, 9, 10, 3, 4, 7, 8, 11, 12);
    ck_shape(op_swap(&tp, GIVEN(&tp, SHAPE(1, 2), 1, 2)), SHAPE(2, 1));
    tape_free(&tp);
}
END_TEST

SUITE("ops_shape", TESTS(rows_cols_reshape, stack_concat_transpose, swap, heads), NO_ABORTS)
