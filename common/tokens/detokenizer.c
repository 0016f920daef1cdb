#include "tokens/detokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "tokens/bpe.h"
#include "tokens/kinds.h"

Detokenizer detokenizer_new(const Tokenizer *t)
{
    return (Detokenizer){.kind = t->kind, .t = t};
}

void detokenizer_add(Detokenizer *d, const char *bytes, size_t len)
{
    if (d->len + len > d->room) {
        d->room = 2 * (d->len + len) + 16;
        d->text = xrealloc(d->text, d->room);
    }
    if (len) memcpy(d->text + d->len, bytes, len);
    d->len += len;
}

void detokenizer_put(Detokenizer *d, int id)
{
    const Tokenizer *t = d->t;
    CHECK(id >= 0 && id < t->size, "detokenizer: id %d of %d", id, t->size);
    const bool special = id < t->first || id == t->pad || id == t->bos || id == t->eos;
    if (special && id != t->unk) return;
    const char byte = (char)(id - t->first);
    const char *string = t->kind->fixed ? &byte : t->symbols.string[id];
    const bool as_it_is = t->bpe && bpe_is_special(t->bpe, id);
    (as_it_is ? detokenizer_add : t->kind->write)(d, string, t->kind->fixed ? 1 : strlen(string));
}

void detokenizer_skip(Detokenizer *d, int id)
{
    const size_t len = d->len;
    detokenizer_put(d, id);
    d->n_held = 0;
    d->len = len;
}

void detokenizer_end(Detokenizer *d)
{
    if (d->kind->end) d->kind->end(d);
}

void detokenizer_free(Detokenizer *d)
{
    free(d->text);
    *d = (Detokenizer){0};
}

/* --- whole texts ---------------------------------------------------------------------------------- */

/* Ends the text and returns it; the caller frees it. */
static char *take(Detokenizer *d, size_t *len)
{
    detokenizer_end(d);
    detokenizer_add(d, "", 1);
    if (len) *len = d->len - 1;
    return d->text;
}

static char *decode(const Tokenizer *t, const int *ids, int n, bool spaced, size_t *len)
{
    Detokenizer d = detokenizer_new(t);
    d.spaced = spaced;
    for (int i = 0; i < n && (t->eos < 0 || ids[i] != t->eos); i++) detokenizer_put(&d, ids[i]);
    return take(&d, len);
}

char *tokenizer_decode(const Tokenizer *t, const int *ids, int n, size_t *len)
{
    return decode(t, ids, n, false, len);
}

char *tokenizer_spaced(const Tokenizer *t, const int *ids, int n)
{
    return decode(t, ids, n, true, NULL);
}

char *tokenizer_spell(const Tokenizer *t, const char *text, size_t len)
{
    Pieces p = t->kind->cut(text, len, t->layout, t->composed);
    char *spelled = pieces_join(t->kind, &p, true);
    pieces_free(&p);
    return spelled;
}

char *pieces_join(const TokenKind *kind, const Pieces *p, bool spaced)
{
    Detokenizer d = {.kind = kind, .spaced = spaced};
    const char *piece = p->bytes;
    for (int i = 0; i < p->n; i++, piece = piece_next(piece)) kind->write(&d, piece, strlen(piece));
    return take(&d, NULL);
}
