/* A run directory: its lock, what makes it used, a directory that is moved away. */
#include <errno.h>
#include <sys/file.h>

#include "rundir_help.h"

/* Replaces the C library's function: a lock that fails with the given errno; 0: no failure. */
static int lock_error, interruptions;

int flock(int fd, int operation)
{
    ck_assert(fd >= 0 && operation == (LOCK_EX | LOCK_NB));
    errno = interruptions > 0 ? EINTR : lock_error;
    return interruptions-- > 0 || lock_error ? -1 : 0;
}

/* "another program" is reported only if the lock is held, not for other failures of the lock. */
START_TEST(locks)
{
    RunDir d;
    tmp = temp_dir();
    lock_error = EWOULDBLOCK;
    ck_refused(RUN_NEW, "another program is training in it", true);
    lock_error = ENOLCK;
    ck_refused(RUN_NEW, "another program", false);
    ck_refused(RUN_NEW, strerror(ENOLCK), true);
    ck_refused(RUN_NEW, "local disk", true);
    lock_error = 0, interruptions = 3;
    opens(&d, RUN_NEW);
    rundir_close(&d);
    remove_tree(tmp.path);
}
END_TEST

/* The lock file is a link: it is refused, whether its target is there or not, and the target is not made. */
START_TEST(a_lock_that_is_a_link)
{
    char lock[160], target[160];
    tmp = temp_dir();
    temp_name(&tmp, ".lock", lock), temp_name(&tmp, "elsewhere", target);
    ck_assert_int_eq(symlink(target, lock), 0);
    ck_refused(RUN_NEW, "is a link or device", true);
    ck_assert(!is_there("elsewhere"));
    write_file("elsewhere", "mine\n");
    ck_refused(RUN_NEW, "is a link or device", true);
    ck_file("elsewhere", "mine\n");
    remove_tree(tmp.path);
}
END_TEST

/* Each file that a new run would replace makes the directory a used one. */
START_TEST(a_directory_that_is_used)
{
    for (int i = 0; i < LEN(run_files); i++) {
        tmp = temp_dir();
        write_file(run_files[i], "old\n");
        ck_refused(RUN_NEW, "holds a run already", true);
        const bool state = strcmp(run_files[i], "state.safetensors") == 0;
        ck_assert_int_eq(strstr(why.text, "--resume") != NULL,
                         state); /* there is something to continue */
        ck_assert_ptr_nonnull(strstr(why.text, "--overwrite"));
        ck_file(run_files[i], "old\n");
        remove_tree(tmp.path);
    }
}
END_TEST

/* The trial of --budget ends before config.json is written: stopped there, no run is in the way of the next. */
START_TEST(a_log_without_rows_is_no_run)
{
    RunDir d;
    tmp = temp_dir();
    write_file("log.csv", "step,tokens,seconds,train_loss,valid_loss,metric,lr,grad_norm,"
                          "tokens_per_second\n");
    opens(&d, RUN_NEW);
    rundir_close(&d);
    remove_tree(tmp.path);
}
END_TEST

/* The path leads to another directory, or to none: nothing more may be written. */
START_TEST(a_directory_that_is_moved)
{
    for (int again = 0; again < 2; again++) {
        RunDir d;
        char away[160];
        tmp = temp_dir();
        opens(&d, RUN_NEW);
        ck_assert_msg(rundir_ours(&d, &why), "%s", why.text);
        snprintf(away, sizeof away, "%s.away", tmp.path);
        ck_assert_int_eq(rename(tmp.path, away), 0);
        if (again) ck_assert_int_eq(mkdir(tmp.path, 0777), 0);
        ck_assert(!rundir_ours(&d, &why));
        ck_assert_msg(strstr(why.text, "was moved, replaced or removed") != NULL, "%s", why.text);
        rundir_close(&d);
        remove_tree(away), remove_tree(tmp.path);
    }
}
END_TEST

/* The lock file is made anew if somebody removed it; if it is another one, another program may be at work. */
START_TEST(a_lock_that_is_removed)
{
    RunDir d;
    char lock[160];
    tmp = temp_dir();
    opens(&d, RUN_NEW);
    temp_name(&tmp, ".lock", lock);
    unlink(lock);
    ck_assert_msg(rundir_ours(&d, &why), "%s", why.text);
    ck_assert(is_there(".lock"));
    ck_assert_msg(rundir_ours(&d, &why), "%s", why.text);
    unlink(lock), write_file(".lock", "");
    ck_assert(!rundir_ours(&d, &why));
    ck_assert_msg(strstr(why.text, "another program may be training there") != NULL, "%s",
                  why.text);
    rundir_close(&d);
    remove_tree(tmp.path);
}
END_TEST

SUITE("rundir",
      TESTS(locks, a_lock_that_is_a_link, a_directory_that_is_used, a_log_without_rows_is_no_run,
            a_directory_that_is_moved, a_lock_that_is_removed),
      NO_ABORTS)
