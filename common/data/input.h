/* Reads what a user gives as data: texts and pairs in a file, a directory or standard input, and lines that
 * are typed. Every program reads its data here, so that all of it is treated alike. */
#ifndef INPUT_H
#define INPUT_H

#include <stdio.h>

#include "system/utf8.h"

/* The bytes of a file that are no character of a text. */
typedef struct {
    char *file; /* its name; NULL if there are no such bytes; owned */
    Utf8Faults utf8;
} InputFaults;
void input_faults_free(InputFaults *f);

typedef struct {
    char *data; /* a 0 byte follows that len does not count */
    size_t len;
    InputFaults
        faults; /* of a directory: of its first file that has any, with the sums over all files */
    int files, others; /* of a directory: the files that were read, the entries that were not */
} Input;

/* Frees an Input. */
void input_free(Input *in);
/* Moves the faults out of an Input: the caller owns them. */
InputFaults input_faults_take(Input *in);

/* Reads a whole file, "-" for standard input, without the byte order mark. Errors: unreadable, a directory,
 * more than max bytes, a device that is no terminal (a pipe and a terminal are read to their ends). */
bool input_read(const char *path, size_t max, Input *in, Error *err);

/* Reads the *.md files of a directory, each without its byte order mark, sorted by the bytes of their names.
 * A newline is added after a file that does not end with one. Names that begin with a dot and entries with
 * another ending are passed over and counted. Errors: unreadable, a *.md entry that is no file, no *.md
 * file. */
bool input_read_directory(const char *path, size_t max, Input *in, Error *err);

/* Returns true if reading a path may wait for somebody: standard input, a pipe or a terminal. */
bool input_may_wait(const char *path);

/* One line at a time. Initialise with {0}; free text. */
typedef struct {
    char *text; /* without the newline and the byte order mark; it may contain 0 bytes */
    size_t len;
    int64_t number; /* of the line, from 1 */
    bool too_long;  /* the line has more than `most` bytes; text is its beginning */
    size_t room;
} InputLine;

/* Reads the next line, at most `most` bytes of it. Returns false at the end and after a failure (ferror). */
bool input_line(FILE *f, size_t most, InputLine *line);

#endif
