/* The log of a run, log.csv, and the progress line.
 *
 * The columns of log.csv are step,tokens,seconds,train_loss,valid_loss,metric,lr,grad_norm,
 * tokens_per_second. Each row is written with one write(). A value that was not measured is empty.
 * train_loss is the mean since the previous row. tokens counts steps times sequences so far, padding
 * included; for pairs it counts the target side. All columns except `seconds` and `tokens_per_second` are
 * a function of the options and the data.
 *
 * The log has no hole: the rows are on the disk before a checkpoint is, nothing is saved after a row that could
 * not be written, and a resumed run checks that the rows reach up to its checkpoint. */
#ifndef RUNLOG_H
#define RUNLOG_H

#include "programs/rundir.h"

typedef struct {
    int64_t step, tokens;
    double seconds;                        /* training time so far, resumed runs included */
    double train_loss, valid_loss, metric; /* NAN: not measured */
    double lr, grad_norm, tokens_per_second;
} LogRow;

typedef struct {
    RunDir dir;
    int fd;                /* of log.csv; -1: not open */
    bool terminal;         /* stderr is a terminal: rewrite the progress line in place */
    bool quiet, dangling;  /* dangling: the progress line has no newline yet */
    double shown;          /* time of the last progress line */
    LogRow valid;          /* the last row with a validation loss */
    const char *loss_name; /* "loss" or "mse" */
} RunLog;

#define RUNLOG_CLOSED                                                                              \
    {                                                                                              \
        .dir = RUNDIR_CLOSED, .fd = -1                                                             \
    }

/* Opens log.csv of the open directory log->dir. A new run gets an empty log. A resumed run (steps > 0) continues
 * a copy of the one that is there, up to the row of step `last_row`; the steps after it will be repeated. It is an
 * error if the file is not the log of a run, or if rows before last_row are missing. Whatever has the
 * name log.csv, a link too, is replaced by the new file. */
bool runlog_open(RunLog *log, bool resume, int64_t last_row, Error *err);
void runlog_close(RunLog *log); /* and the directory */

/* Writes a row. After a failure no part of it is left in the file. */
bool runlog_write(RunLog *log, const LogRow *row, Error *err);

/* Brings the rows to the disk. Call it before a checkpoint is written, so that no checkpoint is ahead of its log. If
 * somebody removed or replaced log.csv, for example an editor, it is written again with all its rows. */
bool runlog_sync(RunLog *log, Error *err);

/* Returns true if a log is there with more than the header. */
bool runlog_has_rows(const char *path);

/* Shows the progress. On a terminal it rewrites one line, at most five times a second (force: now);
 * otherwise it prints a line for each row with a validation loss. */
void runlog_show(RunLog *log, const LogRow *row, int steps, bool force);

#endif
