/* A hash table that maps pairs of token ids to numbers >= 0. */
#ifndef PAIR_TABLE_H
#define PAIR_TABLE_H

#include "base/base.h"

typedef struct {
    uint64_t key; /* left id << 32 | right id, plus 1; 0 if the slot is empty */
    int value;
} PairSlot;

typedef struct {
    PairSlot *slot; /* (n_slots) open addressing; at most half of the slots are used */
    int n_slots, n; /* n_slots is 0 or a power of two */
} PairTable;

static inline uint64_t pair_key(int left, int right)
{
    return ((uint64_t)(unsigned)left << 32 | (unsigned)right) + 1;
}

static inline uint64_t pair_hash(uint64_t key)
{
    const uint64_t h = key * 0x9E3779B97F4A7C15; /* 2^64 / golden ratio (Knuth, vol. 3, s6.4) */
    return h ^ h >> 32;
}

/* Returns the number of a pair, or -1. */
static inline int pair_find(const PairTable *t, int left, int right)
{
    if (t->n_slots == 0) return -1;
    const uint64_t key = pair_key(left, right);
    for (uint64_t at = pair_hash(key);; at++) {
        const PairSlot *s = &t->slot[at & (uint64_t)(t->n_slots - 1)];
        if (s->key == key) return s->value;
        if (s->key == 0) return -1;
    }
}

/* Returns the number of a pair; a new pair gets `value`. */
int pair_add(PairTable *t, int left, int right, int value);
PairTable pair_table_copy(const PairTable *t);
void pair_table_free(PairTable *t);

#endif
