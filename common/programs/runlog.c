#include "programs/runlog.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/say.h"
#include "system/file.h"
#include "system/stop.h"

static const char *const HEADER =
    "step,tokens,seconds,train_loss,valid_loss,metric,lr,grad_norm,tokens_per_second\n";
enum { COLUMNS = 9 };

/* --- opening ------------------------------------------------------------------------------------------ */

bool runlog_has_rows(const char *path)
{
    Error err;
    char *text = NULL;
    size_t len;
    const bool header_only =
        file_read_regular(path, strlen(HEADER), &text, &len, &err) && strcmp(text, HEADER) == 0;
    free(text);
    return file_exists(path) && !header_only;
}

/* Returns the step of a row of nine fields, or -1 if the line is no such row. */
static int64_t step_of(const char *line, const char *end)
{
    int64_t step = 0;
    int commas = 0;
    for (const char *c = line; c < end; c++) {
        if (!memchr("0123456789.+-einaf,", *c, 19)) return -1; /* of numbers, nan and inf */
        commas += *c == ',';
        if (commas == 0 && (*c < '0' || *c > '9' || step > INT32_MAX)) return -1;
        if (commas == 0) step = 10 * step + (*c - '0');
    }
    return commas == COLUMNS - 1 && *line != ',' ? step : -1;
}

/* Sets *keep to the bytes of a log up to the row of step last_row. Returns false with an error if it is no log, or
 * ends before that row. A last line without an end was cut off when the run was killed. */
static bool length_to_keep(const char *text, size_t len, int64_t last_row, size_t *keep, Error *err)
{
    const size_t header = strlen(HEADER);
    const char *newline, *end = text + len, *at = text + header;
    int64_t step, before = 0;
    if (len < header || memcmp(text, HEADER, header) != 0)
        return error_set(err, "its first line is not that of a log");
    for (int line = 2; (newline = memchr(at, '\n', (size_t)(end - at))); line++, at = newline + 1) {
        step = step_of(at, newline);
        if (step > last_row) break;
        if (step <= before) return error_set(err, "line %d is not a row of the log", line);
        before = step;
    }
    *keep = (size_t)(at - text);
    return before == last_row ||
           error_set(err, "it ends at step %lld, but the checkpoint needs the rows up to step %lld",
                     (long long)before, (long long)last_row);
}

/* Reads the rows to keep; the caller frees *text. Without a file there are none. */
static bool read_rows(const char *path, int64_t last_row, char **text, size_t *keep, Error *err)
{
    size_t len;
    Error why;
    if (!file_exists(path)) return true;
    if (!file_read_regular(path, (size_t)1 << 30, text, &len, err)) return false;
    return length_to_keep(*text, len, last_row, keep, &why) ||
           error_set(
               err,
               "%s: %s; put the log of this run in its place, or move the file away to continue "
               "without the older rows",
               path, why.text);
}

/* Makes a new log.csv with the text and leaves it open. The old one, or a link of that name, is replaced. */
static bool open_new(RunLog *log, const char *path, const char *text, size_t len, Error *err)
{
    char *temporary;
    const int fd = file_temporary(path, &temporary);
    const bool ok =
        fd >= 0 && file_write_all(fd, text, len) && file_sync(fd) && rename(temporary, path) == 0;
    const int reason = errno;
    if (ok)
        log->fd = fd;
    else if (fd >= 0)
        close(fd);
    if (!ok && temporary) unlink(temporary);
    stop_removes(NULL);
    free(temporary);
    return ok || rundir_failed(path, reason, err);
}

bool runlog_open(RunLog *log, bool resume, int64_t last_row, Error *err)
{
    const char *term = getenv("TERM");
    log->loss_name = "loss";
    log->valid.valid_loss = NAN;
    log->terminal = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
    char *path = xformat("%s/log.csv", log->dir.at), *text = NULL;
    size_t keep = 0;
    bool ok = !resume || read_rows(path, last_row, &text, &keep, err);
    ok = ok && (keep ? open_new(log, path, text, keep, err)
                     : open_new(log, path, HEADER, strlen(HEADER), err));
    free(text), free(path);
    return ok;
}

void runlog_close(RunLog *log)
{
    if (log->dangling) fputc('\n', stderr);
    if (log->fd >= 0) close(log->fd);
    log->fd = -1;
    log->dangling = false;
    rundir_close(&log->dir);
}

/* --- rows --------------------------------------------------------------------------------------------- */

static int print_number(char *s, size_t room, const char *fmt, double x)
{
    if (isnan(x)) return snprintf(s, room, ",");
    s[0] = ',';
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    return 1 + snprintf(s + 1, room - 1, fmt, x);
#pragma GCC diagnostic pop
}

static bool row_failed(const RunLog *log, Error *err)
{
    const int reason = errno;
    char *path = xformat("%s/log.csv", log->dir.at);
    rundir_failed(path, reason, err);
    free(path);
    return false;
}

bool runlog_write(RunLog *log, const LogRow *r, Error *err)
{
    char s[512];
    int n = snprintf(s, sizeof s, "%lld,%lld", (long long)r->step, (long long)r->tokens);
    const struct {
        const char *fmt;
        double x;
    } column[] = {{"%.3f", r->seconds},          {"%.6f", r->train_loss}, {"%.6f", r->valid_loss},
                  {"%.6f", r->metric},           {"%.6g", r->lr},         {"%.6g", r->grad_norm},
                  {"%.0f", r->tokens_per_second}};
    for (int i = 0; i < LEN(column); i++)
        n += print_number(s + n, sizeof s - (size_t)n, column[i].fmt, column[i].x);
    s[n++] = '\n';
    if (!rundir_ours(&log->dir, err)) return false;
    const off_t end = lseek(log->fd, 0, SEEK_CUR);
    if (file_write_all(log->fd, s, (size_t)n)) return true;
    row_failed(log, err);
    const int cut = end < 0 ? 0 : ftruncate(log->fd, end);
    (void)cut; /* a resumed run cuts off what is left of the row */
    return false;
}

/* Returns true if the path leads to the open log. */
static bool is_in_place(const RunLog *log, const char *path)
{
    struct stat ours, there;
    return fstat(log->fd, &ours) == 0 && lstat(path, &there) == 0 && ours.st_dev == there.st_dev &&
           ours.st_ino == there.st_ino;
}

/* Writes the rows of the open log, whose name leads elsewhere, to a new log.csv. */
static bool put_back(RunLog *log, const char *path, Error *err)
{
    char *text = NULL;
    size_t len;
    const int old = log->fd;
    if (lseek(old, 0, SEEK_SET) != 0) return row_failed(log, err);
    const bool ok = file_read_open(old, path, (size_t)1 << 30, &text, &len, err) &&
                    open_new(log, path, text, len, err);
    if (ok)
        close(old);
    else
        log->fd = old;
    free(text);
    return ok;
}

bool runlog_sync(RunLog *log, Error *err)
{
    if (log->fd < 0) return true;
    if (!rundir_ours(&log->dir, err)) return false;
    char *path = xformat("%s/log.csv", log->dir.at);
    const bool ok = (is_in_place(log, path) || put_back(log, path, err)) &&
                    (file_sync(log->fd) || row_failed(log, err));
    free(path);
    return ok;
}

/* Formats a number as "41.2k". */
static void with_suffix(char *s, size_t room, double x)
{
    if (x < 1e3)
        snprintf(s, room, "%.0f", x);
    else if (x < 1e6)
        snprintf(s, room, "%.1fk", x / 1e3);
    else
        snprintf(s, room, "%.2fM", x / 1e6);
}

static void progress_text(const RunLog *log, const LogRow *r, int steps, char *s, size_t room)
{
    char rate[16], eta[16] = "--:--", valid[32] = "";
    with_suffix(rate, sizeof rate, r->tokens_per_second);
    const double left = r->step ? (double)(steps - r->step) * r->seconds / (double)r->step : 0;
    if (left < 36000) snprintf(eta, sizeof eta, "%02d:%02d", (int)left / 60, (int)left % 60);
    if (!isnan(log->valid.valid_loss))
        snprintf(valid, sizeof valid, " (valid %.3f)", log->valid.valid_loss);
    snprintf(s, room, "%lld/%d %s %.3f%s  lr %.1e  |g| %.2f  %s tok/s  %s", (long long)r->step,
             steps, log->loss_name, r->train_loss, valid, r->lr, r->grad_norm, rate, eta);
}

void runlog_show(RunLog *log, const LogRow *row, int steps, bool force)
{
    char s[160];
    if (!isnan(row->valid_loss)) log->valid = *row;
    if (log->quiet) return;
    const double now = clock_seconds();
    if (log->terminal) {
        if (!force && now - log->shown < 0.2) return;
        progress_text(log, row, steps, s, sizeof s);
        say("\r%-79.79s", s);
        log->dangling = true;
        log->shown = now;
    } else if (!isnan(row->valid_loss)) {
        progress_text(log, row, steps, s, sizeof s);
        say("%s\n", s);
    }
}
