/* Cuts a table's pairs (pairs.h) into pieces and splits them by content. */
#ifndef PAIRS_ITEMS_H
#define PAIRS_ITEMS_H

#include "data/pairs_table.h"
#include "tokens/pieces.h"
#include "tasks/task.h"

typedef struct {
    const char *text[2]; /* source, target; owned by the table */
    Pieces pieces[2];
    uint64_t hash;
    Split split;
} Item;

/* Longer pairs are dropped, however many --max-words there may be: a batch of them would not fit into memory. */
enum { PAIR_LONGEST = 4096 }; /* pieces of a side */

typedef struct {
    Item *item;
    int n, too_long, empty, repeated, left_out;
} Items;

/* Cuts all pairs of a table. swap: the table's second column is the source. by: the side (0 or 1)
 * whose hash decides the split of a pair. max_pieces: longer pairs are dropped; 0: PAIR_LONGEST. */
Items items_cut(const Table *t, const TokenKind *unit, bool swap, int max_pieces, int by);

/* Sorts the items by hash and splits them. Drops repeated pairs, and training pairs that share a
 * target with a held-out pair. Keeps at most `most` pairs in all and `most_training` training pairs
 * (0: all). heldout: the part of the pairs that goes to each held-out split. */
void items_split(Items *s, const double heldout[3], int most, int most_training);

/* Appends all pairs of a table to a split, in order, except those that are empty or have more than
 * PAIR_LONGEST pieces, which are counted. Returns how many of them have the source or
 * the target of a training pair. */
int items_add(Items *s, const Table *t, const TokenKind *unit, bool swap, Split split);
/* Fails if items_add dropped pairs of the file because of their length. before: Items.too_long before it. */
bool items_fit(const Items *s, int before, const char *path, Error *err);
void items_free(Items *s);

#endif
