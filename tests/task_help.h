/* Helpers of the tests of tasks. */
#ifndef TASK_HELP_H
#define TASK_HELP_H

#include "tasks/tasks.h"
#include "suite.h"
#include "tasks/task.h"

static const char *const names[] = {"adding", "copy-memory", "parity", "dyck",  "agreement",
                                    "recall", "induction",   "shift",  "labels"};

static inline Task open_task(const char *name, int length)
{
    Task t;
    Error err;
    ck_assert_msg(task_open(&t, name, length, &err), "%s", err.text);
    return t;
}

static inline int at(const Batch *b, int t, int column)
{
    return t * b->B + column;
}

static inline int steps(const Batch *b,
                        int column) /* without the padding: the last step is scored */
{
    int n = b->T;
    while (n > 0 && b->y[at(b, n - 1, column)] < 0) n--;
    return n;
}

static inline real *logits_new(const Task *t, const Batch *b)
{
    return xcalloc((size_t)b->T * b->B, (t->outputs ? t->outputs : 1) * sizeof(real));
}

#endif
