/* A run's log: its rows, what a resumed run keeps of it, failures and their messages, the progress line. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "programs/runlog.h"
#include "file_shim.h"
#include "temp_dir.h"

static const char heading[] =
    "step,tokens,seconds,train_loss,valid_loss,metric,lr,grad_norm,tokens_per_second\n";
static const char row_2[] = "2,20,0.500,1.500000,,,0.001,2,40\n";
static const char row_4[] = "4,40,1.000,0.500000,0.750000,0.500000,1e-05,nan,40\n";

static TempDir tmp;
static char csv[160];
static Error why;

static void begin(void)
{
    tmp = temp_dir();
    temp_name(&tmp, "log.csv", csv);
}

/* Opens the log of the temporary directory; the error is in `why`. */
static bool opens(RunLog *log, bool resume, int64_t last_row)
{
    *log = (RunLog)RUNLOG_CLOSED;
    ck_assert_msg(rundir_open(&log->dir, tmp.path, resume ? RUN_RESUME : RUN_NEW, &why), "%s",
                  why.text);
    return runlog_open(log, resume, last_row, &why);
}

static void ck_log(const char *want)
{
    assert_content(csv, want, strlen(want));
}

/* A value that was not measured is an empty field. */
START_TEST(rows)
{
    RunLog log;
    begin();
    ck_assert_msg(opens(&log, false, 0), "%s", why.text);
    const LogRow row = {3, 30, 1.5, .25, (double)NAN, (double)NAN, 1e-3, 2, 20};
    ck_assert(runlog_write(&log, &row, &why) && runlog_sync(&log, &why));
    runlog_close(&log);
    char *want = xformat("%s3,30,1.500,0.250000,,,0.001,2,20\n", heading);
    ck_log(want);
    free(want);
    remove_tree(tmp.path);
}
END_TEST

/* A resumed run keeps the rows up to that of its checkpoint; a later row, whole or not, is cut off. */
START_TEST(rows_kept)
{
    static const char *const later[] = {"", "6,60,1.5,1,,,1,1,40\n", "6,60,1.5", "5"};
    RunLog log;
    begin();
    for (int i = 0; i < LEN(later); i++) {
        char *text = xformat("%s%s%s%s", heading, row_2, row_4, later[i]);
        char *kept = xformat("%s%s%s", heading, row_2, row_4);
        assert_write(csv, text);
        ck_assert_msg(opens(&log, true, 4), "%s", why.text);
        runlog_close(&log);
        ck_log(kept);
        ck_assert_msg(opens(&log, true, 2), "%s", why.text);
        runlog_close(&log);
        kept[strlen(heading) + strlen(row_2)] = 0;
        ck_log(kept);
        free(text), free(kept);
    }
    remove_tree(tmp.path);
}
END_TEST

static void ck_refused(const char *text, int64_t last_row, const char *message)
{
    RunLog log;
    assert_write(csv, text);
    ck_assert_msg(!opens(&log, true, last_row), "accepted: %s", text);
    ck_assert_msg(strstr(why.text, csv) && strstr(why.text, message), "%s", why.text);
    ck_assert_msg(strstr(why.text, "move the file away") != NULL, "%s", why.text);
    runlog_close(&log);
    ck_log(text);
}

/* A file that is not the log of this run, or lacks rows, is refused and stays as it is. */
START_TEST(no_log_of_this_run)
{
    static const char *const no_row[] = {"x\n",
                                         "\n",
                                         "2,20,0.5,1.5,,,0.001,2\n",
                                         "2,20,0.5,1.5,,,0.001,2,40,1\n",
                                         "2;20;0.5;1.5;;;0.001;2;40\n",
                                         ",20,0.5,1.5,,,0.001,2,40\n",
                                         "0,20,0.5,1.5,,,0.001,2,40\n",
                                         "-1,20,0.5,1.5,,,0.001,2,40\n",
                                         "99999999999999999999,20,0.5,1.5,,,0.001,2,40\n",
                                         "2 ,20,0.5,1.5,,,0.001,2,40\n"};
    begin();
    ck_refused("", 4, "first line");
    ck_refused("my only copy", 4, "first line");
    ck_refused("step,loss\n2,1\n", 2, "first line");
    ck_refused(heading, 4, "ends at step 0, but the checkpoint needs the rows up to step 4");
    for (int i = 0; i < LEN(no_row); i++) {
        char *text = xformat("%s%s%s", heading, no_row[i], row_4);
        ck_refused(text, 4, "line 2 is not a row");
        free(text);
    }
    char *gap = xformat("%s%s", heading, row_2), *twice = xformat("%s%s%s", heading, row_4, row_2);
    char *cut = xformat("%s%s%.*s", heading, row_2, (int)strlen(row_4) - 1, row_4);
    ck_refused(gap, 4, "ends at step 2, but");
    ck_refused(cut, 4, "ends at step 2, but"); /* the last row has no newline */
    ck_refused(twice, 4, "line 3 is not a row");
    free(gap), free(twice), free(cut);
    remove_tree(tmp.path);
}
END_TEST

/* The log is moved away, as the message says: the run continues with a new one. */
START_TEST(without_a_log)
{
    RunLog log;
    begin();
    ck_assert_msg(opens(&log, true, 4), "%s", why.text);
    runlog_close(&log);
    ck_log(heading);
    remove_tree(tmp.path);
}
END_TEST

/* log.csv is a symbolic link or another name of somebody's file: the file stays as it is, and the run has its own. */
START_TEST(links)
{
    const LogRow row = {6, 60, 1.5, .25, (double)NAN, (double)NAN, 1e-3, 2, 20};
    for (int kind = 0; kind < 2; kind++) {
        RunLog log;
        struct stat st;
        begin();
        const TempDir other = temp_dir();
        char theirs[160], *text = xformat("%s%s", heading, row_4);
        temp_name(&other, "precious", theirs);
        assert_write(theirs, text);
        ck_assert_int_eq(kind ? link(theirs, csv) : symlink(theirs, csv), 0);
        ck_assert_msg(opens(&log, true, 4), "%s", why.text);
        ck_assert(runlog_write(&log, &row, &why));
        runlog_close(&log);
        assert_content(theirs, text, strlen(text));
        ck_assert(lstat(csv, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1);
        ck_assert_int_gt(st.st_size, (off_t)strlen(text));
        remove_tree(tmp.path), remove_tree(other.path);
        free(text);
    }
}
END_TEST

/* An editor replaces log.csv, or somebody removes it: before the next checkpoint it has all rows again. */
START_TEST(a_log_that_is_replaced)
{
    RunLog log;
    const LogRow row = {3, 30, 1.5, .25, (double)NAN, (double)NAN, 1e-3, 2, 20};
    begin();
    ck_assert(opens(&log, false, 0));
    char *want = xstrdup(heading);
    for (int i = 0; i < 3; i++) {
        if (i == 1) unlink(csv);
        if (i == 2) assert_write(csv, "3;30\n");
        ck_assert(runlog_write(&log, &row, &why));
        ck_assert_msg(runlog_sync(&log, &why), "%s", why.text);
        char *longer = xformat("%s3,30,1.500,0.250000,,,0.001,2,20\n", want);
        free(want), want = longer;
        ck_log(want);
    }
    ck_assert_int_eq(temp_entries(&tmp), 2); /* .lock, log.csv */
    runlog_close(&log);
    free(want);
    remove_tree(tmp.path);
}
END_TEST

/* The advice to free space is given only if space is missing. No temporary file is left. */
START_TEST(advice)
{
    static const int reason[] = {ENOSPC, EROFS};
    for (int i = 0; i < LEN(reason); i++) {
        RunLog log = RUNLOG_CLOSED;
        begin();
        ck_assert(rundir_open(&log.dir, tmp.path, RUN_NEW, &why));
        shim = (Shim){.on = true, .fail_at = 1, .why = reason[i]};
        ck_assert(!runlog_open(&log, false, 0, &why));
        shim.on = false;
        ck_assert_msg(strstr(why.text, strerror(reason[i])) != NULL, "%s", why.text);
        ck_assert_msg(strstr(why.text, "choose another --out") != NULL, "%s", why.text);
        ck_assert_int_eq(strstr(why.text, "free some space") != NULL, reason[i] == ENOSPC);
        runlog_close(&log);
        ck_assert_int_eq(temp_entries(&tmp), 1); /* .lock */
        remove_tree(tmp.path);
    }
}
END_TEST

/* A row is written whole, in pieces and after interruptions too; of a row that fails nothing is left. */
START_TEST(rows_that_fail)
{
    RunLog log;
    begin();
    ck_assert(opens(&log, false, 0));
    const LogRow row = {3, 30, 1.5, .25, (double)NAN, (double)NAN, 1e-3, 2, 20};
    char *want = xformat("%s3,30,1.500,0.250000,,,0.001,2,20\n", heading);
    shim = (Shim){.on = true, .interrupt = true, .most = 7};
    const bool ok = runlog_write(&log, &row, &why);
    shim = (Shim){.on = true, .most = 7, .fail_at = 3, .why = ENOSPC};
    const bool failed = !runlog_write(&log, &row, &why);
    shim.on = false;
    ck_assert(ok && failed);
    ck_assert_msg(strstr(why.text, csv) && strstr(why.text, "free some space"), "%s", why.text);
    ck_log(want);
    runlog_close(&log);
    free(want);
    remove_tree(tmp.path);
}
END_TEST

/* Returns what runlog_show prints into a file at step 4 of 10 after 60 seconds. */
START_TEST(progress)
{
    RunLog log;
    LogRow row = {4, 40, 60, 2, 3, (double)NAN, 1e-3, 1, 12345};
    char shown[256] = "";
    int out[2];
    begin();
    ck_assert_msg(opens(&log, false, 0), "%s", why.text);
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
    remove_tree(tmp.path);
}
END_TEST

SUITE("runlog",
      TESTS(rows, rows_kept, no_log_of_this_run, without_a_log, links, a_log_that_is_replaced,
            advice, rows_that_fail, progress),
      NO_ABORTS)
