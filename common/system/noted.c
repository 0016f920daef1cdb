#include "system/noted.h"

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

bool noted_has(const char *dir, const char *name)
{
    char *path = xformat("%s/.files", dir), *list = read_list(path);
    const bool found = list && has(list, name);
    free(path), free(list);
    return found;
}

/* Writes the list anew: a link of that name is replaced, and nothing is appended to somebody's file. */
void noted_add(const char *dir, const char *name)
{
    char *path = xformat("%s/.files", dir), *list = read_list(path);
    char *longer = xformat("%s%s\n", list ? list : "", name);
    Error err;
    if (!list || !has(list, name)) file_write(path, longer, strlen(longer), &err);
    free(path), free(list), free(longer);
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
