/* Small safetensors files in a folder of their own, for the tests of others' weights. */
#ifndef WEIGHTS_HELP_H
#define WEIGHTS_HELP_H

#include <unistd.h>

#include "formats/safetensors.h"
#include "suite.h"

/* A tensor of floats: first, first + 1, first + 2, ... */
typedef struct {
    const char *name;
    int axes, d[2];
    float first;
} Made;

typedef struct {
    char dir[32];
} Folder;

static inline void write_tensors(const Folder *f, const char *file, const Made *made, int n)
{
    StTensor t[8];
    float *values = xcalloc((size_t)n * 64, sizeof *values);
    for (int i = 0; i < n; i++) {
        const int len = made[i].d[0] * (made[i].axes == 2 ? made[i].d[1] : 1);
        for (int k = 0; k < len; k++) values[64 * i + k] = made[i].first + (float)k;
        t[i] = (StTensor){.name = made[i].name,
                          .dtype = "F32",
                          .axes = made[i].axes,
                          .d = {made[i].d[0], made[i].d[1]},
                          .data = values + 64 * i,
                          .size = (size_t)len * sizeof *values};
        if (made[i].axes == 1) t[i].d[1] = 0;
    }
    Error err;
    char *path = xformat("%s/%s", f->dir, file);
    ck_assert_msg(safetensors_save(path, t, n, NULL, &err), "%s", err.text);
    free(path);
    free(values);
}

static inline Folder folder(void)
{
    Folder f = {"/tmp/lmzoo-XXXXXX"};
    ck_assert_ptr_nonnull(mkdtemp(f.dir));
    return f;
}

static inline void remove_folder(const Folder *f)
{
    static const char *const files[] = {"model.safetensors", "model-1.safetensors",
                                        "model-2.safetensors", "model.safetensors.index.json"};
    for (int i = 0; i < LEN(files); i++) {
        char *path = xformat("%s/%s", f->dir, files[i]);
        unlink(path);
        free(path);
    }
    ck_assert_int_eq(rmdir(f->dir), 0);
}

#endif
