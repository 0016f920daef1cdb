/* The files of a run directory: those of a new run take the place of those of an old one; leftovers are removed. */
#include "programs/rundir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "programs/runlog.h"
#include "system/file.h"
#include "system/noted.h"

#define STAGE_READY  ".run.ready"
#define STAGE_MOVING ".run.moving"

/* The files that a trainer writes, config.json first: without it a directory is no run. Only the holder of the lock
 * writes the first OWN of them; eval draws the others too. */
static const char *const run_files[] = {
    "config.json", "model.safetensors", "best.safetensors", "state.safetensors",
    "log.csv",     "loss.gp",           "loss.png",         "loss.svg"};
enum { OWN = 5 };

bool rundir_has_file(const char *dir, const char *path)
{
    bool found = false;
    for (int i = 0; i < LEN(run_files) && !found; i++) {
        char *file = xformat("%s/%s", dir, run_files[i]);
        found = file_same(file, path);
        free(file);
    }
    return found;
}

/* Returns true if the directory has an entry of that name; a link counts, wherever it leads. */
bool rundir_has(const RunDir *d, const char *name)
{
    struct stat st;
    return fstatat(d->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Returns true if the directory holds a run, or files that a new run would replace. The log's header alone is left by
 * a run that was stopped in the trial of --budget, before its first update and its config.json. */
bool rundir_holds_run(const RunDir *d)
{
    char *log = xformat("%s/log.csv", d->dir);
    bool used = runlog_has_rows(log);
    free(log);
    for (int i = 0; i < OWN && !used; i++)
        used = strcmp(run_files[i], "log.csv") != 0 && rundir_has(d, run_files[i]);
    return used;
}

static bool sync_dir(const RunDir *d, Error *err)
{
    while (fsync(d->fd) != 0)
        if (errno == EINVAL || errno == EBADF) /* a file system without it; opened by O_PATH */
            break;
        else if (errno != EINTR)
            return rundir_failed(d->dir, errno, err);
    return true;
}

/* --- what is left of earlier runs ------------------------------------------------------------------------ */

typedef bool (*EntryAction)(RunDir *d, const char *folder, const char *name);

/* Calls the action for every entry of a folder of the directory ("." for itself), without . and .., until one
 * returns false. Returns false then, or with errno set if the folder cannot be read. */
static bool for_entries(RunDir *d, const char *folder, EntryAction action)
{
    const int fd = (int)TEMP_FAILURE_RETRY(
        openat(d->fd, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    if (!list && fd >= 0) close(fd);
    if (!list) return false;
    bool ok = true;
    for (const struct dirent *e; ok && (e = readdir(list));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            ok = action(d, folder, e->d_name);
    const int reason = errno;
    closedir(list);
    errno = reason;
    return ok;
}

static bool remove_entry(RunDir *d, const char *folder, const char *name)
{
    char *path = xformat("%s/%s", folder, name);
    const bool ok = unlinkat(d->fd, path, 0) == 0;
    const int reason = errno;
    free(path);
    errno = reason;
    return ok;
}

/* Removes a folder of ours with its files, or the link or file of that name. */
static bool remove_folder(RunDir *d, const char *folder)
{
    if (unlinkat(d->fd, folder, 0) == 0 || errno == ENOENT) return true;
    do /* a removal may hide another entry from the list */
        if (!for_entries(d, folder, remove_entry)) return false;
    while (unlinkat(d->fd, folder, AT_REMOVEDIR) != 0 && errno == ENOTEMPTY);
    return !rundir_has(d, folder);
}

static bool process_exists(const char *pid)
{
    const long number = strtol(pid, NULL, 10);
    return number > 0 && (kill((pid_t)number, 0) == 0 || errno != ESRCH);
}

/* Removes NAME.tmp.PID if NAME is a file of a run and nobody can be writing it. */
static bool remove_temporary(RunDir *d, const char *folder, const char *name)
{
    const char *mark = strstr(name, ".tmp."), *pid = mark ? mark + strlen(".tmp.") : "";
    if (!*pid || pid[strspn(pid, "0123456789")]) return true;
    char *file = xformat("%.*s", (int)(mark - name), name);
    bool own = false, of_run = strcmp(file, ".files") == 0 || noted_has(d->dir, file);
    for (int i = 0; i < LEN(run_files); i++)
        if (strcmp(file, run_files[i]) == 0) of_run = true, own = i < OWN;
    if (of_run && (own || !process_exists(pid))) remove_entry(d, folder, name);
    free(file);
    return true;
}

void rundir_remove_temporaries(RunDir *d)
{
    for_entries(d, ".", remove_temporary);
}

bool rundir_remove_new(RunDir *d)
{
    return remove_folder(d, RUNDIR_NEW);
}

/* --- one run in the place of another -------------------------------------------------------------------- */

static bool remove_old_run(RunDir *d, Error *err)
{
    for (int i = 0; i < LEN(run_files); i++)
        if (unlinkat(d->fd, run_files[i], 0) != 0 && errno != ENOENT)
            return rundir_failed_in(d, run_files[i], err);
    noted_remove(d->dir);
    return true;
}

static bool move_entry(RunDir *d, const char *folder, const char *name)
{
    if (strcmp(name, "config.json") == 0) return true;
    char *path = xformat("%s/%s", folder, name);
    const bool ok = renameat(d->fd, path, d->fd, name) == 0;
    const int reason = errno;
    free(path);
    errno = reason;
    return ok;
}

static bool move_new_run(RunDir *d, Error *err)
{
    const char *config = STAGE_MOVING "/config.json";
    do
        if (!for_entries(d, STAGE_MOVING, move_entry) ||
            (rundir_has(d, config) && renameat(d->fd, config, d->fd, "config.json") != 0) ||
            !sync_dir(d, err))
            return rundir_failed_in(d, STAGE_MOVING, err);
    while (unlinkat(d->fd, STAGE_MOVING, AT_REMOVEDIR) != 0 && errno == ENOTEMPTY);
    return !rundir_has(d, STAGE_MOVING) || rundir_failed_in(d, STAGE_MOVING, err);
}

/* Does the steps 2 to 4 of a replacement, from where it stopped. */
bool rundir_finish(RunDir *d, Error *err)
{
    if (rundir_has(d, STAGE_READY)) {
        if (!remove_old_run(d, err) || !sync_dir(d, err)) return false;
        if (renameat(d->fd, STAGE_READY, d->fd, STAGE_MOVING) != 0)
            return rundir_failed_in(d, STAGE_READY, err);
    }
    return !rundir_has(d, STAGE_MOVING) || move_new_run(d, err);
}

bool rundir_commit(RunDir *d, Error *err)
{
    if (!d->staged) return true;
    if (!rundir_ours(d, err)) return false;
    if (renameat(d->fd, RUNDIR_NEW, d->fd, STAGE_READY) != 0)
        return rundir_failed_in(d, RUNDIR_NEW, err);
    d->staged = false;
    free(d->at);
    d->at = xstrdup(d->dir);
    return sync_dir(d, err) && rundir_finish(d, err) && sync_dir(d, err);
}

static bool is_settled(const RunDir *d)
{
    return !rundir_has(d, STAGE_READY) && !rundir_has(d, STAGE_MOVING);
}

bool rundir_settle(const char *dir, Error *err)
{
    const struct timespec moment = {.tv_nsec = 10 * 1000 * 1000};
    RunDir d = {.dir = (char *)dir, .lock = -1};
    d.fd = (int)TEMP_FAILURE_RETRY(open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (d.fd < 0) return true; /* whoever opens the files of the run says why */
    bool ok = true;
    for (int tries = 0; !is_settled(&d) && ok; tries++) {
        if (d.lock < 0) d.lock = rundir_open_lock(&d, 0);
        if (d.lock >= 0 && rundir_try_lock(d.lock))
            ok = rundir_finish(&d, err);
        else if (d.lock < 0 || tries == 500) /* 5 seconds */
            ok = error_set(
                err,
                "%s: a new run is replacing the old one, which is not finished; run the program "
                "again when it is, where the directory can be written",
                dir);
        else
            nanosleep(&moment, NULL);
    }
    if (d.lock >= 0) close(d.lock);
    close(d.fd);
    return ok;
}
