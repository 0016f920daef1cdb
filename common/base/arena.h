/* A bump allocator in chained blocks. It holds everything that one training step creates; one reset frees
 * all.
 *
 * A reset keeps the blocks, so that from the second step on the system is not asked for memory. Pointers
 * stay valid until the reset. With -DARENA_POISON a reset fills the memory with 0xFF, which reads as
 * NaN, so that a use after the reset shows at once. */
#ifndef ARENA_H
#define ARENA_H

#include "base/base.h"

typedef struct ArenaBlock ArenaBlock;
typedef struct {
    ArenaBlock *first, *now; /* the chain, and the block being filled */
    size_t used;             /* bytes handed out since the last reset */
} Arena;

void *arena_alloc(Arena *a, size_t size); /* 64-byte aligned, uninitialised */
void *arena_zero(Arena *a, size_t size);  /* the same, zeroed */
char *arena_format(Arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
void arena_reset(Arena *a); /* frees everything handed out, keeps the blocks */
void arena_free(Arena *a);
size_t arena_reserved(const Arena *a); /* returns the bytes of all blocks */

#endif
