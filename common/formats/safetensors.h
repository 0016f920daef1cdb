/* The safetensors format: u64 header length, JSON header, raw little-endian data.
 * (github.com/huggingface/safetensors). Files are not trusted: every size and offset is checked
 * before it is used, and there may be no hole, overlap or rest. */
#ifndef SAFETENSORS_H
#define SAFETENSORS_H

#include <jansson.h>

#include "base/base.h"
#include "autograd/tensor.h"
#include "system/file.h"

enum { ST_MAX_AXES = 8, ST_MAX_HEADER = 100000000 };

typedef struct {
    const char *name;
    const char *dtype; /* "F32", "F64", "F16", "BF16", "I64", "U8", ... */
    int axes;
    int64_t d[ST_MAX_AXES];
    const void *data; /* size bytes; may be unaligned */
    size_t size;
    int64_t len; /* values */
} StTensor;

typedef struct {
    StTensor *tensor;
    int n;
    json_t *metadata; /* object of strings, or NULL */
    json_t *header;   /* owns names and dtypes */
    FileMap file;     /* owns the data: mapped, so that a large file is never whole in memory */
} Safetensors;

/* Opens a file, or parses one in memory (the buffer must outlive *st and is not freed with it). After an
 * error there is nothing to close. */
bool safetensors_open(Safetensors *st, const char *path, Error *err);
bool safetensors_parse(Safetensors *st, const char *bytes, size_t len, Error *err);
void safetensors_close(Safetensors *st);

const StTensor *safetensors_find(const Safetensors *st, const char *name); /* NULL if absent */

/* Values as reals, from F64, F32, F16, BF16, U8, I32, I64; false for another dtype. out: t->len. */
bool safetensors_get(const StTensor *t, real *out);

/* Writes tensors (name, dtype, axes, d, data, size set; len not used) atomically, ordered and
 * aligned as the upstream writer does it. metadata may be NULL; "format": "pt" is added, which some
 * readers demand. */
bool safetensors_save(const char *path, const StTensor *t, int n, const json_t *metadata,
                      Error *err);

/* --- what reader and writer share ------------------------------------------------------------- */

/* Checks name, dtype and shape (d[] >= 0) and sets len and size to what they ask for. */
bool safetensors_measure(StTensor *t, Error *err);

int safetensors_dtype(const char *name); /* its place in the order of storage, or -1 */

/* Text from a file as a message may show it: control characters escaped, at most 150 bytes or so.
 * And a refusal that begins with the tensor's name in that form. */
typedef struct {
    char text[160];
} StText;
StText safetensors_text(const char *s);
bool safetensors_refuse(Error *err, const char *name, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* --- putting a tensor of a file into one of ours ------------------------------------------------ */

/* Describes ours: dtype REAL_NAME, shape and data of t, under t's name. */
StTensor safetensors_of(const Tensor *t);

StText safetensors_shape(const StTensor *t); /* "(3,4)" */

/* True if shape and type of `found` fit `wanted`. Another float type fits too, since it is converted,
 * unless the values must come back exactly. The message has both shapes. */
bool safetensors_fits(const StTensor *found, const StTensor *wanted, bool exact, Error *err);

/* Copies a tensor of st that fits; the same type goes over bit for bit. Its pages are not kept. */
void safetensors_copy(const Safetensors *st, const StTensor *found, const StTensor *wanted,
                      void *out);

/* Names for a message: counts all of them and shows those that have room, "a, b and 3 more". */
typedef struct {
    int n, shown;
    size_t end; /* of the names that are shown */
    char text[256];
} StNames;
void safetensors_name(StNames *names, const char *name);

#endif
