/* A table's pairs (pairs.h), cut into pieces and split by their content. */
#ifndef PAIRS_ITEMS_H
#define PAIRS_ITEMS_H

#include "data/pairs_table.h"
#include "tokens/pieces.h"
#include "tasks/task.h"

typedef struct {
    const char *text[2]; /* source, target; they stand in the table */
    Pieces pieces[2];
    uint64_t hash;
    Split split;
} Item;

typedef struct {
    Item *item;
    int n, too_long, empty, repeated, left_out;
} Items;

/* swap: the table's second column is the source. by: the side whose hash says which split a pair
 * belongs to. max_pieces 0: any number. */
Items items_cut(const Table *t, const TokenKind *unit, bool swap, int max_pieces, int by);

/* Into the order of their hash, without repeated pairs, at most `most` of them and at most
 * `most_training` for training (0: all), and without training pairs that share a target with a
 * held-out pair. heldout: the part of each split that is held out. */
void items_split(Items *s, const double heldout[3], int most, int most_training);

/* Adds all pairs of a table to a split, in their order, behind those that are there. Returns how many of
 * them have the source or the target of a training pair. */
int items_add(Items *s, const Table *t, const TokenKind *unit, bool swap, Split split);
void items_free(Items *s);

#endif
