/* Helpers of the tests of pairs. */
#ifndef PAIRS_HELP_H
#define PAIRS_HELP_H

#include <unistd.h>

#include "data/pairs.h"
#include "suite.h"

typedef struct {
    Pairs pairs;
    Task task; /* borrows pairs, so this struct must not be moved */
} Opened;

static inline Opened *open_pairs(const PairsConfig *c)
{
    Opened *o = xmalloc(sizeof *o);
    Error err;
    ck_assert_msg(pairs_open(&o->pairs, &o->task, c, NULL, NULL, &err), "%s", err.text);
    return o;
}

static inline Opened *open_named(const char *task)
{
    PairsConfig c = pairs_defaults();
    c.task = task;
    return open_pairs(&c);
}

static inline void close_pairs(Opened *o)
{
    pairs_close(&o->pairs);
    task_close(&o->task);
    free(o);
}

/* Opens pairs, which must fail, and returns the message. */
static inline const char *why_not(const PairsConfig *c)
{
    static Error err;
    Pairs p;
    Task t;
    ck_assert(!pairs_open(&p, &t, c, NULL, NULL, &err));
    return err.text;
}

static inline int at(const Batch *b, int t, int column)
{
    return t * b->B + column;
}

static inline int steps(const Batch *b, int column) /* steps of the target, EOS included */
{
    int n = 0;
    while (n < b->T && b->y[at(b, n, column)] >= 0) n++;
    return n;
}

/* Checks the layout that every model relies on: x = BOS y1 .. yn, y = y1 .. yn EOS, the padding
 * after the end, and a batch as long as its longest sequences. */
static inline void ck_layout(const Task *t, const Batch *b)
{
    int longest = 0, longest_source = 0;
    for (int c = 0; c < b->B; c++) {
        const int n = steps(b, c), S = b->s_len[c];
        ck_assert(n >= 2 && S >= 1 && S <= b->S);
        for (int i = 0; i < b->T; i++) {
            const int x = b->x[at(b, i, c)], y = b->y[at(b, i, c)];
            ck_assert_int_eq(x, i == 0 ? BOS : i < n ? b->y[at(b, i - 1, c)] : PAD);
            ck_assert(i >= n ? y == -1 : i == n - 1 ? y == EOS : y >= UNK && y < t->outputs);
        }
        for (int i = 0; i < b->S; i++) {
            const int s = b->s[at(b, i, c)];
            ck_assert(i >= S ? s == PAD : s >= UNK && s < t->source_vocab);
        }
        if (n > longest) longest = n;
        if (S > longest_source) longest_source = S;
    }
    ck_assert(longest == b->T && longest_source == b->S);
}

#endif
