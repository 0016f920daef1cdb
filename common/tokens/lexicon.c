#include "tokens/lexicon.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "system/utf8.h"

/* --- the table: id to string by an array, string to id by open addressing ------------------------- */

static Lexicon lexicon_new(PieceUnit unit)
{
    enum { SLOTS = 64 };
    static const char *const reserved[FIRST_PIECE] = {"", "", "", "<unk>"};
    Lexicon l = {.unit = unit, .n_slots = SLOTS};
    l.slot = xcalloc(SLOTS, sizeof *l.slot);
    l.symbol = xcalloc(SLOTS / 2, sizeof *l.symbol); /* at most half of the slots are full */
    for (; l.size < FIRST_PIECE; l.size++) l.symbol[l.size] = xstrdup(reserved[l.size]);
    return l;
}

/* Where the piece is, or where it would be put. */
static int *find_slot(const Lexicon *l, const char *piece)
{
    uint64_t h = 0xCBF29CE484222325; /* FNV-1a */
    for (const char *c = piece; *c; c++) h = (h ^ (unsigned char)*c) * 0x100000001B3;
    uint64_t at = h ^ h >> 32;
    for (;; at++) {
        int *slot = &l->slot[at & (uint64_t)(l->n_slots - 1)];
        if (*slot == 0 || strcmp(l->symbol[*slot], piece) == 0) return slot;
    }
}

static void grow(Lexicon *l)
{
    CHECK(l->n_slots <= INT_MAX / 2, "lexicon: %d pieces are too many", l->size);
    l->n_slots *= 2;
    free(l->slot);
    l->slot = xcalloc((size_t)l->n_slots, sizeof *l->slot);
    l->symbol = xrealloc(l->symbol, (size_t)l->n_slots / 2 * sizeof *l->symbol);
    for (int id = FIRST_PIECE; id < l->size; id++) *find_slot(l, l->symbol[id]) = id;
}

static int add(Lexicon *l, const char *piece) /* its id, a new one if it had none */
{
    const int known = *find_slot(l, piece);
    if (known) return known;
    if (l->size >= l->n_slots / 2) grow(l);
    *find_slot(l, piece) = l->size;
    l->symbol[l->size] = xstrdup(piece);
    return l->size++;
}

void lexicon_free(Lexicon *l)
{
    for (int id = 0; id < l->size; id++) free(l->symbol[id]);
    free(l->symbol), free(l->slot);
    *l = (Lexicon){0};
}

Lexicon lexicon_of(PieceUnit unit, const char *const *symbol, int n)
{
    Lexicon l = lexicon_new(unit);
    for (int i = 0; i < n; i++)
        CHECK(*symbol[i] && add(&l, symbol[i]) == FIRST_PIECE + i,
              "lexicon_of: symbol %d, \"%s\", is empty or repeated", i, symbol[i]);
    return l;
}

Lexicon lexicon_copy(const Lexicon *l)
{
    return lexicon_of(l->unit, (const char *const *)l->symbol + FIRST_PIECE, l->size - FIRST_PIECE);
}

int lexicon_id(const Lexicon *l, const char *piece)
{
    const int id = *find_slot(l, piece);
    return id ? id : UNK;
}

/* --- learning ------------------------------------------------------------------------------------ */
typedef struct {
    const char *piece;
    int64_t count;
} Counted;

static int by_count(const void *a, const void *b)
{
    const Counted *x = a, *y = b;
    if (x->count != y->count) return x->count > y->count ? -1 : 1;
    return strcmp(x->piece, y->piece); /* of UTF-8: the order of the code points */
}

/* The pieces of the texts, each with its count, in the order of all's ids. */
static Counted *count_pieces(Lexicon *all, const Pieces *text, int n)
{
    size_t room = 256;
    Counted *counted = xmalloc(room * sizeof *counted);
    for (int k = 0; k < n; k++) {
        const char *piece = text[k].bytes;
        for (int i = 0; i < text[k].n; i++, piece = piece_next(piece)) {
            const int known = all->size, id = add(all, piece), at = id - FIRST_PIECE;
            if ((size_t)at == room) counted = xrealloc(counted, (room *= 2) * sizeof *counted);
            if (id == known) counted[at] = (Counted){.piece = piece};
            counted[at].count++;
        }
    }
    return counted;
}

Lexicon lexicon_learn(PieceUnit unit, const Pieces *text, int n, int least, int limit)
{
    Lexicon all = lexicon_new(unit), l = lexicon_new(unit);
    Counted *counted = count_pieces(&all, text, n);
    const int kinds = all.size - FIRST_PIECE;
    qsort(counted, (size_t)kinds, sizeof *counted, by_count);
    for (int i = 0; i < kinds && (limit == 0 || i < limit) && counted[i].count >= least; i++)
        add(&l, counted[i].piece);
    lexicon_free(&all);
    free(counted);
    return l;
}

/* --- ids ----------------------------------------------------------------------------------------- */
int lexicon_encode(const Lexicon *l, const Pieces *p, int *ids)
{
    int unknown = 0;
    const char *piece = p->bytes;
    for (int i = 0; i < p->n; i++, piece = piece_next(piece)) {
        ids[i] = lexicon_id(l, piece);
        unknown += ids[i] == UNK;
    }
    return unknown;
}

static char *decode(const Lexicon *l, const int *ids, int n, bool tokens)
{
    const char **piece = xmalloc(((size_t)n + 1) * sizeof *piece);
    int k = 0;
    for (int i = 0; i < n && ids[i] != EOS; i++) {
        CHECK(ids[i] >= 0 && ids[i] < l->size, "lexicon_decode: id %d of %d", ids[i], l->size);
        if (ids[i] >= UNK) piece[k++] = l->symbol[ids[i]];
    }
    char *text = strings_join(l->unit, piece, k, tokens);
    free(piece);
    return text;
}

char *lexicon_decode(const Lexicon *l, const int *ids, int n)
{
    return decode(l, ids, n, false);
}

char *lexicon_tokens(const Lexicon *l, const int *ids, int n)
{
    return decode(l, ids, n, true);
}

/* --- JSON ---------------------------------------------------------------------------------------- */
json_t *lexicon_to_json(const Lexicon *l)
{
    json_t *symbols = json_array();
    for (int id = FIRST_PIECE; id < l->size; id++)
        json_array_append_new(symbols, json_string(l->symbol[id]));
    return json_pack("{s:s, s:o}", "unit", piece_unit_name(l->unit), "symbols", symbols);
}

/* Why this cannot be the next symbol, or NULL. */
static const char *fault_of(const Lexicon *l, const json_t *value)
{
    const char *s = json_string_value(value);
    if (!s) return "is no string";
    if (!*s || strlen(s) != json_string_length(value)) return "is empty";
    int code;
    const bool one = (size_t)utf8_decode(s, strlen(s), &code) == strlen(s);
    if (l->unit != PIECE_WORD && !one) return "is more than one character";
    return *find_slot(l, s) ? "stands there twice" : NULL;
}

bool lexicon_from_json(Lexicon *l, const json_t *j, Error *err)
{
    const char *unit = json_string_value(json_object_get(j, "unit"));
    const json_t *symbols = json_object_get(j, "symbols");
    PieceUnit u;
    if (!unit || !piece_unit_find(unit, &u))
        return error_set(err, "lexicon: unit is %s, must be one of %s", unit ? unit : "missing",
                         piece_units);
    if (!json_is_array(symbols)) return error_set(err, "lexicon: symbols is missing or no array");
    *l = lexicon_new(u);
    for (size_t i = 0; i < json_array_size(symbols); i++) {
        const json_t *value = json_array_get(symbols, i);
        const char *fault = fault_of(l, value);
        if (fault) {
            lexicon_free(l);
            return error_set(err, "lexicon: symbol %zu %s", i, fault);
        }
        add(l, json_string_value(value));
    }
    return true;
}
