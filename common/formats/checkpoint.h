/* The files in which a run directory keeps a training run.
 *
 *   model.safetensors   the parameters by name; eval and other programs read this file
 *   best.safetensors    the parameters with the lowest validation loss so far
 *   state.safetensors   everything that a bit-exact resume needs: parameters, moments, the step and
 *                       the carried state. They are in one file, so that a killed process cannot
 *                       leave values from two different steps.
 */
#ifndef CHECKPOINT_H
#define CHECKPOINT_H

#include "nn/optim.h"
#include "formats/safetensors.h"

typedef struct {
    int64_t step, tokens; /* updates done; steps of all sequences drawn, padding included */
    double seconds;       /* seconds spent training */
    real *carried;        /* the recurrent state that the next batch starts from, or NULL */
    int carried_len;      /* reals in carried */
    int64_t cursor;       /* position in the text, for --stream */
    double loss_sum;      /* sum of the losses since the last row of the log */
    int64_t loss_count;   /* number of losses in loss_sum */
    double best_loss;  /* the lowest validation loss so far; infinite before the first validation */
    int64_t best_step; /* the update after which best_loss was measured */
    int64_t worse;     /* validations since best_step */
    /* The gradient norm of the last update if a signal interrupted its validation: resuming must
     * still write that row of the log. -1 if the row is written. */
    double unlogged_norm;
} TrainState;

/* Returns the state before the first update. */
TrainState train_state(void);

/* Writes state.safetensors, then model.safetensors. metadata (an object of strings, or NULL) is
 * written to both. Each file is replaced as a whole: if writing fails, the old file stays
 * unchanged. A parameter, moment or carried value that is not finite, or a second moment below 0, is
 * an error, so that no good checkpoint is replaced by such values. */
bool checkpoint_save(const char *dir, const Params *ps, const Optim *o, const TrainState *s,
                     const json_t *metadata, Error *err);

/* Returns false if checkpoint_save would refuse a value; the error names its tensor. */
bool checkpoint_finite(const Params *ps, const Optim *o, const TrainState *s, Error *err);

/* Load the parameters from model.safetensors; or parameters, moments and state from
 * state.safetensors (s->carried must have room for s->carried_len reals). File and model must have
 * the same names and shapes; otherwise the error names the tensor and both shapes. Checksums are
 * checked where the file has them, and a state must have possible values: finite, second moments from
 * 0, counts in their range. On any error nothing is changed. */
bool checkpoint_load_model(const char *dir, Params *ps, Error *err);
bool checkpoint_load_state(const char *dir, Params *ps, Optim *o, TrainState *s, Error *err);

/* Save and load the parameters alone, in any safetensors file. */
bool params_save(const char *path, const Params *ps, const json_t *metadata, Error *err);
bool params_load(const char *path, Params *ps, Error *err);

/* Checks that a file has all parameters of ps, with their shapes. Reads the header alone, and ps need only
 * be declared: so sizes are compared before memory is allocated for them. */
bool params_check(const char *path, const Params *ps, Error *err);

#endif
