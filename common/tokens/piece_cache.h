/* Remembers the token ids of short pieces of text, because most pieces of a text occur often. */
#ifndef PIECE_CACHE_H
#define PIECE_CACHE_H

#include <string.h>

#include "base/base.h"

enum { CACHED_LONGEST = 15 }; /* bytes of the longest piece that is remembered */

/* A piece of at most 15 bytes as two numbers: its bytes, zeros, and its length in the last byte. */
typedef struct {
    uint64_t low, high;
} PieceKey;

typedef struct {
    PieceKey key; /* high is 0 if the slot is empty */
    int n;        /* the number of ids */
    int at;       /* n == 1: the id itself; else the ids are PieceCache.ids[at ...] */
} CachedPiece;

typedef struct {
    CachedPiece *slot; /* (n_slots) open addressing; at most half of the slots are used */
    int n_slots, n;    /* n_slots is 0 or a power of two */
    int *ids, n_ids, room;
} PieceCache;

/* Makes the key of a piece; left >= len bytes can be read from s. */
static inline PieceKey piece_key(const char *s, size_t len, size_t left)
{
    PieceKey k = {0};
    if (left >= sizeof k && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) {
        memcpy(&k, s, sizeof k);
        if (len < 8)
            k.low &= (1ULL << 8 * len) - 1, k.high = 0;
        else
            k.high &= (1ULL << 8 * (len - 8)) - 1;
        k.high |= (uint64_t)len << 56;
        return k;
    }
    char bytes[sizeof k] = {0};
    memcpy(bytes, s, len);
    bytes[sizeof k - 1] = (char)len;
    memcpy(&k, bytes, sizeof k);
    return k;
}

/* Returns the ids of a piece, or NULL if the cache does not have it. */
static inline const CachedPiece *piece_cached(const PieceCache *c, PieceKey key)
{
    if (c->n_slots == 0) return NULL;
    const uint64_t h = (key.low ^ key.high * 0xD6E8FEB86659FD93) * 0x9E3779B97F4A7C15;
    for (uint64_t at = h >> 32;; at++) {
        const CachedPiece *p = &c->slot[at & (uint64_t)(c->n_slots - 1)];
        if (p->key.low == key.low && p->key.high == key.high) return p;
        if (p->key.high == 0) return NULL;
    }
}

/* Adds the ids of a piece that the cache does not have. A full cache is emptied first. */
void piece_cache_add(PieceCache *c, PieceKey key, const int *ids, int n);
void piece_cache_free(PieceCache *c);

#endif
