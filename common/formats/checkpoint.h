/* What a run directory keeps of a training run.
 *
 *   model.safetensors   the parameters by name: what eval and other programs read
 *   best.safetensors    likewise, as they were at the lowest validation loss so far
 *   state.safetensors   all that a bit-exact resume needs: parameters, moments, the step and the
 *                       carried state, in one file, so that no kill can leave halves of two steps
 */
#ifndef CHECKPOINT_H
#define CHECKPOINT_H

#include "nn/optim.h"
#include "formats/safetensors.h"

typedef struct {
    int64_t step, tokens; /* updates done, tokens seen */
    double seconds;       /* spent training */
    real *carried;        /* the recurrent state carried to the next batch, or NULL */
    int carried_len;
    int64_t cursor;     /* position in the text, for --stream */
    double loss_sum;    /* of the steps since the last row of the log, */
    int64_t loss_count; /* and how many they are */
    double best_loss;   /* the lowest validation loss so far; infinite: none */
    int64_t best_step;  /* the update after which it was measured */
    int64_t worse;      /* validations since then */
    /* The gradient's norm of the last update where a signal interrupted its validation, so that the log's
     * row is still to be written; -1: it is written. */
    double unlogged_norm;
} TrainState;

/* Returns the state before the first update. */
TrainState train_state(void);

/* Writes state.safetensors, then model.safetensors; metadata (strings, may be NULL) goes into
 * both. On failure a file that could not be written stays as it was; neither is ever half there. */
bool checkpoint_save(const char *dir, const Params *ps, const Optim *o, const TrainState *s,
                     const json_t *metadata, Error *err);

/* Fill the parameters from model.safetensors; or parameters, moments and state from
 * state.safetensors (s->carried must have room for s->carried_len reals). Every name and shape must
 * match, both ways; a mismatch names the tensor and prints both shapes. Nothing is changed unless
 * all of it fits. */
bool checkpoint_load_model(const char *dir, Params *ps, Error *err);
bool checkpoint_load_state(const char *dir, Params *ps, Optim *o, TrainState *s, Error *err);

/* The same for any safetensors file, and one with the parameters alone. */
bool params_save(const char *path, const Params *ps, const json_t *metadata, Error *err);
bool params_load(const char *path, Params *ps, Error *err);

#endif
