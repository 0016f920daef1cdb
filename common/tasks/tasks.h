/* The generated tasks. tasks.c lists them by name and sets name, shortest and, where it is 0,
 * longest; each of these sets the rest, for training sequences of that length. */
#ifndef TASKS_H
#define TASKS_H

#include "tasks/task.h"

/* Of any generated sequence, in steps, and of recall, in pairs: the bounds of arrays on the stack. */
enum { TASK_LONGEST = 4096, RECALL_LONGEST = 256 };

Task task_adding(int length);
Task task_copy_memory(int length);
Task task_parity(int length);
Task task_dyck(int length);
Task task_agreement(int length);
Task task_recall(int length);
Task task_induction(int length);

/* One of the generated tasks by its name in task_names. length 0: the task's own. Errors: another
 * name (the message lists them all), a length that the task does not have. */
bool task_open(Task *t, const char *name, int length, Error *err);
bool task_exists(const char *name);  /* is it one of these? */
extern const char *const task_names; /* "adding|copy-memory|parity| .. |induction" */

#endif
