#include "data/input.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "system/file.h"

static const char mark[] = "\xEF\xBB\xBF"; /* U+FEFF, the byte order mark */

static size_t mark_len(const char *text, size_t len)
{
    return len >= 3 && memcmp(text, mark, 3) == 0 ? 3 : 0;
}

/* --- whole files ------------------------------------------------------------------------------ */

/* Returns false if the path is a directory or a device that gives bytes without end, such as /dev/zero. A
 * terminal is no such device, and /dev/null is empty. */
static bool may_be_read(const char *path, Error *err)
{
    const bool standard = strcmp(path, "-") == 0;
    const char *name = standard ? "standard input" : path;
    struct stat st, null;
    if ((standard ? fstat(STDIN_FILENO, &st) : stat(path, &st)) != 0)
        return true; /* file_read says why */
    if (S_ISDIR(st.st_mode))
        return error_set(err, "%s: is a directory; give the files in it, one at a time", name);
    if (S_ISBLK(st.st_mode))
        return error_set(err, "%s: is a disk, not a file; give a file or a pipe", name);
    const bool is_null = stat("/dev/null", &null) == 0 && st.st_rdev == null.st_rdev;
    if (!S_ISCHR(st.st_mode) || is_null) return true;
    FILE *f = standard ? stdin : fopen(path, "r");
    const bool terminal = f && isatty(fileno(f));
    if (f && !standard) fclose(f);
    return terminal || error_set(err, "%s: is a device, not a file; give a file or a pipe", name);
}

void input_faults_free(InputFaults *f)
{
    free(f->file);
    *f = (InputFaults){0};
}

void input_free(Input *in)
{
    free(in->data);
    input_faults_free(&in->faults);
    *in = (Input){0};
}

InputFaults input_faults_take(Input *in)
{
    const InputFaults f = in->faults;
    in->faults = (InputFaults){0};
    return f;
}

bool input_read(const char *path, size_t max, Input *in, Error *err)
{
    *in = (Input){0};
    if (!may_be_read(path, err) || !file_read(path, max, &in->data, &in->len, err)) return false;
    const size_t skipped = mark_len(in->data, in->len);
    memmove(in->data, in->data + skipped, in->len - skipped + 1);
    in->len -= skipped;
    in->faults.utf8 = utf8_faults(in->data, in->len);
    if (in->faults.utf8.first >= 0)
        in->faults.file = xstrdup(strcmp(path, "-") == 0 ? "standard input" : path);
    return true;
}

bool input_may_wait(const char *path)
{
    struct stat st;
    if ((strcmp(path, "-") == 0 ? fstat(STDIN_FILENO, &st) : stat(path, &st)) != 0) return false;
    return S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode) || S_ISSOCK(st.st_mode);
}

/* --- directories ------------------------------------------------------------------------------ */

static bool is_prose(const char *name)
{
    const size_t len = strlen(name);
    return *name != '.' && len > 3 && strcmp(name + len - 3, ".md") == 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void append(Input *in, const Input *file)
{
    const bool newline = file->len && file->data[file->len - 1] != '\n';
    in->data = xrealloc(in->data, in->len + file->len + 2);
    memcpy(in->data + in->len, file->data, file->len);
    in->len += file->len;
    if (newline) in->data[in->len++] = '\n';
    in->data[in->len] = 0;
    in->files++;
}

/* Adds the faults of a file to those of a directory. */
static void add_faults(InputFaults *sum, Input *file)
{
    const Utf8Faults u = file->faults.utf8;
    if (!file->faults.file) return;
    if (sum->file) {
        sum->utf8.invalid += u.invalid;
        sum->utf8.zeros += u.zeros;
    } else {
        *sum = input_faults_take(file);
    }
}

static bool add_file(Input *in, const char *path, size_t max, Error *err)
{
    struct stat st;
    Input file = {0};
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return error_set(err, "%s: is a %s, not a file; move it out of the directory", path,
                         S_ISDIR(st.st_mode) ? "directory" : "device or pipe");
    const bool ok = input_read(path, max - in->len, &file, err);
    if (ok) append(in, &file), add_faults(&in->faults, &file);
    input_free(&file);
    return ok;
}

bool input_read_directory(const char *path, size_t max, Input *in, Error *err)
{
    struct dirent **entry;
    const int n = scandir(path, &entry, NULL, by_bytes);
    *in = (Input){0};
    if (n < 0) return error_set(err, "%s: the directory cannot be read: %s", path, strerror(errno));
    bool ok = true;
    for (int i = 0; i < n; i++) {
        const char *name = entry[i]->d_name;
        char *file = xformat("%s/%s", path, name);
        if (is_prose(name))
            ok = ok && add_file(in, file, max, err);
        else
            in->others += strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
        free(file), free(entry[i]);
    }
    free(entry);
    if (ok && !in->files)
        ok = error_set(err, "%s: the directory has no *.md file; give a text file", path);
    if (!ok) input_free(in);
    return ok;
}

/* --- lines ------------------------------------------------------------------------------------ */

bool input_line(FILE *f, size_t most, InputLine *line)
{
    int c = 0;
    size_t len = 0;
    for (; (c = getc(f)) != EOF && c != '\n'; len++) {
        if (len >= most) continue;
        if (len + 1 >= line->room) line->text = xrealloc(line->text, line->room = 2 * len + 256);
        line->text[len] = (char)c;
    }
    if (c == EOF && (len == 0 || ferror(f))) return false;
    line->too_long = len > most;
    line->len = len < most ? len : most;
    if (line->room == 0) line->text = xrealloc(line->text, line->room = 256);
    const size_t skipped = line->number++ == 0 ? mark_len(line->text, line->len) : 0;
    line->len -= skipped;
    memmove(line->text, line->text + skipped, line->len);
    line->text[line->len] = 0;
    return true;
}
