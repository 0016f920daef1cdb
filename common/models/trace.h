/* What a recurrent network does inside, written beside a run: `--trace`.
 *
 *   trace.csv   how far back the gradient reaches, before training and after (lesson 10)
 *   gates.csv   what the gates do over a text (lesson 11)
 *
 * eval draws them from these files, by scripts that it writes itself (plot.h). */
#ifndef TRACE_H
#define TRACE_H

#include "autograd/tape.h"
#include "tasks/task.h"
#include "tokens/tokenizer.h"

/* |dL/dh| at each lag, T values; c: the same of an LSTM's cell, or NULL. */
typedef struct {
    int T;
    double *h, *c;
} LagTrace;

LagTrace trace_lags_new(int T, bool has_cell); /* zeros */
void trace_lags_free(LagTrace *t);

/* norm[k] = |dL/ds| k steps before each sequence's last scored step (the batch's last, where it has no
 * targets), over the batch, for k < T: state[t] (B,H) are the s_t. 0 where there is no gradient. */
void trace_lag_norms(const Batch *batch, Tensor *const *state, double *norm);

/* The targets (T,B) of a batch with only each sequence's last scored step left; lives with the tape. */
const int *trace_last_targets(Tape *tp, const Batch *batch);

bool trace_lags_write(const char *dir, const LagTrace *before, const LagTrace *after, Error *err);

/* dir/trace.gp, which draws dir/trace.csv. */
bool trace_lags_script(const char *dir, Error *err);

enum { TRACE_GATES = 3 };

/* Activations of up to three gates, each (T,H) and owned. */
typedef struct {
    int T, H, gates;
    const char *name[TRACE_GATES]; /* "forget", ... */
    real *value[TRACE_GATES];
} GateTrace;

void trace_gates_free(GateTrace *t);

/* The units that move most, over the tokens of ids. */
bool trace_gates_write(const char *dir, const GateTrace *t, const Tokenizer *v, const int *ids,
                       Error *err);

/* dir/gates.gp, which draws dir/gates.csv: a heat map for each gate, the tokens below, a row for each
 * unit. An error too where that file is none of trace_gates_write's. */
bool trace_gates_script(const char *dir, Error *err);

#endif
