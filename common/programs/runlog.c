#include "programs/runlog.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "system/file.h"
#include "system/noted.h"

static const char *const HEADER =
    "step,tokens,seconds,train_loss,valid_loss,metric,lr,grad_norm,tokens_per_second\n";

/* The files that a trainer writes. --overwrite removes them, and the files that other programs noted. */
static const char *const run_files[] = {
    "config.json", "model.safetensors", "best.safetensors", "state.safetensors",
    "log.csv",     "loss.gp",           "loss.png",         "loss.svg"};

/* Sets the error: what failed, why (error is an errno), what to do. Returns false. */
static bool failed(const char *what, int error, Error *err)
{
    const bool full = error == ENOSPC || error == EDQUOT;
    return error_set(err, "%s: %s; %schoose another --out", what, strerror(error),
                     full ? "free some space or " : "");
}

static bool make_dir(const char *dir, Error *err)
{
    Error why;
    return dir_make(dir, &why) || error_set(err, "%s; choose another --out", why.text);
}

static bool lock_dir(RunLog *log, const char *dir, Error *err)
{
    char *path = xformat("%s/.lock", dir);
    log->lock = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0666);
    const bool ok = log->lock >= 0 && flock(log->lock, LOCK_EX | LOCK_NB) == 0;
    const int why = errno;
    if (!ok && log->lock >= 0 && why == EWOULDBLOCK)
        error_set(err, "%s: another program is training in it; wait for it or choose another --out",
                  dir);
    else if (!ok && log->lock >= 0) /* some network file systems do not support locks */
        error_set(err, "%s: cannot be locked: %s; choose an --out on a local disk", path,
                  strerror(why));
    else if (!ok)
        failed(path, why, err);
    free(path);
    return ok;
}

static void remove_file(const char *dir, const char *name)
{
    char *path = xformat("%s/%s", dir, name);
    unlink(path);
    free(path);
}

bool runlog_has_file(const char *dir, const char *path)
{
    bool found = false;
    for (int i = 0; i < LEN(run_files) && !found; i++) {
        char *file = xformat("%s/%s", dir, run_files[i]);
        found = file_same(file, path);
        free(file);
    }
    return found;
}

/* Returns true if a log is there with more than the header. The header alone is left by a run that was
 * stopped in the trial of --budget, before its first update and its config.json. */
static bool has_rows(const char *csv)
{
    Error err;
    char *text = NULL;
    size_t len;
    const bool header_only =
        file_read(csv, strlen(HEADER), &text, &len, &err) && strcmp(text, HEADER) == 0;
    free(text);
    return file_exists(csv) && !header_only;
}

static bool refuse_or_clear(const char *dir, bool resume, bool overwrite, Error *err)
{
    char *config = xformat("%s/config.json", dir), *log = xformat("%s/log.csv", dir);
    const bool used = file_exists(config) || has_rows(log);
    free(config), free(log);
    if (resume || !used) return true;
    if (!overwrite)
        return error_set(
            err,
            "%s: the directory holds a run already; continue it with --resume, replace it "
            "with --overwrite, or choose another --out",
            dir);
    for (int i = 0; i < LEN(run_files); i++) remove_file(dir, run_files[i]);
    noted_remove(dir);
    return true;
}

/* Returns how many bytes of log.csv to keep: up to the end of the last whole row with a step <= last_step. */
static size_t length_to_keep(const char *text, size_t len, int64_t last_step)
{
    const char *at = text, *end = text + len, *newline;
    size_t keep = 0;
    while ((newline = memchr(at, '\n', (size_t)(end - at)))) {
        const bool header = at == text;
        if (!header && strtoll(at, NULL, 10) > last_step) break;
        at = newline + 1;
        keep = (size_t)(at - text);
    }
    return keep;
}

static bool open_csv(RunLog *log, const char *dir, bool resume, int64_t last_step, Error *err)
{
    char *path = xformat("%s/log.csv", dir), *text = NULL;
    size_t len = 0, keep = 0;
    bool ok = true;
    if (resume && file_exists(path)) {
        ok = file_read_regular(path, (size_t)1 << 30, &text, &len, err);
        if (ok) keep = length_to_keep(text, len, last_step);
    }
    if (ok) {
        log->fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
        ok = log->fd >= 0 && ftruncate(log->fd, (off_t)keep) == 0 &&
             lseek(log->fd, 0, SEEK_END) >= 0 &&
             (keep || file_write_all(log->fd, HEADER, strlen(HEADER)));
        if (!ok) failed(path, errno, err);
    }
    free(text), free(path);
    return ok;
}

bool runlog_open(RunLog *log, const char *dir, bool resume, bool overwrite, int64_t last_step,
                 Error *err)
{
    const char *term = getenv("TERM");
    *log = (RunLog){.fd = -1, .lock = -1, .loss_name = "loss", .valid.valid_loss = NAN};
    log->terminal = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
    const bool ok = make_dir(dir, err) && lock_dir(log, dir, err) &&
                    refuse_or_clear(dir, resume, overwrite, err) &&
                    open_csv(log, dir, resume, last_step, err);
    if (!ok) runlog_close(log);
    return ok;
}

void runlog_close(RunLog *log)
{
    if (log->dangling) fputc('\n', stderr);
    if (log->fd >= 0) close(log->fd);
    if (log->lock >= 0) close(log->lock);
    log->fd = log->lock = -1;
    log->dangling = false;
}

static int print_number(char *s, size_t room, const char *fmt, double x)
{
    if (isnan(x)) return snprintf(s, room, ",");
    s[0] = ',';
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    return 1 + snprintf(s + 1, room - 1, fmt, x);
#pragma GCC diagnostic pop
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
    if (file_write_all(log->fd, s, (size_t)n)) return true;
    return failed("log.csv", errno, err);
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
        fprintf(stderr, "\r%-79.79s", s);
        log->dangling = true;
        log->shown = now;
    } else if (!isnan(row->valid_loss)) {
        progress_text(log, row, steps, s, sizeof s);
        fprintf(stderr, "%s\n", s);
    }
}
