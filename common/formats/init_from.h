/* Starting from a trained model: `train --init-from DIR` takes its parameters over by name, so that a
 * new head, or any other part, can be trained on top of a trunk that has learnt already. */
#ifndef INIT_FROM_H
#define INIT_FROM_H

#include "formats/safetensors.h"
#include "nn/params.h"

/* What happened to each parameter of ours and each tensor of the file. */
typedef struct {
    int taken;      /* parameters that the file filled */
    StNames fresh;  /* parameters that keep their initial values */
    StNames unused; /* tensors of the file that fill no parameter */
} InitFrom;

/* Fills every parameter that DIR/model.safetensors has a tensor for, of the same name and shape. A
 * parameter that the file lacks keeps its initial value; so does each whose name matches the pattern
 * `fresh` (fnmatch's, as "head.*"; NULL: none), whatever the file has. Say aloud what *from lists.
 * Errors: a shape or type differs, nothing is taken, or `fresh` matches no parameter; then the
 * parameters are as they were. */
bool init_from_run(const char *dir, Params *ps, const char *fresh, InitFrom *from, Error *err);

/* Does the same with any safetensors file. */
bool init_from_file(const char *path, Params *ps, const char *fresh, InitFrom *from, Error *err);

#endif
