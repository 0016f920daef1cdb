/* The safetensors format (github.com/huggingface/safetensors): u64 header length, JSON header, raw
 * little-endian data. Files are not trusted: every size and offset is checked before it is used,
 * and every byte of data must belong to exactly one tensor. */
#ifndef SAFETENSORS_H
#define SAFETENSORS_H

#include <jansson.h>

#include "base/base.h"
#include "autograd/tensor.h"
#include "system/file.h"

enum { ST_MAX_AXES = 8, ST_MAX_HEADER = 100000000 };

/* The values that a tensor may have: any; finite ones; finite ones from 0. */
typedef enum { ST_ANY, ST_FINITE, ST_NOT_NEGATIVE } StValues;

typedef struct {
    const char *name;
    const char *dtype; /* "F32", "F64", "F16", "BF16", "I64", "U8", ... */
    int axes;
    int64_t d[ST_MAX_AXES];
    const void *data; /* `size` bytes; may be unaligned; NULL after safetensors_peek */
    size_t begin;     /* offset of its data in that of the file */
    size_t size;      /* bytes */
    int64_t len;      /* number of values */
    StValues values;  /* of a tensor to save or to load; ST_ANY in one that was read */
} StTensor;

typedef struct {
    StTensor *tensor;
    int n;
    json_t *metadata; /* object of strings, or NULL */
    json_t *header;   /* owns the names and dtypes of the tensors */
    FileMap file;     /* owns the data; mapped, so that a large file need not fit into memory */
} Safetensors;

/* Open a file, or parse one in memory (the buffer must outlive *st; safetensors_close does not free
 * it). After an error there is nothing to close. */
bool safetensors_open(Safetensors *st, const char *path, Error *err);
bool safetensors_parse(Safetensors *st, const char *bytes, size_t len, Error *err);
/* Reads the header alone, however large the file is: names and shapes, but no data. */
bool safetensors_peek(Safetensors *st, const char *path, Error *err);
void safetensors_close(Safetensors *st);

/* Returns the tensor with that name, or NULL. */
const StTensor *safetensors_find(const Safetensors *st, const char *name);

/* Converts the values of t (F64, F32, F16, BF16, U8, I32 or I64) to reals. out has room for t->len.
 * Returns false for any other dtype. */
bool safetensors_get(const StTensor *t, real *out);

/* Writes n tensors to a file, atomically, with the order and alignment of the upstream writer. Each
 * tensor needs name, dtype, axes, d, data and size; len is not used. metadata may be NULL.
 * "format": "pt" is added to it, because some readers require it. A value that t->values excludes is
 * an error, and the older file stays. */
bool safetensors_save(const char *path, const StTensor *t, int n, const json_t *metadata,
                      Error *err);

/* Writes a file of our own: the metadata also holds a checksum of each tensor and of the header
 * (checksum.h). Other programs read the file as any other. */
bool safetensors_save_with_checksums(const char *path, const StTensor *t, int n,
                                     const json_t *metadata, Error *err);

/* Checks the data of a file that has checksums, before values are used; the checksum of the header
 * was checked when the file was opened. The error names the tensor. A file without checksums, which
 * another program wrote, passes. A program that changes a tensor must leave out the checksums. */
bool safetensors_verify(const Safetensors *st, Error *err);
bool safetensors_has_checksums(const Safetensors *st);

/* Checks the `size` bytes at data, a part of the values of t, against t->values (F32 and F64 only). */
bool safetensors_check_values(const StTensor *t, const void *data, size_t size, Error *err);

/* --- shared by reader and writer ------------------------------------------------------------- */

/* Checks name, dtype and shape (d[] >= 0), and computes len and size from dtype and shape. */
bool safetensors_measure(StTensor *t, Error *err);

/* Returns the position of a dtype in the order in which files store them, or -1 if it is
 * unknown. */
int safetensors_dtype(const char *name);

typedef struct {
    char text[160];
} StText;
/* Returns text from a file in a form that is safe in a message: control characters are escaped, and
 * the text is cut to about 150 bytes. */
StText safetensors_text(const char *s);
/* Sets an error message that begins with the tensor's name, escaped. Returns false. */
bool safetensors_refuse(Error *err, const char *name, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* --- copying a tensor of a file into a tensor in memory --------------------------------------- */

/* Returns a description of t: its name, shape and data, with dtype REAL_NAME. */
StTensor safetensors_of(const Tensor *t);

StText safetensors_shape(const StTensor *t); /* "(3,4)" */

/* Returns true if the shape and dtype of `found` fit `wanted`. Another float dtype fits too,
 * because it is converted, unless `exact` is set. The error message has both shapes. */
bool safetensors_fits(const StTensor *found, const StTensor *wanted, bool exact, Error *err);

/* Copies the values of a tensor of st that fits; values of the same dtype are copied bit for bit.
 * The pages of the file that hold the tensor are then released from memory. */
void safetensors_copy(const Safetensors *st, const StTensor *found, const StTensor *wanted,
                      void *out);

/* A list of names for a message. It shows the names that fit and counts the others: "a, b and 3
 * more". */
typedef struct {
    int n, shown; /* names added, names in text */
    size_t end;   /* length of text up to the last name */
    char text[256];
} StNames;
/* Adds a name to the list. */
void safetensors_name(StNames *names, const char *name);

#endif
