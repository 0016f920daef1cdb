/* What a recurrent network does inside, written beside a run: `--trace`.
 *
 *   trace.csv   how far back the gradient reaches, before training and after (lesson 10)
 *   gates.csv   what the gates do over a text (lesson 11)
 *
 * and the gnuplot scripts that eval draws them with. */
#ifndef TRACE_H
#define TRACE_H

#include "tape.h"
#include "task.h"
#include "vocab.h"

/* |dL/dh| at each lag, T values; c: the same of an LSTM's cell, or NULL. */
typedef struct {
    int T;
    double *h, *c;
} LagTrace;

LagTrace trace_lags_new(int T, bool has_cell); /* zeros */
void trace_lags_free(LagTrace *t);

/* The targets (T,B) of a batch with only each sequence's last scored step left; lives with the tape. */
const int *trace_last_targets(Tape *tp, const Batch *batch);

/* dir/trace.csv and dir/trace.gp. */
bool trace_lags_write(const char *dir, const LagTrace *before, const LagTrace *after, Error *err);

/* Activations of up to three gates, each (T,H) and owned. */
typedef struct {
    int T, H, gates;
    const char *name[3]; /* "forget", ... */
    real *value[3];
} GateTrace;

void trace_gates_free(GateTrace *t);

/* dir/gates.csv and dir/gates.gp: a heat map for each gate, the tokens below, a row for each of the
 * units that move most. */
bool trace_gates_write(const char *dir, const GateTrace *t, const Vocab *v, const int *ids,
                       Error *err);

#endif
