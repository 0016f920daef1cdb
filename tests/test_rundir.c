/* A run directory: its lock, what makes it used, a new run in the place of an old one, links, a directory that is
 * moved away. */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "programs/rundir.h"
#include "system/noted.h"
#include "temp_dir.h"

/* Replaces the C library's function: a lock that fails with the given errno; 0: no failure. */
static int lock_error, interruptions;

int flock(int fd, int operation)
{
    ck_assert(fd >= 0 && operation == (LOCK_EX | LOCK_NB));
    errno = interruptions > 0 ? EINTR : lock_error;
    return interruptions-- > 0 || lock_error ? -1 : 0;
}

static TempDir tmp;
static Error why;

static void write_file(const char *name, const char *text)
{
    char path[160];
    temp_name(&tmp, name, path);
    assert_write(path, text);
}

static void ck_file(const char *name, const char *want)
{
    char path[160];
    temp_name(&tmp, name, path);
    assert_content(path, want, strlen(want));
}

static bool is_there(const char *name)
{
    struct stat st;
    char path[160];
    temp_name(&tmp, name, path);
    return lstat(path, &st) == 0;
}

static void make_dir(const char *name)
{
    char path[160];
    temp_name(&tmp, name, path);
    ck_assert_int_eq(mkdir(path, 0777), 0);
}

static void opens(RunDir *d, RunStart start)
{
    ck_assert_msg(rundir_open(d, tmp.path, start, &why), "%s", why.text);
}

/* Opens the directory, which must fail, and checks whether the message has the text. */
static void ck_refused(RunStart start, const char *text, bool said)
{
    RunDir d;
    ck_assert(!rundir_open(&d, tmp.path, start, &why));
    ck_assert(d.fd < 0 && d.lock < 0 && strstr(why.text, tmp.path) != NULL);
    ck_assert_msg((strstr(why.text, text) != NULL) == said, "%s", why.text);
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

static const char *const run_files[] = {"config.json", "model.safetensors", "best.safetensors",
                                        "state.safetensors", "log.csv"};

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

static void write_old_run(void)
{
    for (int i = 0; i < LEN(run_files); i++) write_file(run_files[i], "old\n");
    write_file("trace.csv", "old\n"), write_file("loss.gp", "old\n");
    noted_add(tmp.path, "trace.csv");
    write_file("notes.txt", "mine\n");
}

static void ck_old_run(void)
{
    for (int i = 0; i < LEN(run_files); i++) ck_file(run_files[i], "old\n");
    ck_file("trace.csv", "old\n"), ck_file("loss.gp", "old\n");
}

/* Writes a run without best.safetensors and with a figure of its own. */
static void write_new_run(const char *at)
{
    static const char *const files[] = {"config.json", "model.safetensors", "state.safetensors",
                                        "log.csv", "gates.csv"};
    for (int i = 0; i < LEN(files); i++) {
        char path[160];
        snprintf(path, sizeof path, "%s/%s", at, files[i]);
        assert_write(path, "new\n");
    }
    noted_add(at, "gates.csv");
}

static void ck_new_run(void)
{
    ck_file("config.json", "new\n"), ck_file("model.safetensors", "new\n");
    ck_file("state.safetensors", "new\n"), ck_file("log.csv", "new\n"),
        ck_file("gates.csv", "new\n");
    ck_assert(!is_there("best.safetensors") && !is_there("trace.csv") && !is_there("loss.gp"));
    ck_assert(noted_has(tmp.path, "gates.csv") && !noted_has(tmp.path, "trace.csv"));
    ck_file("notes.txt", "mine\n");
    ck_assert_int_eq(temp_entries(&tmp), 8); /* .lock, .files, notes.txt and the five of the run */
}

/* The old run is complete until the new one is committed; a new run that is not committed leaves no trace. */
START_TEST(one_run_for_another)
{
    RunDir d;
    tmp = temp_dir();
    write_old_run();
    const int before = temp_entries(&tmp) + 1; /* .lock */
    opens(&d, RUN_OVERWRITE);
    ck_assert_str_ne(d.at, d.dir);
    write_new_run(d.at);
    ck_old_run();
    rundir_close(&d);
    ck_old_run();
    ck_assert_int_eq(temp_entries(&tmp), before);
    opens(&d, RUN_OVERWRITE);
    write_new_run(d.at);
    ck_assert_msg(rundir_commit(&d, &why), "%s", why.text);
    ck_assert_str_eq(d.at, d.dir);
    ck_new_run();
    ck_assert_msg(rundir_commit(&d, &why), "%s", why.text); /* the second one has nothing to do */
    rundir_close(&d);
    ck_new_run();
    remove_tree(tmp.path);
}
END_TEST

/* A new run in a directory without a run writes there at once. */
START_TEST(a_directory_without_a_run)
{
    RunDir d;
    tmp = temp_dir();
    write_file("notes.txt", "mine\n");
    opens(&d, RUN_OVERWRITE);
    ck_assert_str_eq(d.at, tmp.path);
    rundir_close(&d);
    ck_file("notes.txt", "mine\n");
    remove_tree(tmp.path);
}
END_TEST

/* A replacement that was killed at step 2 (how = 0), 3 (1) or 4 (2) is finished by the next program: train or eval. */
START_TEST(an_interrupted_replacement)
{
    for (int how = 0; how < 6; how++) {
        RunDir d;
        char at[160], to[160];
        tmp = temp_dir();
        write_file(".lock", "");
        if (how % 3 == 0) write_old_run();
        write_file("notes.txt", "mine\n");
        const char *folder = how % 3 == 2 ? ".run.moving" : ".run.ready";
        make_dir(folder);
        temp_name(&tmp, folder, at);
        write_new_run(at);
        temp_name(&tmp, "model.safetensors", to);
        char *moved = xformat("%s/model.safetensors", at);
        if (how % 3 == 2) ck_assert_int_eq(rename(moved, to), 0);
        free(moved);
        if (how < 3) {
            opens(&d, RUN_RESUME);
            rundir_close(&d);
        } else {
            ck_assert_msg(rundir_settle(tmp.path, &why), "%s", why.text);
        }
        ck_new_run();
        remove_tree(tmp.path);
    }
}
END_TEST

/* What a run that was killed before its first checkpoint left is removed, also if somebody put a link in its place. */
START_TEST(an_unfinished_new_run)
{
    for (int is_link = 0; is_link < 2; is_link++) {
        RunDir d;
        char path[160], elsewhere[160];
        tmp = temp_dir();
        write_old_run();
        make_dir("elsewhere");
        write_file("elsewhere/model.safetensors", "mine\n");
        temp_name(&tmp, ".run.new", path), temp_name(&tmp, "elsewhere", elsewhere);
        if (is_link)
            ck_assert_int_eq(symlink(elsewhere, path), 0);
        else
            make_dir(".run.new"), write_file(".run.new/model.safetensors", "half\n");
        ck_assert_msg(rundir_settle(tmp.path, &why), "%s", why.text);
        ck_old_run();
        opens(&d, RUN_OVERWRITE);
        write_new_run(d.at);
        ck_old_run();
        ck_assert(rundir_commit(&d, &why));
        rundir_close(&d);
        ck_file("model.safetensors", "new\n"), ck_file("elsewhere/model.safetensors", "mine\n");
        remove_tree(tmp.path);
    }
}
END_TEST

/* A manipulated list cannot remove files outside the directory or hidden files. */
START_TEST(names_that_are_no_files_of_the_run)
{
    RunDir d;
    char path[160];
    tmp = temp_dir();
    const TempDir other = temp_dir();
    temp_name(&other, "outside", path);
    assert_write(path, "mine\n");
    char *name = xformat("../%s/outside", strrchr(other.path, '/') + 1);
    write_old_run();
    write_file(".hidden", "mine\n");
    noted_add(tmp.path, name), noted_add(tmp.path, path), noted_add(tmp.path, ".hidden");
    noted_add(tmp.path, ".."), noted_add(tmp.path, "x.csv"), noted_add(tmp.path, "x.csv");
    char *list = xformat("trace.csv\n%s\n%s\n.hidden\n..\nx.csv\n", name, path);
    ck_file(".files", list);
    opens(&d, RUN_OVERWRITE);
    write_new_run(d.at);
    ck_assert(rundir_commit(&d, &why));
    rundir_close(&d);
    assert_content(path, "mine\n", 5);
    ck_file(".hidden", "mine\n");
    remove_tree(tmp.path), remove_tree(other.path);
    free(list), free(name);
}
END_TEST

/* The list of files is a link or another name of somebody's file, which stays as it is. */
START_TEST(a_list_that_is_a_link)
{
    for (int kind = 0; kind < 2; kind++) {
        char list[160], theirs[160];
        tmp = temp_dir();
        temp_name(&tmp, ".files", list), temp_name(&tmp, "precious", theirs);
        write_file("precious", "a.csv\n");
        ck_assert_int_eq(kind ? link(theirs, list) : symlink(theirs, list), 0);
        noted_add(tmp.path, "b.csv");
        ck_file("precious", "a.csv\n");
        ck_file(".files", "a.csv\nb.csv\n");
        remove_tree(tmp.path);
    }
}
END_TEST

/* Temporary files of killed trainers are removed, those of programs that run and of others are not. */
START_TEST(stale_temporaries)
{
    RunDir d;
    char ours[64];
    tmp = temp_dir();
    snprintf(ours, sizeof ours, "loss.png.tmp.%ld", (long)getpid());
    const char *const stale[] = {"model.safetensors.tmp.1", "state.safetensors.tmp.4711",
                                 "log.csv.tmp.1", "loss.png.tmp.999999999", "x.csv.tmp.999999999"};
    const char *const kept[] = {
        "notes.txt.tmp.999999999",  "model.safetensors.tmp.", ours,
        "model.safetensors.tmp.1x", "y.csv.tmp.999999999",    "x.csv.tmp.1"};
    noted_add(tmp.path, "x.csv");
    for (int i = 0; i < LEN(stale); i++) write_file(stale[i], "");
    for (int i = 0; i < LEN(kept); i++) write_file(kept[i], "");
    opens(&d, RUN_NEW);
    rundir_close(&d);
    for (int i = 0; i < LEN(stale); i++) ck_assert_msg(!is_there(stale[i]), "%s", stale[i]);
    for (int i = 0; i < LEN(kept); i++) ck_assert_msg(is_there(kept[i]), "%s", kept[i]);
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
            one_run_for_another, a_directory_without_a_run, an_interrupted_replacement,
            an_unfinished_new_run, names_that_are_no_files_of_the_run, a_list_that_is_a_link,
            stale_temporaries, a_directory_that_is_moved, a_lock_that_is_removed),
      NO_ABORTS)
