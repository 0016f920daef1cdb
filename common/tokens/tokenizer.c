#include "tokens/tokenizer.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "system/utf8.h"
#include "tokens/kinds.h"

/* --- the units ------------------------------------------------------------------------------------ */
static const TokenKind *const kinds[] = {&kind_char, &kind_byte, &kind_word, &kind_jamo};

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
    return copy;
}

void tokenizer_free(Tokenizer *t)
{
    symbols_free(&t->symbols);
    *t = (Tokenizer){0};
}

/* --- ids ------------------------------------------------------------------------------------------ */
int tokenizer_id(const Tokenizer *t, const char *token)
{
    if (t->kind->fixed) return t->first + (unsigned char)*token;
    const int id = symbols_find(&t->symbols, token);
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

/* Returns the end of the part of a text that begins at `at`. Long texts are encoded in parts. A
 * part ends after a newline, so that no token is split. */
static size_t part_end(const char *text, size_t len, size_t at)
{
    enum { PART = 1 << 16 };
    if (len - at <= PART) return len;
    const char *newline = memchr(text + at + PART, '\n', len - at - PART);
    return newline ? (size_t)(newline - text) + 1 : len;
}

Encoding tokenizer_encode(const Tokenizer *t, const char *text, size_t len)
{
    CHECK(len < INT_MAX, "tokenizer_encode: a text of %zu bytes; fewer than %d are needed", len,
          INT_MAX);
    Encoding e = {.ids = xmalloc((len + 1) * sizeof *e.ids), .first_unknown = -1};
    for (size_t at = 0, end; at < len; at = end) {
        end = part_end(text, len, at);
        (t->kind->encode ? t->kind->encode : encode_pieces)(t, text + at, end - at, at, &e);
    }
    e.ids = xrealloc(e.ids, ((size_t)e.n + 1) * sizeof *e.ids);
    return e;
}

char *tokenizer_unknown(const Tokenizer *t, const char *text, size_t len)
{
    if (t->kind->fixed) return NULL;
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

/* --- learning ------------------------------------------------------------------------------------- */
typedef struct {
    const char *symbol;
    int64_t count;
} Counted;

static int by_count(const void *a, const void *b)
{
    const Counted *x = a, *y = b;
    if (x->count != y->count) return x->count > y->count ? -1 : 1;
    return strcmp(x->symbol, y->symbol); /* for UTF-8 this is the order of the code points */
}

static int by_code(const void *a, const void *b)
{
    const Counted *x = a, *y = b;
    return strcmp(x->symbol, y->symbol);
}

TokenLearner learner_new(const TokenKind *kind, TokenLayout layout)
{
    return (TokenLearner){
        .kind = kind, .layout = layout, .composed = true, .seen = symbols_new(NULL, 0)};
}

static void count_symbol(TokenLearner *l, const char *symbol, int64_t times)
{
    const int id = symbols_add(&l->seen, symbol);
    if ((size_t)id >= l->room) {
        const size_t room = 2 * l->room + 256;
        l->count = xrealloc(l->count, room * sizeof *l->count);
        memset(l->count + l->room, 0, (room - l->room) * sizeof *l->count);
        l->room = room;
    }
    l->count[id] += times;
}

/* Returns true for a token that never gets an id (tokenizer.h, the rule for unknown tokens). */
static bool is_never_known(const char *symbol)
{
    return !*symbol || strstr(symbol, "\uFFFD") || strcmp(symbol, "<unk>") == 0;
}

static void count_pieces(TokenLearner *l, const char *text, size_t len)
{
    Pieces p = l->kind->cut(text, len, l->layout, l->composed);
    const char *piece = p.bytes;
    for (int i = 0; i < p.n; i++, piece = piece_next(piece))
        if (!is_never_known(piece)) count_symbol(l, piece, 1);
    pieces_free(&p);
}

void learner_add(TokenLearner *l, const char *text, size_t len)
{
    for (size_t at = 0, end; at < len; at = end) {
        end = part_end(text, len, at);
        (l->kind->count ? l->kind->count : count_pieces)(l, text + at, end - at);
    }
}

/* Adds the counts by code point to the counts by symbol. */
static void take_codes(TokenLearner *l)
{
    enum { CODES = 0x110000 };
    for (int code = 1; l->by_code && code < CODES; code++) {
        if (l->by_code[code] == 0 || code == UTF8_REPLACEMENT) continue;
        char symbol[5] = {0};
        utf8_encode(code, symbol);
        count_symbol(l, symbol, l->by_code[code]);
    }
}

Tokenizer learner_end(TokenLearner *l, int least, int limit)
{
    take_codes(l);
    Tokenizer t = tokenizer_new(l->kind, l->layout);
    t.composed = l->composed;
    Counted *counted = xmalloc(((size_t)l->seen.size + 1) * sizeof *counted);
    int n = 0;
    for (int id = 0; id < l->seen.size; id++)
        if (l->count[id] >= least) counted[n++] = (Counted){l->seen.string[id], l->count[id]};
    qsort(counted, (size_t)n, sizeof *counted, by_count);
    if (limit && limit < n) n = limit;
    if (l->kind == &kind_char && l->layout == TOKENS_STREAM)
        qsort(counted, (size_t)n, sizeof *counted, by_code);
    for (int i = 0; i < n; i++) add_symbol(&t, counted[i].symbol);
    free(counted), free(l->count), free(l->by_code);
    symbols_free(&l->seen);
    return t;
}

Tokenizer tokenizer_learn(const TokenKind *kind, TokenLayout layout, const char *text, size_t len,
                          int least, int limit)
{
    TokenLearner l = learner_new(kind, layout);
    learner_add(&l, text, len);
    return learner_end(&l, least, limit);
}

Tokenizer tokenizer_raw(const char *text, size_t len)
{
    TokenLearner l = learner_new(&kind_char, TOKENS_STREAM);
    l.composed = false;
    learner_add(&l, text, len);
    return learner_end(&l, 1, 0);
}
