/* What the programs of tests/full share: options, a work folder, and the count of failures.
 *
 * Each program makes its inputs in a work folder under /tmp, starts the programs under test on them, and prints one
 * line with its counts at the end. An input that showed a failure is copied to a folder whose path is printed. */
#ifndef FULL_H
#define FULL_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/rng.h"
#include "system/args.h"
#include "system/file.h"

enum { MOST_PRINTED = 25 };

typedef struct {
    const char *name; /* of the program: "mutate" */
    char *bin;        /* folder of the programs under test, absolute, with a slash at the end */
    bool sanitized;   /* they were built with the sanitizers, so memory cannot be limited */
    char work[64];    /* removed at the end */
    char kept[80];    /* failing inputs; "" while there are none */
    int count;
    uint64_t seed;
    int failures;
} Full;

/* Ends the program: something that a test needs could not be done. */
#define NEED(condition, ...) CHECK(condition, __VA_ARGS__)

/* --- files ---------------------------------------------------------------------------------------- */

typedef struct {
    char *data; /* a 0 follows the bytes */
    size_t len;
} Bytes;

static inline Bytes bytes_of(const char *path)
{
    Bytes b;
    Error err;
    NEED(file_read(path, (size_t)1 << 30, &b.data, &b.len, &err), "%s", err.text);
    return b;
}

/* Writes a file as it is, without a temporary name. */
static inline void put_bytes(const char *path, const char *data, size_t len)
{
    const int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0666);
    NEED(fd >= 0 && file_write_all(fd, data, len) && close(fd) == 0, "%s: cannot be written", path);
}

static inline void put_text(const char *path, const char *text)
{
    put_bytes(path, text, strlen(text));
}

static inline bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static inline void remove_all(const char *path)
{
    DIR *dir = opendir(path);
    for (const struct dirent *e; dir && (e = readdir(dir));) {
        if (is_dots(e->d_name)) continue;
        char *inner = xformat("%s/%s", path, e->d_name);
        if (unlink(inner) != 0) remove_all(inner);
        free(inner);
    }
    if (dir) closedir(dir);
    rmdir(path);
}

/* Copies a folder with all below it; what was there before is removed. Links are copied as links. */
static inline void copy_run(const char *from, const char *to)
{
    remove_all(to);
    NEED(mkdir(to, 0777) == 0, "%s: cannot be made: %s", to, strerror(errno));
    DIR *dir = opendir(from);
    NEED(dir, "%s: cannot be read: %s", from, strerror(errno));
    for (const struct dirent *e; (e = readdir(dir));) {
        struct stat st;
        char *a = xformat("%s/%s", from, e->d_name), *b = xformat("%s/%s", to, e->d_name);
        if (is_dots(e->d_name) || lstat(a, &st) != 0) {
        } else if (S_ISDIR(st.st_mode)) {
            copy_run(a, b);
        } else if (S_ISLNK(st.st_mode)) {
            char target[4096] = "";
            if (readlink(a, target, sizeof target - 1) > 0 && symlink(target, b) != 0) perror(b);
        } else if (S_ISREG(st.st_mode) && st.st_size < 1 << 28) {
            const Bytes bytes = bytes_of(a);
            put_bytes(b, bytes.data, bytes.len);
            free(bytes.data);
        }
        free(a), free(b);
    }
    closedir(dir);
}

/* --- what changed ---------------------------------------------------------------------------- */

static inline uint64_t mixed(uint64_t h, uint64_t x)
{
    return (h ^ x) * 0x9E3779B97F4A7C15u + (h >> 29);
}

/* A number that changes if a file below a folder is written, made or removed; `except`: a folder left out. */
static inline uint64_t print_of(const char *path, const char *except)
{
    struct stat st;
    uint64_t h = 0;
    if (strcmp(path, except) == 0 || lstat(path, &st) != 0) return 0;
    for (const char *s = path; *s; s++) h = mixed(h, (unsigned char)*s);
    if (!S_ISDIR(st.st_mode)) {
        h = mixed(h, (uint64_t)st.st_mtim.tv_nsec), h = mixed(h, (uint64_t)st.st_mtim.tv_sec);
        return mixed(mixed(h, (uint64_t)st.st_size), (uint64_t)st.st_ino);
    }
    DIR *dir = opendir(path);
    for (const struct dirent *e; dir && (e = readdir(dir));) {
        if (is_dots(e->d_name)) continue;
        char *inner = xformat("%s/%s", path, e->d_name);
        h += print_of(inner, except); /* in any order */
        free(inner);
    }
    if (dir) closedir(dir);
    return h;
}

/* --- failures ----------------------------------------------------------------------------------- */

/* Counts and prints a failure, and keeps a copy of the folder that showed it (if not NULL). */
__attribute__((format(printf, 3, 4))) static inline void full_failed(Full *f, const char *dir,
                                                                     const char *fmt, ...)
{
    if (f->failures++ >= MOST_PRINTED) return;
    va_list args;
    va_start(args, fmt);
    printf("%s: FAILED: ", f->name);
    vprintf(fmt, args);
    va_end(args);
    struct stat st;
    if (dir && stat(dir, &st) == 0) {
        if (!*f->kept) {
            snprintf(f->kept, sizeof f->kept, "/tmp/lmzoo-%s-kept-XXXXXX", f->name);
            NEED(mkdtemp(f->kept), "%s: cannot be made", f->kept);
        }
        char *to = xformat("%s/%d", f->kept, f->failures);
        copy_run(dir, to);
        printf("; kept in %s", to);
        free(to);
    }
    puts(f->failures == MOST_PRINTED ? "\n(further failures are only counted)" : "");
    fflush(stdout);
}

/* --- beginning and end --------------------------------------------------------------------------- */

/* Reads the options. Without --count there are `few` cases, with --full `many`. */
static inline Full full_begin(int argc, char **argv, const char *name, const char *about, int few,
                              int many)
{
    static char program[64], example[96];
    snprintf(program, sizeof program, "tests/full/%s", name);
    snprintf(example, sizeof example, "build/opt/tests/full/%s --seed 2\n", name);
    Full f = {.name = name, .seed = 1};
    int operand;
    bool full = false;
    Option opt[] = {OPTION("count", &f.count, 0, 1000000000, "number of cases (0: some)"),
                    OPTION_FLAG("full", &full, "as many cases as make check-full has"),
                    OPTION("seed", &f.seed, 0, 0x1p64, "of all random choices")};
    const Usage usage = {.program = program, .about = about, .operands = "", .examples = example};
    const int status = args_parse(argc, argv, opt, LEN(opt), &usage, &operand);
    if (status >= 0) exit(status);
    if (f.count == 0) f.count = full ? many : few;
    const char *bin = getenv("BIN");
    char *here = realpath(bin && *bin ? bin : ".", NULL);
    NEED(here, "BIN: there is no folder %s", bin);
    f.bin = xformat("%s/", here);
    f.sanitized = strstr(f.bin, "/san/") != NULL;
    free(here);
    snprintf(f.work, sizeof f.work, "/tmp/lmzoo-%s-XXXXXX", name);
    NEED(mkdtemp(f.work), "%s: cannot be made", f.work);
    return f;
}

/* Ends the line with the counts, which the caller printed, and returns the exit status. */
static inline int full_end(Full *f)
{
    printf(" (seed %llu)\n", (unsigned long long)f->seed);
    remove_all(f->work);
    free(f->bin);
    return f->failures ? EXIT_FAILED : EXIT_OK;
}

#endif
