#include "tasks/tasks.h"

#include <string.h>

static const struct {
    const char *name;
    Task (*make)(int length);
    int length, shortest, longest; /* the default; the range: shorter ones are too few to split */
} tasks[] = {
    {"adding", task_adding, 100, 2, TASK_LONGEST},           /* steps */
    {"copy-memory", task_copy_memory, 100, 1, TASK_LONGEST}, /* steps of delay */
    {"parity", task_parity, 20, 7, TASK_LONGEST},            /* bits */
    {"dyck", task_dyck, 32, 10, TASK_LONGEST},               /* brackets */
    {"agreement", task_agreement, 32, 8, TASK_LONGEST},      /* words */
    {"recall", task_recall, 8, 2, RECALL_LONGEST},           /* pairs */
    {"induction", task_induction, 48, 25, TASK_LONGEST},     /* steps; 25 leaves one scored */
    {"shift", task_shift, 8, 1, SHOTS_LONGEST},              /* examples */
    {"labels", task_labels, 16, 2, SHOTS_LONGEST},           /* examples */
};
const char *const task_names =
    "adding|copy-memory|parity|dyck|agreement|recall|induction|shift|labels";

bool task_open(Task *t, const char *name, int length, Error *err)
{
    for (int i = 0; i < LEN(tasks); i++) {
        if (strcmp(tasks[i].name, name) != 0) continue;
        if (length == 0) length = tasks[i].length;
        if (length < tasks[i].shortest || length > tasks[i].longest)
            return error_set(err, "task %s: length %d; must be %d to %d", name, length,
                             tasks[i].shortest, tasks[i].longest);
        *t = tasks[i].make(length);
        t->name = tasks[i].name;
        t->shortest = tasks[i].shortest;
        if (t->longest == 0) t->longest = tasks[i].longest;
        return true;
    }
    return error_set(err, "there is no task \"%s\": choose one of %s", name, task_names);
}

bool task_exists(const char *name)
{
    for (int i = 0; i < LEN(tasks); i++)
        if (strcmp(tasks[i].name, name) == 0) return true;
    return false;
}
