#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 64, BLOCK = 2 << 20 };

struct ArenaBlock {
    ArenaBlock *next;
    size_t size, used; /* bytes of data, and how many are taken */
    char *data;
};

static ArenaBlock *block_new(size_t size)
{
    ArenaBlock *b = xmalloc(sizeof *b);
    *b = (ArenaBlock){.size = size, .data = xaligned(size)};
    return b;
}

void *arena_alloc(Arena *a, size_t size)
{
    CHECK(size <= SIZE_MAX / 2, "arena_alloc: %zu bytes", size);
    size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    /* Finds the first block with room, from the current one on, or adds one at the end. */
    ArenaBlock **link = a->now ? &a->now : &a->first;
    while (*link && (*link)->size - (*link)->used < size) link = &(*link)->next;
    if (!*link) *link = block_new(size > BLOCK ? size : BLOCK);
    a->now = *link;
    void *p = a->now->data + a->now->used;
    a->now->used += size;
    a->used += size;
    return p;
}

void *arena_zero(Arena *a, size_t size)
{
    return memset(arena_alloc(a, size), 0, size);
}

char *arena_format(Arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const int len = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    CHECK(len >= 0, "arena_format: bad format \"%s\"", fmt);
    char *s = arena_alloc(a, (size_t)len + 1);
    va_start(ap, fmt);
    vsnprintf(s, (size_t)len + 1, fmt, ap);
    va_end(ap);
    return s;
}

void arena_reset(Arena *a)
{
    for (ArenaBlock *b = a->first; b; b = b->next) {
#ifdef ARENA_POISON
        memset(b->data, 0xFF, b->used);
#endif
        b->used = 0;
    }
    a->now = a->first;
    a->used = 0;
}

void arena_free(Arena *a)
{
    for (ArenaBlock *b = a->first, *next; b; b = next) {
        next = b->next;
        free(b->data);
        free(b);
    }
    *a = (Arena){0};
}

size_t arena_reserved(const Arena *a)
{
    size_t sum = 0;
    for (const ArenaBlock *b = a->first; b; b = b->next) sum += b->size;
    return sum;
}
