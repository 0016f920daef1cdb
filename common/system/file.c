/* Reads whole files with a size limit, and writes files atomically.
 *
 * Writing to a second name and renaming it is atomic only if the bytes are on the disk before the
 * name is (Pillai et al., OSDI 2014), hence the order: write, fsync, close, rename, and fsync of
 * the directory, which makes the new name last. */
#include "system/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "system/stop.h"

/* --- reading ---------------------------------------------------------------------------------- */

typedef enum { READ_OK, READ_FAILED, READ_TOO_LONG } ReadStatus;

/* Reads up to max bytes and appends a 0; `expected` is a guess of the size. On failure errno is set.
 * Missing memory is a failure too, because a file may claim any size. */
static ReadStatus read_all(int fd, size_t max, size_t expected, char **data, size_t *len)
{
    size_t room = expected + 2, n = 0; /* one byte for the 0, one to notice the end */
    char *bytes = malloc(room);
    for (;;) {
        char *more = bytes && room - n == 1 ? realloc(bytes, room *= 2) : bytes;
        if (!more) {
            free(bytes);
            return READ_FAILED; /* ENOMEM */
        }
        bytes = more;
        const ssize_t got = read(fd, bytes + n, room - n - 1);
        if (got == 0) break;
        if (got < 0 && errno == EINTR) continue;
        if (got > 0) n += (size_t)got;
        if (got < 0 || n > max) {
            free(bytes);
            return got < 0 ? READ_FAILED : READ_TOO_LONG;
        }
    }
    bytes[n] = '\0';
    *data = bytes;
    *len = n;
    return READ_OK;
}

bool file_unreadable(const char *name, Error *err)
{
    return error_set(err, "%s: cannot be read: %s", name, strerror(errno));
}

bool file_read_open(int fd, const char *name, size_t max, char **data, size_t *len, Error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0) return file_unreadable(name, err);
    const size_t size = S_ISREG(st.st_mode) ? (size_t)st.st_size : 0; /* of a pipe: unknown */
    ReadStatus status = READ_TOO_LONG;
    if (size <= max) status = read_all(fd, max, size ? size : BUFSIZ, data, len);
    if (status == READ_TOO_LONG) return error_set(err, "%s: more than %zu bytes", name, max);
    return status == READ_OK || file_unreadable(name, err);
}

bool file_read(const char *path, size_t max, char **data, size_t *len, Error *err)
{
    if (strcmp(path, "-") == 0)
        return file_read_open(STDIN_FILENO, "standard input", max, data, len, err);
    const int fd = (int)TEMP_FAILURE_RETRY(open(path, O_RDONLY | O_CLOEXEC));
    if (fd < 0) return file_unreadable(path, err);
    const bool ok = file_read_open(fd, path, max, data, len, err);
    close(fd);
    return ok;
}

/* O_NONBLOCK: to open a pipe without a writer would wait forever. */
int file_open_regular(const char *path, size_t *len, Error *err)
{
    const int fd = (int)TEMP_FAILURE_RETRY(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        file_unreadable(path, err);
    else if (S_ISDIR(st.st_mode))
        errno = EISDIR, file_unreadable(path, err);
    else if (!S_ISREG(st.st_mode))
        error_set(err, "%s: is a device or pipe, not a file; put the file in its place", path);
    else
        return *len = (size_t)st.st_size, fd;
    if (fd >= 0) close(fd);
    return -1;
}

bool file_read_regular(const char *path, size_t max, char **data, size_t *len, Error *err)
{
    const int fd = file_open_regular(path, len, err);
    if (fd < 0) return false;
    const bool ok = file_read_open(fd, path, max, data, len, err);
    close(fd);
    return ok;
}

/* --- writing ---------------------------------------------------------------------------------- */

bool file_write_all(int fd, const void *data, size_t len)
{
    for (const char *bytes = data; len > 0;) {
        const ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

bool file_sync(int fd)
{
    while (fsync(fd) != 0)
        if (errno != EINTR) return errno == EINVAL; /* a file system without it */
    return true;
}

/* Syncs the directory of path, so that a new name in it survives a power cut. */
static bool sync_parent(const char *path)
{
    char dir[PATH_MAX];
    const char *slash = strrchr(path, '/');
    const size_t len = slash == path ? 1 : slash ? (size_t)(slash - path) : 0;
    if (len >= sizeof dir) return errno = ENAMETOOLONG, false;
    snprintf(dir, sizeof dir, "%.*s", len ? (int)len : 1, len ? path : ".");
    const int fd = (int)TEMP_FAILURE_RETRY(open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd < 0) return errno == EACCES; /* one may write into a directory that one may not read */
    const bool ok = file_sync(fd);
    const int reason = errno;
    close(fd);
    errno = reason;
    return ok;
}

/* Made anew (O_EXCL): in a directory that others can write to, a file or link of that name may be theirs. */
int file_temporary(const char *path, char **temp)
{
    if (asprintf(temp, "%s.tmp.%ld", path, (long)getpid()) < 0) return *temp = NULL, -1;
    unlink(*temp);
    stop_removes(*temp);
    return (int)TEMP_FAILURE_RETRY(open(*temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
}

FileWriter file_begin(const char *path)
{
    FileWriter w = {.path = path, .fd = -1};
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        w.reason = ENOTSUP; /* a device or pipe */
    else if ((w.fd = file_temporary(path, &w.temp)) < 0)
        w.reason = errno;
    return w;
}

void file_put(FileWriter *w, const void *data, size_t len)
{
    if (!w->reason && !file_write_all(w->fd, data, len)) w->reason = errno;
}

void file_put_at(FileWriter *w, size_t at, const void *data, size_t len)
{
    for (const char *bytes = data; len > 0 && !w->reason;) {
        const ssize_t n = pwrite(w->fd, bytes, len, (off_t)at);
        if (n < 0 && errno != EINTR) w->reason = errno;
        if (n <= 0) continue;
        bytes += n, at += (size_t)n, len -= (size_t)n;
    }
}

void file_flush_begin(FileWriter *w)
{
    if (!w->reason) sync_file_range(w->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

static bool report(const FileWriter *w, Error *err)
{
    if (w->reason == ENOTSUP && !w->temp)
        return error_set(err, "%s: is a device or pipe, which cannot be replaced by a file",
                         w->path);
    const bool full = w->reason == ENOSPC || w->reason == EDQUOT;
    return error_set(err, "%s: cannot be written: %s%s", w->path, strerror(w->reason),
                     full                 ? "; free some space or choose another --out"
                     : w->reason == EFBIG ? "; raise the limit on file sizes (ulimit -f)"
                                          : "");
}

/* Brings the bytes down to the disk, then the name. */
bool file_end(FileWriter *w, Error *err)
{
    if (!w->reason && !file_sync(w->fd)) w->reason = errno;
    if (w->fd >= 0 && close(w->fd) != 0 && errno != EINTR &&
        !w->reason)        /* Linux closes after EINTR */
        w->reason = errno; /* the last chance of a network file system to fail */
    if (!w->reason && rename(w->temp, w->path) != 0) w->reason = errno;
    if (w->reason && w->temp) unlink(w->temp);
    stop_removes(NULL);
    if (!w->reason && !sync_parent(w->path)) w->reason = errno;
    const bool ok = !w->reason || report(w, err);
    free(w->temp);
    *w = (FileWriter){.fd = -1};
    return ok;
}

bool file_write(const char *path, const void *data, size_t len, Error *err)
{
    FileWriter w = file_begin(path);
    file_put(&w, data, len);
    return file_end(&w, err);
}

bool file_print(const char *path, void (*print)(FILE *f, const void *arg), const void *arg,
                Error *err)
{
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    if (f) print(f, arg);
    const bool whole = f && fclose(f) == 0;
    const bool ok =
        whole ? file_write(path, text, len, err) : error_set(err, "%s: out of memory", path);
    free(text);
    return ok;
}

/* --- names and directories -------------------------------------------------------------------- */

bool file_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

bool file_same(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static bool is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool dir_make(const char *path, Error *err)
{
    char *part = xstrdup(path);
    int reason = *path ? 0 : ENOENT;
    for (char *s = part; *s && !reason;) {
        s += strspn(s, "/");
        s += strcspn(s, "/");
        const char rest = *s;
        *s = '\0';
        const int why = mkdir(part, 0777) == 0 ? 0 : errno;
        if (!why)
            sync_parent(part); /* only a precaution: a file written there is what must succeed */
        else if (!is_dir(part))
            reason = why == EEXIST ? ENOTDIR : why;
        *s = rest;
    }
    free(part);
    if (!reason) return true;
    return error_set(err, "%s: cannot make the directory: %s", path, strerror(reason));
}

bool dir_is_empty(const char *path)
{
    DIR *dir = opendir(path);
    if (!dir) return errno == ENOENT;
    int entries = 0;
    for (const struct dirent *e; (e = readdir(dir));)
        entries += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(dir);
    return entries == 0;
}
