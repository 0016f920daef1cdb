/* Encodes texts by byte-pair encoding (bpe.h). Pieces that occurred before come from a cache. Short
 * pieces are merged in an array; long ones, in which the search for the next merge would take
 * O(n^2) steps, with a heap of the possible merges. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "tokens/bpe.h"
#include "tokens/kinds.h"
#include "tokens/pretokenizer.h"

enum { SHORT = 48 }; /* tokens; up to here the array is faster than the heap */

static const unsigned NO_RANK = UINT_MAX;

static unsigned rank_of(const Bpe *b, int left, int right)
{
    if (left < 0 || right < 0) return NO_RANK;         /* a byte without a token */
    return (unsigned)pair_find(&b->rank, left, right); /* -1 becomes NO_RANK */
}

/* --- short pieces ------------------------------------------------------------------------------- */

static int merge_short(const Bpe *b, int *id, int n)
{
    unsigned rank[SHORT]; /* of the pair id[i], id[i + 1] */
    for (int i = 0; i + 1 < n; i++) rank[i] = rank_of(b, id[i], id[i + 1]);
    while (n > 1) {
        int best = 0;
        for (int i = 1; i + 1 < n; i++)
            if (rank[i] < rank[best]) best = i; /* eq 2.2 */
        if (rank[best] == NO_RANK) break;
        id[best] = b->merge[rank[best]].id;
        n--;
        for (int i = best + 1; i < n; i++) id[i] = id[i + 1];
        for (int i = best + 1; i + 1 < n; i++) rank[i] = rank[i + 1];
        if (best > 0) rank[best - 1] = rank_of(b, id[best - 1], id[best]);
        if (best + 1 < n) rank[best] = rank_of(b, id[best], id[best + 1]);
    }
    return n;
}

/* --- long pieces -------------------------------------------------------------------------------- */

/* A possible merge is the number rank << 32 | position of its left token: the smallest number is
 * the next merge. It is out of date if the rank at its position has changed since. */
typedef struct {
    uint64_t *heap; /* heap[0] is the smallest; heap[i] <= heap[2i + 1] and heap[2i + 2] */
    int size;
    unsigned *rank;     /* of the pair that begins at a position; NO_RANK if none */
    int *before, *next; /* the positions of the neighbours; -1 at the ends */
} Agenda;

static void push(Agenda *a, uint64_t value)
{
    int i = a->size++;
    for (; i > 0 && a->heap[(i - 1) / 2] > value; i = (i - 1) / 2)
        a->heap[i] = a->heap[(i - 1) / 2];
    a->heap[i] = value;
}

static uint64_t pop(Agenda *a)
{
    const uint64_t top = a->heap[0], value = a->heap[--a->size];
    int i = 0;
    for (int child; (child = 2 * i + 1) < a->size; i = child) {
        if (child + 1 < a->size && a->heap[child + 1] < a->heap[child]) child++;
        if (a->heap[child] >= value) break;
        a->heap[i] = a->heap[child];
    }
    a->heap[i] = value;
    return top;
}

/* Sets the rank of the pair that begins at a position, after one of its tokens has changed. */
static void set_rank(const Bpe *b, Agenda *a, const int *id, int at)
{
    if (at < 0) return;
    const int next = a->next[at];
    a->rank[at] = next < 0 ? NO_RANK : rank_of(b, id[at], id[next]);
    if (a->rank[at] != NO_RANK) push(a, (uint64_t)a->rank[at] << 32 | (unsigned)at);
}

static int merge_long(const Bpe *b, int *id, int n)
{
    const size_t size = (size_t)n;
    Agenda a = {.heap = xmalloc(3 * size * sizeof *a.heap), /* n pairs, then 2 for each merge */
                .rank = xmalloc(size * sizeof *a.rank),
                .before = xmalloc(size * sizeof *a.before),
                .next = xmalloc(size * sizeof *a.next)};
    for (int i = 0; i < n; i++) a.before[i] = i - 1, a.next[i] = i + 1 < n ? i + 1 : -1;
    for (int i = 0; i < n; i++) set_rank(b, &a, id, i);
    while (a.size) {
        const uint64_t top = pop(&a);
        const int at = (int)(top & UINT_MAX), right = a.next[at];
        const unsigned rank = (unsigned)(top >> 32);
        if (a.rank[at] != rank) continue;
        id[at] = b->merge[rank].id;
        a.rank[right] = NO_RANK; /* the right token is gone */
        a.next[at] = a.next[right];
        if (a.next[at] >= 0) a.before[a.next[at]] = at;
        set_rank(b, &a, id, at);
        set_rank(b, &a, id, a.before[at]);
    }
    int kept = 0;
    for (int at = 0; at >= 0; at = a.next[at]) id[kept++] = id[at];
    free(a.heap), free(a.rank), free(a.before), free(a.next);
    return kept;
}

/* --- pieces --------------------------------------------------------------------------------------- */

/* Returns the token that spells the whole piece, or -1. */
static int whole_token(const Tokenizer *t, const char *piece, size_t len)
{
    enum { LONGEST = 256 };
    char spelling[BYTE_SPELLED * LONGEST + 1];
    if (len > LONGEST) return -1;
    bytes_spell(piece, len, spelling);
    const int id = symbols_find(&t->symbols, spelling);
    return id >= 0 && bpe_is_special(t->bpe, id) ? -1 : id;
}

int bpe_encode_piece(const Tokenizer *t, const char *piece, size_t len, int *ids, int *unknown)
{
    const Bpe *b = t->bpe;
    if (b->whole_pieces && (*ids = whole_token(t, piece, len)) >= 0) return 1;
    for (size_t i = 0; i < len; i++) ids[i] = b->byte_id[(unsigned char)piece[i]];
    int n = (int)len, known = 0;
    n = n <= SHORT ? merge_short(b, ids, n) : merge_long(b, ids, n);
    for (int i = 0; i < n; i++)
        if (ids[i] >= 0) ids[known++] = ids[i];
    *unknown += n - known;
    return known;
}

/* Encodes a piece that is not in the cache, and adds it to the cache. */
static void encode_new(const Tokenizer *t, const char *piece, size_t len, PieceKey key, size_t at,
                       Encoding *e)
{
    int unknown = 0, *ids = e->ids + e->n;
    const int n = bpe_encode_piece(t, piece, len, ids, &unknown);
    if (unknown && e->unknown == 0) e->first_unknown = (int64_t)at;
    e->unknown += unknown;
    e->n += n;
    if (len <= CACHED_LONGEST && !unknown) piece_cache_add(&t->bpe->cache, key, ids, n);
}

/* --- texts ---------------------------------------------------------------------------------------- */

/* Sets the offsets of the tokens from index `first` on, those of a piece that begins at byte `at`. */
static void place_tokens(const Tokenizer *t, Encoding *e, int first, size_t at)
{
    for (int i = first; e->at && i < e->n; i++) {
        e->at[i] = (int)at;
        /* In its spelling every byte is a character. */
        for (const char *c = t->symbols.string[e->ids[i]]; *c; c++) at += (*c & 0xC0) != 0x80;
    }
}

/* Encodes a text without special tokens. `readable` >= len bytes can be read from it. */
static void encode_plain(const Tokenizer *t, const char *text, size_t len, size_t readable,
                         size_t origin, Encoding *e)
{
    const Bpe *b = t->bpe;
    for (size_t at = 0, n; at < len; at += n) {
        n = pretoken(text + at, len - at, b->digits_alone);
        PieceKey key = {0};
        const CachedPiece *known = NULL;
        const int first = e->n;
        if (n <= CACHED_LONGEST) {
            key = piece_key(text + at, n, readable - at);
            known = piece_cached(&b->cache, key);
        }
        if (!known) {
            encode_new(t, text + at, n, key, origin + at, e);
        } else if (known->n == 1) {
            e->ids[e->n++] = known->at;
        } else {
            memcpy(e->ids + e->n, b->cache.ids + known->at, (size_t)known->n * sizeof *e->ids);
            e->n += known->n;
        }
        place_tokens(t, e, first, origin + at);
    }
}

/* Encodes a text whose lines are apart: each newline is a piece of its own. */
static void encode_lines(const Tokenizer *t, const char *text, size_t len, size_t origin,
                         Encoding *e)
{
    for (size_t at = 0, n; at < len; at += n) {
        const char *newline = memchr(text + at, '\n', len - at);
        n = !newline ? len - at : newline == text + at ? 1 : (size_t)(newline - text) - at;
        encode_plain(t, text + at, n, len - at, origin + at, e);
    }
}

void bpe_encode(const Tokenizer *t, const char *text, size_t len, size_t origin, Encoding *e)
{
    for (size_t at = 0, n; at < len;) {
        size_t name = 0;
        const int special =
            t->bpe->special_in_text ? bpe_find_special(t, text + at, len - at, &n) : -1;
        if (special < 0) n = len - at;
        if (t->by_line)
            encode_lines(t, text + at, n, origin + at, e);
        else
            encode_plain(t, text + at, n, len - at, origin + at, e);
        if (special >= 0) {
            name = strlen(t->symbols.string[special]);
            if (e->at) e->at[e->n] = (int)(origin + at + n);
            e->ids[e->n++] = special;
        }
        at += n + name;
    }
}
