#include "nn/params.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "math/parallel.h"

enum { ALIGN_REALS = 64 / sizeof(real) };

Params params_init(uint64_t seed)
{
    return (Params){.seed = seed};
}

void params_free(Params *ps)
{
    for (int i = 0; i < ps->n; i++) {
        free((char *)ps->tensor[i]->name);
        free(ps->tensor[i]);
    }
    free(ps->tensor);
    free(ps->value);
    free(ps->grad);
    *ps = (Params){0};
}

static real *block_grown(real *old, size_t len, size_t cap)
{
    real *block = xaligned(cap * sizeof *block);
    memset(block, 0, cap * sizeof *block);
    if (old) memcpy(block, old, len * sizeof *block);
    free(old);
    return block;
}

/* Makes room for more reals. The blocks may move: the tensors' pointers move with them. */
static void reserve(Params *ps, size_t more)
{
    if (ps->len + more <= ps->cap) return;
    const size_t cap = ps->len + more > 2 * ps->cap ? ps->len + more : 2 * ps->cap;
    ps->value = block_grown(ps->value, ps->len, cap);
    ps->grad = block_grown(ps->grad, ps->len, cap);
    ps->cap = cap;
    size_t at = 0;
    for (int i = 0; i < ps->n; i++) {
        Tensor *t = ps->tensor[i];
        t->data = ps->value + at;
        t->grad = ps->grad + at;
        at += ((size_t)t->len + ALIGN_REALS - 1) / ALIGN_REALS * ALIGN_REALS;
    }
}

static int index_of(const Params *ps, const Tensor *t)
{
    for (int i = 0; i < ps->n; i++)
        if (ps->tensor[i] == t) return i;
    CHECK(false, "parameter %s is not in this set", t->name ? t->name : "?");
    return -1;
}

static Rng init_rng(const Params *ps, const Tensor *t)
{
    return rng_make(ps->seed, RNG_INIT, (uint32_t)index_of(ps, t));
}

Tensor *param(Params *ps, Shape s, double std, const char *fmt, ...)
{
    char name[256];
    va_list ap;
    va_start(ap, fmt);
    const int at = snprintf(name, sizeof name, "%s", ps->prefix);
    const int len = vsnprintf(name + at, sizeof name - (size_t)at, fmt, ap);
    va_end(ap);
    CHECK(len >= 0 && at + len < (int)sizeof name, "param: name %s... is too long", name);
    CHECK(!params_find(ps, name), "param: there is a parameter %s already", name);

    const size_t count = (size_t)shape_len(s);
    const size_t padded = (count + ALIGN_REALS - 1) / ALIGN_REALS * ALIGN_REALS;
    reserve(ps, padded);
    Tensor *t = xmalloc(sizeof *t);
    *t = (Tensor){.shape = s, .len = (int)count, .requires_grad = true, .name = xstrdup(name)};
    t->data = ps->value + ps->len;
    t->grad = ps->grad + ps->len;
    ps->tensor = xrealloc(ps->tensor, (size_t)(ps->n + 1) * sizeof *ps->tensor);
    ps->tensor[ps->n++] = t;
    ps->len += padded;
    ps->count += count;

    Rng rng = init_rng(ps, t);
    for (int i = 0; i < t->len && std != 0; i++) t->data[i] = (real)(std * rng_normal(&rng));
    return t;
}

Tensor *params_find(const Params *ps, const char *name)
{
    for (int i = 0; i < ps->n; i++)
        if (strcmp(ps->tensor[i]->name, name) == 0) return ps->tensor[i];
    return NULL;
}

void params_push(Params *ps, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const size_t at = strlen(ps->prefix), room = sizeof ps->prefix - at;
    const int len = vsnprintf(ps->prefix + at, room, fmt, ap);
    va_end(ap);
    CHECK(len > 0 && (size_t)len + 1 < room, "params_push: prefix %s is too long", ps->prefix);
    strcat(ps->prefix, ".");
}

void params_pop(Params *ps)
{
    const size_t len = strlen(ps->prefix);
    CHECK(len > 0, "params_pop: nothing was pushed");
    ps->prefix[len - 1] = 0;
    char *dot = strrchr(ps->prefix, '.');
    *(dot ? dot + 1 : ps->prefix) = 0;
}

void param_fill(Tensor *t, real value)
{
    for (int i = 0; i < t->len; i++) t->data[i] = value;
}

void param_uniform(const Params *ps, Tensor *t, double a)
{
    Rng rng = init_rng(ps, t);
    for (int i = 0; i < t->len; i++) t->data[i] = (real)(a * (2 * rng_uniform(&rng) - 1));
}

static double dot(const double *x, const double *y, int n)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int i = 0; i < n; i++) sum += x[i] * y[i];
    return sum;
}

/* Gram-Schmidt on normal rows (of the shorter side), twice for accuracy: a uniformly random
 * orthonormal set (Saxe, McClelland & Ganguli 2014). */
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

/* The columns first .. first+N-1 of t. */
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

void param_orthogonal(const Params *ps, Tensor *t, double gain)
{
    CHECK(t->shape.n == 2, "param_orthogonal: %s %s; must be a matrix", t->name,
          shape_text(t->shape).text);
    Rng rng = init_rng(ps, t);
    orthogonal_columns(t, 0, t->shape.d[1], gain, &rng);
}

void param_orthogonal_blocks(const Params *ps, Tensor *t, double gain)
{
    const int H = t->shape.d[0], N = shape_last(t->shape);
    CHECK(t->shape.n == 2 && N % H == 0, "param_orthogonal_blocks: %s %s; must be (H,kH)", t->name,
          shape_text(t->shape).text);
    Rng rng = init_rng(ps, t);
    for (int first = 0; first < N; first += H) orthogonal_columns(t, first, H, gain, &rng);
}

/* --- gradients: in chunks that threads take, the same ones for any number of threads ---------------- */

enum { CHUNK = 1 << 14 };

typedef struct {
    real *at;
    size_t len; /* a multiple of ALIGN_REALS */
} Chunk;

static int chunks_of(const Params *ps)
{
    return (int)((ps->len + CHUNK - 1) / CHUNK);
}

static Chunk gradients(const Params *ps, int i)
{
    const size_t from = (size_t)i * CHUNK, rest = ps->len - from;
    return (Chunk){ps->grad + from, rest < CHUNK ? rest : CHUNK};
}

/* In double, since a square is beyond float where the gradient is not yet. */
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

static void scale_gradients(Params *ps, double factor)
{
    PARALLEL_FOR(2.0 * (double)ps->len, i, chunks_of(ps), 1, scale_chunk(gradients(ps, i), factor));
}

void params_zero_grad(Params *ps)
{
    if (ps->len) memset(ps->grad, 0, ps->len * sizeof *ps->grad);
}

double params_norm(const Params *ps)
{
    const int n = chunks_of(ps);
    double *part = xcalloc((size_t)n + 1, sizeof *part), sum = 0;
    PARALLEL_FOR(2.0 * (double)ps->len, i, n, 1, part[i] = sum_of_squares(gradients(ps, i)));
    for (int i = 0; i < n; i++) sum += part[i];
    free(part);
    return sqrt(sum);
}

double params_clip(Params *ps, double max)
{
    const double norm = params_norm(ps);
    if (max > 0 && isfinite(norm) && norm > max) scale_gradients(ps, max / norm); /* eq 10.4 */
    return norm;
}
