/* A run's directory and its log: locking, failures and their messages, the files of a run. */
#include <errno.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "system/file.h"
#include "system/noted.h"
#include "programs/runlog.h"
#include "suite.h"

/* Replace the C library's functions: a lock and a disk that fail with the given errno; 0: no failure. */
static int lock_error, cut_error;

int flock(int fd, int operation)
{
    ck_assert(fd >= 0 && operation == (LOCK_EX | LOCK_NB));
    errno = lock_error;
    return lock_error ? -1 : 0;
}

int ftruncate(int fd, off_t length)
{
    ck_assert(fd >= 0 && length >= 0);
    errno = cut_error;
    return cut_error ? -1 : 0;
}

static char dir[] = "/tmp/lmzoo-runlog-XXXXXX"; /* Check runs each test in its own process */
static Error why;

static char *path_of(const char *name)
{
    return xformat("%s/%s", dir, name);
}

static void remove_file(const char *name)
{
    char *path = path_of(name);
    ck_assert_int_eq(remove(path), 0);
    free(path);
}

/* Opens a log, which must fail, and returns the message. */
static const char *refused(void)
{
    RunLog log;
    ck_assert(!runlog_open(&log, dir, false, false, 0, &why));
    ck_assert_msg(strstr(why.text, dir) != NULL, "%s", why.text);
    ck_assert(log.fd < 0 && log.lock < 0);
    return why.text;
}

static void ck_says(const char *message, const char *text, bool said)
{
    ck_assert_msg((strstr(message, text) != NULL) == said, "%s", message);
}

/* "another program" is reported only if the lock is held, not for other failures of the lock. */
START_TEST(locks)
{
    ck_assert_ptr_nonnull(mkdtemp(dir));
    lock_error = EWOULDBLOCK;
    ck_says(refused(), "another program is training in it", true);
    lock_error = ENOLCK;
    ck_says(refused(), "another program", false);
    ck_says(refused(), strerror(ENOLCK), true);
    ck_says(refused(), "local disk", true);
    remove_file(".lock"), rmdir(dir);
}
END_TEST

/* The advice to free space is given only if space is missing. */
START_TEST(advice)
{
    ck_assert_ptr_nonnull(mkdtemp(dir));
    cut_error = ENOSPC;
    ck_says(refused(), "free some space", true);
    remove_file("log.csv");
    cut_error = EROFS;
    ck_says(refused(), strerror(EROFS), true);
    ck_says(why.text, "free some space", false);
    ck_says(why.text, "choose another --out", true);
    remove_file("log.csv"), remove_file(".lock"), rmdir(dir);
}
END_TEST

/* --- the files of a run --------------------------------------------------------------------------- */

static void write_file(const char *name, const char *text)
{
    char *path = path_of(name);
    ck_assert(file_write(path, text, strlen(text), &why));
    free(path);
}

static void ck_file(const char *name, const char *want)
{
    char *path = path_of(name), *text;
    size_t len;
    ck_assert_msg(file_read(path, 1 << 20, &text, &len, &why), "%s", why.text);
    ck_assert_str_eq(text, want);
    free(text), free(path);
}

static const char heading[] =
    "step,tokens,seconds,train_loss,valid_loss,metric,lr,grad_norm,tokens_per_second\n";

/* A value that was not measured is an empty field. */
START_TEST(rows)
{
    RunLog log;
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_msg(runlog_open(&log, dir, false, false, 0, &why), "%s", why.text);
    const LogRow row = {3, 30, 1.5, .25, (double)NAN, (double)NAN, 1e-3, 2, 20};
    ck_assert(runlog_write(&log, &row, &why));
    runlog_close(&log);
    char *want = xformat("%s3,30,1.500,0.250000,,,0.001,2,20\n", heading);
    ck_file("log.csv", want);
    free(want);
    remove_file("log.csv"), remove_file(".lock"), rmdir(dir);
}
END_TEST

/* A directory with only a log also counts as a run: it is refused and kept; --overwrite removes its figures. */
START_TEST(a_directory_that_is_used)
{
    static const char *const figures[] = {"trace.csv",     "gates.csv",     "by_length.csv",
                                          "by_source.csv", "alignment.csv", "positions.csv",
                                          "heads.csv",     "loss.gp",       "trace.svg"};
    RunLog log;
    ck_assert_ptr_nonnull(mkdtemp(dir));
    write_file("log.csv", "old\n");
    ck_says(refused(), "holds a run already", true);
    ck_file("log.csv", "old\n");
    for (int i = 0; i < LEN(figures); i++) write_file(figures[i], "old\n");
    for (int i = 0; i < LEN(figures); i++) noted_add(dir, figures[i]), noted_add(dir, figures[0]);
    write_file("notes.txt", "mine\n");
    ck_assert_msg(runlog_open(&log, dir, false, true, 0, &why), "%s", why.text);
    runlog_close(&log);
    ck_file("log.csv", heading);
    ck_file("notes.txt", "mine\n");
    remove_file("notes.txt"), remove_file("log.csv"), remove_file(".lock");
    ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

/* The trial of --budget ends before config.json is written: stopped there, no run is in the way of the next. */
START_TEST(a_log_without_rows_is_no_run)
{
    RunLog log;
    ck_assert_ptr_nonnull(mkdtemp(dir));
    write_file("log.csv", heading);
    ck_assert_msg(runlog_open(&log, dir, false, false, 0, &why), "%s", why.text);
    runlog_close(&log);
    write_file("config.json", "{}");
    ck_says(refused(), "holds a run already", true);
    remove_file("config.json"), remove_file("log.csv"), remove_file(".lock");
    ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

/* A manipulated list cannot remove files outside the directory or hidden files. */
START_TEST(names_that_are_no_files_of_the_run)
{
    RunLog log;
    ck_assert_ptr_nonnull(mkdtemp(dir));
    char *outside = xformat("%s-outside", dir), *list, name[512];
    ck_assert(file_write(outside, "mine\n", 5, &why));
    snprintf(name, sizeof name, "../%s", strrchr(outside, '/') + 1);
    write_file(".hidden", "mine\n"), write_file("log.csv", "old\n");
    noted_add(dir, name), noted_add(dir, outside), noted_add(dir, ".hidden"), noted_add(dir, "..");
    noted_add(dir, "x.csv"), noted_add(dir, "x.csv");
    list = xformat("%s\n%s\n.hidden\n..\nx.csv\n", name, outside);
    ck_file(".files", list);
    ck_assert(runlog_open(&log, dir, false, true, 0, &why));
    runlog_close(&log);
    ck_assert(file_exists(outside));
    ck_file(".hidden", "mine\n");
    remove_file(".hidden"), remove_file("log.csv"), remove_file(".lock");
    ck_assert_int_eq(rmdir(dir), 0);
    unlink(outside);
    free(outside), free(list);
}
END_TEST

/* Returns what runlog_show prints into a file at step 4 of 10 after 60 seconds. */
START_TEST(progress)
{
    RunLog log;
    LogRow row = {4, 40, 60, 2, 3, (double)NAN, 1e-3, 1, 12345};
    char shown[256] = "";
    int out[2];
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_msg(runlog_open(&log, dir, false, false, 0, &why), "%s", why.text);
    log.terminal = false;
    ck_assert_int_eq(pipe(out), 0);
    const int before = dup(STDERR_FILENO);
    dup2(out[1], STDERR_FILENO);
    runlog_show(&log, &row, 10, false);
    row.step = 5, row.valid_loss = (double)NAN;
    runlog_show(&log, &row, 10, true); /* without a validation it prints no line */
    dup2(before, STDERR_FILENO);
    close(out[1]);
    ck_assert_int_gt(read(out[0], shown, sizeof shown - 1), 0);
    ck_assert_str_eq(shown,
                     "4/10 loss 2.000 (valid 3.000)  lr 1.0e-03  |g| 1.00  12.3k tok/s  01:30\n");
    ck_assert_int_eq(log.valid.step, 4); /* the last validated step */
    close(out[0]), close(before);
    runlog_close(&log);
    remove_file("log.csv"), remove_file(".lock"), rmdir(dir);
}
END_TEST

SUITE("runlog",
      TESTS(locks, advice, rows, a_directory_that_is_used, a_log_without_rows_is_no_run,
            names_that_are_no_files_of_the_run, progress),
      NO_ABORTS)
