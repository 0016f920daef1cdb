/* What `make zoo` trains, and what the files zoo*.c share: tables of architectures and tasks, runs of the programs,
 * the figure and the sweep of the learning rates. */
#ifndef ZOO_H
#define ZOO_H

#include "base/base.h"

/* The rates that a sweep may try, in rising order. They are words of a command line. */
enum { ZOO_RATES = 9, ZOO_SWEPT = 3, ZOO_ARCHS = 4 };
extern const char *const zoo_rate[ZOO_RATES];

typedef struct {
    const char *name, *folder, *options; /* of the column; of the programs */
    int sweep_from;                      /* the sweep starts with zoo_rate[sweep_from] */
} Architecture;

/* What the table shows: a key of eval's JSON object. SQUARED is a loss, too: a mean squared error, not nats. */
typedef enum { LOSS, SQUARED, VALUE, EXACT } Measure;

typedef struct {
    const char *name, *options; /* of the row; for train */
    Measure measure;
    const char *what;            /* unit of the measure, for the table */
    const char *rate[ZOO_ARCHS]; /* learning rate of each architecture of the group, by the sweep */
} Job;

typedef struct {
    const char *title;
    const Architecture *arch;
    const Job *job;
    int archs, jobs;
} Group;
enum { ZOO_GROUPS = 3 };
extern const Group zoo_groups[ZOO_GROUPS];

typedef struct {
    double value, chance, perfect, loss_chance, loss_perfect, seconds, parameters;
    bool done;
} Result;

/* Returns one result of a group; results is (jobs,archs), row major. */
Result *zoo_result(const Group *g, Result *results, int job, int arch);

/* --- zoo_run.c -------------------------------------------------------------------------------------- */

/* Runs a command whose words have spaces between them. Its standard output goes into *out, which the caller frees,
 * unless out is NULL. Returns the exit status, 128 + the signal's number, or -1 with a message. */
int zoo_command(const char *line, char **out);

/* Trains an architecture on a task with the job's rate and evaluates it, in runs/zoo/TASK-ARCHITECTURE. Returns the
 * exit status, or -1. */
int zoo_train_and_evaluate(const Group *g, int job, int arch, Result *r);

/* The validation losses of a run, from its log.csv. */
typedef struct {
    double *step, *loss; /* (n) */
    int n;               /* 0 if there is no such file */
} Curve;
Curve zoo_curve(const char *dir);
void zoo_curve_free(Curve *c);

/* --- zoo_figure.c ------------------------------------------------------------------------------------- */

/* Draws runs/zoo/zoo.png: one panel for each task, one curve for each architecture. Returns false after a warning. */
bool zoo_draw(Result *const results[ZOO_GROUPS]);

/* --- zoo_sweep.c ------------------------------------------------------------------------------------- */

/* Sweeps the rates of every architecture on the task, or on all tasks ("all"), and prints a table of the validation
 * losses. Returns the exit status. */
int zoo_sweep(const char *task);

#endif
