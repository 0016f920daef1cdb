/* Copy, reverse, sort: pairs that are generated without end. */
#include "data/pairs_drawn.h"

#include <string.h>

#include "tasks/tasks.h"

enum { SYMBOLS = 20, SHORTEST = 3, ALL_IN_TRAINING = 2 };

/* Each of these writes the target y of a source x, both of n ids. */
static void copy(const int *x, int n, int *y)
{
    for (int i = 0; i < n; i++) y[i] = x[i];
}

static void reverse(const int *x, int n, int *y)
{
    for (int i = 0; i < n; i++) y[i] = x[n - 1 - i];
}

static void sort(const int *x, int n, int *y) /* by counting */
{
    int count[FIRST_PIECE + SYMBOLS] = {0}, k = 0;
    for (int i = 0; i < n; i++) count[x[i]]++;
    for (int id = FIRST_PIECE; id < LEN(count); id++)
        for (int i = 0; i < count[id]; i++) y[k++] = id;
}

static int draw_pair(void (*write)(const int *, int, int *), const Draw *draw, Batch *batch, int b)
{
    Rng *rng = draw->rng;
    const int n = draw->split == SPLIT_TRAIN ? 1 + rng_below(rng, draw->length) : draw->length;
    int source[TASK_LONGEST], target[TASK_LONGEST];
    do
        for (int i = 0; i < n; i++) source[i] = FIRST_PIECE + rng_below(rng, SYMBOLS);
    while (n > ALL_IN_TRAINING && split_of(source, n) != draw->split);
    write(source, n, target);
    return pair_put(source, n, target, n, batch, b);
}

static int draw_copy(const Task *t, const Draw *draw, Batch *batch, int b)
{
    (void)t;
    return draw_pair(copy, draw, batch, b);
}

static int draw_reverse(const Task *t, const Draw *draw, Batch *batch, int b)
{
    (void)t;
    return draw_pair(reverse, draw, batch, b);
}

static int draw_sort(const Task *t, const Draw *draw, Batch *batch, int b)
{
    (void)t;
    return draw_pair(sort, draw, batch, b);
}

int pair_put(const int *source, int n_source, const int *target, int n_target, Batch *batch, int b)
{
    for (int i = 0; i < n_source; i++) batch->s[batch_source_at(batch, i, b)] = source[i];
    batch->s_len[b] = n_source;
    for (int i = 0; i <= n_target; i++) {
        batch->x[batch_at(batch, i, b)] = i == 0 ? BOS : target[i - 1];
        batch->y[batch_at(batch, i, b)] = i == n_target ? EOS : target[i];
    }
    return n_target + 1;
}

/* Sets the lengths that eval reports, from a quarter of the training length to three times the
 * length: 5 10 15 20 25 30 40 60 for 20. */
static void set_lengths(Task *t, int length)
{
    static const int quarters[] = {1, 2, 3, 4, 5, 6, 8, 12};
    for (int k = 0; k < LEN(quarters); k++) {
        const int n = (length * quarters[k] + 2) / 4;
        const bool again = t->n_lengths && t->lengths[t->n_lengths - 1] == n;
        if (n < SHORTEST || n > TASK_LONGEST || again) continue;
        CHECK(t->n_lengths < TASK_LENGTHS, "task %s: more than %d lengths", t->name, TASK_LENGTHS);
        t->lengths[t->n_lengths++] = n;
    }
}

static const struct {
    const char *name;
    int (*draw)(const Task *t, const Draw *draw, Batch *batch, int b);
} kinds[] = {{"copy", draw_copy}, {"reverse", draw_reverse}, {"sort", draw_sort}};

bool drawn_task(Task *t, const char *name, int length, Error *err)
{
    enum { LENGTH = 20 };
    if (length == 0) length = LENGTH;
    if (length < SHORTEST || length > TASK_LONGEST)
        return error_set(err, "task %s: length %d; must be %d to %d", name, length, SHORTEST,
                         TASK_LONGEST);
    t->length = length;
    t->extra = 1; /* EOS */
    t->shortest = SHORTEST;
    t->longest = TASK_LONGEST;
    t->draw = NULL;
    for (int i = 0; i < LEN(kinds); i++)
        if (strcmp(kinds[i].name, name) == 0) t->draw = kinds[i].draw;
    CHECK(t->draw, "drawn_task: there is no task %s", name);
    set_lengths(t, length);
    return true;
}

Tokenizer drawn_tokens(void)
{
    static const char *const letters[SYMBOLS] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j",
                                                 "k", "l", "m", "n", "o", "p", "q", "r", "s", "t"};
    return tokenizer_of(token_kind("word"), TOKENS_FRAMED, letters, SYMBOLS);
}
