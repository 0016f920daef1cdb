/* Sampling, compared with the probabilities that it should have, and its edge cases. */
#include "decoding/sample.h"
#include "suite.h"

static const Sampling plain = {.temperature = 1, .top_p = 1};

/* Computes Pearson's statistic of n draws against p; an id of probability 0 must never be drawn. */
static double chi_square(const real *logits, int V, const Sampling *s, const double *p, int n)
{
    int count[16] = {0};
    double chi = 0;
    Rng rng = rng_make(7, RNG_TEST, 0);
    for (int i = 0; i < n; i++) count[sample_token(logits, V, s, &rng)]++;
    for (int i = 0; i < V; i++) {
        if (p[i] == 0) ck_assert_int_eq(count[i], 0);
        if (p[i] > 0) chi += (count[i] - n * p[i]) * (count[i] - n * p[i]) / (n * p[i]);
    }
    return chi;
}

/* Checks draws against p[i] = exp(logit / temperature) / sum over the ids in `kept`. */
static void expect(const real *logits, int V, Sampling s, unsigned kept)
{
    double p[16], sum = 0;
    int possible = 0;
    for (int i = 0; i < V; i++) {
        p[i] = kept >> i & 1 ? exp((double)logits[i] / s.temperature) : 0;
        sum += p[i];
        possible += p[i] > 0;
    }
    for (int i = 0; i < V; i++) p[i] /= sum;
    /* The statistic has mean possible - 1 and twice that as variance; allow five standard
     * deviations. */
    const double mean = fmax(possible - 1, 0), limit = mean + 5 * sqrt(2 * mean) + 1e-9;
    ck_assert_double_le(chi_square(logits, V, &s, p, 40000), limit);
}

static const real logits[] = {(real)0.5, -1, 2, (real)1.5, -INFINITY, 0};
enum { V = 6, ALL = 0x2F }; /* ids by probability: 2 3 0 5 1; 4 never comes */

START_TEST(the_softmax)
{
    expect(logits, V, plain, ALL);
    expect(logits, V, (Sampling){.temperature = 0.5, .top_p = 1}, ALL);
    expect(logits, V, (Sampling){.temperature = 3, .top_p = 1}, ALL);
}
END_TEST

START_TEST(top_k)
{
    expect(logits, V, (Sampling){.temperature = 1, .top_k = 1, .top_p = 1}, 1 << 2);
    expect(logits, V, (Sampling){.temperature = 1, .top_k = 2, .top_p = 1}, 1 << 2 | 1 << 3);
    expect(logits, V, (Sampling){.temperature = 2, .top_k = 3, .top_p = 1},
           1 << 2 | 1 << 3 | 1 << 0);
    expect(logits, V, (Sampling){.temperature = 1, .top_k = 6, .top_p = 1}, ALL);
    expect(logits, V, (Sampling){.temperature = 1, .top_k = 100, .top_p = 1}, ALL);
}
END_TEST

/* The cumulative sums of the sorted probabilities are .4963 .7974 .9081 .9753 1. */
START_TEST(top_p)
{
    expect(logits, V, (Sampling){.temperature = 1, .top_p = 0}, 1 << 2);
    expect(logits, V, (Sampling){.temperature = 1, .top_p = 1e-9}, 1 << 2);
    expect(logits, V, (Sampling){.temperature = 1, .top_p = 0.49}, 1 << 2);
    expect(logits, V, (Sampling){.temperature = 1, .top_p = 0.5}, 1 << 2 | 1 << 3);
    expect(logits, V, (Sampling){.temperature = 1, .top_p = 0.79}, 1 << 2 | 1 << 3);
    expect(logits, V, (Sampling){.temperature = 1, .top_p = 0.8}, 1 << 2 | 1 << 3 | 1 << 0);
    expect(logits, V, (Sampling){.temperature = 1, .top_p = 0.99}, ALL);
    /* p applies to the tokens that the top k left: .6225 and .3775. */
    expect(logits, V, (Sampling){.temperature = 1, .top_k = 2, .top_p = 0.6}, 1 << 2);
    expect(logits, V, (Sampling){.temperature = 1, .top_k = 2, .top_p = 0.65}, 1 << 2 | 1 << 3);
}
END_TEST

/* The probabilities are .4963 .3011 .1107 .0672 and less: parts of the largest are 1 .607 .223 .135 .05. */
START_TEST(min_p)
{
    expect(logits, V, (Sampling){.temperature = 1, .top_p = 1, .min_p = 1}, 1 << 2);
    expect(logits, V, (Sampling){.temperature = 1, .top_p = 1, .min_p = .6}, 1 << 2 | 1 << 3);
    expect(logits, V, (Sampling){.temperature = 1, .top_p = 1, .min_p = .61}, 1 << 2);
    expect(logits, V, (Sampling){.temperature = 1, .top_p = 1, .min_p = .2},
           1 << 2 | 1 << 3 | 1 << 0);
    expect(logits, V, (Sampling){.temperature = 1, .top_p = 1, .min_p = .01}, ALL);
    expect(logits, V, (Sampling){.temperature = 1, .top_k = 1, .top_p = 1, .min_p = .2}, 1 << 2);
}
END_TEST

/* A token that occurred twice is penalised once, whatever the sign of its logit. */
START_TEST(repetition)
{
    real z[] = {2, -2, 3, 0, -1};
    static const int ids[] = {0, 1, 0, 3};
    sample_penalise(z, 5, ids, LEN(ids), 4);
    ck_assert(z[0] == .5f && z[1] == -8 && z[2] == 3 && z[3] == 0 && z[4] == -1);
    sample_penalise(z, 5, ids, LEN(ids), 1);
    sample_penalise(z, 5, ids, LEN(ids), 0);
    ck_assert(z[0] == .5f && z[1] == -8);
}
END_TEST

START_TEST(ties_go_to_the_lower_id)
{
    static const real even[] = {1, 1, 1, 1};
    expect(even, 4, (Sampling){.temperature = 1, .top_k = 2, .top_p = 1}, 3);
    expect(even, 4, (Sampling){.temperature = 1, .top_p = 0.5}, 3); /* exactly half is enough */
    expect(even, 4, (Sampling){.temperature = 1, .top_p = 0.51}, 7);
    static const real two[] = {0, 5, 5};
    Rng rng = rng_make(8, RNG_TEST, 0);
    ck_assert_int_eq(sample_token(two, 3, &(Sampling){.temperature = 0, .top_p = 1}, &rng), 1);
    ck_assert_int_eq(sample_token(two, 3, &(Sampling){.temperature = 1, .top_p = 0}, &rng), 1);
}
END_TEST

/* The same random numbers choose the same ids with and without a cut that removes no drawn token,
 * and each token uses one random number. */
START_TEST(one_number_a_token)
{
    const Sampling same[] = {plain,
                             {.temperature = 1, .top_k = V, .top_p = 1},
                             {.temperature = 1, .top_k = 5, .top_p = 1},
                             {.temperature = 1, .top_p = 1 - 1e-12}};
    const Sampling others[] = {{.temperature = 0, .top_p = 1},
                               {.temperature = 1, .top_k = 1, .top_p = 1},
                               {.temperature = 1, .top_p = 0}};
    for (int i = 0; i < 1000; i++) {
        int first = -1;
        for (int k = 0; k < LEN(same); k++) {
            Rng rng = rng_make(9, RNG_TEST, (uint32_t)i);
            const int id = sample_token(logits, V, &same[k], &rng);
            if (k == 0) first = id;
            ck_assert_int_eq(id, first);
            ck_assert_uint_eq(rng.n, 1);
        }
    }
    for (int k = 0; k < LEN(others); k++) {
        Rng rng = rng_make(9, RNG_TEST, 0);
        ck_assert_int_eq(sample_token(logits, V, &others[k], &rng), 2);
        ck_assert_uint_eq(rng.n, 1);
    }
}
END_TEST

START_TEST(edges)
{
    static const real one[] = {-3}, none[] = {-INFINITY, -INFINITY},
                      huge[] = {-1e30f, 3e38f, -3e38f},
                      bad[] = {(real)NAN, 1, (real)NAN, -INFINITY}, sure[] = {0, INFINITY, 0};
    Rng rng = rng_make(10, RNG_TEST, 0);
    for (int i = 0; i < 200; i++) {
        ck_assert_int_eq(sample_token(one, 1, &plain, &rng), 0);
        ck_assert_int_eq(
            sample_token(one, 1, &(Sampling){.temperature = 1, .top_k = 5, .top_p = 0.1}, &rng), 0);
        ck_assert_int_eq(sample_token(none, 2, &plain, &rng), 0);
        ck_assert_int_eq(sample_token(huge, 3, &plain, &rng), 1);
        ck_assert_int_eq(
            sample_token(huge, 3, &(Sampling){.temperature = 1, .top_k = 2, .top_p = 0.9}, &rng),
            1);
        ck_assert_int_eq(sample_token(bad, 4, &plain, &rng), 1);
        ck_assert_int_eq(sample_token(sure, 3, &plain, &rng), 1);
        ck_assert_int_eq(
            sample_token(logits, V, &(Sampling){.temperature = 1e-300, .top_p = 1}, &rng), 2);
    }
}
END_TEST

START_TEST(negative_temperature)
{
    Rng rng = rng_make(11, RNG_TEST, 0);
    sample_token(logits, V, &(Sampling){.temperature = -1, .top_p = 1}, &rng);
}
END_TEST

START_TEST(no_tokens)
{
    Rng rng = rng_make(11, RNG_TEST, 0);
    sample_token(logits, 0, &plain, &rng);
}
END_TEST

SUITE("sample",
      TESTS(the_softmax, top_k, top_p, min_p, repetition, ties_go_to_the_lower_id,
            one_number_a_token, edges),
      ABORTS(negative_temperature, no_tokens))
