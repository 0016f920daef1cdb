#include "base/base.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

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

/* Replaces control characters by '?': those of ASCII, and U+0080 to U+009F, which are C2 80 to C2 9F in
 * UTF-8. */
static void disarm(char *text)
{
    for (unsigned char *c = (unsigned char *)text; *c; c++) {
        if (*c < ' ' || *c == 0x7F) *c = '?';
        if (c[0] == 0xC2 && c[1] >= 0x80 && c[1] < 0xA0) c[0] = c[1] = '?';
    }
}

bool error_set(Error *err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    disarm(err->text);
    return false;
}

bool error_in(Error *err, const char *where)
{
    const Error why = *err;
    return error_set(err, "%s: %s", where, why.text);
}

void too_large(const char *what, ...)
{
    va_list ap;
    va_start(ap, what);
    fflush(stdout);
    fprintf(stderr, "%s: error: ", program_invocation_name);
    vfprintf(stderr, what, ap);
    fputs("; use a smaller --batch, --seq-len or model\n", stderr);
    va_end(ap);
    exit(EXIT_FAILED);
}

static void *allocated(void *p, size_t size)
{
    if (!p && size) too_large("out of memory: %zu bytes asked for", size);
    return p;
}

void *xmalloc(size_t size)
{
    return allocated(malloc(size), size);
}

void *xcalloc(size_t count, size_t size)
{
    size_t all;
    if (__builtin_mul_overflow(count, size, &all)) return allocated(NULL, SIZE_MAX);
    return allocated(calloc(count, size), all);
}

void *xrealloc(void *p, size_t size)
{
    return allocated(realloc(p, size), size);
}

void *xaligned(size_t size)
{
    const size_t align = size < HUGE_PAGE ? CACHE_LINE : HUGE_PAGE;
    const size_t rounded = (size + align - 1) & ~(align - 1);
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
