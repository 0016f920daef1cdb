/* DIR/.files: the names of the files that programs left in a directory, one a line, so that whoever clears it
 * need not know who writes what there. Each writer notes its own files. */
#ifndef NOTED_H
#define NOTED_H

#include <stdbool.h>

/* Adds a name to the list, once. A list that cannot be written costs nothing but a file that stays. */
void noted_add(const char *dir, const char *name);

bool noted_has(const char *dir, const char *name); /* the name is in the list */

/* Removes the files of the list, and the list. Names that are no plain file names are passed over, whatever
 * wrote them: nothing outside the directory is ever removed. */
void noted_remove(const char *dir);

#endif
