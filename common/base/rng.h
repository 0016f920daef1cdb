/* Random numbers from a counter: Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011).
 *
 * Number n of a stream is a function of (seed, stream, step, n) and of nothing else. So every use
 * (initial weights, batches, dropout, sampling) has its own stream, the batch of step 700 can be
 * drawn without drawing the 699 before it, and a run resumes bit for bit without saving any
 * generator: the step number is enough. */
#ifndef RNG_H
#define RNG_H

#include "base/base.h"

typedef enum {
    RNG_INIT,    /* step = index of the parameter */
    RNG_BATCH,   /* step = update */
    RNG_DROPOUT, /* step = update */
    RNG_SAMPLE,  /* step = index of the sample */
    RNG_TASK,    /* step = index of the held-out example */
    RNG_TEST,
    RNG_EPOCH, /* step = epoch: the order of a table's items */
    RNG_POOL   /* step = pool: the order of its batches */
} RngStream;

typedef struct {
    uint64_t seed;
    uint32_t stream, step;
    uint64_t n;        /* numbers drawn so far */
    uint32_t block[4]; /* the four numbers n is among, while n % 4 != 0 */
} Rng;

Rng rng_make(uint64_t seed, RngStream stream, uint32_t step);

uint32_t rng_u32(Rng *r);
Rng rng_after(const Rng *r, uint64_t n);        /* returns r as it is after n more numbers */
int rng_below(Rng *r, int n);                   /* uniform on 0 .. n-1, without bias; n >= 1 */
double rng_uniform(Rng *r);                     /* uniform on [0,1), a multiple of 2^-32 */
double rng_normal(Rng *r);                      /* mean 0, variance 1; Box & Muller 1958 */
int rng_choose(Rng *r, const double *p, int n); /* i with probability p[i]; p sums to 1 */

/* Computes four random numbers from a 128-bit counter and a 64-bit key. */
void philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

#endif
