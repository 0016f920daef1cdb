/* Learns merges (bpe_learn.h) without counting the text anew for each merge: the counts of pairs
 * are kept, and a merge changes only those of its neighbours. All pieces lie one after another in
 * one array of positions, and each pair knows the positions where it begins. */
#include "tokens/bpe_learn.h"

#include <stdlib.h>
#include <string.h>

#include "tokens/bpe.h"

typedef struct {
    int64_t count; /* how often the pair occurs in the text */
    int left, right;
    int *at, n, room; /* positions where it begins or began: some are out of date */
    bool changed;     /* its count has grown in this step */
} Pair;

typedef struct { /* a pair in the heap; out of date if its count has changed since */
    int64_t count;
    int pair;
} Candidate;

typedef struct {
    const int64_t *count; /* of the pieces */
    int *token, *piece; /* at each position; the token is -1 if it was merged into the one before */
    int *before, *next; /* the neighbours' positions in the same piece, or -1 */
    Pair *pair;
    int n_pairs, pairs_room;
    PairTable index; /* the index of each pair in `pair` */
    Candidate *heap; /* the best candidate first */
    int heap_size, heap_room;
    int *changed, n_changed, changed_room; /* the pairs whose count has grown in this step */
    char **bytes;                          /* (size) the bytes of each token */
    size_t *len;                           /* (size) */
} Learner;

/* Makes room for element n of an array. */
static void *grown(void *array, int n, int *room, size_t size)
{
    if (n < *room) return array;
    *room = 2 * *room + 2;
    return xrealloc(array, (size_t)*room * size);
}

/* --- the order of pairs -------------------------------------------------------------------------- */

static int compare_bytes(const Learner *l, int a, int b)
{
    const size_t n = l->len[a] < l->len[b] ? l->len[a] : l->len[b];
    const int order = memcmp(l->bytes[a], l->bytes[b], n);
    if (order) return order;
    return l->len[a] == l->len[b] ? 0 : l->len[a] < l->len[b] ? -1 : 1;
}

/* Returns true if candidate a is merged before candidate b. */
static bool is_better(const Learner *l, Candidate a, Candidate b)
{
    if (a.count != b.count) return a.count > b.count; /* eq 2.1 */
    const Pair *p = &l->pair[a.pair], *q = &l->pair[b.pair];
    const int order = compare_bytes(l, p->left, q->left);
    return (order ? order : compare_bytes(l, p->right, q->right)) > 0;
}

static void push(Learner *l, int pair)
{
    const Candidate c = {l->pair[pair].count, pair};
    l->heap = grown(l->heap, l->heap_size, &l->heap_room, sizeof *l->heap);
    int i = l->heap_size++;
    for (; i > 0 && is_better(l, c, l->heap[(i - 1) / 2]); i = (i - 1) / 2)
        l->heap[i] = l->heap[(i - 1) / 2];
    l->heap[i] = c;
}

static Candidate pop(Learner *l)
{
    const Candidate top = l->heap[0], c = l->heap[--l->heap_size];
    int i = 0;
    for (int child; (child = 2 * i + 1) < l->heap_size; i = child) {
        if (child + 1 < l->heap_size && is_better(l, l->heap[child + 1], l->heap[child])) child++;
        if (!is_better(l, l->heap[child], c)) break;
        l->heap[i] = l->heap[child];
    }
    l->heap[i] = c;
    return top;
}

/* --- counts --------------------------------------------------------------------------------------- */

/* Adds to the count of the pair that begins at a position. */
static void count_pair(Learner *l, int at)
{
    const int left = l->token[at], right = l->token[l->next[at]];
    const int i = pair_add(&l->index, left, right, l->n_pairs);
    if (i == l->n_pairs) {
        l->pair = grown(l->pair, l->n_pairs, &l->pairs_room, sizeof *l->pair);
        l->pair[l->n_pairs++] = (Pair){.left = left, .right = right};
    }
    Pair *p = &l->pair[i];
    p->at = grown(p->at, p->n, &p->room, sizeof *p->at);
    p->at[p->n++] = at;
    p->count += l->count[l->piece[at]];
    if (p->changed) return;
    p->changed = true;
    l->changed = grown(l->changed, l->n_changed, &l->changed_room, sizeof *l->changed);
    l->changed[l->n_changed++] = i;
}

/* Subtracts from the count of the pair that begins at a position. */
static void discount_pair(Learner *l, int at)
{
    const int i = pair_find(&l->index, l->token[at], l->token[l->next[at]]);
    l->pair[i].count -= l->count[l->piece[at]];
}

enum { LEAST = 2 }; /* occurrences of a pair that is merged */

/* Makes the pairs whose counts have grown candidates. */
static void push_changed(Learner *l)
{
    for (int k = 0; k < l->n_changed; k++) {
        Pair *p = &l->pair[l->changed[k]];
        p->changed = false;
        if (p->count >= LEAST) push(l, l->changed[k]);
    }
    l->n_changed = 0;
}

/* Returns the best pair, or -1 if no pair occurs often enough. */
static int best_pair(Learner *l)
{
    while (l->heap_size) {
        const Candidate c = pop(l);
        const int64_t count = l->pair[c.pair].count;
        if (count == c.count) return c.pair;
        if (count < c.count && count >= LEAST) push(l, c.pair); /* its count has shrunk */
    }
    return -1;
}

/* --- merging -------------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* Merges the pair at one position, if it is still there, into the token `id`. */
static void merge_at(Learner *l, int at, int left, int right, int id)
{
    const int gone = l->token[at] == left ? l->next[at] : -1;
    if (gone < 0 || l->token[gone] != right) return;
    const int before = l->before[at], after = l->next[gone];
    if (before >= 0) discount_pair(l, before);
    if (after >= 0) discount_pair(l, gone);
    l->token[at] = id;
    l->token[gone] = -1;
    l->next[at] = after;
    if (after >= 0) l->before[after] = at;
    if (before >= 0) count_pair(l, before);
    if (after >= 0) count_pair(l, at);
}

/* Merges a pair everywhere, in each piece from left to right: "aaa" becomes "aa" "a". */
static void merge_all(Learner *l, int pair, int id)
{
    const Pair p = l->pair[pair]; /* l->pair may move */
    l->pair[pair] = (Pair){.left = p.left, .right = p.right};
    qsort(p.at, (size_t)p.n, sizeof *p.at, ascending);
    for (int i = 0; i < p.n; i++) merge_at(l, p.at[i], p.left, p.right, id);
    free(p.at);
    l->pair[pair].count = 0;
}

/* --- beginning and end ---------------------------------------------------------------------------- */

/* Notes the bytes of a new token. */
static void note_bytes(Learner *l, const Tokenizer *t, int id)
{
    const char *spelling = t->symbols.string[id];
    l->bytes[id] = xmalloc(strlen(spelling) + 1);
    l->len[id] = bytes_read(spelling, strlen(spelling), l->bytes[id], NULL);
}

/* Puts the bytes of all pieces one after another. */
static void place_pieces(Learner *l, const Tokenizer *t, char *const *piece, int n)
{
    size_t all = 0, longest = 0;
    for (int i = 0; i < n; i++) {
        const size_t len = strlen(piece[i]);
        all += len;
        if (len > longest) longest = len;
    }
    CHECK(all < INT32_MAX, "bpe_learn: %zu bytes of pieces", all);
    l->token = xmalloc((all + 1) * sizeof *l->token);
    l->piece = xmalloc((all + 1) * sizeof *l->piece);
    l->before = xmalloc((all + 1) * sizeof *l->before);
    l->next = xmalloc((all + 1) * sizeof *l->next);
    char *bytes = xmalloc(longest + 1);
    for (int i = 0, at = 0; i < n; i++) {
        const int len = (int)bytes_read(piece[i], strlen(piece[i]), bytes, NULL), begin = at;
        for (int k = 0; k < len; k++, at++) {
            l->token[at] = t->bpe->byte_id[(unsigned char)bytes[k]];
            l->piece[at] = i;
            l->before[at] = at > begin ? at - 1 : -1;
            l->next[at] = k + 1 < len ? at + 1 : -1;
        }
        for (int k = begin; k + 1 < at; k++) count_pair(l, k);
    }
    free(bytes);
}

static void learner_free(Learner *l, int n_tokens)
{
    for (int i = 0; i < l->n_pairs; i++) free(l->pair[i].at);
    for (int id = 0; id < n_tokens; id++) free(l->bytes[id]);
    pair_table_free(&l->index);
    free(l->token), free(l->piece), free(l->before), free(l->next);
    free(l->pair), free(l->heap), free(l->changed), free(l->bytes), free(l->len);
}

/* Returns the token that replaces a pair. Adds the merge if it is new: a pair can come back after it
 * was merged, if a later merge spells its left or right token in another way. */
static int merged_token(Learner *l, Tokenizer *t, const Pair *p)
{
    const int size = t->size, rank = pair_find(&t->bpe->rank, p->left, p->right);
    if (rank < 0) bpe_add_merge(t, p->left, p->right);
    const int id = t->bpe->merge[rank < 0 ? t->bpe->n_merges - 1 : rank].id;
    if (t->size > size) note_bytes(l, t, id);
    return id;
}

Tokenizer bpe_learn(char *const *piece, const int64_t *count, int n, int size)
{
    Tokenizer t = bpe_new();
    const size_t room = (size_t)(size > t.size ? size : t.size);
    Learner l = {.count = count,
                 .bytes = xcalloc(room, sizeof *l.bytes),
                 .len = xcalloc(room, sizeof *l.len)};
    for (int id = 0; id < t.size; id++) note_bytes(&l, &t, id);
    place_pieces(&l, &t, piece, n);
    push_changed(&l);
    while (t.size < size) {
        const int best = best_pair(&l);
        if (best < 0) break;
        merge_all(&l, best, merged_token(&l, &t, &l.pair[best]));
        push_changed(&l);
    }
    learner_free(&l, t.size);
    return t;
}
