/* Initial values of parameters. */
#include "nn/params.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int index_of(const Params *ps, const Tensor *t)
{
    for (int i = ps->n - 1; i >= 0; i--) /* most often the last one */
        if (ps->tensor[i] == t) return i;
    CHECK(false, "parameter %s is not in this set of parameters", t->name ? t->name : "?");
    return -1;
}

static void start_with(Params *ps, const Tensor *t, Start start)
{
    const int i = index_of(ps, t);
    ps->info[i].start = start;
    ps->info[i].drawn = t->data != NULL;
    if (t->data) params_draw(ps, i);
}

void param_fill(Params *ps, Tensor *t, double value)
{
    start_with(ps, t, (Start){START_FILL, .a = value, .n = t->len});
}

void param_fill_range(Params *ps, Tensor *t, int first, int n, double value)
{
    CHECK(first >= 0 && n >= 0 && n <= t->len - first,
          "param_fill_range: %d values from %d on do not fit in %s, which has %d", n, first,
          t->name, t->len);
    start_with(ps, t, (Start){START_FILL, .a = value, .first = first, .n = n});
}

void param_uniform(Params *ps, Tensor *t, double a)
{
    start_with(ps, t, (Start){START_UNIFORM, .a = a});
}

void param_orthogonal(Params *ps, Tensor *t, double gain)
{
    CHECK(t->shape.n == 2, "param_orthogonal: %s %s; must be a matrix", t->name,
          shape_text(t->shape).text);
    start_with(ps, t, (Start){START_ORTHOGONAL, .a = gain});
}

void param_orthogonal_blocks(Params *ps, Tensor *t, double gain)
{
    CHECK(t->shape.n == 2 && shape_last(t->shape) % t->shape.d[0] == 0,
          "param_orthogonal_blocks: %s %s; must be (H,kH)", t->name, shape_text(t->shape).text);
    start_with(ps, t, (Start){START_ORTHOGONAL, .a = gain, .blocks = true});
}

/* --- drawing ---------------------------------------------------------------------------------- */

static double dot(const double *x, const double *y, int n)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int i = 0; i < n; i++) sum += x[i] * y[i];
    return sum;
}

/* Returns a uniformly random orthonormal set of rows, rows <= len (Saxe, McClelland & Ganguli
 * 2014): draws normal numbers and runs Gram-Schmidt twice for accuracy. The caller frees the
 * result. */
static double *orthonormal_rows(Rng *rng, int rows, int len)
{
    double *q = xmalloc((size_t)rows * len * sizeof *q);
    for (int i = 0; i < rows; i++) {
        double *v = q + (size_t)i * len;
        for (int k = 0; k < len; k++) v[k] = rng_normal(rng);
        for (int pass = 0; pass < 2; pass++)
            for (int j = 0; j < i; j++) {
                const double *w = q + (size_t)j * len, along = dot(v, w, len);
                for (int k = 0; k < len; k++) v[k] -= along * w[k];
            }
        const double norm = sqrt(dot(v, v, len));
        for (int k = 0; k < len; k++) v[k] /= norm;
    }
    return q;
}

/* Makes columns first .. first+N-1 of t orthogonal. */
static void orthogonal_columns(Tensor *t, int first, int N, double gain, Rng *rng)
{
    const int M = t->shape.d[0], rows = M < N ? M : N, len = M < N ? N : M;
    double *q = orthonormal_rows(rng, rows, len);
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++)
            t->data[(size_t)i * t->shape.d[1] + first + j] =
                (real)(gain * (M < N ? q[(size_t)i * len + j] : q[(size_t)j * len + i]));
    free(q);
}

static void draw_orthogonal(Tensor *t, Start start, Rng *rng)
{
    const int N = t->shape.d[1], width = start.blocks ? t->shape.d[0] : N;
    for (int first = 0; first < N; first += width)
        orthogonal_columns(t, first, width, start.a, rng);
}

void params_draw(const Params *ps, int i)
{
    Tensor *t = ps->tensor[i];
    const Start start = ps->info[i].start;
    Rng rng = rng_make(ps->seed, RNG_INIT, (uint32_t)i);
    const bool all_zero = start.kind == START_FILL || start.a == 0;
    if (all_zero) memset(t->data, 0, (size_t)t->len * sizeof *t->data);
    switch (start.kind) {
    case START_NORMAL:
        for (int k = 0; k < t->len && start.a != 0; k++)
            t->data[k] = (real)(start.a * rng_normal(&rng));
        break;
    case START_UNIFORM:
        for (int k = 0; k < t->len; k++) t->data[k] = (real)(start.a * (2 * rng_uniform(&rng) - 1));
        break;
    case START_FILL:
        for (int k = 0; k < start.n; k++) t->data[start.first + k] = (real)start.a;
        break;
    case START_ORTHOGONAL: draw_orthogonal(t, start, &rng); break;
    }
}
