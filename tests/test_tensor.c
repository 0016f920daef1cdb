/* Shapes. */
#include "suite.h"
#include "autograd/tensor.h"

START_TEST(product)
{
    ck_assert_int_eq(shape_len(SHAPE(1)), 1);
    ck_assert_int_eq(shape_len(SHAPE(7)), 7);
    ck_assert_int_eq(shape_len(SHAPE(2, 3)), 6);
    ck_assert_int_eq(shape_len(SHAPE(2, 3, 4, 5)), 120);
    ck_assert_int_eq(shape_len(SHAPE(INT32_MAX)), INT32_MAX);
    ck_assert_int_eq(shape_len(SHAPE(1, 46340, 46340)), 46340 * 46340);
}
END_TEST

START_TEST(axes)
{
    const Shape s = SHAPE(2, 3, 4);
    ck_assert_int_eq(s.n, 3);
    ck_assert_int_eq(shape_last(s), 4);
    ck_assert(shape_equal(shape_with_last(s, 9), SHAPE(2, 3, 9)));
    ck_assert(shape_equal(shape_append(s, 5), SHAPE(2, 3, 4, 5)));
    ck_assert(shape_equal(s, SHAPE(2, 3, 4))); /* both left s unchanged */
}
END_TEST

START_TEST(equality)
{
    ck_assert(shape_equal(SHAPE(2, 3), SHAPE(2, 3)));
    ck_assert(!shape_equal(SHAPE(2, 3), SHAPE(3, 2)));
    ck_assert(!shape_equal(SHAPE(2, 3), SHAPE(2, 3, 1)));
    ck_assert(!shape_equal(SHAPE(6), SHAPE(2, 3)));
    const Shape a = {.n = 1, .d = {5, 1, 2, 3}}; /* values after the last axis are ignored */
    ck_assert(shape_equal(a, SHAPE(5)));
}
END_TEST

START_TEST(text)
{
    ck_assert_str_eq(shape_text(SHAPE(1)).text, "(1)");
    ck_assert_str_eq(shape_text(SHAPE(32, 64, 128)).text, "(32,64,128)");
    ck_assert_str_eq(shape_text((Shape){0}).text, "()");
    const int most = INT32_MIN; /* the longest text possible */
    ck_assert_str_eq(shape_text((Shape){4, {most, most, most, most}}).text,
                     "(-2147483648,-2147483648,-2147483648,-2147483648)");
}
END_TEST

START_TEST(size_0)
{
    SHAPE(3, 0);
}
END_TEST

START_TEST(negative_size)
{
    SHAPE(-1, -1);
}
END_TEST

START_TEST(five_axes)
{
    SHAPE(1, 1, 1, 1, 1);
}
END_TEST

START_TEST(no_axes)
{
    shape_make(0, NULL);
}
END_TEST

START_TEST(one_too_large)
{
    SHAPE(2, 1 << 30);
}
END_TEST

START_TEST(wraps_to_small) /* 2^16 * 2^16 = 0 in 32 bits */
{
    SHAPE(1 << 16, 1 << 16, 3);
}
END_TEST

START_TEST(append_to_four)
{
    shape_append(SHAPE(1, 1, 1, 1), 1);
}
END_TEST

START_TEST(last_too_large)
{
    shape_with_last(SHAPE(1 << 20, 2), 1 << 20);
}
END_TEST

SUITE_WITH_EXITS("tensor", TESTS(product, axes, equality, text),
                 ABORTS(size_0, negative_size, five_axes, no_axes, append_to_four),
                 EXITS(one_too_large, wraps_to_small, last_too_large))
