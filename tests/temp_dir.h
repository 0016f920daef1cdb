/* A temporary directory for one test, and assertions about files. */
#ifndef TEMP_DIR_H
#define TEMP_DIR_H

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "suite.h"
#include "system/file.h"

typedef struct {
    char path[64];
} TempDir;

static inline TempDir temp_dir(void)
{
    TempDir d;
    const char *root = access("/tmp", W_OK) == 0 ? "/tmp" : ".";
    snprintf(d.path, sizeof d.path, "%s/test_file.XXXXXX", root);
    ck_assert_ptr_nonnull(mkdtemp(d.path));
    return d;
}

static inline void temp_name(const TempDir *d, const char *name, char path[160])
{
    snprintf(path, 160, "%s/%s", d->path, name);
}

static inline int temp_entries(const TempDir *d)
{
    DIR *dir = opendir(d->path);
    int n = -2; /* . and .. */
    while (readdir(dir)) n++;
    closedir(dir);
    return n;
}

static inline void remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    for (const struct dirent *e; dir && (e = readdir(dir));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        char *inner = xformat("%s/%s", path, e->d_name);
        if (unlink(inner) != 0) remove_tree(inner);
        free(inner);
    }
    if (dir) closedir(dir);
    rmdir(path);
}

static inline void assert_content(const char *path, const char *expected, size_t len)
{
    char *data;
    size_t n;
    Error err;
    ck_assert_msg(file_read(path, SIZE_MAX, &data, &n, &err), "%s", err.text);
    ck_assert_uint_eq(n, len);
    ck_assert_int_eq(memcmp(data, expected, len), 0);
    ck_assert_int_eq(data[n], 0);
    free(data);
}

static inline void assert_write(const char *path, const char *text)
{
    Error err;
    ck_assert_msg(file_write(path, text, strlen(text), &err), "%s", err.text);
}

static inline void assert_fails(bool ok, const Error *err, const char *path, const char *why)
{
    ck_assert(!ok);
    ck_assert_msg(strncmp(err->text, path, strlen(path)) == 0, "%s", err->text);
    ck_assert_msg(strstr(err->text, why) != NULL, "%s", err->text);
}

#endif
