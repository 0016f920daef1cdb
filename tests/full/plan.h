/* What fail.so (shim.c) does to the program that it is loaded into: which call fails, and how. The test writes the
 * plan into a file, both map it, and the test reads from it what happened. */
#ifndef PLAN_H
#define PLAN_H

#include <stdbool.h>

typedef enum {
    CALL_OPEN, /* with O_CREAT or for writing */
    CALL_OPEN_TO_READ,
    CALL_READ,
    CALL_WRITE,
    CALL_SYNC,
    CALL_CLOSE,
    CALL_RENAME,
    CALL_MKDIR,
    CALL_TRUNCATE,
    CALL_UNLINK,
    CALL_ALLOCATE,
    CALLS
} Call;

#define CALL_NAMES                                                                                 \
    {                                                                                              \
        "open to write", "open to read", "read", "write", "fsync", "close", "rename", "mkdir",     \
            "ftruncate", "unlink", "malloc"                                                        \
    }

enum { FAIL_SHORT = -1, FAIL_SIGNAL = -2 }; /* besides the errors of errno.h */
enum { MOST_CALLS = 1 << 20 };

typedef struct {
    unsigned kinds; /* bit 1 << CALL_*: such calls are counted */
    int at;         /* the number of the call, from 1, that fails; 0: none */
    int how,
        signal;  /* FAIL_SHORT moves half of the bytes; FAIL_SIGNAL sends `signal`, then calls */
    bool sticky; /* all later calls of that kind fail too, as on a full disk */
    int calls, fired; /* from here on written by fail.so: counted calls, calls that failed */
    char where[256];  /* the path of the first that failed, or where its descriptor leads */
    unsigned char kind[MOST_CALLS]; /* of each counted call */
} Plan;

#define PLAN_VARIABLE "LMZOO_TEST_PLAN" /* holds the file's path */

#endif
