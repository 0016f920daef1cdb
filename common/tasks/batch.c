#include "tasks/batch.h"

#include <stdlib.h>
#include <string.h>

#include "tasks/task.h"
#include "tokens/tokenizer.h"

Batch batch_new(void)
{
    return (Batch){0};
}

Batch batch_new_as(Layout layout)
{
    return (Batch){.layout = layout};
}

void batch_free(Batch *b)
{
    free(b->x), free(b->u), free(b->y), free(b->v), free(b->aux);
    free(b->segments), free(b->labels), free(b->weights);
    free(b->s), free(b->s_len);
    *b = (Batch){.layout = b->layout};
}

bool batch_is(const Batch *b, Layout layout)
{
    return b->layout == layout || b->B == 1;
}

static unsigned extras_of(const Batch *b)
{
    return (b->segments ? BATCH_SEGMENTS : 0) | (b->labels ? BATCH_LABELS : 0) |
           (b->weights ? BATCH_WEIGHTS : 0);
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
    if (t->extras & BATCH_SEGMENTS) b->segments = xcalloc(steps, sizeof *b->segments);
    if (t->extras & BATCH_LABELS) b->labels = xcalloc(steps, sizeof *b->labels);
    if (t->extras & BATCH_WEIGHTS) b->weights = xcalloc(steps, sizeof *b->weights);
}

void batch_resize(Batch *b, const Task *t, int T, int B)
{
    int steps, reals;
    CHECK(T >= 1 && B >= 1, "batch_resize: %d steps of %d sequences", T, B);
    if (__builtin_mul_overflow(T, B, &steps) ||
        __builtin_mul_overflow(steps, t->inputs ? t->inputs : 1, &reals))
        too_large("%d steps of %d sequences are too many for one batch", T, B);
    const bool fits = (size_t)steps <= b->cap && b->inputs == t->inputs && !b->y == !t->outputs &&
                      extras_of(b) == t->extras;
    if (!fits) batch_allocate(b, t, (size_t)steps);
    b->T = T;
    b->B = B;
    if (b->x) memset(b->x, 0, steps * sizeof *b->x);
    if (b->u) memset(b->u, 0, reals * sizeof *b->u);
    if (b->v) memset(b->v, 0, B * sizeof *b->v);
    if (b->y) memset(b->y, 0xFF, steps * sizeof *b->y); /* all bits set is -1 */
    memset(b->aux, 0xFF, steps * sizeof *b->aux);
    if (b->segments) memset(b->segments, 0, steps * sizeof *b->segments);
    if (b->labels) memset(b->labels, 0xFF, B * sizeof *b->labels);
    for (int i = 0; b->weights && i < steps; i++) b->weights[i] = 1;
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

/* Keeps the first `now` steps of each row: (B,before) becomes (B,now). */
static void shorten_rows(void *array, size_t size, int B, int before, int now)
{
    char *bytes = array;
    for (int b = 1; bytes && b < B; b++)
        memmove(bytes + (size_t)b * now * size, bytes + (size_t)b * before * size, now * size);
}

/* In a time-major batch the dropped steps are the end of every array, so no value moves. */
void batch_trim(Batch *b, int T)
{
    CHECK(T >= 1 && T <= b->T, "batch_trim: %d of %d steps", T, b->T);
    const int before = b->T, S = b->S;
    b->T = T;
    if (S > 0) b->S = 1;
    for (int i = 0; i < b->B && S > 0; i++)
        if (b->s_len[i] > b->S) b->S = b->s_len[i];
    if (b->layout == TIME_MAJOR) return;
    if (T < before) {
        shorten_rows(b->x, sizeof *b->x, b->B, before, T);
        shorten_rows(b->u, b->inputs * sizeof *b->u, b->B, before, T);
        shorten_rows(b->y, sizeof *b->y, b->B, before, T);
        shorten_rows(b->aux, sizeof *b->aux, b->B, before, T);
        shorten_rows(b->segments, sizeof *b->segments, b->B, before, T);
        shorten_rows(b->weights, sizeof *b->weights, b->B, before, T);
    }
    if (b->S < S) shorten_rows(b->s, sizeof *b->s, b->B, S, b->S);
}

double batch_scored(const Batch *b)
{
    if (!b->y) return b->B;
    double n = 0;
    for (size_t i = 0; i < (size_t)b->T * b->B; i++)
        if (b->y[i] >= 0) n += b->weights ? (double)b->weights[i] : 1;
    return n;
}
