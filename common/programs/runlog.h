/* A run directory, its log.csv and the progress line.
 *
 * log.csv: step,tokens,seconds,train_loss,valid_loss,metric,lr,grad_norm,tokens_per_second, one line
 * per entry, written whole; what was not measured is empty. train_loss is the mean since the entry
 * before; tokens are steps times sequences so far, padding included, of pairs the targets'. Apart from the columns `seconds` and `tokens_per_second` the file is a function of the
 * options alone. */
#ifndef RUNLOG_H
#define RUNLOG_H

#include "base/base.h"

typedef struct {
    int64_t step, tokens;
    double seconds;                        /* training time so far, over all resumes */
    double train_loss, valid_loss, metric; /* NAN: not measured */
    double lr, grad_norm, tokens_per_second;
} LogRow;

typedef struct {
    int fd;                /* of log.csv */
    int lock;              /* of the directory's lock file */
    bool terminal;         /* stderr is one: rewrite the progress line in place */
    bool quiet, dangling;  /* dangling: the line shown last has no newline yet */
    double shown;          /* when it was shown */
    LogRow valid;          /* the last row with a validation loss */
    const char *loss_name; /* "loss" or "mse" */
} RunLog;

/* Makes the directory, locks it against a second trainer, and opens log.csv. A directory that
 * holds a run is refused unless `overwrite` (its files are removed) or `resume` (rows after
 * last_step are cut off, since those steps will be done again). */
bool runlog_open(RunLog *log, const char *dir, bool resume, bool overwrite, int64_t last_step,
                 Error *err);
void runlog_close(RunLog *log);

bool runlog_write(RunLog *log, const LogRow *row, Error *err);

/* Shows where the run stands: on a terminal one line, rewritten at most five times a second; else a
 * line for each row that has a validation loss. */
void runlog_show(RunLog *log, const LogRow *row, int steps, bool force);

#endif
