#include "tokens/tokenizer.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "system/utf8.h"
#include "tokens/bpe.h"
#include "tokens/kinds.h"

/* --- the units ------------------------------------------------------------------------------------ */
static const TokenKind *const kinds[] = {&kind_char, &kind_byte, &kind_word, &kind_jamo, &kind_bpe};

const TokenKind *token_kind(const char *unit)
{
    for (int i = 0; i < LEN(kinds); i++)
        if (strcmp(kinds[i]->name, unit) == 0) return kinds[i];
    return NULL;
}

const char *token_unit(const TokenKind *kind)
{
    return kind->name;
}

const char *tokenizer_unit(const Tokenizer *t)
{
    return t->kind->name;
}

const char *tokenizer_item(const Tokenizer *t)
{
    return t->kind->item;
}

const char *tokenizer_metric(const Tokenizer *t)
{
    return t->kind->metric;
}

bool tokenizer_of_words(const Tokenizer *t)
{
    return t->kind->of_words;
}

/* --- making --------------------------------------------------------------------------------------- */

/* Makes a tokenizer with the special ids only (and the 256 bytes, for the unit "byte"). */
static Tokenizer tokenizer_new(const TokenKind *kind, TokenLayout layout)
{
    const bool framed = layout == TOKENS_FRAMED;
    Tokenizer t = {
        .kind = kind, .layout = layout, .composed = true, .pad = -1, .bos = -1, .eos = -1};
    t.unk = kind->fixed ? -1 : framed ? UNK : STREAM_UNK;
    t.first = framed ? FIRST_PIECE : kind->fixed ? 0 : STREAM_UNK + 1;
    if (framed) t.pad = PAD, t.bos = BOS, t.eos = EOS;
    t.size = t.first + kind->fixed;
    if (kind->fixed) return t;
    const char *reserved[FIRST_PIECE] = {"", "", "", ""};
    reserved[t.unk] = framed || kind->of_words ? "<unk>" : "\uFFFD";
    t.symbols = symbols_new(reserved, t.first);
    return t;
}

/* Adds a symbol. Returns false if the tokenizer has it already. */
static bool add_symbol(Tokenizer *t, const char *symbol)
{
    const bool is_new = symbols_find(&t->symbols, symbol) < 0;
    symbols_add(&t->symbols, symbol);
    t->size = t->symbols.size;
    return is_new;
}

Tokenizer tokenizer_of(const TokenKind *kind, TokenLayout layout, const char *const *symbol, int n)
{
    Tokenizer t = tokenizer_new(kind, layout);
    CHECK(!kind->learn, "tokenizer_of: the unit %s has merges; bpe_new makes it", kind->name);
    CHECK(n == 0 || !kind->fixed, "tokenizer_of: %ss have no symbols", kind->item);
    for (int i = 0; i < n; i++)
        CHECK(*symbol[i] && add_symbol(&t, symbol[i]),
              "tokenizer_of: symbol %d, \"%s\", is empty or repeated", i, symbol[i]);
    return t;
}

Tokenizer tokenizer_copy(const Tokenizer *t)
{
    Tokenizer copy = *t;
    copy.symbols = symbols_copy(&t->symbols);
    copy.bpe = bpe_copy(t->bpe);
    return copy;
}

void tokenizer_free(Tokenizer *t)
{
    symbols_free(&t->symbols);
    bpe_free(t->bpe);
    *t = (Tokenizer){0};
}

/* --- ids ------------------------------------------------------------------------------------------ */
int tokenizer_id(const Tokenizer *t, const char *token)
{
    if (t->kind->fixed) return t->first + (unsigned char)*token;
    const int id = t->bpe ? bpe_id(t, token) : symbols_find(&t->symbols, token);
    return id < 0 ? t->unk : id;
}

const char *tokenizer_name(const Tokenizer *t, int id, char room[2])
{
    CHECK(id >= 0 && id < t->size, "tokenizer_name: id %d of %d", id, t->size);
    if (id == t->pad) return "<pad>";
    if (id == t->bos) return "<bos>";
    if (id == t->eos) return "<eos>";
    if (!t->kind->fixed) return t->symbols.string[id];
    if (id < t->first) return "<unk>";
    room[0] = (char)(id - t->first);
    room[1] = 0;
    return room;
}

static void encode_pieces(const Tokenizer *t, const char *text, size_t len, size_t origin,
                          Encoding *e)
{
    Pieces p = t->kind->cut(text, len, t->layout, t->composed);
    const char *piece = p.bytes;
    for (int i = 0; i < p.n; i++, piece = piece_next(piece))
        encoding_add(e, t, symbols_find(&t->symbols, piece), origin + (size_t)p.at[i]);
    pieces_free(&p);
}

static Encoding encode(const Tokenizer *t, const char *text, size_t len, bool at_too)
{
    CHECK(len < INT_MAX, "tokenizer_encode: a text of %zu bytes; fewer than %d are needed", len,
          INT_MAX);
    Encoding e = {.ids = xmalloc((len + 1) * sizeof *e.ids), .first_unknown = -1};
    if (at_too)
        e.at = xmalloc((len + 1) * sizeof *e.at), memset(e.at, 0xFF, (len + 1) * sizeof *e.at);
    for (size_t at = 0, end; at < len; at = end) {
        end = text_part_end(t->kind, text, len, at);
        (t->kind->encode ? t->kind->encode : encode_pieces)(t, text + at, end - at, at, &e);
    }
    CHECK(!at_too || e.n == 0 || e.at[e.n - 1] >= 0, "unit %s: its tokens have no offsets",
          t->kind->name);
    e.ids = xrealloc(e.ids, ((size_t)e.n + 1) * sizeof *e.ids);
    return e;
}

Encoding tokenizer_encode(const Tokenizer *t, const char *text, size_t len)
{
    return encode(t, text, len, false);
}

Encoding tokenizer_encode_at(const Tokenizer *t, const char *text, size_t len)
{
    return encode(t, text, len, true);
}

char *tokenizer_unknown(const Tokenizer *t, const char *text, size_t len)
{
    if (t->kind->fixed || t->bpe) return NULL;
    Pieces p = t->kind->cut(text, len, t->layout, t->composed);
    char *unknown = xcalloc(p.len + 1, 1), *end = unknown;
    const char *piece = p.bytes;
    for (int i = 0; i < p.n; i++, piece = piece_next(piece)) {
        if (symbols_find(&t->symbols, piece) >= 0) continue;
        if (end > unknown) *end++ = ' ';
        memcpy(end, piece, strlen(piece));
        end += strlen(piece);
    }
    pieces_free(&p);
    if (end > unknown) return unknown;
    free(unknown);
    return NULL;
}
