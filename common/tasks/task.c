#include "tasks/task.h"

static int batch_begin(const Task *t, int length, int B, Batch *out) /* returns the true length */
{
    if (length == 0) length = t->length;
    CHECK(length >= t->shortest && (t->longest == 0 || length <= t->longest),
          "task %s: length %d, must be %d to %d", t->name, length, t->shortest, t->longest);
    batch_resize(out, t, length + t->extra, B);
    if (t->source_vocab) batch_source(out, length);
    return length;
}

/* Time comes first: the steps that no sequence uses are the end of every array. */
static void batch_trim(Batch *b, int longest)
{
    b->T = longest;
    if (b->S == 0) return;
    b->S = 1;
    for (int i = 0; i < b->B; i++)
        if (b->s_len[i] > b->S) b->S = b->s_len[i];
}

void task_batch(const Task *t, Split split, int length, Rng *rng, int B, Batch *out)
{
    int longest = 1;
    length = batch_begin(t, length, B, out);
    for (int b = 0; b < B; b++) {
        const int n = t->draw(t, split, length, rng, out, b);
        if (n > longest) longest = n;
    }
    batch_trim(out, longest);
}

void task_heldout(const Task *t, Split split, int length, int first, int B, Batch *out)
{
    enum { SEED = 12345 };
    int longest = 1;
    length = batch_begin(t, length, B, out);
    for (int b = 0; b < B; b++) {
        Rng rng = rng_make((uint64_t)SEED + split, RNG_TASK, (uint32_t)(first + b));
        const int n = t->draw(t, split, length, &rng, out, b);
        if (n > longest) longest = n;
    }
    batch_trim(out, longest);
}

void task_close(Task *t)
{
    if (t->free) t->free(t);
    *t = (Task){0};
}
