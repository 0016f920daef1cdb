/* The generated tasks. task.c lists them by name and sets name, shortest and longest; each of these
 * sets the rest, for training sequences of that length. */
#ifndef TASKS_H
#define TASKS_H

#include "task.h"

enum { TASK_LONGEST = 4096 }; /* of any generated sequence: the bound of arrays on the stack */

Task task_adding(int length);
Task task_copy_memory(int length);
Task task_parity(int length);
Task task_dyck(int length);
Task task_agreement(int length);

#endif
