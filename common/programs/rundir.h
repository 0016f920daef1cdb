/* The directory of a run while a program trains in it: the lock, and the way in which a new run replaces an old one.
 *
 * The lock is DIR/.lock (flock). The directory is held open; before the trainer writes, it checks that the path still
 * leads to this directory and that the lock file in it is still the one that it locked. If somebody moved
 * the directory and another run stands in its place, the trainer stops and touches nothing of the other run.
 *
 * With --overwrite a run of the same name is in the way. It stays complete until the new run has its first
 * checkpoint: the new run writes to DIR/.run.new, and rundir_commit then puts it in the place of the old one:
 *
 *   1  DIR/.run.new is renamed to DIR/.run.ready        before: DIR holds the old run; from here on the new one counts
 *   2  the files of the old run are removed from DIR
 *   3  DIR/.run.ready is renamed to DIR/.run.moving     from here on a file in DIR is one of the new run
 *   4  the files are moved to DIR, config.json last, and the empty folder is removed
 *
 * Every step can be repeated, and the folder's name says which step is next. So after a kill the next program
 * that opens the run (train or eval) finishes the replacement, and the files of a run are never mixed with those of
 * another one. An exchange of two directories (renameat2) would be one step, but DIR may be a mount point or somebody's
 * working directory, its parent may be read-only, and other files of the user in DIR would have to be moved.
 * DIR/.run.new without a trainer is the rest of a run that was killed before its first checkpoint: the next
 * trainer removes it. */
#ifndef RUNDIR_H
#define RUNDIR_H

#include "base/base.h"

typedef enum { RUN_NEW, RUN_RESUME, RUN_OVERWRITE } RunStart;

typedef struct {
    char *dir; /* the run directory */
    char *at; /* where the run writes its files: dir, or dir/.run.new before the first checkpoint */
    int fd;   /* of dir; -1: not open */
    int lock; /* of dir/.lock; -1: not locked */
    bool staged;
} RunDir;

#define RUNDIR_CLOSED                                                                              \
    {                                                                                              \
        .fd = -1, .lock = -1                                                                       \
    }

/* Makes the directory (not for RUN_RESUME), locks it against a second trainer, finishes a replacement that was
 * interrupted, and removes temporary files that a killed trainer left. A directory that holds a run is an error
 * for RUN_NEW. After an error nothing is open. */
bool rundir_open(RunDir *d, const char *dir, RunStart start, Error *err);
void rundir_close(RunDir *d); /* also removes a new run that never had a checkpoint */

/* Returns false with an error if the path leads to another directory now, or if the lock file is not ours. A
 * lock file that was removed is made anew. */
bool rundir_ours(RunDir *d, Error *err);

/* Replaces the old run by the new one, which has its first checkpoint: d->at is d->dir from then on. Does
 * nothing for a run that replaces no other. */
bool rundir_commit(RunDir *d, Error *err);

/* For programs that only read the run: finishes a replacement that was interrupted. Waits for one that is
 * under way. */
bool rundir_settle(const char *dir, Error *err);

/* Returns true if path is one of the files that a run in dir consists of. */
bool rundir_has_file(const char *dir, const char *path);

/* Sets the error: what failed, why (reason is an errno), what to do. Returns false. */
bool rundir_failed(const char *what, int reason, Error *err);

/* --- shared by rundir*.c -------------------------------------------------------------------------------- */

#define RUNDIR_NEW ".run.new"

bool rundir_failed_in(const RunDir *d, const char *name,
                      Error *err);                  /* of a name in it; reason: errno */
bool rundir_has(const RunDir *d, const char *name); /* a link counts, wherever it leads */
int rundir_open_lock(const RunDir *d, int flags);   /* never through a link; -1 with errno set */
bool rundir_try_lock(int fd);                       /* false with errno set */

bool rundir_finish(RunDir *d,
                   Error *err); /* finishes a replacement that was interrupted, if there is one */
bool rundir_remove_new(RunDir *d);         /* removes DIR/.run.new; false with errno set */
void rundir_remove_temporaries(RunDir *d); /* those that a killed trainer left */
bool rundir_holds_run(const RunDir *d);    /* a run, or files that a new run would replace */

#endif
