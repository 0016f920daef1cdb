/* Traces of the inside of a recurrent network, which `--trace` writes into the run directory.
 *
 *   trace.csv   how far back the gradient reaches, before and after training (lesson 10)
 *   gates.csv   the activations of the gates over a text (lesson 11)
 *
 * eval draws figures from these files, with gnuplot scripts that it writes (plot.h). */
#ifndef TRACE_H
#define TRACE_H

#include "autograd/tape.h"
#include "tasks/task.h"
#include "tokens/tokenizer.h"

/* The gradient norm |dL/dh| of the hidden state at each lag, T values; c: |dL/dc| of an LSTM's cell
 * state, or NULL. */
typedef struct {
    int T;
    double *h, *c;
} LagTrace;

LagTrace trace_lags_new(int T, bool has_cell); /* all norms are 0 */
void trace_lags_free(LagTrace *t);

/* Computes norm[k] for k < T, the norm of dL/ds over the batch, k steps before each sequence's last
 * scored step (the last step of the batch if it has no targets). state[t] (B,H) is s_t. norm[k] is
 * 0 where there is no gradient. */
void trace_lag_norms(const Batch *batch, Tensor *const *state, double *norm);

/* Returns a copy of the batch's targets (T,B) in which only the last scored step of each sequence
 * is scored; owned by the tape. */
const int *trace_last_targets(Tape *tp, const Batch *batch);

/* Writes dir/trace.csv. */
bool trace_lags_write(const char *dir, const LagTrace *before, const LagTrace *after, Error *err);

/* Writes dir/trace.gp, which draws dir/trace.csv. */
bool trace_lags_script(const char *dir, Error *err);

enum { TRACE_GATES = 3 };

/* The activations of up to three gates; each value[k] is (T,H) and owned. */
typedef struct {
    int T, H, gates;
    const char *name[TRACE_GATES]; /* "forget", ... */
    real *value[TRACE_GATES];
} GateTrace;

void trace_gates_free(GateTrace *t);

/* Writes dir/gates.csv: the activations of the units that vary most, at each token of ids. */
bool trace_gates_write(const char *dir, const GateTrace *t, const Tokenizer *v, const int *ids,
                       Error *err);

/* Writes dir/gates.gp, which draws dir/gates.csv: a heat map for each gate, with a row for each
 * unit and the tokens below. It is an error if trace_gates_write did not write that file. */
bool trace_gates_script(const char *dir, Error *err);

#endif
