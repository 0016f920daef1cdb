/* A run directory, its log.csv and the progress line.
 *
 * The columns of log.csv are step,tokens,seconds,train_loss,valid_loss,metric,lr,grad_norm,
 * tokens_per_second. Each row is written with one write(). A value that was not measured is empty.
 * train_loss is the mean since the previous row. tokens counts steps times sequences so far, padding
 * included; for pairs it counts the target side. All columns except `seconds` and `tokens_per_second` are
 * a function of the options and the data. */
#ifndef RUNLOG_H
#define RUNLOG_H

#include "base/base.h"

typedef struct {
    int64_t step, tokens;
    double seconds;                        /* training time so far, resumed runs included */
    double train_loss, valid_loss, metric; /* NAN: not measured */
    double lr, grad_norm, tokens_per_second;
} LogRow;

typedef struct {
    int fd;                /* of log.csv */
    int lock;              /* of the directory's lock file */
    bool terminal;         /* stderr is a terminal: rewrite the progress line in place */
    bool quiet, dangling;  /* dangling: the progress line has no newline yet */
    double shown;          /* time of the last progress line */
    LogRow valid;          /* the last row with a validation loss */
    const char *loss_name; /* "loss" or "mse" */
} RunLog;

/* Returns true if path is one of the files that a run in dir consists of. */
bool runlog_has_file(const char *dir, const char *path);

/* Makes the directory, locks it against a second trainer, and opens log.csv. If the directory already holds
 * a run: `overwrite` removes its files; `resume` cuts off the rows after last_step, because those steps
 * will be repeated; otherwise it is an error. */
bool runlog_open(RunLog *log, const char *dir, bool resume, bool overwrite, int64_t last_step,
                 Error *err);
void runlog_close(RunLog *log);

bool runlog_write(RunLog *log, const LogRow *row, Error *err);

/* Shows the progress. On a terminal it rewrites one line, at most five times a second (force: now);
 * otherwise it prints a line for each row with a validation loss. */
void runlog_show(RunLog *log, const LogRow *row, int steps, bool force);

#endif
