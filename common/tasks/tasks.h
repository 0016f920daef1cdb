/* The generated tasks. Each function below makes a task for training sequences of that length.
 * tasks.c lists them by name and sets name, shortest and, if it is 0, longest. */
#ifndef TASKS_H
#define TASKS_H

#include "tasks/task.h"

/* The maximal length of a generated sequence, in steps, of recall, in pairs, and of shift and labels,
 * in examples: sizes of arrays on the stack. */
enum { TASK_LONGEST = 4096, RECALL_LONGEST = 256, SHOTS_LONGEST = 63 };

Task task_adding(int length);
Task task_copy_memory(int length);
Task task_parity(int length);
Task task_dyck(int length);
Task task_agreement(int length);
Task task_recall(int length);
Task task_induction(int length);
Task task_shift(int length);
Task task_labels(int length);

/* Opens a generated task by its name in task_names. length 0: the task's default. Errors: an
 * unknown name (the message lists all names), a length that the task does not accept. */
bool task_open(Task *t, const char *name, int length, Error *err);
bool task_exists(const char *name);  /* true for a name in task_names */
extern const char *const task_names; /* "adding|copy-memory|parity| .. |labels" */

#endif
