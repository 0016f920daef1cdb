/* The generator against its published test vectors, and its distributions against their definitions. All
 * seeds are fixed, so a bound of 5 sigma holds either always or never. */
#include "base/rng.h"
#include "suite.h"

static Rng test_rng(uint64_t seed)
{
    return rng_make(seed, RNG_TEST, 0);
}

/* Random123's kat_vectors for philox4x32 with 10 rounds: zeros, ones, and the digits of pi. */
START_TEST(known_answers)
{
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } kat[] = {
        {{0}, {0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (int i = 0; i < LEN(kat); i++) {
        uint32_t out[4];
        philox4x32(kat[i].counter, kat[i].key, out);
        for (int j = 0; j < 4; j++) ck_assert_uint_eq(out[j], kat[i].out[j]);
    }
}
END_TEST

/* Number n is word n % 4 of the block with counter (n / 4, step, stream) and key seed, also if n / 4 needs
 * more than 32 bits. */
START_TEST(layout_of_the_counter)
{
    const uint64_t seed = 0x0123456789abcdef, starts[] = {0, 4 * 0xffffffffull};
    for (int i = 0; i < LEN(starts); i++) {
        Rng r = rng_make(seed, RNG_BATCH, 77);
        r.n = starts[i];
        for (uint64_t n = starts[i]; n < starts[i] + 12; n++) {
            uint32_t out[4];
            philox4x32((uint32_t[]){(uint32_t)(n / 4), (uint32_t)(n / 4 >> 32), 77, RNG_BATCH},
                       (uint32_t[]){0x89abcdef, 0x01234567}, out);
            ck_assert_uint_eq(rng_u32(&r), out[n % 4]);
        }
    }
}
END_TEST

START_TEST(after_any_number)
{
    Rng r = rng_make(5, RNG_TEST, 3);
    for (int i = 0; i < 9; i++, rng_u32(&r)) /* from every position in a block */
        for (uint64_t n = 0; n < 9; n++) {
            Rng drawn = r, jumped = rng_after(&r, n);
            for (uint64_t k = 0; k < n; k++) rng_u32(&drawn);
            for (int k = 0; k < 9; k++) ck_assert_uint_eq(rng_u32(&jumped), rng_u32(&drawn));
        }
}
END_TEST

START_TEST(streams_differ)
{
    enum { SEEDS = 3, STREAMS = RNG_TEST + 1, STEPS = 50, N = SEEDS * STREAMS * STEPS };
    static uint64_t first[N];
    int n = 0, same = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++)
        for (int stream = 0; stream < STREAMS; stream++)
            for (uint32_t step = 0; step < STEPS; step++) {
                Rng r = rng_make(seed << 32, (RngStream)stream, step);
                first[n] = (uint64_t)rng_u32(&r) << 32;
                first[n++] |= rng_u32(&r);
            }
    for (int i = 0; i < N; i++)
        for (int j = 0; j < i; j++) same += first[i] == first[j];
    ck_assert_int_eq(same, 0);
}
END_TEST

/* A generator does not depend on draws of other generators, and a copy continues like its original. */
START_TEST(interleaving)
{
    uint32_t alone[100];
    Rng a = test_rng(1), b = test_rng(2);
    for (int i = 0; i < 100; i++) alone[i] = rng_u32(&a);
    a = test_rng(1);
    for (int i = 0; i < 100; i++) {
        for (int k = 0; k < i % 7; k++) rng_normal(&b);
        Rng copy = a;
        ck_assert_uint_eq(rng_u32(&copy), alone[i]);
        ck_assert_uint_eq(rng_u32(&a), alone[i]);
    }
}
END_TEST

/* Returns sum (seen - expected)^2 / expected in sigmas; it has mean bins-1 and variance 2 (bins-1). */
static double chi_square(const int *seen, int bins, double expected)
{
    double sum = 0;
    for (int i = 0; i < bins; i++) sum += (seen[i] - expected) * (seen[i] - expected) / expected;
    return (sum - (bins - 1)) / sqrt(2. * (bins - 1));
}

START_TEST(bits_are_uniform)
{
    enum { N = 1 << 20, BINS = 256 };
    for (int shift = 0; shift < 32; shift += 8) {
        int seen[BINS] = {0};
        Rng r = test_rng(3);
        for (int i = 0; i < N; i++) seen[rng_u32(&r) >> shift & 255]++;
        ck_assert_double_lt(fabs(chi_square(seen, BINS, (double)N / BINS)), 5);
    }
}
END_TEST

START_TEST(uniform)
{
    enum { N = 1 << 20, BINS = 1000 };
    int seen[BINS] = {0};
    Rng r = test_rng(4);
    for (int i = 0; i < N; i++) {
        const double u = rng_uniform(&r), scaled = u * 0x1p32;
        if (!(u >= 0 && u < 1 && scaled == floor(scaled))) ck_abort_msg("%.17g", u);
        seen[(int)(u * BINS)]++;
    }
    ck_assert_double_lt(fabs(chi_square(seen, BINS, (double)N / BINS)), 5);
}
END_TEST

START_TEST(below_small)
{
    for (int n = 1; n <= 12; n++) {
        enum { N = 60000 };
        int seen[12] = {0};
        Rng r = test_rng(5);
        for (int i = 0; i < N; i++) {
            const int k = rng_below(&r, n);
            if (k < 0 || k >= n) ck_abort_msg("rng_below(%d) gave %d", n, k);
            seen[k]++;
        }
        if (n > 1)
            ck_assert_double_lt(chi_square(seen, n, (double)N / n), 5);
        else
            ck_assert_int_eq(seen[0], N);
    }
}
END_TEST

/* 2^32 / (3 2^29) = 8/3: without rejection the results k with k % 3 = 2 would have a share of 2/8 instead of
 * a third. */
START_TEST(below_is_unbiased)
{
    enum { N = 300000 };
    int seen[3] = {0};
    Rng r = test_rng(6);
    for (int i = 0; i < N; i++) seen[rng_below(&r, 3 << 29) % 3]++;
    ck_assert_double_lt(chi_square(seen, 3, N / 3.), 5);
}
END_TEST

/* The normal distribution: quantiles, moments, and uncorrelated neighbours. */
START_TEST(normal)
{
    enum { N = 1 << 20, BINS = 64 };
    int seen[BINS] = {0};
    double m1 = 0, m2 = 0, m3 = 0, m4 = 0, lag = 0, before = 0;
    Rng r = test_rng(7);
    for (int i = 0; i < N; i++) {
        const double x = rng_normal(&r);
        if (!isfinite(x)) ck_abort_msg("not finite");
        seen[(int)(BINS * erfc(-x / sqrt(2)) / 2)]++;
        m1 += x;
        m2 += x * x;
        m3 += x * x * x;
        m4 += x * x * x * x;
        lag += x * before;
        before = x;
    }
    const double sigma =
        1 / sqrt(N); /* sigma of a mean; the variances of the powers are 1, 2, 15, 96 */
    ck_assert_double_lt(fabs(chi_square(seen, BINS, (double)N / BINS)), 5);
    ck_assert_double_lt(fabs(m1 / N), 5 * sigma);
    ck_assert_double_lt(fabs(m2 / N - 1), 5 * sigma * sqrt(2));
    ck_assert_double_lt(fabs(m3 / N), 5 * sigma * sqrt(15));
    ck_assert_double_lt(fabs(m4 / N - 3), 5 * sigma * sqrt(96));
    ck_assert_double_lt(fabs(lag / N), 5 * sigma);
}
END_TEST

/* The smallest uniform number, 2^-32, gives sqrt(64 ln 2) = 6.66: the tail is finite. */
START_TEST(normal_is_bounded)
{
    Rng zero = test_rng(1);
    zero.n =
        5416199996; /* found by search: this number is 0, and its logarithm would be infinite */
    ck_assert(isfinite(rng_normal(&zero)));
    zero.n = 5416199996;
    ck_assert_uint_eq(rng_u32(&zero), 0);
    double most = 0;
    Rng r = test_rng(8);
    for (int i = 0; i < 1000000; i++) most = fmax(most, fabs(rng_normal(&r)));
    ck_assert_double_lt(most, 6.661);
    ck_assert_double_gt(most, 4.5);
}
END_TEST

START_TEST(choose)
{
    enum { N = 200000 };
    const double p[] = {.2, 0, .5, .05, .25};
    int seen[LEN(p)] = {0};
    Rng r = test_rng(9);
    for (int i = 0; i < N; i++) seen[rng_choose(&r, p, LEN(p))]++;
    ck_assert_int_eq(seen[1], 0);
    for (int i = 0; i < LEN(p); i++)
        ck_assert_double_le(fabs(seen[i] - N * p[i]), 5 * sqrt(N * p[i] * (1 - p[i])));
    /* Rounded probabilities may sum to less than 1: the result is still an index of the table. */
    for (int i = 0; i < 100; i++) ck_assert_int_eq(rng_choose(&r, (double[]){0, 0, 0}, 3), 2);
}
END_TEST

START_TEST(below_zero)
{
    Rng r = test_rng(10);
    rng_below(&r, 0);
}
END_TEST

SUITE("rng",
      TESTS(known_answers, layout_of_the_counter, after_any_number, streams_differ, interleaving,
            bits_are_uniform, uniform, below_small, below_is_unbiased, normal, normal_is_bounded,
            choose),
      ABORTS(below_zero))
