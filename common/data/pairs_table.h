/* Tables of pairs as they stand in a file or are generated, before anything is cut or split. */
#ifndef PAIRS_TABLE_H
#define PAIRS_TABLE_H

#include "base/base.h"

typedef struct {
    char *bytes; /* source 0 target 0 source 0 target 0 ... */
    size_t len, room;
    int n;
} Table;

/* Lines "source TAB target", further columns ignored; a byte order mark, empty lines and carriage
 * returns at the end of a line are left out, and spaces and carriage returns around each column. Errors:
 * unreadable, a line without a tab or with a 0 byte (its number is named). *t is {0} before; table_free
 * it also after an error. */
bool table_read(Table *t, const char *path, Error *err);
void table_dates(Table *t);   /* 1900-01-01 .. 2099-12-28, days 1 .. 28, in three forms each */
void table_numbers(Table *t); /* 0 .. 9999 */
void table_free(Table *t);

#endif
