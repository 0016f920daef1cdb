/* Tables of pairs, read from a file or generated, before they are cut into pieces and split. */
#ifndef PAIRS_TABLE_H
#define PAIRS_TABLE_H

#include "base/base.h"
#include "data/input.h"

typedef struct {
    char *bytes; /* source, 0, target, 0, source, 0, target, 0, ... */
    size_t len, room;
    int n;
    int further;        /* lines with text after a second tab, which is not read */
    InputFaults faults; /* of the file */
} Table;

enum { PAIR_LINE_MOST = 1 << 20 }; /* bytes of a line */

/* A line "source TAB target", cut into its columns: without carriage returns at its end and without spaces
 * around each column. Only the newline ends a line. */
typedef struct {
    const char *text[2]; /* in the line, not terminated */
    size_t len[2];
    int columns; /* 0: an empty line; 1: no tab, text[0] is the whole line; 3: more, not read */
} PairLine;

/* Cuts a line; a typed line and a line of a file are cut alike. Returns what is wrong with it, for a message
 * that names the line, or NULL: a 0 byte, a carriage return within it (lines of an old Macintosh), or too
 * many bytes. */
const char *pair_line_cut(const char *line, size_t len, PairLine *cut);

/* Reads lines "source TAB target"; further columns are counted and ignored. Drops a byte order mark and empty
 * lines. Errors: an unreadable file, a line without a tab or one that pair_line_cut refuses (the message
 * has its number). *t must be {0} before; the caller frees it with table_free, also after an error. */
bool table_read(Table *t, const char *path, Error *err);
void table_dates(Table *t);   /* 1900-01-01 .. 2099-12-28, days 1 .. 28, in three forms each */
void table_numbers(Table *t); /* 0 .. 9999 */
void table_free(Table *t);

#endif
