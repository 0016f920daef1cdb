/* Reads whole files, and writes files so that a reader never sees half a file; the same for JSON. */
#ifndef FILE_H
#define FILE_H

#include <jansson.h>
#include <stdio.h>

#include "base/base.h"

/* Reads a whole file ("-": standard input) into *data (free() it; a 0 byte follows that *len does
 * not count). An error names path and reason; a directory, or more than max bytes, is one. */
bool file_read(const char *path, size_t max, char **data, size_t *len, Error *err);

/* The same from where an open descriptor stands; name is for the error. */
bool file_read_open(int fd, const char *name, size_t max, char **data, size_t *len, Error *err);

/* The same for the files of a run: a pipe or device is an error, so that the program never waits for one. */
bool file_read_regular(const char *path, size_t max, char **data, size_t *len, Error *err);

/* The bytes of a file, mapped (pages are read as they are touched) and read-only. A pipe or device is an error.
 * A program that finds a mapped file shorter than it was ends with a message and status 1. */
typedef struct {
    char *bytes;
    size_t len;
    bool mapped;
} FileMap;
bool file_map(const char *path, size_t max, FileMap *map, Error *err); /* errors as of file_read */
/* Maps only the first bytes, at most `most`; sets *size to the size of the whole file. */
bool file_map_start(const char *path, size_t most, FileMap *map, size_t *size, Error *err);
void file_unmap(FileMap *map);
/* Says that bytes were copied out: their pages need not stay in memory (they are read again if touched). */
void file_map_done(const FileMap *map, const void *from, size_t len);

/* Replaces a file atomically: the bytes go to PATH.tmp.PID, which is synced, renamed to PATH, and
 * the directory synced. After a failure or a kill the file is the old one or the new one, never a
 * mixture; after a failure the temporary file is gone. A PATH that is a symbolic link is replaced by
 * the file; what it points to stays as it is. The new file's mode is 0666 less the umask. */
bool file_write(const char *path, const void *data, size_t len, Error *err);

/* The same for a file that is written piece by piece and never whole in memory:
 *
 *     FileWriter w = file_begin(path);
 *     file_put(&w, header, n); ... file_put(&w, values, size);
 *     ok = file_end(&w, err);
 *
 * The first failure is remembered: later pieces are passed over, and file_end reports it, removes the
 * temporary file and leaves the older one as it was. path must live as long as w. */
typedef struct {
    const char *path;
    char *temp; /* PATH.tmp.PID */
    int fd;
    int reason; /* errno of the first failure, or 0 */
} FileWriter;
FileWriter file_begin(const char *path);
void file_put(FileWriter *w, const void *data, size_t len);
void file_put_at(FileWriter *w, size_t at, const void *data, size_t len); /* over earlier bytes */
void file_flush_begin(
    FileWriter *w); /* what was put starts on its way to the disk; returns at once */
bool file_end(FileWriter *w, Error *err);

/* A new file PATH.tmp.PID to write to and read, *temp its name (free() it); one that is there is removed, and no link
 * is followed. Rename it to PATH when it is whole. -1 on failure, with errno set; *temp is NULL if
 * memory was missing. */
int file_temporary(const char *path, char **temp);

/* All bytes to a descriptor. On failure errno is set. */
bool file_write_all(int fd, const void *data, size_t len);
bool file_sync(int fd); /* fsync, likewise */

/* Writes what print(f, arg) prints, likewise. */
bool file_print(const char *path, void (*print)(FILE *f, const void *arg), const void *arg,
                Error *err);

bool file_exists(const char *path);
bool file_same(const char *a, const char *b); /* both names are there and lead to one file */
bool dir_make(const char *path, Error *err);  /* and its parents; fine if it is there */
bool dir_is_empty(const char *path);          /* also if it is not there */

/* JSON by jansson, of regular files of at most JSON_MOST bytes. Duplicate keys are an error; errors give path, line and column. */
enum { JSON_MOST = 64 << 20 };                   /* a tokenizer with a large vocabulary has 35 MB */
json_t *json_read(const char *path, Error *err); /* NULL on failure */
bool json_write(const char *path, const json_t *value, Error *err); /* indented, atomic */

/* --- shared by file*.c ------------------------------------------------------------------------ */

/* Opens a regular file and sets *len to its size. Returns -1 with an error if it is something else. */
int file_open_regular(const char *path, size_t *len, Error *err);
/* Sets the error "cannot be read" with the reason of errno. Returns false. */
bool file_unreadable(const char *name, Error *err);

#endif
