/* Batches of a table by length: every item once per epoch, random, exactly repeatable, with little
 * padding. */
#include "tasks/batches.h"

#include <math.h>
#include <stdlib.h>

#include "suite.h"
#include "task_help.h"

enum { B = 64, PAIRS = 29000, POOL = 100 };

/* A table with lengths as in German and English captions: 12 words on average, 44 at most. */
typedef struct {
    int n;
    ItemLength *length;
} Table;

static int table_items(const Task *t, Split split)
{
    (void)split;
    return ((const Table *)t->self)->n;
}

static ItemLength table_length(const Task *t, Split split, int i)
{
    (void)split;
    return ((const Table *)t->self)->length[i];
}

/* All ids of item i are i. */
static int table_draw(const Task *task, const Draw *draw, Batch *batch, int b)
{
    const Table *t = task->self;
    const int item = draw_index(draw, t->n);
    const ItemLength n = t->length[item];
    for (int i = 0; i < n.source; i++) batch->s[batch_source_at(batch, i, b)] = item;
    for (int i = 0; i < n.target; i++)
        batch->x[batch_at(batch, i, b)] = batch->y[batch_at(batch, i, b)] = item;
    batch->s_len[b] = n.source;
    return n.target;
}

static int clipped(double words)
{
    return words < 3 ? 3 : words > 44 ? 44 : (int)words;
}

static Task table_new(Table *table, int n)
{
    Rng rng = rng_make(1, RNG_TEST, 0);
    *table = (Table){n, xcalloc((size_t)n, sizeof *table->length)};
    for (int i = 0; i < n; i++) {
        const double words = exp(log(11.9) + 0.35 * rng_normal(&rng));
        const double other = words * exp(0.15 * rng_normal(&rng));
        table->length[i] = (ItemLength){.source = clipped(words), .target = clipped(other) + 1};
    }
    return (Task){.name = "table",
                  .vocab = n,
                  .outputs = n,
                  .source_vocab = n,
                  .length = 44,
                  .extra = 1,
                  .draw = table_draw,
                  .items = table_items,
                  .item_length = table_length,
                  .self = table};
}

static double tokens_of(const Batch *b)
{
    double n = batch_scored(b);
    for (int i = 0; i < b->B; i++) n += b->s_len[i];
    return n;
}

/* Returns the fraction of all steps, of sources and targets, that is padding. */
START_TEST(little_padding)
{
    Table table;
    const Task t = table_new(&table, PAIRS);
    double words = 0;
    for (int i = 0; i < PAIRS; i++) words += table.length[i].source / (double)PAIRS;
    Batches batches = batches_new(&t, 1337, B);
    Batch batch = batch_new_as(BATCH_MAJOR);
    double steps[2] = {0}, tokens[2] = {0};
    for (int step = 1; step <= PAIRS / B; step++)
        for (int way = 0; way < 2; way++) {
            Rng rng = rng_make(1337, RNG_BATCH, (uint32_t)step);
            if (way)
                batches_draw(&batches, 0, step, 0, 1, &batch);
            else
                task_batch(&t, SPLIT_TRAIN, 0, &rng, B, &batch);
            steps[way] += (double)B * (batch.T + batch.S);
            tokens[way] += tokens_of(&batch);
        }
    const double random = 1 - tokens[0] / steps[0], sorted = 1 - tokens[1] / steps[1];
    printf("%.1f words on average; padding: %.3f at random, %.3f by length\n", words, random,
           sorted);
    ck_assert(random > 0.5 && sorted < 0.15);
    batch_free(&batch), batches_free(&batches), free(table.length);
}
END_TEST

/* A table with one or two lengths is not sorted: sorting would only make the items of a batch
 * similar. */
START_TEST(not_sorted_without_need)
{
    for (int most = 12; most <= 60; most += 48) {
        Table table;
        Task t = table_new(&table, 12800);
        t.length = 60;
        for (int i = 0; i < table.n; i++) table.length[i].target = i % 2 ? most : 10;
        for (int i = 0; i < table.n; i++) table.length[i].source = 10;
        Batches batches = batches_new(&t, 1337, B);
        Batch batch = batch_new();
        int mixed = 0;
        for (int step = 1; step <= POOL; step++) {
            batches_draw(&batches, 0, step, 0, 1, &batch);
            mixed += batch_scored(&batch) < (double)batch.T * B;
        }
        ck_assert(most == 12 ? mixed == POOL : mixed <= 1); /* padding is 0.05; 0.36 */
        batch_free(&batch), batches_free(&batches), free(table.length);
    }
}
END_TEST

/* After any number of pools, the counts of any two items differ by at most one. */
START_TEST(every_item_once_an_epoch)
{
    static const int sizes[] = {3, B, B + 1, 777, 12800};
    for (int k = 0; k < LEN(sizes); k++) {
        const int n = sizes[k], pool = n / B < 1 ? 1 : n / B < POOL ? n / B : POOL;
        Table table;
        const Task t = table_new(&table, n);
        Batches batches = batches_new(&t, 7, B);
        Batch batch = batch_new();
        int *count = xcalloc((size_t)n, sizeof *count);
        for (int step = 1; step <= 5 * pool; step++) {
            batches_draw(&batches, 0, step, 0, 1, &batch);
            ck_assert_int_eq(batch.B, B);
            for (int b = 0; b < B; b++) count[batch.x[b]]++;
        }
        const int least = 5 * pool * B / n;
        for (int i = 0; i < n; i++)
            ck_assert_msg(count[i] == least || count[i] == least + 1, "item %d of %d: %d times", i,
                          n, count[i]);
        free(count), batch_free(&batch), batches_free(&batches), free(table.length);
    }
}
END_TEST

/* A step's batch does not depend on what was drawn before, and differs with the seed and the epoch. */
START_TEST(repeatable)
{
    Table table;
    const Task t = table_new(&table, 5000);
    Batches all = batches_new(&t, 7, B), other = batches_new(&t, 8, B);
    Batch a = batch_new(), b = batch_new(), first = batch_new();
    batches_draw(&all, 0, 1, 0, 1, &first);
    for (int step = 2; step <= 200; step++) {
        batches_draw(&all, 0, step, 0, 1, &a);
        if (step % 23) continue;
        Batches resumed = batches_new(&t, 7, B);
        batches_draw(&resumed, 0, step, 0, 1, &b);
        ck_assert(a.T == b.T && a.S == b.S);
        ck_assert_mem_eq(a.x, b.x, (size_t)a.T * B * sizeof *a.x);
        batches_free(&resumed);
        batches_draw(&other, 0, step, 0, 1, &b);
        ck_assert(memcmp(a.x, b.x, B * sizeof *a.x) != 0);
        ck_assert(memcmp(a.x, first.x, B * sizeof *a.x) != 0);
    }
    batch_free(&a), batch_free(&b), batch_free(&first);
    batches_free(&all), batches_free(&other), free(table.length);
}
END_TEST

/* Lengths do not rise or fall with the steps, within a pool or from one pool to the next. */
START_TEST(lengths_come_at_random)
{
    enum { STEPS = 4 * POOL };
    Table table;
    const Task t = table_new(&table, PAIRS);
    Batches batches = batches_new(&t, 7, B);
    Batch batch = batch_new();
    double T[STEPS], mean = 0, square = 0, next = 0;
    for (int i = 0; i < STEPS; i++) {
        batches_draw(&batches, 0, i + 1, 0, 1, &batch);
        T[i] = batch.T;
        mean += T[i] / STEPS;
    }
    for (int i = 0; i < STEPS; i++) {
        square += (T[i] - mean) * (T[i] - mean);
        if (i) next += (T[i] - mean) * (T[i - 1] - mean);
    }
    ck_assert_double_lt(fabs(next / square), 0.2); /* 4 / sqrt(STEPS) */
    batch_free(&batch), batches_free(&batches), free(table.length);
}
END_TEST

/* Micro-batches are the parts of the batch, for tables and for generated sequences. */
START_TEST(parts_make_the_batch)
{
    enum { PARTS = 4 };
    Table table;
    const Task all[] = {table_new(&table, 500), open_task("parity", 0)};
    for (int k = 0; k < LEN(all); k++) {
        Batches batches = batches_new(&all[k], 7, B);
        Batch whole = batch_new(), part = batch_new();
        batches_draw(&batches, 0, 5, 0, 1, &whole);
        for (int i = 0; i < PARTS; i++) {
            batches_draw(&batches, 0, 5, i, PARTS, &part);
            ck_assert_int_eq(part.B, B / PARTS);
            for (int b = 0; b < part.B; b++)
                for (int t = 0; t < part.T; t++)
                    ck_assert(part.y[batch_at(&part, t, b)] ==
                              whole.y[batch_at(&whole, t, i * part.B + b)]);
        }
        batch_free(&whole), batch_free(&part), batches_free(&batches);
    }
    free(table.length);
}
END_TEST

START_TEST(drawn_without_end)
{
    Task t = open_task("parity", 0);
    Batches batches = batches_new(&t, 7, B);
    Batch a = batch_new(), b = batch_new();
    Rng rng = rng_make(7, RNG_BATCH, 12);
    batches_draw(&batches, 0, 12, 0, 1, &a);
    task_batch(&t, SPLIT_TRAIN, 0, &rng, B, &b);
    ck_assert_int_eq(a.T, b.T);
    ck_assert_mem_eq(a.x, b.x, (size_t)a.T * B * sizeof *a.x);
    int item[] = {2, 0, 1};
    batches_sort(&t, SPLIT_TEST, item, LEN(item));
    ck_assert(item[0] == 2 && item[1] == 0 && item[2] == 1);
    batch_free(&a), batch_free(&b), batches_free(&batches), task_close(&t);
}
END_TEST

SUITE("batches",
      TESTS(little_padding, not_sorted_without_need, every_item_once_an_epoch, repeatable,
            lengths_come_at_random, parts_make_the_batch, drawn_without_end),
      NO_ABORTS)
