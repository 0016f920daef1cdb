/* Tables of pairs, read from a file or generated, before they are cut into pieces and split. */
#ifndef PAIRS_TABLE_H
#define PAIRS_TABLE_H

#include "base/base.h"

typedef struct {
    char *bytes; /* source, 0, target, 0, source, 0, target, 0, ... */
    size_t len, room;
    int n;
} Table;

/* Reads lines "source TAB target"; further columns are ignored. Drops a byte order mark, empty
 * lines, carriage returns at the end of a line, and spaces and carriage returns around each column.
 * Errors: an unreadable file, a line without a tab or with a 0 byte (the message has its number).
 * *t must be {0} before; the caller frees it with table_free, also after an error. */
bool table_read(Table *t, const char *path, Error *err);
void table_dates(Table *t);   /* 1900-01-01 .. 2099-12-28, days 1 .. 28, in three forms each */
void table_numbers(Table *t); /* 0 .. 9999 */
void table_free(Table *t);

#endif
