#include "data/text_split.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tasks/task.h"

enum { TEXT_MAX = 1 << 30 }; /* bytes of a file: tokens are counted in an int */

/* --- reading ---------------------------------------------------------------------------------- */

static bool read_text(const char *path, Input *in, Error *err)
{
    struct stat st;
    const bool directory = strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    if (!(directory ? input_read_directory(path, TEXT_MAX, in, err)
                    : input_read(path, TEXT_MAX, in, err)))
        return false;
    if (in->len > 0) return true;
    input_free(in);
    return error_set(err, "%s is empty; give a text",
                     strcmp(path, "-") == 0 ? "standard input" : path);
}

/* Fails if the lines of a list end in carriage returns alone: the whole list would be one line. */
static bool has_newlines(const char *path, const Input *in, Error *err)
{
    if (memchr(in->data, '\n', in->len) || !memchr(in->data, '\r', in->len)) return true;
    return error_set(err,
                     "%s: its lines end in a carriage return; end them with a newline (tr '\\r' "
                     "'\\n' converts them)",
                     path);
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
    input_faults_free(&p->faults);
}

static bool is_heldout(const char *line, size_t len)
{
    int *byte = xmalloc(len * sizeof *byte);
    for (size_t i = 0; i < len; i++) byte[i] = (unsigned char)line[i];
    const bool heldout = split_of(byte, (int)len) == SPLIT_VALID;
    free(byte);
    return heldout;
}

static size_t count_newlines(const Input *b)
{
    size_t n = 0;
    for (size_t i = 0; i < b->len; i++) n += b->data[i] == '\n';
    return n;
}

/* Splits the lines that are not empty into two parts; if valid is NULL, all of them go into
 * `train`. */
static void split_lines(const Input *file, TextPart *train, TextPart *valid)
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

static TextPart part_of(const Input *file, size_t from, size_t to)
{
    TextPart p = {.text = {xmalloc(to - from + 1), to - from}, .offset = from};
    memcpy(p.text.data, file->data + from, to - from);
    return p;
}

/* Splits a running text into two parts, between two characters. */
static void split_end(const Input *file, double heldout, TextPart *train, TextPart *valid)
{
    size_t cut = (size_t)((double)file->len * (1 - heldout));
    while (cut < file->len && (file->data[cut] & 0xC0) == 0x80) cut++;
    *train = part_of(file, 0, cut);
    *valid = part_of(file, cut, file->len);
}

/* Moves what is known of the files into the parts. */
static void take_facts(TextPart part[2], Input *file, Input *held)
{
    part[0].file = file->len, part[1].file = held->len;
    part[0].faults = input_faults_take(file);
    part[0].files = file->files, part[0].others = file->others;
    if (held != file) part[1].faults = input_faults_take(held);
}

bool parts_read(const char *path, const char *valid, bool by_line, double heldout, TextPart part[2],
                Error *err)
{
    Input file = {0}, other = {0};
    const bool same = valid && strcmp(path, valid) == 0; /* standard input can be read once */
    bool ok = read_text(path, &file, err) && (!valid || same || read_text(valid, &other, err));
    Input *held = valid && !same ? &other : &file;
    if (ok && by_line)
        ok = has_newlines(path, &file, err) && has_newlines(valid ? valid : path, held, err);
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
    if (ok) take_facts(part, &file, held);
    input_free(&file), input_free(&other);
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
