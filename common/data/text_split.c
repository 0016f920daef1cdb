#include "data/text_split.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "system/file.h"
#include "tasks/task.h"

enum { TEXT_MAX = 1 << 30 }; /* bytes of a file: tokens are counted in an int */

/* --- reading ---------------------------------------------------------------------------------- */
static int is_prose(const struct dirent *e)
{
    const char *dot = strrchr(e->d_name, '.');
    return dot && dot != e->d_name && strcmp(dot, ".md") == 0;
}

/* Reads all *.md files of a directory, one after the other. */
static bool read_directory(const char *path, Bytes *out, Error *err)
{
    struct dirent **entry;
    const int n = scandir(path, &entry, is_prose, alphasort);
    if (n < 0) return error_set(err, "%s: the directory cannot be read: %s", path, strerror(errno));
    bool ok = n > 0 || error_set(err, "%s: the directory has no *.md file; give a text file", path);
    for (int i = 0; i < n; i++) {
        char *name = xformat("%s/%s", path, entry[i]->d_name);
        Bytes file = {0};
        ok = ok && file_read(name, TEXT_MAX - out->len, &file.data, &file.len, err);
        if (ok && file.len) {
            out->data = xrealloc(out->data, out->len + file.len);
            memcpy(out->data + out->len, file.data, file.len);
            out->len += file.len;
        }
        free(file.data), free(name), free(entry[i]);
    }
    free(entry);
    return ok;
}

static bool read_text(const char *path, Bytes *out, Error *err)
{
    static const char mark[] = "\xEF\xBB\xBF"; /* U+FEFF */
    struct stat st;
    const bool directory = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    const bool ok = directory ? read_directory(path, out, err)
                              : file_read(path, TEXT_MAX, &out->data, &out->len, err);
    if (!ok) return false;
    if (out->len >= 3 && memcmp(out->data, mark, 3) == 0)
        memmove(out->data, out->data + 3, out->len -= 3);
    return out->len > 0 || error_set(err, "%s is empty; give a text to train on",
                                     strcmp(path, "-") == 0 ? "standard input" : path);
}

/* --- splitting -------------------------------------------------------------------------------- */

static TextPart part_new(size_t bytes, size_t lines)
{
    TextPart p = {.text.data = xmalloc(bytes + 2), .origin = xmalloc((lines + 1) * sizeof(size_t))};
    p.text.data[p.text.len++] = '\n'; /* the newline before the first line */
    return p;
}

void part_free(TextPart *p)
{
    free(p->text.data), free(p->origin);
}

static bool is_heldout(const char *line, size_t len)
{
    int *byte = xmalloc(len * sizeof *byte);
    for (size_t i = 0; i < len; i++) byte[i] = (unsigned char)line[i];
    const bool heldout = split_of(byte, (int)len) == SPLIT_VALID;
    free(byte);
    return heldout;
}

static size_t count_newlines(const Bytes *b)
{
    size_t n = 0;
    for (size_t i = 0; i < b->len; i++) n += b->data[i] == '\n';
    return n;
}

/* Splits the lines that are not empty into two parts; if valid is NULL, all of them go into
 * `train`. */
static void split_lines(const Bytes *file, TextPart *train, TextPart *valid)
{
    const size_t lines = count_newlines(file) + 1;
    *train = part_new(file->len, lines);
    if (valid) *valid = part_new(file->len, lines);
    for (size_t at = 0, next; at < file->len; at = next) {
        const char *line = file->data + at, *end = memchr(line, '\n', file->len - at);
        size_t len = end ? (size_t)(end - line) : file->len - at;
        next = at + len + 1;
        if (len && line[len - 1] == '\r') len--;
        if (len == 0) continue;
        TextPart *p = valid && is_heldout(line, len) ? valid : train;
        p->origin[p->lines++] = at;
        memcpy(p->text.data + p->text.len, line, len);
        p->text.len += len;
        p->text.data[p->text.len++] = '\n';
    }
}

static TextPart part_of(const Bytes *file, size_t from, size_t to)
{
    TextPart p = {.text = {xmalloc(to - from + 1), to - from}, .offset = from};
    memcpy(p.text.data, file->data + from, to - from);
    return p;
}

/* Splits a running text into two parts, between two characters. */
static void split_end(const Bytes *file, double heldout, TextPart *train, TextPart *valid)
{
    size_t cut = (size_t)((double)file->len * (1 - heldout));
    while (cut < file->len && (file->data[cut] & 0xC0) == 0x80) cut++;
    *train = part_of(file, 0, cut);
    *valid = part_of(file, cut, file->len);
}

bool parts_read(const char *path, const char *valid, bool by_line, double heldout, TextPart part[2],
                Error *err)
{
    Bytes file = {0}, other = {0};
    const bool same = valid && strcmp(path, valid) == 0; /* standard input can be read once */
    const bool ok =
        read_text(path, &file, err) && (!valid || same || read_text(valid, &other, err));
    const Bytes *held = same ? &file : &other;
    if (ok && valid && by_line) {
        split_lines(&file, &part[0], NULL);
        split_lines(held, &part[1], NULL);
    } else if (ok && valid) {
        part[0] = part_of(&file, 0, file.len);
        part[1] = part_of(held, 0, held->len);
    } else if (ok && by_line) {
        split_lines(&file, &part[0], &part[1]);
    } else if (ok) {
        split_end(&file, heldout, &part[0], &part[1]);
    }
    free(file.data), free(other.data);
    return ok;
}

int64_t part_origin(const TextPart *p, int64_t at)
{
    if (at < 0 || !p->origin) return at < 0 ? at : at + (int64_t)p->offset;
    int64_t begin = 1; /* where the line begins in the part */
    int line = 0;
    for (int64_t i = 1; i < at; i++)
        if (p->text.data[i] == '\n') line++, begin = i + 1;
    return (int64_t)p->origin[line] + at - begin;
}
