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
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { JSON_LARGEST = 1 << 28 }; /* bytes; far beyond any file that we write */

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

bool file_read(const char *path, size_t max, char **data, size_t *len, Error *err)
{
    const bool standard = strcmp(path, "-") == 0;
    const char *name = standard ? "standard input" : path;
    const int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) {
        error_set(err, "%s: cannot be read: %s", name, strerror(errno));
        if (fd >= 0 && !standard) close(fd);
        return false;
    }
    ReadStatus status = READ_TOO_LONG;
    const size_t size = S_ISREG(st.st_mode) ? (size_t)st.st_size : 0; /* what a pipe has: unknown */
    if (size <= max) status = read_all(fd, max, size ? size : BUFSIZ, data, len);
    const int reason = errno;
    if (!standard) close(fd);
    if (status == READ_TOO_LONG) return error_set(err, "%s: more than %zu bytes", name, max);
    if (status == READ_FAILED)
        return error_set(err, "%s: cannot be read: %s", name, strerror(reason));
    return true;
}

/* A mapped page that the file no longer has: somebody made it shorter. */
static void file_shrank(int number)
{
    static const char why[] = "error: a file became shorter while it was read: is another program "
                              "writing it?\n";
    const ssize_t written = write(STDERR_FILENO, why, sizeof why - 1);
    (void)number, (void)written;
    _exit(EXIT_FAILED);
}

static void catch_shrinking(void)
{
    struct sigaction old;
    if (sigaction(SIGBUS, NULL, &old) != 0 || old.sa_handler != SIG_DFL) return;
    const struct sigaction new = {.sa_handler = file_shrank};
    sigaction(SIGBUS, &new, NULL);
}

/* NULL and errno on failure. */
static void *map_regular(const char *path, size_t len)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return NULL;
    catch_shrinking();
    void *at = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
    const int reason = errno;
    close(fd);
    errno = reason;
    return at == MAP_FAILED ? NULL : at;
}

bool file_map(const char *path, size_t max, FileMap *map, Error *err)
{
    struct stat st;
    *map = (FileMap){0};
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
        return file_read(path, max, &map->bytes, &map->len, err);
    if ((uintmax_t)st.st_size > max) return error_set(err, "%s: more than %zu bytes", path, max);
    void *at = map_regular(path, (size_t)st.st_size);
    if (!at) return error_set(err, "%s: cannot be read: %s", path, strerror(errno));
    *map = (FileMap){at, (size_t)st.st_size, true};
    return true;
}

/* Whole pages only; those of a private map that nobody wrote to come from the file again. */
void file_map_done(const FileMap *map, const void *from, size_t len)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t first = ((size_t)((const char *)from - map->bytes) + page - 1) / page * page;
    const size_t end = ((size_t)((const char *)from - map->bytes) + len) / page * page;
    if (map->mapped && end > first) madvise(map->bytes + first, end - first, MADV_DONTNEED);
}

void file_unmap(FileMap *map)
{
    if (map->mapped)
        munmap(map->bytes, map->len);
    else
        free(map->bytes);
    *map = (FileMap){0};
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

/* Syncs the directory of path, so that a new name in it survives a power cut. */
static bool sync_parent(const char *path)
{
    char dir[PATH_MAX];
    const char *slash = strrchr(path, '/');
    const size_t len = slash == path ? 1 : slash ? (size_t)(slash - path) : 0;
    if (len >= sizeof dir) return errno = ENAMETOOLONG, false;
    snprintf(dir, sizeof dir, "%.*s", len ? (int)len : 1, len ? path : ".");
    const int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return errno == EACCES; /* one may write into a directory that one may not read */
    const bool ok = fsync(fd) == 0 || errno == EINVAL; /* EINVAL: a file system without it */
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
    return open(*temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
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

static bool report(const FileWriter *w, Error *err)
{
    if (w->reason == ENOTSUP && !w->temp)
        return error_set(err, "%s: is a device or pipe, which cannot be replaced by a file",
                         w->path);
    const bool full = w->reason == ENOSPC || w->reason == EDQUOT;
    return error_set(err, "%s: cannot be written: %s%s", w->path, strerror(w->reason),
                     full ? "; free some space or choose another --out" : "");
}

/* Brings the bytes down to the disk, then the name. */
bool file_end(FileWriter *w, Error *err)
{
    if (!w->reason && fsync(w->fd) != 0) w->reason = errno;
    if (w->fd >= 0 && close(w->fd) != 0 && !w->reason)
        w->reason = errno; /* the last chance of a network file system to fail */
    if (!w->reason && rename(w->temp, w->path) != 0) w->reason = errno;
    if (w->reason && w->temp) unlink(w->temp);
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

/* --- JSON ------------------------------------------------------------------------------------- */

json_t *json_read(const char *path, Error *err)
{
    char *text;
    size_t len;
    if (!file_read(path, JSON_LARGEST, &text, &len, err)) return NULL;
    json_error_t why;
    json_t *value = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
    free(text);
    if (value) return value;
    error_set(err, "%s:%d:%d: %s", path, why.line, why.column, why.text);
    return NULL;
}

/* Formats JSON with 15 digits if that reads back equal, otherwise with 17. 15 digits show a decimal
 * number as it was written, 0.003 and not 0.0030000000000000001; 17 digits always read back equal. */
static char *json_text(const json_t *value)
{
    const size_t style = JSON_INDENT(2) | JSON_ENCODE_ANY;
    char *text = json_dumps(value, style | JSON_REAL_PRECISION(15));
    json_t *back = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
    const bool equal = back && json_equal(value, back);
    json_decref(back);
    if (equal) return text;
    free(text);
    return json_dumps(value, style | JSON_REAL_PRECISION(17));
}

bool json_write(const char *path, const json_t *value, Error *err)
{
    char *text = json_text(value);
    if (!text) return error_set(err, "%s: cannot be written as JSON", path);
    char *line = xformat("%s\n", text);
    free(text);
    const bool ok = file_write(path, line, strlen(line), err);
    free(line);
    return ok;
}
