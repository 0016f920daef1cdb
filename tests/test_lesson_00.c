/* Lesson 00: the surprises that the page calculates by hand. */
#include "measure/ngram.h"
#include "suite.h"

enum { A, B, C, V };

/* Counts of "abac": p(a) = 1/2, p(b) = p(c) = 1/4. */
static const int text[] = {A, B, A, C};

static double surprise(double smoothing, int token)
{
    Ngram m = ngram_train(1, 0, V, smoothing, text, LEN(text), NGRAM_UNPADDED);
    const double nats = -ngram_logp(&m, &token, 0, NGRAM_UNPADDED);
    ngram_free(&m);
    return nats;
}

START_TEST(by_hand)
{
    ck_assert_double_eq_tol(surprise(0, A), 0.693, 5e-4);
    ck_assert_double_eq_tol(surprise(0, B), 1.386, 5e-4);
    ck_assert_double_eq_tol((surprise(0, A) + surprise(0, B)) / 2, 1.040, 5e-4);
    ck_assert_double_eq_tol(surprise(0, A) / log(2), 1, 1e-12);
    ck_assert_double_eq_tol(surprise(0, B) / log(2), 2, 1e-12);
}
END_TEST

/* A model that knows nothing gives each of V tokens the probability 1/V. */
START_TEST(chance)
{
    for (int token = A; token <= C; token++)
        ck_assert_double_eq_tol(surprise(1e12, token), log(V), 1e-9);
    ck_assert_double_eq_tol(log(V), 1.099, 5e-4);
}
END_TEST

SUITE("lesson_00", TESTS(by_hand, chance), NO_ABORTS)
