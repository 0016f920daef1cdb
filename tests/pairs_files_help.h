/* Helpers of the tests of files with pairs. */
#ifndef PAIRS_FILES_HELP_H
#define PAIRS_FILES_HELP_H

#include "pairs_help.h"

typedef struct {
    char *text;
    size_t len;
} Lines;

static inline void add_line(Lines *l, const char *source, const char *target)
{
    const size_t size = strlen(source) + strlen(target) + 3;
    l->text = xrealloc(l->text, l->len + size);
    l->len += (size_t)snprintf(l->text + l->len, size, "%s\t%s\n", source, target);
}

static inline const char *put_file(const char *bytes, size_t len)
{
    static char path[32];
    snprintf(path, sizeof path, "/tmp/lmzoo-pairs-XXXXXX");
    const int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq((int)write(fd, bytes, len), (int)len);
    ck_assert_int_eq(close(fd), 0);
    return path;
}

static inline Opened *open_bytes(const char *bytes, size_t len, PairsConfig c)
{
    c.file = put_file(bytes, len);
    Opened *o = open_pairs(&c);
    unlink(c.file);
    return o;
}

static inline const char *why_not_bytes(const char *bytes, size_t len)
{
    PairsConfig c = pairs_defaults();
    c.file = put_file(bytes, len);
    const char *why = why_not(&c);
    unlink(c.file);
    return why;
}

/* N sources: two in three have a target that no other source has, the others share 50 targets. */
static inline Lines sample(int n, int turned)
{
    Lines l = {0};
    for (int i = 0; i < n; i++) {
        const int k = turned ? n - 1 - i : i;
        char *source = xformat("source %d a", k),
             *target = k % 3 ? xformat("t%d b", k) : xformat("t-%d b", k % 50);
        add_line(&l, source, target);
        free(source), free(target);
    }
    return l;
}

#endif
