#include "tasks/task.h"

#include <stdlib.h>

/* Resizes a batch and returns the length, which is the task's own if length is 0. */
static int batch_begin(const Task *t, int length, int B, Batch *out)
{
    if (length == 0) length = t->length;
    CHECK(length >= t->shortest && (t->longest == 0 || length <= t->longest),
          "task %s: length %d; must be %d to %d", t->name, length, t->shortest, t->longest);
    batch_resize(out, t, length + t->extra, B);
    if (t->source_vocab) batch_source(out, length);
    return length;
}

int draw_index(const Draw *draw, int n)
{
    return draw->item < 0 ? rng_below(draw->rng, n) : draw->item % n;
}

void task_batch(const Task *t, Split split, int length, Rng *rng, int B, Batch *out)
{
    int longest = 1;
    length = batch_begin(t, length, B, out);
    const Draw draw = {.split = split, .length = length, .item = -1, .rng = rng};
    for (int b = 0; b < B; b++) {
        const int n = t->draw(t, &draw, out, b);
        if (n > longest) longest = n;
    }
    batch_trim(out, longest);
}

static int draw_numbered(const Task *t, Split split, int length, int item, Batch *out, int b)
{
    enum { SEED = 12345 };
    Rng rng = rng_make((uint64_t)SEED + split, RNG_TASK, (uint32_t)item);
    const Draw draw = {.split = split, .length = length, .item = item, .rng = &rng};
    return t->draw(t, &draw, out, b);
}

void task_numbered(const Task *t, Split split, int length, const int *item, int B, Batch *out)
{
    int longest = 1;
    length = batch_begin(t, length, B, out);
    for (int b = 0; b < B; b++) {
        const int n = draw_numbered(t, split, length, item[b], out, b);
        if (n > longest) longest = n;
    }
    batch_trim(out, longest);
}

void task_heldout(const Task *t, Split split, int length, int first, int B, Batch *out)
{
    int *item = xmalloc((size_t)B * sizeof *item);
    for (int b = 0; b < B; b++) item[b] = first + b;
    task_numbered(t, split, length, item, B, out);
    free(item);
}

void task_close(Task *t)
{
    if (t->free) t->free(t);
    *t = (Task){0};
}
