#include "nn/optim.h"

#include "math/parallel.h"
#include "math/vecmath.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Returns len zeros. calloc would return memory that the kernel maps to one page of zeros until it
 * is written. The first update reads before it writes, so it would fault on every 4 KB page and
 * interrupt the other threads each time. */
static real *zeros(size_t len)
{
    return memset(xmalloc(len * sizeof(real)), 0, len * sizeof(real));
}

Optim optim_options(OptimKind kind, double beta1, double beta2, double weight_decay)
{
    return (Optim){
        .kind = kind, .beta1 = beta1, .beta2 = beta2, .eps = 1e-8, .weight_decay = weight_decay};
}

void optim_allocate(Optim *o, const Params *ps)
{
    CHECK(!o->m, "optim_allocate: called twice for one optimiser");
    o->len = ps->trainable;
    o->m = zeros(o->len);
    if (o->kind == OPTIM_ADAMW) o->v = zeros(o->len);
}

Optim optim_init(OptimKind kind, const Params *ps, double beta1, double beta2, double weight_decay)
{
    Optim o = optim_options(kind, beta1, beta2, weight_decay);
    optim_allocate(&o, ps);
    return o;
}

void optim_free(Optim *o)
{
    free(o->m);
    free(o->v);
    *o = (Optim){0};
}

/* Elements first .. end-1 of t. The moments of t start at offset `at`. */
typedef struct {
    Tensor *t;
    size_t at;
    int first, end;
} Part;

/* m^ / (sqrt(v^) + eps) lr = m (lr / (1 - b1^t)) / (sqrt(v) / sqrt(1 - b2^t) + eps) */
static void adamw_update(const Optim *o, Part p, double lr, double decay)
{
    const real b1 = (real)o->beta1, b2 = (real)o->beta2, eps = (real)o->eps;
    const real rest1 = (real)(1 - o->beta1),
               rest2 = (real)(1 - o->beta2); /* exact to the last bit */
    const real rate = (real)(lr / (1 - pow(o->beta1, o->step)));
    const real unbias = (real)(1 / sqrt(1 - pow(o->beta2, o->step)));
    const real keep = (real)(1 - lr * decay);
    real *restrict w = p.t->data, *restrict g = p.t->grad, *restrict m = o->m + p.at;
    real *restrict v = o->v + p.at;
#pragma omp simd
    for (int i = p.first; i < p.end; i++) {
        m[i] = b1 * m[i] + rest1 * g[i];
        v[i] = b2 * v[i] + rest2 * g[i] * g[i];
        w[i] = keep * w[i] - rate * m[i] / (real_sqrt(v[i]) * unbias + eps); /* eq 5.4 */
        g[i] = 0;
    }
}

static void sgd_update(const Optim *o, Part p, double lr, double decay)
{
    const real b1 = (real)o->beta1, rate = (real)lr, keep = (real)(1 - lr * decay);
    real *restrict w = p.t->data, *restrict g = p.t->grad, *restrict m = o->m + p.at;
    for (int i = p.first; i < p.end; i++) {
        m[i] = b1 * m[i] + g[i]; /* eq 5.3 */
        w[i] = keep * w[i] - rate * m[i];
        g[i] = 0;
    }
}

enum { CHUNK = 1 << 13 }; /* numbers that a thread takes at a time; they may span several tensors */

static void update_chunk(const Optim *o, const Params *ps, int chunk, double lr)
{
    const size_t from = (size_t)chunk * CHUNK, to = from + CHUNK;
    for (int i = 0; i < ps->n; i++) {
        Tensor *t = ps->tensor[i];
        if (!t->grad) continue; /* frozen */
        const size_t at = (size_t)(t->grad - ps->grad), end = at + (size_t)t->len;
        if (end <= from || at >= to) continue;
        const Part part = {.t = t,
                           .at = at,
                           .first = from > at ? (int)(from - at) : 0,
                           .end = end < to ? t->len : (int)(to - at)};
        const ParamInfo *info = &ps->info[i];
        const double decay = t->shape.n >= 2 ? o->weight_decay * info->decay_scale : 0;
        (o->kind == OPTIM_ADAMW ? adamw_update : sgd_update)(o, part, lr * info->rate_scale, decay);
    }
}

void optim_step(Optim *o, Params *ps, double lr)
{
    CHECK(o->len == ps->trainable, "optim_step: made for %zu reals, the parameters have %zu",
          o->len, ps->trainable);
    o->step++;
    const int chunks = (int)((o->len + CHUNK - 1) / CHUNK);
    PARALLEL_FOR(40.0 * (double)o->len, i, chunks, 1, update_chunk(o, ps, i, lr));
}

double lr_at(const Schedule *s, int step)
{
    CHECK(step >= 1, "lr_at: step %d; steps count from 1", step);
    if (step <= s->warmup) return s->lr * step / s->warmup;
    if (s->inverse_sqrt) /* eq 20.5 */
        return fmax(s->min_lr, s->lr * sqrt(fmax(s->warmup, 1) / step));
    const int peak = s->warmup > 1 ? s->warmup : 1;
    if (step > s->steps) return s->min_lr;
    const double done = ((double)step - peak) / ((double)s->steps + 1 - peak); /* eq 5.5 */
    return s->min_lr + (s->lr - s->min_lr) * (1 + cos(3.14159265358979323846 * done)) / 2;
}
