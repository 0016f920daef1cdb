#include "tasks/batch.h"

#include <stdlib.h>
#include <string.h>

#include "tasks/task.h"
#include "tokens/tokenizer.h"

Batch batch_new(void)
{
    return (Batch){0};
}

void batch_free(Batch *b)
{
    free(b->x), free(b->u), free(b->y), free(b->v), free(b->aux);
    free(b->s), free(b->s_len);
    *b = (Batch){0};
}

static void batch_allocate(Batch *b, const Task *t, size_t steps)
{
    batch_free(b);
    b->cap = steps;
    b->inputs = t->inputs;
    if (t->inputs)
        b->u = xcalloc(steps, t->inputs * sizeof *b->u);
    else
        b->x = xcalloc(steps, sizeof *b->x);
    if (t->outputs)
        b->y = xcalloc(steps, sizeof *b->y);
    else
        b->v = xcalloc(steps, sizeof *b->v); /* more than B, so that cap bounds it too */
    b->aux = xcalloc(steps, sizeof *b->aux);
}

void batch_resize(Batch *b, const Task *t, int T, int B)
{
    int steps, reals;
    CHECK(T >= 1 && B >= 1, "batch_resize: %d steps of %d sequences", T, B);
    if (__builtin_mul_overflow(T, B, &steps) ||
        __builtin_mul_overflow(steps, t->inputs ? t->inputs : 1, &reals))
        too_large("%d steps of %d sequences are too many for one batch", T, B);
    const bool fits = (size_t)steps <= b->cap && b->inputs == t->inputs && !b->y == !t->outputs;
    if (!fits) batch_allocate(b, t, (size_t)steps);
    b->T = T;
    b->B = B;
    if (b->x) memset(b->x, 0, steps * sizeof *b->x);
    if (b->u) memset(b->u, 0, reals * sizeof *b->u);
    if (b->v) memset(b->v, 0, B * sizeof *b->v);
    if (b->y) memset(b->y, 0xFF, steps * sizeof *b->y); /* all bits set is -1 */
    memset(b->aux, 0xFF, steps * sizeof *b->aux);
    b->S = 0;
}

void batch_source(Batch *b, int S)
{
    int steps;
    CHECK(S >= 1 && b->B >= 1 && !__builtin_mul_overflow(S, b->B, &steps),
          "batch_source: %d steps of %d sequences", S, b->B);
    if ((size_t)steps > b->s_cap) {
        free(b->s), free(b->s_len);
        b->s_cap = (size_t)steps;
        b->s = xcalloc(b->s_cap, sizeof *b->s);
        b->s_len =
            xcalloc(b->s_cap, sizeof *b->s_len); /* more than B, so that s_cap bounds it too */
    }
    b->S = S;
    for (int i = 0; i < steps; i++) b->s[i] = PAD;
    memset(b->s_len, 0, b->B * sizeof *b->s_len);
}

double batch_scored(const Batch *b)
{
    if (!b->y) return b->B;
    double n = 0;
    for (size_t i = 0; i < (size_t)b->T * b->B; i++) n += b->y[i] >= 0;
    return n;
}
