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
    StTensor *tensors; /* descriptions owned here if no safetensors file owns them */
} WeightFiles;

/* Opens one of: FILE.safetensors; an index, {"weight_map": {TENSOR: FILE}}, with its files in the
 * same directory; a directory with model.safetensors.index.json or model.safetensors. Errors: the
 * index names a tensor that its file lacks; a file has a tensor that the index lacks; a file name
 * contains a /. */
bool weights_files_open(WeightFiles *f, const char *path, Error *err);
void weights_files_close(WeightFiles *f);

#endif
