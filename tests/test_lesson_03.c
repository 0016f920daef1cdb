/* Lesson 03: the numbers that the page calculates by hand from three short names: an, ann, na. */
#include "measure/ngram.h"
#include "suite.h"

enum { END, A, N, V }; /* END: the newline after each name and before the first */

static const int names[] = {A, N, END, A, N, N, END, N, A, END};

static const struct {
    int context, next, count, total;
} counted[] = {
    {END, A, 2, 3}, {END, N, 1, 3}, {END, END, 0, 3}, {A, N, 2, 3}, {A, END, 1, 3},
    {A, A, 0, 3},   {N, END, 2, 4}, {N, N, 1, 4},     {N, A, 1, 4},
};

static Ngram bigrams(double smoothing)
{
    return ngram_train(2, 0, V, smoothing, names, LEN(names), END);
}

/* Returns the perplexity of one name under the bigram model. */
static double perplexity(double smoothing, const int *name, int len)
{
    Ngram m = bigrams(smoothing);
    const double loss = ngram_loss(&m, name, len, END);
    ngram_free(&m);
    return exp(loss);
}

START_TEST(table_of_bigrams)
{
    for (int s = 0; s <= 1; s++) {
        Ngram m = bigrams(s);
        for (int i = 0; i < LEN(counted); i++) {
            const int pair[] = {counted[i].context, counted[i].next};
            const double p = (double)(counted[i].count + s) / (counted[i].total + s * V);
            ck_assert_double_eq_tol(exp(ngram_logp(&m, pair, 1, END)), p, 1e-12);
        }
        ngram_free(&m);
    }
}
END_TEST

/* p(an) = 2/3 * 2/3 * 1/2 = 2/9: 1.504 nats, 0.501 nats or 0.723 bits a token; perplexity 1.651. */
START_TEST(by_hand)
{
    static const int an[] = {A, N, END};
    Ngram m = bigrams(0);
    double sum = 0;
    for (int t = 0; t < LEN(an); t++) sum += ngram_logp(&m, an, t, END);
    const double loss = ngram_loss(&m, an, LEN(an), END);
    ngram_free(&m);
    ck_assert_double_eq_tol(exp(sum), 2.0 / 9, 1e-12);
    ck_assert_double_eq_tol(-sum, 1.504, 5e-4);
    ck_assert_double_eq_tol(loss, 0.501, 5e-4);
    ck_assert_double_eq_tol(loss / log(2), 0.723, 5e-4);
    ck_assert_double_eq_tol(exp(loss), 1.651, 5e-4);
}
END_TEST

/* aa: 2/3 * 0 * 1/3 = 0, an infinite loss; with 1 added to every count 1/2 * 1/6 * 1/3 = 1/36. */
START_TEST(never_seen)
{
    static const int aa[] = {A, A, END}, an[] = {A, N, END};
    ck_assert(isinf(perplexity(0, aa, LEN(aa))));
    ck_assert_double_eq_tol(perplexity(1, aa, LEN(aa)), cbrt(36), 1e-9);
    ck_assert_double_eq_tol(cbrt(36), 3.302, 5e-4);
    ck_assert_double_eq_tol(perplexity(1, an, LEN(an)), cbrt(2 * 2 * 7.0 / 3), 1e-9);
    ck_assert_double_eq_tol(cbrt(28.0 / 3), 2.105, 5e-4);
}
END_TEST

/* nna: 1/3 * 1/4 * 1/4 * 1/3 = 1/144: worse than a uniform guess, whose perplexity is 3. */
START_TEST(worse_than_uniform)
{
    static const int nna[] = {N, N, A, END};
    ck_assert_double_eq_tol(perplexity(0, nna, LEN(nna)), sqrt(12), 1e-9);
    ck_assert_double_eq_tol(sqrt(12), 3.464, 5e-4);
    ck_assert_double_eq_tol(perplexity(1e9, nna, LEN(nna)), 3, 1e-6);
}
END_TEST

SUITE("lesson_03", TESTS(table_of_bigrams, by_hand, never_seen, worse_than_uniform), NO_ABORTS)
