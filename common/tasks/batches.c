#include "tasks/batches.h"

#include <stdlib.h>

enum { POOL_BATCHES = 100 };
static const double LITTLE_PADDING = 0.25;

void batches_free(Batches *b)
{
    free(b->item), free(b->order);
    *b = (Batches){0};
}

/* --- by length ------------------------------------------------------------------------------------ */

typedef struct {
    ItemLength length;
    int item, place;
} Sorted;

/* Orders items by the length of the target, then of the source. Source lengths rise for one target
 * length and fall for the next, so that a batch with two target lengths still has similar sources.
 * Equal lengths keep their order. */
static int by_length(const void *a, const void *b)
{
    const Sorted *x = a, *y = b;
    const int up = x->length.target % 2 ? 1 : -1;
    if (x->length.target != y->length.target) return x->length.target - y->length.target;
    if (x->length.source != y->length.source) return up * (x->length.source - y->length.source);
    return x->place - y->place;
}

void batches_sort(const Task *task, Split split, int *item, int n)
{
    if (!task->items || n < 2) return;
    Sorted *s = xcalloc((size_t)n, sizeof *s);
    for (int i = 0; i < n; i++)
        s[i] = (Sorted){task->item_length(task, split, item[i]), item[i], i};
    qsort(s, (size_t)n, sizeof *s, by_length);
    for (int i = 0; i < n; i++) item[i] = s[i].item;
    free(s);
}

/* --- pools ---------------------------------------------------------------------------------------- */

/* Shuffles groups of `group` numbers each (Fisher & Yates). */
static void shuffle(int *x, int groups, int group, Rng *rng)
{
    for (int i = groups - 1; i > 0; i--) {
        const int j = rng_below(rng, i + 1);
        for (int k = 0; k < group; k++) {
            const int keep = x[(size_t)i * group + k];
            x[(size_t)i * group + k] = x[(size_t)j * group + k];
            x[(size_t)j * group + k] = keep;
        }
    }
}

/* Returns item q of the endless sequence of epochs of n items. */
static int item_at(Batches *b, int n, int64_t q)
{
    if (b->epoch != q / n) {
        b->epoch = q / n;
        Rng rng = rng_make(b->seed, RNG_EPOCH, (uint32_t)b->epoch);
        for (int i = 0; i < n; i++) b->order[i] = i;
        shuffle(b->order, n, 1, &rng);
    }
    return b->order[q % n];
}

static void fill_pool(Batches *b, int64_t pool)
{
    const int n = b->task->items(b->task, SPLIT_TRAIN), size = b->pool_batches * b->B;
    Rng rng = rng_make(b->seed, RNG_POOL, (uint32_t)pool);
    b->pool = pool;
    for (int i = 0; i < size; i++) b->item[i] = item_at(b, n, pool * size + i);
    if (b->by_length) batches_sort(b->task, SPLIT_TRAIN, b->item, size);
    shuffle(b->item, b->pool_batches, b->B, &rng);
}

/* Returns the fraction of all steps in the pool's batches that is padding. */
static double padding(const Batches *b)
{
    double steps = 0, tokens = 0;
    for (int k = 0; k < b->pool_batches; k++) {
        ItemLength longest = {0};
        for (int i = 0; i < b->B; i++) {
            const int item = b->item[(size_t)k * b->B + i];
            const ItemLength n = b->task->item_length(b->task, SPLIT_TRAIN, item);
            if (n.target > longest.target) longest.target = n.target;
            if (n.source > longest.source) longest.source = n.source;
            tokens += n.target + n.source;
        }
        steps += (double)b->B * (longest.target + longest.source);
    }
    return 1 - tokens / steps;
}

Batches batches_new(const Task *task, uint64_t seed, int B)
{
    Batches b = {.task = task, .seed = seed, .B = B, .pool = -1, .epoch = -1};
    CHECK(B >= 1, "batches_new: %d sequences a batch", B);
    if (!task->items) return b;
    const int n = task->items(task, SPLIT_TRAIN), fit = n / B;
    b.pool_batches = fit < 1 ? 1 : fit < POOL_BATCHES ? fit : POOL_BATCHES;
    b.item = xcalloc((size_t)b.pool_batches, (size_t)B * sizeof *b.item);
    b.order = xcalloc((size_t)n, sizeof *b.order);
    fill_pool(&b, 0);
    b.by_length = padding(&b) > LITTLE_PADDING;
    b.pool = -1;
    return b;
}

void batches_draw(Batches *b, int length, int step, int part, int parts, Batch *out)
{
    CHECK(step >= 1 && part >= 0 && part < parts && b->B % parts == 0,
          "batches_draw: step %d, part %d of %d of %d sequences", step, part, parts, b->B);
    const int B = b->B / parts;
    if (b->pool_batches == 0) {
        if (part == 0) b->rng = rng_make(b->seed, RNG_BATCH, (uint32_t)step);
        task_batch(b->task, SPLIT_TRAIN, length, &b->rng, B, out);
        return;
    }
    const int64_t pool = (step - 1) / b->pool_batches;
    if (b->pool != pool) fill_pool(b, pool);
    const int *item = b->item + (size_t)((step - 1) % b->pool_batches) * b->B + (size_t)part * B;
    task_numbered(b->task, SPLIT_TRAIN, length, item, B, out);
}
