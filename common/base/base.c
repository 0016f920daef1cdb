#include "base/base.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/say.h"

/* Large blocks ask for huge pages: a step that touches its memory for the first time is spared
 * thousands of page faults, and later ones most misses of the address cache. */
enum { CACHE_LINE = 64, HUGE_PAGE = 2 << 20 };

void check_failed(const char *file, int line, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fflush(stdout);
    fprintf(stderr, "%s:%d: ", file, line);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    abort();
}

bool error_set(Error *err, const char *fmt, ...)
{
    char text[sizeof err->text];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    say_escape(err->text, sizeof err->text, text);
    return false;
}

bool error_in(Error *err, const char *where)
{
    const Error why = *err;
    return error_set(err, "%s: %s", where, why.text);
}

/* Prints the message and leaves by _exit: another thread may be at work in a library, which exit would take
 * down under it. The message is one write, from memory that is there already; of several threads the first
 * one tells. */
static _Noreturn void end_program(const char *why, const char *advice)
{
    static atomic_flag told = ATOMIC_FLAG_INIT;
    while (atomic_flag_test_and_set(&told)) pause();
    char line[768], name[150];
    fflush(stdout);
    say_escape(name, sizeof name, program_invocation_name);
    const int len = snprintf(line, sizeof line, "%s: error: %s; %s\n", name, why, advice);
    const ssize_t written = write(STDERR_FILENO, line, (size_t)len);
    (void)written; /* there is nobody else to tell */
    _exit(EXIT_FAILED);
}

void too_large(const char *what, ...)
{
    char why[512];
    va_list ap;
    va_start(ap, what);
    vsnprintf(why, sizeof why, what, ap);
    va_end(ap);
    end_program(why,
                "use a smaller model or less data, or train with a smaller --batch or --seq-len");
}

/* --- memory ----------------------------------------------------------------------------------- */

/* Bytes that stay free under a limit, for stacks, for what the kernels of the matrix library are made in, for
 * messages and saves: they break off in the middle where memory is missing, and some of them crash. */
enum { RESERVE = 16 << 20, LARGE = 1 << 17 };

static bool has_limit(int resource)
{
    struct rlimit limit;
    return getrlimit(resource, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

bool memory_limited(void)
{
    enum { UNKNOWN, FREE, LIMITED };
    static atomic_int known = UNKNOWN;
    if (known == UNKNOWN) {
        int overcommit = 0; /* 2: the system promises no more than it has */
        FILE *f = fopen("/proc/sys/vm/overcommit_memory", "r");
        if (f && fscanf(f, "%d", &overcommit) != 1) overcommit = 0;
        if (f) fclose(f);
        known = has_limit(RLIMIT_AS) || has_limit(RLIMIT_DATA) || overcommit == 2 ? LIMITED : FREE;
    }
    return known == LIMITED;
}

void memory_check(size_t size)
{
    const size_t all = size > SIZE_MAX - RESERVE ? SIZE_MAX : size + RESERVE;
    if (!memory_limited()) return;
    void *p = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED && size == 0)
        end_program("out of memory: the limit of this program's memory (ulimit -v or -d) leaves "
                    "less than 16 MB",
                    "raise the limit");
    if (p == MAP_FAILED) too_large("out of memory: %zu bytes asked for", size);
    munmap(p, all);
}

static void *allocated(void *p, size_t size)
{
    if (!p && size) too_large("out of memory: %zu bytes asked for", size);
    return p;
}

void *xmalloc(size_t size)
{
    if (size >= LARGE) memory_check(size);
    return allocated(malloc(size), size);
}

void *xcalloc(size_t count, size_t size)
{
    size_t all;
    if (__builtin_mul_overflow(count, size, &all)) return allocated(NULL, SIZE_MAX);
    if (all >= LARGE) memory_check(all);
    return allocated(calloc(count, size), all);
}

void *xrealloc(void *p, size_t size)
{
    if (size >= LARGE) memory_check(size);
    return allocated(realloc(p, size), size);
}

void *xaligned(size_t size)
{
    const size_t align = size < HUGE_PAGE ? CACHE_LINE : HUGE_PAGE;
    const size_t rounded = (size + align - 1) & ~(align - 1);
    if (size >= LARGE) memory_check(rounded);
    void *p = allocated(rounded < size ? NULL : aligned_alloc(align, rounded), size);
    if (align == HUGE_PAGE) madvise(p, rounded, MADV_HUGEPAGE); /* only a hint */
    return p;
}

char *xstrdup(const char *s)
{
    const size_t size = strlen(s) + 1;
    return memcpy(xmalloc(size), s, size);
}

char *xformat(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const int len = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    CHECK(len >= 0, "xformat: bad format \"%s\"", fmt);
    char *s = xmalloc((size_t)len + 1);
    va_start(ap, fmt);
    vsnprintf(s, (size_t)len + 1, fmt, ap);
    va_end(ap);
    return s;
}

double clock_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
