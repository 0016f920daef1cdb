/* The tensors of one safetensors file, or of several that an index.json lists (shards). */
#ifndef WEIGHTS_FILES_H
#define WEIGHTS_FILES_H

#include "formats/safetensors.h"

typedef struct {
    const Safetensors *file;
    const StTensor *tensor;
} WeightTensor;

typedef struct {
    Safetensors *file;
    int n_files;
    WeightTensor *tensor;
    int n;
    StTensor *tensors; /* owned here where no safetensors file owns them */
} WeightFiles;

/* path: FILE.safetensors; an index, {"weight_map": {TENSOR: FILE}}, whose files stand beside it; or a
 * directory with model.safetensors.index.json or model.safetensors. Errors: a tensor that the index names
 * and its file lacks, or the other way round; a file's name with a / in it. */
bool weights_files_open(WeightFiles *f, const char *path, Error *err);
void weights_files_close(WeightFiles *f);

#endif
