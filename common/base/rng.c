#include "base/rng.h"

#include <math.h>
#include <string.h>

void philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c[4] = {counter[0], counter[1], counter[2], counter[3]};
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        const uint64_t p0 = (uint64_t)0xD2511F53 * c[0], p1 = (uint64_t)0xCD9E8D57 * c[2];
        const uint32_t c1 = c[1], c3 = c[3];
        c[0] = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c[1] = (uint32_t)p1;
        c[2] = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c[3] = (uint32_t)p0;
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
    memcpy(out, c, sizeof c);
}

Rng rng_make(uint64_t seed, RngStream stream, uint32_t step)
{
    return (Rng){.seed = seed, .stream = stream, .step = step};
}

/* Computes the block of four numbers that contains number n. */
static void fill_block(Rng *r)
{
    const uint64_t block = r->n / 4;
    const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), r->step, r->stream};
    const uint32_t key[2] = {(uint32_t)r->seed, (uint32_t)(r->seed >> 32)};
    philox4x32(counter, key, r->block);
}

uint32_t rng_u32(Rng *r)
{
    const int lane = (int)(r->n % 4);
    if (lane == 0) fill_block(r);
    r->n++;
    return r->block[lane];
}

Rng rng_after(const Rng *r, uint64_t n)
{
    Rng later = *r;
    later.n += n;
    if (later.n % 4) fill_block(&later);
    return later;
}

int rng_below(Rng *r, int n)
{
    CHECK(n >= 1, "rng_below: n is %d, must be at least 1", n);
    const uint32_t m = (uint32_t)n;
    /* Multiply-and-shift (Lemire 2019); the rejection removes the bias. */
    for (;;) {
        const uint64_t p = (uint64_t)rng_u32(r) * m;
        if ((uint32_t)p >= m || (uint32_t)p >= -m % m) return (int)(p >> 32);
    }
}

double rng_uniform(Rng *r)
{
    return rng_u32(r) * 0x1p-32;
}

double rng_normal(Rng *r)
{
    const double u = (rng_u32(r) + 1.0) * 0x1p-32; /* (0,1]: the logarithm is finite */
    const double v = rng_uniform(r);
    return sqrt(-2 * log(u)) * cos(2 * 3.14159265358979323846 * v);
}

int rng_choose(Rng *r, const double *p, int n)
{
    double u = rng_uniform(r);
    for (int i = 0; i < n - 1; i++) {
        if (u < p[i]) return i;
        u -= p[i];
    }
    return n - 1;
}
