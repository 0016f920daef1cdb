/* XXH3-64 checksums, computed by xxHash (github.com/Cyan4973/xxHash): they find damage, such as a
 * flipped bit. They do not protect against forgery. */
#ifndef CHECKSUM_H
#define CHECKSUM_H

#include "formats/safetensors.h"

typedef struct {
    char text[17]; /* 16 hexadecimal digits */
} Checksum;

Checksum checksum_of(const void *data, size_t len);

/* The checksum of data that arrives in pieces:
 *
 *     ChecksumState *s = checksum_begin();   NULL: out of memory
 *     checksum_add(s, first, n); ...
 *     Checksum sum = checksum_end(s);        frees s */
typedef struct ChecksumState ChecksumState;
ChecksumState *checksum_begin(void);
void checksum_add(ChecksumState *s, const void *data, size_t len);
Checksum checksum_end(ChecksumState *s);

/* --- the checksums of a safetensors file ------------------------------------------------------
 *
 *     "__metadata__":{"xxh3.wx":"0123456789abcdef", ..., "xxh3":"fedcba9876543210"}
 *
 * "xxh3.NAME" is the checksum of the tensor's data. "xxh3" is that of the header: of its JSON without
 * the entry "xxh3", compact and with sorted keys. A file has all of them or none. */

/* Returns the key of a tensor's checksum, "xxh3.NAME"; the caller frees it. NULL: out of memory. */
char *checksum_key(const char *name);

#define CHECKSUM_KEY "xxh3"

/* Computes the checksum of a header. Returns false if memory ran out. */
bool checksum_of_header(json_t *header, Checksum *sum);

/* Checks that the header of st has all checksums or none, and that its own is right. */
bool checksum_check_header(const Safetensors *st, Error *err);

#endif
