/* System calls that fail on demand. They replace those of the library, so file.c calls them. */
#ifndef FILE_SHIM_H
#define FILE_SHIM_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/base.h"

typedef struct {
    bool on, interrupt;      /* interrupt: every third read or write */
    size_t most;             /* bytes that a read or write may move; 0: any */
    int calls, fail_at, why; /* call number fail_at fails with errno = why */
    char trace[32];          /* the calls, by letter */
} Shim;

static Shim shim;

static inline bool shim_fails(char letter)
{
    if (!shim.on) return false;
    if (shim.calls < LEN(shim.trace) - 1) shim.trace[shim.calls] = letter;
    shim.calls++;
    const bool moves = letter == 'r' || letter == 'w';
    const bool fails = shim.calls == shim.fail_at;
    const bool interrupted = shim.interrupt && moves && shim.calls % 3 == 0;
    errno = fails ? shim.why : interrupted ? EINTR : errno;
    return fails || interrupted;
}

static inline size_t shim_size(size_t n)
{
    return shim.on && shim.most && n > shim.most ? shim.most : n;
}

ssize_t read(int fd, void *bytes, size_t n)
{
    return shim_fails('r') ? -1 : syscall(SYS_read, fd, bytes, shim_size(n));
}

ssize_t write(int fd, const void *bytes, size_t n)
{
    return shim_fails('w') ? -1 : syscall(SYS_write, fd, bytes, shim_size(n));
}

int fsync(int fd)
{
    return shim_fails('f') ? -1 : (int)syscall(SYS_fsync, fd);
}

int close(int fd)
{
    const int status = (int)syscall(SYS_close, fd); /* a close that fails also closes */
    return shim_fails('c') ? -1 : status;
}

int rename(const char *from, const char *to)
{
    return shim_fails('n') ? -1 : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

#endif
