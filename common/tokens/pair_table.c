#include "tokens/pair_table.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static PairSlot *find_slot(const PairTable *t, uint64_t key)
{
    for (uint64_t at = pair_hash(key);; at++) {
        PairSlot *s = &t->slot[at & (uint64_t)(t->n_slots - 1)];
        if (s->key == 0 || s->key == key) return s;
    }
}

static void grow(PairTable *t)
{
    enum { SLOTS = 256 };
    CHECK(t->n_slots <= INT_MAX / 4, "pair_table: %d pairs are the maximum", t->n);
    PairTable larger = {.n_slots = t->n_slots ? 4 * t->n_slots : SLOTS, .n = t->n};
    larger.slot = xcalloc((size_t)larger.n_slots, sizeof *larger.slot);
    for (int i = 0; i < t->n_slots; i++)
        if (t->slot[i].key) *find_slot(&larger, t->slot[i].key) = t->slot[i];
    free(t->slot);
    *t = larger;
}

int pair_add(PairTable *t, int left, int right, int value)
{
    if (t->n >= t->n_slots / 2) grow(t);
    const uint64_t key = pair_key(left, right);
    PairSlot *s = find_slot(t, key);
    if (s->key == 0) {
        *s = (PairSlot){.key = key, .value = value};
        t->n++;
    }
    return s->value;
}

PairTable pair_table_copy(const PairTable *t)
{
    PairTable copy = *t;
    const size_t size = (size_t)t->n_slots * sizeof *t->slot;
    if (!t->slot) return copy;
    copy.slot = xmalloc(size);
    memcpy(copy.slot, t->slot, size);
    return copy;
}

void pair_table_free(PairTable *t)
{
    free(t->slot);
    *t = (PairTable){0};
}
