#include "tokens/bpe.h"

#include <stdlib.h>
#include <string.h>

#include "tokens/kinds.h"

Tokenizer bpe_new(void)
{
    Tokenizer t = {.kind = &kind_bpe, .pad = -1, .bos = -1, .eos = -1, .unk = -1};
    t.symbols = symbols_new(NULL, 0);
    t.bpe = xcalloc(1, sizeof *t.bpe);
    for (int i = 0; i < BYTE_VALUES; i++) {
        char spelling[BYTE_SPELLED + 1];
        const unsigned char byte = byte_in_order(i);
        bytes_spell((const char *)&byte, 1, spelling);
        t.bpe->byte_id[byte] = symbols_add(&t.symbols, spelling);
    }
    t.size = t.symbols.size;
    return t;
}

Bpe *bpe_copy(const Bpe *b)
{
    if (!b) return NULL;
    Bpe *copy = xmalloc(sizeof *copy);
    *copy = *b;
    copy->room = b->n_merges;
    copy->merge = xmalloc((size_t)(b->n_merges + 1) * sizeof *b->merge);
    if (b->n_merges) memcpy(copy->merge, b->merge, (size_t)b->n_merges * sizeof *b->merge);
    copy->special = xmalloc((size_t)(b->n_specials + 1) * sizeof *b->special);
    if (b->n_specials)
        memcpy(copy->special, b->special, (size_t)b->n_specials * sizeof *b->special);
    copy->rank = pair_table_copy(&b->rank);
    copy->cache = (PieceCache){0};
    return copy;
}

void bpe_free(Bpe *b)
{
    if (!b) return;
    pair_table_free(&b->rank);
    piece_cache_free(&b->cache);
    free(b->merge), free(b->special), free(b);
}

void bpe_add_merge(Tokenizer *t, int left, int right)
{
    Bpe *b = t->bpe;
    char *spelling = xformat("%s%s", t->symbols.string[left], t->symbols.string[right]);
    if (b->n_merges == b->room) {
        b->room = 2 * b->room + 256;
        b->merge = xrealloc(b->merge, (size_t)b->room * sizeof *b->merge);
    }
    const int rank = pair_add(&b->rank, left, right, b->n_merges);
    CHECK(rank == b->n_merges, "bpe_add_merge: merge %d repeats merge %d", b->n_merges, rank);
    b->merge[b->n_merges++] = (Merge){left, right, symbols_add(&t->symbols, spelling)};
    t->size = t->symbols.size;
    free(spelling);
}

void bpe_add_special(Tokenizer *t, int id)
{
    Bpe *b = t->bpe;
    if (bpe_is_special(b, id)) return;
    b->special = xrealloc(b->special, (size_t)(b->n_specials + 1) * sizeof *b->special);
    b->special[b->n_specials++] = id;
}

bool bpe_is_special(const Bpe *b, int id)
{
    for (int i = 0; i < b->n_specials; i++)
        if (b->special[i] == id) return true;
    return false;
}

int bpe_id(const Tokenizer *t, const char *token)
{
    const int special = symbols_find(&t->symbols, token);
    if (special >= 0 && bpe_is_special(t->bpe, special)) return special;
    char *spelling = xmalloc(BYTE_SPELLED * strlen(token) + 1);
    bytes_spell(token, strlen(token), spelling);
    const int id = symbols_find(&t->symbols, spelling);
    free(spelling);
    return id;
}

/* Of two special tokens at one position the longer one is found. */
int bpe_find_special(const Tokenizer *t, const char *text, size_t len, size_t *at)
{
    int found = -1;
    size_t longest = 0;
    *at = len;
    for (int i = 0; i < t->bpe->n_specials; i++) {
        const char *name = t->symbols.string[t->bpe->special[i]];
        const size_t n = strlen(name);
        const char *p = memmem(text, len, name, n);
        const size_t where = p ? (size_t)(p - text) : len;
        if (!p || where > *at || (where == *at && n < longest)) continue;
        found = t->bpe->special[i], *at = where, longest = n;
    }
    return found;
}

void bpe_decide(Tokenizer *t, const char *text, size_t len)
{
    size_t at;
    if (!t->bpe->undecided) return;
    t->bpe->special_in_text = bpe_find_special(t, text, len, &at) >= 0;
    t->bpe->undecided = false;
}
