/* exp, tanh, sigmoid and erf against libm in double, on bit patterns spread evenly over all floats:
 * both signs, every exponent, subnormals, infinities and NaN. */
#include "base/base.h"
#include "suite.h"
#include "math/vecmath.h"

#include <float.h>

enum { STRIDE = 997, CHUNK = 4096 };

/* Returns the distance in units in the last place of the exact result. Beyond the largest float the
 * units stay the same, so that infinity counts as 2^128. */
static double ulps(float got, double exact)
{
    const double g = isinf(got) ? copysign(0x1p128, got) : got;
    const double e = fabs(exact) > 0x1p128 ? copysign(0x1p128, exact) : exact;
    int exponent;
    frexp(e, &exponent);
    if (exponent < -125) exponent = -125;
    return fabs(g - e) / ldexp(1, exponent - 24);
}

static float from_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static double exact_sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* The vector form of one function, as ops use it. */
#define VECTORISED(f)                                                                              \
    static void f##_of(const float *x, float *y)                                                   \
    {                                                                                              \
        _Pragma("omp simd") for (int i = 0; i < CHUNK; i++) y[i] = f(x[i]);                        \
    }
VECTORISED(real_exp)
VECTORISED(real_tanh)
VECTORISED(real_erf)
VECTORISED(real_sigmoid)

/* Whether exp or the sigmoid is out of its exact range; other tests cover these ranges. */
static bool is_beyond(double (*exact)(double), float x)
{
    if (exact == exp) return x < -87.33654f || x > 88;
    return exact == exact_sigmoid && x < -87;
}

static const struct {
    const char *name;
    void (*of)(const float *x, float *y);
    float (*one)(float x);
    double (*exact)(double x);
    double limit; /* ulps */
} functions[] = {
    {"exp", real_exp_of, real_exp, exp, 2},
    {"tanh", real_tanh_of, real_tanh, tanh, 2.5},
    {"erf", real_erf_of, real_erf, erf, 2},
    {"sigmoid", real_sigmoid_of, real_sigmoid, exact_sigmoid, 3},
};

static void too_far(int f, float x, float y, double error)
{
    ck_abort_msg("%s(%.9g) is %.9g: %.2f ulp off", functions[f].name, (double)x, (double)y, error);
}

START_TEST(within_their_limits)
{
    static float x[CHUNK], y[CHUNK];
    double worst[LEN(functions)] = {0};
    for (uint64_t bits = 0; bits < 1ull << 32;) {
        for (int i = 0; i < CHUNK; i++, bits += STRIDE) x[i] = from_bits((uint32_t)bits);
        for (int f = 0; f < LEN(functions); f++) {
            functions[f].of(x, y);
            for (int i = 0; i < CHUNK; i++) {
                if (isnan(x[i]) && isnan(y[i])) continue;
                if (is_beyond(functions[f].exact, x[i])) continue;
                const double error = ulps(y[i], functions[f].exact((double)x[i]));
                if (!(error <= functions[f].limit)) too_far(f, x[i], y[i], error);
                if (error > worst[f]) worst[f] = error;
            }
        }
    }
    for (int f = 0; f < LEN(functions); f++)
        printf("vecmath: %-8s at most %.3f ulp\n", functions[f].name, worst[f]);
}
END_TEST

/* Tests every float near the boundary between two branches or ranges, on both sides. */
START_TEST(around_the_joints)
{
    const float joints[] = {0.17328680f, 10, 1,      2,       4,      0.34657359f, 88,
                            -87.33654f,  9,  16.64f, -16.64f, 44.36f, 0x1p-126f};
    for (int f = 0; f < LEN(functions); f++)
        for (int j = 0; j < LEN(joints); j++)
            for (int sign = -1; sign <= 1; sign += 2) {
                float x = (float)sign * joints[j];
                for (int k = 0; k < 500; k++) x = nextafterf(x, -INFINITY);
                for (int k = 0; k < 1000; k++, x = nextafterf(x, INFINITY)) {
                    if (is_beyond(functions[f].exact, x)) continue;
                    const float y = functions[f].one(x);
                    const double error = ulps(y, functions[f].exact((double)x));
                    if (!(error <= functions[f].limit)) too_far(f, x, y, error);
                }
            }
}
END_TEST

START_TEST(special_values)
{
    for (int f = 0; f < LEN(functions); f++) ck_assert(isnan(functions[f].one(NAN)));
    ck_assert(real_exp(INFINITY) == INFINITY && real_exp(-INFINITY) == 0);
    ck_assert(real_exp(0) == 1 && real_exp(-0.f) == 1);
    ck_assert(real_tanh(INFINITY) == 1 && real_tanh(-INFINITY) == -1);
    ck_assert(real_erf(INFINITY) == 1 && real_erf(-INFINITY) == -1);
    ck_assert(real_sigmoid(INFINITY) == 1 && real_sigmoid(-INFINITY) < 1.7e-38f);
    ck_assert(real_sigmoid(0) == 0.5f);
    ck_assert(real_tanh(0) == 0 && real_tanh(-0.f) == 0);
    ck_assert(real_erf(0) == 0 && real_erf(-0.f) == 0);
}
END_TEST

/* exp is 0 below the least normal number, infinity above half the largest float, and exact up to
 * both. */
START_TEST(exp_ends_at_both_sides)
{
    const float lo = -87.33654f, hi = 88;
    ck_assert(real_exp(lo) >= FLT_MIN && real_exp(lo) < 1.00001f * FLT_MIN);
    ck_assert(real_exp(hi) > .48f * FLT_MAX && real_exp(hi) < FLT_MAX);
    for (float x = nextafterf(lo, -INFINITY); x > -1e30f; x *= 1.0001f) ck_assert(real_exp(x) == 0);
    for (float x = nextafterf(hi, INFINITY); x < 1e30f; x *= 1.0001f)
        ck_assert(real_exp(x) == INFINITY);
}
END_TEST

/* Below -87 the sigmoid keeps its value at -87. */
START_TEST(sigmoid_has_a_floor)
{
    const float floor = real_sigmoid(-87);
    ck_assert(floor > 1.6e-38f && floor < 1.7e-38f);
    for (float x = -87; x > -1e30f; x *= 1.01f) ck_assert(real_sigmoid(x) == floor);
}
END_TEST

/* No result leaves the range of its function, not even by one rounding; odd functions are exactly
 * odd. */
START_TEST(ranges_and_symmetry)
{
    for (uint64_t bits = 0; bits < 0x7f800000; bits += 9973) {
        const float x = from_bits((uint32_t)bits), s = real_sigmoid(x);
        const bool good = real_tanh(x) <= 1 && real_tanh(-x) == -real_tanh(x) && real_erf(x) <= 1 &&
                          real_erf(-x) == -real_erf(x) && s >= 0.5f && s <= 1 &&
                          real_sigmoid(-x) <= 0.5f && real_sigmoid(-x) >= 0;
        if (!good) ck_abort_msg("at %.9g", (double)x);
    }
}
END_TEST

SUITE("vecmath",
      TESTS(within_their_limits, around_the_joints, special_values, exp_ends_at_both_sides,
            sigmoid_has_a_floor, ranges_and_symmetry),
      NO_ABORTS)
