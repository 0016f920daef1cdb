#include "data/pairs_items.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void item_free(Item *i)
{
    pieces_free(&i->pieces[0]), pieces_free(&i->pieces[1]);
}

static void items_cut_off(Items *s, int n) /* keeps the first n items only */
{
    for (int i = n; i < s->n; i++) item_free(&s->item[i]);
    if (n < s->n) s->n = n;
}

static int pieces_compare(const Pieces *a, const Pieces *b)
{
    const size_t m = a->len, n = b->len;
    const int order = memcmp(a->bytes, b->bytes, m < n ? m : n);
    return order ? order : (m > n) - (m < n);
}

static uint64_t pieces_hash(const Pieces *p)
{
    const size_t n = p->len;
    int *byte = xmalloc((n + 1) * sizeof *byte);
    for (size_t i = 0; i < n; i++) byte[i] = (unsigned char)p->bytes[i];
    const uint64_t h = content_hash(byte, (int)n);
    free(byte);
    return h;
}

/* Cuts a table's pairs into pieces and appends them to s, which has room for them. */
static void cut(Items *s, const Table *t, const TokenKind *unit, bool swap, int max_pieces, int by)
{
    const char *at = t->bytes;
    const int most = max_pieces && max_pieces < PAIR_LONGEST ? max_pieces : PAIR_LONGEST;
    for (int i = 0; i < t->n; i++) {
        Item item = {0};
        for (int column = 0; column < 2; column++, at += strlen(at) + 1)
            item.text[column ^ swap] = at;
        int longest = 0;
        for (int side = 0; side < 2; side++) {
            Pieces *pieces = &item.pieces[side];
            *pieces = pieces_cut(unit, TOKENS_FRAMED, item.text[side], strlen(item.text[side]));
            free(pieces->at), pieces->at = NULL;
            if (pieces->n > longest) longest = pieces->n;
        }
        const bool empty = item.pieces[0].n == 0 || item.pieces[1].n == 0;
        const bool too_long = !empty && longest > most;
        s->empty += empty;
        s->too_long += too_long;
        item.hash = pieces_hash(&item.pieces[by]);
        if (empty || too_long)
            item_free(&item);
        else
            s->item[s->n++] = item;
    }
}

Items items_cut(const Table *t, const TokenKind *unit, bool swap, int max_pieces, int by)
{
    Items s = {.item = xcalloc((size_t)t->n + 1, sizeof *s.item)};
    cut(&s, t, unit, swap, max_pieces, by);
    return s;
}

/* --- splitting ------------------------------------------------------------------------------------ */

/* Orders items by their whole content, so that the order of the file has no effect. */
static int by_hash(const void *a, const void *b)
{
    const Item *x = a, *y = b;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    int order = 0;
    for (int side = 0; side < 2 && !order; side++)
        order = pieces_compare(&x->pieces[side], &y->pieces[side]);
    for (int side = 0; side < 2 && !order; side++) order = strcmp(x->text[side], y->text[side]);
    return order;
}

static int by_target(const void *a, const void *b)
{
    const Item *const *x = a, *const *y = b;
    return pieces_compare(&(*x)->pieces[1], &(*y)->pieces[1]);
}

static int drop_repeated(Items *s)
{
    int n = 0;
    for (int i = 0; i < s->n; i++) {
        Item *item = &s->item[i], *last = n ? &s->item[n - 1] : NULL;
        const bool again = last && pieces_compare(&item->pieces[0], &last->pieces[0]) == 0 &&
                           pieces_compare(&item->pieces[1], &last->pieces[1]) == 0;
        if (again)
            item_free(item);
        else
            s->item[n++] = *item;
    }
    const int dropped = s->n - n;
    s->n = n;
    return dropped;
}

static void set_splits(Items *s, const double heldout[3])
{
    const uint64_t test = (uint64_t)lround(1000 * heldout[SPLIT_TEST]);
    const uint64_t both = test + (uint64_t)lround(1000 * heldout[SPLIT_VALID]);
    for (int i = 0; i < s->n; i++) {
        const uint64_t h = s->item[i].hash % 1000;
        s->item[i].split = h < test ? SPLIT_TEST : h < both ? SPLIT_VALID : SPLIT_TRAIN;
    }
}

/* Drops training pairs whose target is the target of a held-out pair; returns their number. */
static int drop_seen_targets(Items *s)
{
    const Item **held = xmalloc(((size_t)s->n + 1) * sizeof *held);
    int n_held = 0, n = 0;
    for (int i = 0; i < s->n; i++)
        if (s->item[i].split != SPLIT_TRAIN) held[n_held++] = &s->item[i];
    qsort(held, (size_t)n_held, sizeof *held, by_target);
    bool *drop = xcalloc((size_t)s->n + 1, sizeof *drop);
    for (int i = 0; i < s->n; i++) {
        const Item *item = &s->item[i];
        drop[i] = item->split == SPLIT_TRAIN && n_held &&
                  bsearch(&item, held, (size_t)n_held, sizeof *held, by_target);
    }
    for (int i = 0; i < s->n; i++)
        if (drop[i])
            item_free(&s->item[i]);
        else
            s->item[n++] = s->item[i];
    free(held), free(drop);
    const int dropped = s->n - n;
    s->n = n;
    return dropped;
}

/* Keeps only the first `wanted` training pairs. */
static void keep_training(Items *s, int wanted)
{
    int n = 0, training = 0;
    for (int i = 0; i < s->n; i++) {
        const bool keep = s->item[i].split != SPLIT_TRAIN || training++ < wanted;
        if (keep)
            s->item[n++] = s->item[i];
        else
            item_free(&s->item[i]);
    }
    s->n = n;
}

void items_split(Items *s, const double heldout[3], int most, int most_training)
{
    qsort(s->item, (size_t)s->n, sizeof *s->item, by_hash);
    s->repeated = drop_repeated(s);
    if (most) items_cut_off(s, most);
    set_splits(s, heldout);
    s->left_out = drop_seen_targets(s);
    if (most_training) keep_training(s, most_training);
}

/* --- held-out pairs from separate files ------------------------------------------------------- */

static int by_source(const void *a, const void *b)
{
    const Item *const *x = a, *const *y = b;
    return pieces_compare(&(*x)->pieces[0], &(*y)->pieces[0]);
}

/* Counts the items from index `from` on that have the source or the target of a training item. */
static int count_shared(const Items *s, int from)
{
    int (*const order[2])(const void *, const void *) = {by_source, by_target};
    bool *shared = xcalloc((size_t)s->n + 1, sizeof *shared);
    const Item **train = xmalloc(((size_t)s->n + 1) * sizeof *train);
    int n = 0, count = 0;
    for (int i = 0; i < from; i++)
        if (s->item[i].split == SPLIT_TRAIN) train[n++] = &s->item[i];
    for (int side = 0; side < 2; side++) {
        qsort(train, (size_t)n, sizeof *train, order[side]);
        for (int i = from; i < s->n && n; i++) {
            const Item *item = &s->item[i];
            if (bsearch(&item, train, (size_t)n, sizeof *train, order[side])) shared[i] = true;
        }
    }
    for (int i = from; i < s->n; i++) count += shared[i];
    free(shared), free(train);
    return count;
}

int items_add(Items *s, const Table *t, const TokenKind *unit, bool swap, Split split)
{
    const int from = s->n;
    s->item = xrealloc(s->item, ((size_t)s->n + t->n + 1) * sizeof *s->item);
    cut(s, t, unit, swap, 0, 0);
    for (int i = from; i < s->n; i++) s->item[i].split = split;
    return count_shared(s, from);
}

bool items_fit(const Items *s, int before, const char *path, Error *err)
{
    return s->too_long == before ||
           error_set(err, "%s: %d of its pairs have more than %d tokens on a side; remove them",
                     path, s->too_long - before, PAIR_LONGEST);
}

void items_free(Items *s)
{
    items_cut_off(s, 0);
    free(s->item);
    *s = (Items){0};
}
