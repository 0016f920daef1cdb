#include "tokens/piece_cache.h"

#include <stdlib.h>

enum { FEWEST_SLOTS = 1 << 10, MOST_SLOTS = 1 << 18 };

static CachedPiece *free_slot(const PieceCache *c, PieceKey key)
{
    const uint64_t h = (key.low ^ key.high * 0xD6E8FEB86659FD93) * 0x9E3779B97F4A7C15;
    for (uint64_t at = h >> 32;; at++) {
        CachedPiece *p = &c->slot[at & (uint64_t)(c->n_slots - 1)];
        if (p->key.high == 0) return p;
    }
}

/* Makes room for one more piece. */
static void make_room(PieceCache *c)
{
    if (c->n < c->n_slots / 2) return;
    if (c->n_slots == MOST_SLOTS) { /* the text has changed: new pieces replace the old ones */
        memset(c->slot, 0, MOST_SLOTS * sizeof *c->slot);
        c->n = c->n_ids = 0;
        return;
    }
    PieceCache larger = *c;
    larger.n_slots = c->n_slots ? 4 * c->n_slots : FEWEST_SLOTS;
    larger.slot = xcalloc((size_t)larger.n_slots, sizeof *larger.slot);
    for (int i = 0; i < c->n_slots; i++)
        if (c->slot[i].key.high) *free_slot(&larger, c->slot[i].key) = c->slot[i];
    free(c->slot);
    *c = larger;
}

void piece_cache_add(PieceCache *c, PieceKey key, const int *ids, int n)
{
    make_room(c);
    CachedPiece *p = free_slot(c, key);
    *p = (CachedPiece){.key = key, .n = n, .at = n == 1 ? *ids : c->n_ids};
    c->n++;
    if (n == 1) return;
    if (c->n_ids + n > c->room) {
        c->room = 2 * (c->n_ids + n) + 256;
        c->ids = xrealloc(c->ids, (size_t)c->room * sizeof *c->ids);
    }
    memcpy(c->ids + c->n_ids, ids, (size_t)n * sizeof *ids);
    c->n_ids += n;
}

void piece_cache_free(PieceCache *c)
{
    free(c->slot), free(c->ids);
    *c = (PieceCache){0};
}
