/* Starts training from a trained model. `train --init-from DIR` loads that model's parameters by
 * name, so that a new head, or any other new part, can be trained on top of trained layers. */
#ifndef INIT_FROM_H
#define INIT_FROM_H

#include "formats/safetensors.h"
#include "nn/params.h"

/* A report of what was loaded. */
typedef struct {
    int taken;      /* parameters that were loaded */
    StNames fresh;  /* parameters that keep their initial values */
    StNames unused; /* tensors of the file that were not loaded */
} InitFrom;

/* Loads each parameter from the tensor of the same name and shape in DIR/model.safetensors. A
 * parameter that the file lacks keeps its initial value. So does every parameter whose name matches
 * `fresh`, an fnmatch pattern like "head.*" (NULL: no pattern). The caller should print what *from
 * lists. Errors: a shape or dtype differs, no parameter is loaded, or `fresh` matches no parameter.
 * On an error the parameters are unchanged. */
bool init_from_run(const char *dir, Params *ps, const char *fresh, InitFrom *from, Error *err);

/* Loads the parameters from any safetensors file instead. */
bool init_from_file(const char *path, Params *ps, const char *fresh, InitFrom *from, Error *err);

#endif
