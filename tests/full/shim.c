/* fail.so: system calls and allocations that fail on demand, for LD_PRELOAD. It replaces functions of the C library by
 * ones that count their calls and let those fail that the plan (plan.h) names. Programs that the program starts run
 * without it. */
#include "plan.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static Plan *plan;
static char preload[4096]; /* the path of fail.so */
static int (*real_main)(int, char **, char **);

static void begin(void)
{
    const char *path = getenv(PLAN_VARIABLE), *self = getenv("LD_PRELOAD");
    snprintf(preload, sizeof preload, "%s", self ? self : "");
    const int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0) : -1;
    unsetenv("LD_PRELOAD");
    if (fd < 0) return;
    void *at = mmap(NULL, sizeof(Plan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    syscall(SYS_close, fd);
    if (at != MAP_FAILED) plan = at;
}

static int begin_and_main(int argc, char **argv, char **env)
{
    begin();
    return real_main(argc, argv, env);
}

int __libc_start_main(int (*)(int, char **, char **), int, char **, void (*)(void), void (*)(void),
                      void (*)(void), void *);

/* Counts from main on: what fails before, in the constructors of libraries, is not the program's to handle. */
int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*end)(void), void *stack)
{
    int (*start)(int (*)(int, char **, char **), int, char **, void (*)(void), void (*)(void),
                 void (*)(void), void *);
    *(void **)&start = dlsym(RTLD_NEXT, "__libc_start_main");
    real_main = main;
    return start(begin_and_main, argc, argv, init, fini, end, stack);
}

/* A program that starts itself again keeps the shim; the counts go on. */
int execv(const char *path, char *const *argv)
{
    setenv("LD_PRELOAD", preload, 1);
    return (int)syscall(SYS_execve, path, argv, environ);
}

/* Writes the path behind a descriptor. */
static void note_where(const char *path, int fd)
{
    if (path) {
        strncpy(plan->where, path, sizeof plan->where - 1);
    } else if (fd >= 0) {
        char link[32];
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        syscall(SYS_readlink, link, plan->where, sizeof plan->where - 1);
    }
}

/* Counts a call. Returns 0 if it is to succeed, else how it fails; errno is set if that is an error. */
static int failing(Call kind, const char *path, int fd)
{
    if (!plan || !(plan->kinds >> kind & 1)) return 0;
    const int number = __atomic_add_fetch(&plan->calls, 1, __ATOMIC_SEQ_CST);
    if (number <= MOST_CALLS) plan->kind[number - 1] = (unsigned char)kind;
    if (!plan->at || number < plan->at) return 0;
    if (number > plan->at && !(plan->sticky && kind == plan->kind[plan->at - 1])) return 0;
    if (plan->fired++ == 0) note_where(path, fd);
    if (plan->how == FAIL_SIGNAL) return kill(getpid(), plan->signal), 0;
    if (plan->how > 0) errno = plan->how;
    return plan->how;
}

/* --- files ---------------------------------------------------------------------------------------- */

static int open_at(int dir, const char *path, int flags, mode_t mode)
{
    const bool writes = flags & (O_CREAT | O_WRONLY | O_RDWR);
    if (failing(writes ? CALL_OPEN : CALL_OPEN_TO_READ, path, -1) > 0) return -1;
    return (int)syscall(SYS_openat, dir, path, flags, mode);
}

static mode_t mode_of(int flags, va_list args)
{
    return flags & (O_CREAT | __O_TMPFILE) ? va_arg(args, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    const mode_t mode = mode_of(flags, args);
    va_end(args);
    return open_at(AT_FDCWD, path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    const mode_t mode = mode_of(flags, args);
    va_end(args);
    return open_at(dir, path, flags, mode);
}

ssize_t read(int fd, void *bytes, size_t n)
{
    const int how = failing(CALL_READ, NULL, fd);
    return how > 0 ? -1 : syscall(SYS_read, fd, bytes, how == FAIL_SHORT ? (n + 1) / 2 : n);
}

ssize_t pread(int fd, void *bytes, size_t n, off_t at)
{
    const int how = failing(CALL_READ, NULL, fd);
    return how > 0 ? -1 : syscall(SYS_pread64, fd, bytes, how == FAIL_SHORT ? (n + 1) / 2 : n, at);
}

ssize_t write(int fd, const void *bytes, size_t n)
{
    const int how = failing(CALL_WRITE, NULL, fd);
    return how > 0 ? -1 : syscall(SYS_write, fd, bytes, how == FAIL_SHORT ? (n + 1) / 2 : n);
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
    const int how = failing(CALL_WRITE, NULL, fd);
    return how > 0 ? -1 : syscall(SYS_pwrite64, fd, bytes, how == FAIL_SHORT ? (n + 1) / 2 : n, at);
}

int fsync(int fd)
{
    return failing(CALL_SYNC, NULL, fd) > 0 ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    return failing(CALL_SYNC, NULL, fd) > 0 ? -1 : (int)syscall(SYS_fdatasync, fd);
}

/* A close that fails also closes. */
int close(int fd)
{
    const int how = failing(CALL_CLOSE, NULL, fd), why = errno;
    const int status = (int)syscall(SYS_close, fd);
    if (how > 0) errno = why;
    return how > 0 ? -1 : status;
}

int rename(const char *from, const char *to)
{
    if (failing(CALL_RENAME, to, -1) > 0) return -1;
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    if (failing(CALL_RENAME, to, -1) > 0) return -1;
    return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 0);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    if (failing(CALL_RENAME, to, -1) > 0) return -1;
    return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

int mkdir(const char *path, mode_t mode)
{
    return failing(CALL_MKDIR, path, -1) > 0 ? -1 : (int)syscall(SYS_mkdir, path, mode);
}

int mkdirat(int dir, const char *path, mode_t mode)
{
    return failing(CALL_MKDIR, path, -1) > 0 ? -1 : (int)syscall(SYS_mkdirat, dir, path, mode);
}

int ftruncate(int fd, off_t len)
{
    return failing(CALL_TRUNCATE, NULL, fd) > 0 ? -1 : (int)syscall(SYS_ftruncate, fd, len);
}

int unlink(const char *path)
{
    return failing(CALL_UNLINK, path, -1) > 0 ? -1 : (int)syscall(SYS_unlink, path);
}

int unlinkat(int dir, const char *path, int flags)
{
    return failing(CALL_UNLINK, path, -1) > 0 ? -1 : (int)syscall(SYS_unlinkat, dir, path, flags);
}

/* --- memory ----------------------------------------------------------------------------------- */

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t),
    *__libc_memalign(size_t, size_t);

void *malloc(size_t size)
{
    return failing(CALL_ALLOCATE, NULL, -1) > 0 ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return failing(CALL_ALLOCATE, NULL, -1) > 0 ? NULL : __libc_calloc(count, size);
}

void *realloc(void *p, size_t size)
{
    return failing(CALL_ALLOCATE, NULL, -1) > 0 ? NULL : __libc_realloc(p, size);
}

void *aligned_alloc(size_t align, size_t size)
{
    return failing(CALL_ALLOCATE, NULL, -1) > 0 ? NULL : __libc_memalign(align, size);
}

int posix_memalign(void **p, size_t align, size_t size)
{
    if (failing(CALL_ALLOCATE, NULL, -1) > 0) return ENOMEM;
    *p = __libc_memalign(align, size);
    return *p ? 0 : ENOMEM;
}
