#include "nn/params.h"

#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN_REALS = 64 / sizeof(real) };

Params params_declare(uint64_t seed)
{
    return (Params){.seed = seed};
}

Params params_init(uint64_t seed)
{
    return (Params){.seed = seed, .at_once = true};
}

void params_free(Params *ps)
{
    for (int i = 0; i < ps->n; i++) {
        free((char *)ps->tensor[i]->name);
        free(ps->tensor[i]);
    }
    free(ps->tensor);
    free(ps->info);
    free(ps->value);
    free(ps->grad);
    *ps = (Params){0};
}

/* --- allocating ------------------------------------------------------------------------------- */

static size_t padded(const Tensor *t)
{
    return ((size_t)t->len + ALIGN_REALS - 1) / ALIGN_REALS * ALIGN_REALS;
}

/* Moves t's numbers from the old block, if there is one, to `at`, and sets the padding after them
 * to 0. Returns `at`. */
static real *placed(const Tensor *t, real *at, const real *old)
{
    if (old) memcpy(at, old, (size_t)t->len * sizeof *at);
    memset(at + t->len, 0, (padded(t) - (size_t)t->len) * sizeof *at);
    return at;
}

/* Sets len and trainable, the sizes of the two blocks. */
static void measure(Params *ps)
{
    ps->len = ps->trainable = 0;
    for (int i = 0; i < ps->n; i++) {
        ps->len += padded(ps->tensor[i]);
        if (ps->tensor[i]->requires_grad) ps->trainable += padded(ps->tensor[i]);
    }
}

/* Puts all parameters into new blocks; keeps the values and gradients that exist already. */
static void lay_out(Params *ps)
{
    measure(ps);
    real *value = xaligned(ps->len * sizeof *value), *grad = NULL;
    if (ps->trainable) {
        grad = xaligned(ps->trainable * sizeof *grad);
        memset(grad, 0, ps->trainable * sizeof *grad);
    }
    real *next_value = value, *next_grad = grad;
    for (int i = 0; i < ps->n; i++) {
        Tensor *t = ps->tensor[i];
        t->data = placed(t, next_value, t->data);
        next_value += padded(t);
        t->grad = t->requires_grad ? placed(t, next_grad, t->grad) : NULL;
        if (t->grad) next_grad += padded(t);
    }
    free(ps->value);
    free(ps->grad);
    ps->value = value;
    ps->grad = grad;
    for (int i = 0; i < ps->n && ps->use != PARAMS_LOAD && ps->use != PARAMS_RESUME; i++) {
        if (!ps->info[i].drawn) params_draw(ps, i);
        ps->info[i].drawn = true;
    }
}

void params_allocate(Params *ps, ParamsUse use)
{
    CHECK(!ps->at_once && !ps->allocated, "params_allocate: the parameters are already allocated");
    ps->use = use;
    ps->allocated = true;
    const bool trains = use == PARAMS_TRAIN || use == PARAMS_RESUME;
    for (int i = 0; i < ps->n && !trains; i++) ps->tensor[i]->requires_grad = false;
    lay_out(ps);
}

/* --- declaring -------------------------------------------------------------------------------- */

Tensor *param(Params *ps, Shape s, double std, const char *fmt, ...)
{
    char name[256];
    va_list ap;
    va_start(ap, fmt);
    const int at = snprintf(name, sizeof name, "%s", ps->prefix);
    const int len = vsnprintf(name + at, sizeof name - (size_t)at, fmt, ap);
    va_end(ap);
    CHECK(len >= 0 && at + len < (int)sizeof name, "param: name %s... is too long", name);
    CHECK(!params_find(ps, name), "param: the name %s is already taken", name);
    CHECK(!ps->allocated, "param: %s declared after params_allocate", name);

    Tensor *t = xmalloc(sizeof *t);
    *t = (Tensor){.shape = s, .len = shape_len(s), .requires_grad = true, .name = xstrdup(name)};
    ps->tensor = xrealloc(ps->tensor, (size_t)(ps->n + 1) * sizeof *ps->tensor);
    ps->info = xrealloc(ps->info, (size_t)(ps->n + 1) * sizeof *ps->info);
    ps->info[ps->n] =
        (ParamInfo){.start = {.kind = START_NORMAL, .a = std}, .rate_scale = 1, .decay_scale = 1};
    ps->tensor[ps->n++] = t;
    ps->count += (size_t)t->len;
    measure(ps);
    if (ps->at_once) lay_out(ps);
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
    memcpy(ps->prefix + at + len, ".", 2);
}

void params_pop(Params *ps)
{
    const size_t len = strlen(ps->prefix);
    CHECK(len > 0, "params_pop: nothing was pushed");
    ps->prefix[len - 1] = 0;
    char *dot = strrchr(ps->prefix, '.');
    *(dot ? dot + 1 : ps->prefix) = 0;
}

/* --- freezing, groups ------------------------------------------------------------------------- */

static bool matches(const Tensor *t, const char *pattern)
{
    return fnmatch(pattern, t->name, 0) == 0;
}

int params_freeze(Params *ps, const char *pattern)
{
    int n = 0;
    CHECK(!ps->allocated, "params_freeze: %s frozen after params_allocate", pattern);
    for (int i = 0; i < ps->n; i++) {
        if (!matches(ps->tensor[i], pattern)) continue;
        ps->tensor[i]->requires_grad = false;
        n++;
    }
    measure(ps);
    if (n && ps->value) lay_out(ps);
    return n;
}

int params_group(Params *ps, const char *pattern, double rate_scale, double decay_scale)
{
    int n = 0;
    for (int i = 0; i < ps->n; i++) {
        if (!matches(ps->tensor[i], pattern)) continue;
        ps->info[i].rate_scale = rate_scale;
        ps->info[i].decay_scale = decay_scale;
        n++;
    }
    return n;
}
