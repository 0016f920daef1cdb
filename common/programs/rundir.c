#include "programs/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "system/file.h"

bool rundir_failed(const char *what, int reason, Error *err)
{
    return error_set(err, "%s: %s; %schoose another --out", what, strerror(reason),
                     reason == ENOSPC || reason == EDQUOT ? "free some space or "
                     : reason == EFBIG ? "raise the limit on file sizes (ulimit -f) or "
                                       : "");
}

/* The same for a name in the directory, with the reason of errno. */
bool rundir_failed_in(const RunDir *d, const char *name, Error *err)
{
    const int reason = errno;
    char *path = xformat("%s/%s", d->dir, name);
    rundir_failed(path, reason, err);
    free(path);
    return false;
}

/* --- the lock ----------------------------------------------------------------------------------------- */

/* Opens the lock file, never through a link. Returns its descriptor, or -1 with errno set. */
int rundir_open_lock(const RunDir *d, int flags)
{
    const int fd = (int)TEMP_FAILURE_RETRY(openat(
        d->fd, ".lock", O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | flags, 0666));
    struct stat st;
    if (fd < 0 || (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))) return fd;
    close(fd);
    return errno = ELOOP, -1;
}

bool rundir_try_lock(int fd)
{
    while (flock(fd, LOCK_EX | LOCK_NB) != 0)
        if (errno != EINTR) return false;
    return true;
}

static bool lock_dir(RunDir *d, Error *err)
{
    d->lock = rundir_open_lock(d, 0);
    if (d->lock < 0 && errno == ELOOP)
        return error_set(err, "%s/.lock: is a link or device, not a file; remove it", d->dir);
    if (d->lock < 0) return rundir_failed_in(d, ".lock", err);
    if (rundir_try_lock(d->lock)) return true;
    if (errno == EWOULDBLOCK)
        return error_set(
            err, "%s: another program is training in it; wait for it or choose another --out",
            d->dir);
    /* some network file systems do not support locks */
    return error_set(err, "%s/.lock: cannot be locked: %s; choose an --out on a local disk", d->dir,
                     strerror(errno));
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Makes the lock file again after somebody removed it. Fails if another program was faster. */
static bool lock_again(RunDir *d)
{
    const int fd = rundir_open_lock(d, O_EXCL);
    if (fd < 0) return false;
    if (!rundir_try_lock(fd)) return close(fd), false;
    close(d->lock);
    d->lock = fd;
    return true;
}

bool rundir_ours(RunDir *d, Error *err)
{
    struct stat held, there;
    if (d->fd < 0) return true;
    if (fstat(d->fd, &held) != 0 || stat(d->dir, &there) != 0 || !same_file(&held, &there))
        return error_set(
            err,
            "%s: was moved, replaced or removed while this run trained in it, so nothing "
            "more is written; if it was moved, continue its last checkpoint with --resume "
            "and its new name as --out",
            d->dir);
    const bool found = fstatat(d->fd, ".lock", &there, AT_SYMLINK_NOFOLLOW) == 0;
    if (found ? fstat(d->lock, &held) == 0 && same_file(&held, &there) : lock_again(d)) return true;
    return error_set(
        err,
        "%s/.lock: was replaced while this run trained in the directory, so another program "
        "may be training there now; nothing more is written; continue with another --out",
        d->dir);
}

/* --- opening ---------------------------------------------------------------------------------------------- */

static bool refuse(const RunDir *d, Error *err)
{
    const char *advice = rundir_has(d, "state.safetensors")
                             ? "continue it with --resume, replace it with "
                             : "it has no checkpoint to continue; replace it with ";
    return error_set(
        err, "%s: the directory holds a run already; %s--overwrite, or choose another --out",
        d->dir, advice);
}

static bool open_stage(RunDir *d, Error *err)
{
    if (mkdirat(d->fd, RUNDIR_NEW, 0777) != 0) return rundir_failed_in(d, RUNDIR_NEW, err);
    free(d->at);
    d->at = xformat("%s/" RUNDIR_NEW, d->dir);
    return d->staged = true;
}

static bool open_dir(RunDir *d, bool make, Error *err)
{
    Error why;
    if (make && !dir_make(d->dir, &why))
        return error_set(err, "%s; choose another --out", why.text);
    d->fd = (int)TEMP_FAILURE_RETRY(open(d->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (d->fd < 0 && errno == EACCES)
        d->fd = (int)TEMP_FAILURE_RETRY(open(d->dir, O_PATH | O_DIRECTORY | O_CLOEXEC));
    return d->fd >= 0 || rundir_failed(d->dir, errno, err);
}

/* The directory is locked. */
static bool prepare(RunDir *d, RunStart start, Error *err)
{
    if (!rundir_finish(d, err)) return false;
    if (!rundir_remove_new(d)) return rundir_failed_in(d, RUNDIR_NEW, err);
    rundir_remove_temporaries(d);
    if (start == RUN_RESUME || !rundir_holds_run(d)) return true;
    return start == RUN_OVERWRITE ? open_stage(d, err) : refuse(d, err);
}

bool rundir_open(RunDir *d, const char *dir, RunStart start, Error *err)
{
    *d = (RunDir){.dir = xstrdup(dir), .at = xstrdup(dir), .fd = -1, .lock = -1};
    const bool ok = open_dir(d, start != RUN_RESUME, err) && lock_dir(d, err) &&
                    rundir_ours(d, err) && prepare(d, start, err);
    if (!ok) rundir_close(d);
    return ok;
}

void rundir_close(RunDir *d)
{
    if (d->staged) rundir_remove_new(d);
    if (d->fd >= 0) close(d->fd);
    if (d->lock >= 0) close(d->lock);
    free(d->dir), free(d->at);
    *d = (RunDir)RUNDIR_CLOSED;
}
