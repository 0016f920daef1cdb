#include "system/noted.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "system/file.h"

enum { MOST = 1 << 20 }; /* bytes of a list */

/* Reads the list as one string; NULL: there is none. */
static char *read_list(const char *path)
{
    Error err;
    char *text;
    size_t len;
    return file_exists(path) && file_read_regular(path, MOST, &text, &len, &err) ? text : NULL;
}

/* Returns true if the list has the name. The list is cut into lines. */
static bool has(char *list, const char *name)
{
    char *save = NULL;
    for (char *s = strtok_r(list, "\n", &save); s; s = strtok_r(NULL, "\n", &save))
        if (strcmp(s, name) == 0) return true;
    return false;
}

void noted_add(const char *dir, const char *name)
{
    char *path = xformat("%s/.files", dir), *list = read_list(path), *line = xformat("%s\n", name);
    if (!list || !has(list, name)) {
        const int fd = open(path, O_CREAT | O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC, 0666);
        if (fd >= 0) file_write_all(fd, line, strlen(line)), close(fd);
    }
    free(path), free(list), free(line);
}

void noted_remove(const char *dir)
{
    char *path = xformat("%s/.files", dir), *list = read_list(path), *save = NULL;
    for (char *s = list ? strtok_r(list, "\n", &save) : NULL; s; s = strtok_r(NULL, "\n", &save)) {
        if (strchr(s, '/') || *s == '.') continue;
        char *file = xformat("%s/%s", dir, s);
        unlink(file);
        free(file);
    }
    if (list) unlink(path);
    free(path), free(list);
}
