/* The gradients of all parameters together: norm and clipping. */
#include "nn/params.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/parallel.h"

enum { ALIGN_REALS = 64 / sizeof(real) };

/* Threads work on chunks of so many gradients; the chunks do not depend on the number of
 * threads. */

enum { CHUNK = 1 << 14 };

typedef struct {
    real *at;
    size_t len; /* a multiple of ALIGN_REALS */
} Chunk;

static int chunks_of(const Params *ps)
{
    return (int)((ps->trainable + CHUNK - 1) / CHUNK);
}

static Chunk gradients(const Params *ps, int i)
{
    const size_t from = (size_t)i * CHUNK, rest = ps->trainable - from;
    return (Chunk){ps->grad + from, rest < CHUNK ? rest : CHUNK};
}

/* Sums in double: the square of a finite float can be too large for a float. */
static double sum_of_squares(Chunk g)
{
    double lane[ALIGN_REALS] = {0}, sum = 0;
    for (size_t i = 0; i < g.len; i += ALIGN_REALS)
        for (size_t j = 0; j < ALIGN_REALS; j++)
            lane[j] += (double)g.at[i + j] * (double)g.at[i + j];
    for (size_t j = 0; j < ALIGN_REALS; j++) sum += lane[j];
    return sum;
}

static void scale_chunk(Chunk g, double factor)
{
    for (size_t i = 0; i < g.len; i++) g.at[i] = (real)(factor * (double)g.at[i]);
}

void params_scale_grad(Params *ps, double factor)
{
    PARALLEL_FOR(2.0 * (double)ps->trainable, i, chunks_of(ps), 1,
                 scale_chunk(gradients(ps, i), factor));
}

void params_zero_grad(Params *ps)
{
    if (ps->trainable) memset(ps->grad, 0, ps->trainable * sizeof *ps->grad);
}

double params_norm(const Params *ps)
{
    const int n = chunks_of(ps);
    double *part = xcalloc((size_t)n + 1, sizeof *part), sum = 0;
    PARALLEL_FOR(2.0 * (double)ps->trainable, i, n, 1, part[i] = sum_of_squares(gradients(ps, i)));
    for (int i = 0; i < n; i++) sum += part[i];
    free(part);
    return sqrt(sum);
}

double params_clip(Params *ps, double max)
{
    const double norm = params_norm(ps);
    if (max > 0 && isfinite(norm) && norm > max) params_scale_grad(ps, max / norm); /* eq 10.4 */
    return norm;
}
