/* The unit "char": each code point is a token. */
#include <stdlib.h>
#include <string.h>

#include "system/utf8.h"
#include "tokens/kinds.h"

static Pieces cut(const char *text, size_t len, TokenLayout layout, bool composed)
{
    (void)layout;
    Pieces p = {0};
    Codes c = codes_of(text, len, composed);
    for (int i = 0; i < c.n; i++) pieces_add(&p, &c.code[i], 1, c.at[i]);
    codes_free(&c);
    return p;
}

/* Returns the code point of a symbol, or -1 if it is not exactly one code point. */
static int code_of(const char *symbol)
{
    int code;
    const size_t len = strlen(symbol);
    return len && (size_t)utf8_decode(symbol, len, &code) == len ? code : -1;
}

/* Returns the inverse of t's symbols, a new table of largest + 1 entries: id + 1 of each code
 * point, 0 if it has no id. With 0 for "no id", calloc's untouched pages cost no memory. */
static int *ids_by_code(const Tokenizer *t, int *largest)
{
    *largest = 0;
    for (int id = t->first; id < t->size; id++) {
        const int code = code_of(t->symbols.string[id]);
        if (code > *largest) *largest = code;
    }
    int *by_code = xcalloc((size_t)*largest + 1, sizeof *by_code);
    for (int id = t->first; id < t->size; id++) {
        const int code = code_of(t->symbols.string[id]);
        if (code >= 0) by_code[code] = id + 1;
    }
    return by_code;
}

static int id_of(const Tokenizer *t, int code, const int *by_code, int largest)
{
    char symbol[5] = {0};
    if (by_code) return code <= largest ? by_code[code] - 1 : -1;
    utf8_encode(code, symbol);
    return symbols_find(&t->symbols, symbol);
}

/* Looks up the ids of a short text in the hash table: building the table by code point would take
 * longer. */
static void encode(const Tokenizer *t, const char *text, size_t len, size_t origin, Encoding *e)
{
    enum { SHORT = 4096 };
    int largest = 0, *by_code = len < SHORT ? NULL : ids_by_code(t, &largest);
    Codes c = codes_of(text, len, t->composed);
    for (int i = 0; i < c.n; i++)
        encoding_add(e, t, id_of(t, c.code[i], by_code, largest), origin + (size_t)c.at[i]);
    codes_free(&c);
    free(by_code);
}

static void count(TokenLearner *l, const char *text, size_t len)
{
    enum { CODES = 0x110000 };
    if (!l->by_code) l->by_code = xcalloc(CODES, sizeof *l->by_code);
    Codes c = codes_of(text, len, l->composed);
    for (int i = 0; i < c.n; i++) l->by_code[c.code[i]]++;
    codes_free(&c);
}

const TokenKind kind_char = {.name = "char",
                             .item = "character",
                             .metric = "bits per character",
                             .cut = cut,
                             .encode = encode,
                             .count = count,
                             .write = detokenizer_add};
