/* A bump allocator in chained blocks: everything one training step creates, freed by one reset.
 *
 * Blocks are kept over a reset, so that from the second step on nothing is asked of the system.
 * Pointers stay valid until the reset. With -DARENA_POISON a reset fills the memory with 0xFF,
 * which reads as NaN: a use after the reset is seen at once. */
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
void arena_reset(Arena *a);
void arena_free(Arena *a);
size_t arena_reserved(const Arena *a); /* bytes held from the system */

#endif
