/* Helpers of the tests of texts: small files that are opened and removed again. */
#ifndef TEXT_HELP_H
#define TEXT_HELP_H

#include <unistd.h>

#include "suite.h"
#include "data/text.h"

static const char pattern[] = "/tmp/lmzoo-text-XXXXXX";
static char dir[sizeof pattern]; /* "" if there is no directory */

static inline char *put_file(const char *name, const char *bytes, size_t len)
{
    if (!*dir) ck_assert_ptr_nonnull(mkdtemp(memcpy(dir, pattern, sizeof dir)));
    char *path = xformat("%s/%s", dir, name);
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bytes, 1, len, f), len);
    ck_assert_int_eq(fclose(f), 0);
    return path;
}

static inline void remove_file(char *path)
{
    unlink(path);
    free(path);
    if (rmdir(dir) == 0) *dir = 0; /* it was the last file */
}

typedef struct {
    Text text;
    Task task; /* borrows text, so this struct must not be moved */
} Opened;

static Error why;

static inline bool try_open(Opened *o, const char *bytes, size_t len, const char *valid,
                            const char *unit, bool by_line, int length)
{
    char *path = put_file("train", bytes, len);
    char *other = valid ? put_file("valid", valid, strlen(valid)) : NULL;
    const bool ok =
        text_open(&o->text, &o->task, path, other, unit, 0, by_line, 0.1, length, NULL, &why);
    if (other) remove_file(other);
    remove_file(path);
    return ok;
}

static inline Opened *open_bytes(const char *bytes, size_t len, const char *valid, const char *unit,
                                 bool by_line, int length)
{
    Opened *o = xmalloc(sizeof *o);
    ck_assert_msg(try_open(o, bytes, len, valid, unit, by_line, length), "%s", why.text);
    return o;
}

static inline Opened *open_text(const char *s, const char *valid, int length)
{
    return open_bytes(s, strlen(s), valid, "char", false, length);
}

static inline Opened *open_lines(const char *s, const char *valid, int length)
{
    return open_bytes(s, strlen(s), valid, "char", true, length);
}

static inline void close_it(Opened *o)
{
    text_close(&o->text);
    task_close(&o->task);
    free(o);
}

/* Returns the text of tokens; the caller frees it. */
static inline char *spell(const Text *t, const int *ids, int n)
{
    return tokenizer_decode(&t->tokens, ids, n, NULL);
}

static inline int id_of(const Text *t, char c)
{
    return tokenizer_id(&t->tokens, (char[]){c, 0});
}

static inline void ck_split(const Text *t, Split split, const char *want)
{
    char *s = spell(t, t->ids[split], t->n[split]);
    ck_assert_str_eq(s, want);
    free(s);
}

#endif
