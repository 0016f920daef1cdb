/* Maps files into memory. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "system/file.h"

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

/* Maps len > 0 bytes of a file from its descriptor. */
static bool map_whole(int fd, const char *path, size_t len, FileMap *map, Error *err)
{
    catch_shrinking();
    void *at = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
    if (at == MAP_FAILED) return file_unreadable(path, err);
    *map = (FileMap){at, len, true};
    return true;
}

bool file_map(const char *path, size_t max, FileMap *map, Error *err)
{
    size_t len;
    *map = (FileMap){0};
    const int fd = file_open_regular(path, &len, err);
    if (fd < 0) return false;
    bool ok = true;
    if (len > max)
        ok = error_set(err, "%s: more than %zu bytes", path, max);
    else if (len == 0) /* has no pages */
        map->bytes = xcalloc(1, 1);
    else
        ok = map_whole(fd, path, len, map, err);
    close(fd);
    return ok;
}

bool file_map_start(const char *path, size_t most, FileMap *map, size_t *size, Error *err)
{
    *map = (FileMap){0};
    const int fd = file_open_regular(path, size, err);
    if (fd < 0) return false;
    const size_t len = *size < most ? *size : most;
    const bool ok = len == 0 || map_whole(fd, path, len, map, err);
    close(fd);
    return ok;
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
