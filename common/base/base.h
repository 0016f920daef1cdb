/* Checks, errors and allocation, for every file.
 *
 * There are two kinds of failure. A programmer's mistake (shapes that do not fit, an id outside the
 * vocabulary) is a failed CHECK: it prints what and where, and aborts; it is never compiled out.
 * A user's or machine's failure (file, option, disk) is returned as false with an Error; only
 * programs print it and exit. The one exception is size: when no memory is left, or a tensor would have
 * more numbers than an int counts, too_large says what was asked for and exits with status 1. */
#ifndef BASE_H
#define BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEN(array)             ((int)(sizeof(array) / sizeof *(array)))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

#define CHECK(condition, ...)                                                                      \
    do {                                                                                           \
        if (!(condition)) check_failed(__FILE__, __LINE__, __VA_ARGS__);                           \
    } while (0)
_Noreturn void check_failed(const char *file, int line, const char *fmt, ...) PRINTF_LIKE(3, 4);

typedef struct {
    char text[768]; /* what, where, why, what to do; no newline */
} Error;

/* Writes the message and returns false, so that a function can `return error_set(err, ...)`. What it
 * quotes may come from a file: control characters become escapes (say.h). */
bool error_set(Error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
bool error_in(Error *err, const char *where); /* puts "where: " before the message; returns false */

/* Ends the program at once, with status 1, whatever its other threads do: "PROGRAM: error: WHAT; use a
 * smaller model or less data, or train with a smaller --batch or --seq-len". What waits to be written to stdout is written. */
_Noreturn void too_large(const char *what, ...) PRINTF_LIKE(1, 2);

/* Exit statuses of every program. */
enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_NUMERIC = 3, EXIT_SIGNAL = 128 };

/* The x functions never return NULL: where memory is missing they end the program (too_large). Under a
 * limit a large block also fails if it would leave too little for the libraries, which may crash without. */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size); /* zeroed */
void *xrealloc(void *p, size_t size);
void *xaligned(size_t size); /* at least 64-byte aligned, uninitialised; free() it */
char *xstrdup(const char *s);
char *xformat(const char *fmt, ...) PRINTF_LIKE(1, 2); /* a new string; free() it */

/* True if the system limits this program's memory (ulimit -v or -d, no overcommitment), so that asking for
 * some can fail. */
bool memory_limited(void);
void memory_check(
    size_t size); /* too_large if so many bytes, and some for the libraries, are not there */

double clock_seconds(void); /* monotonic, for durations */

#endif
