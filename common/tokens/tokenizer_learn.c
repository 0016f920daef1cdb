/* Learns a vocabulary from the frequencies of tokens (tokenizer.h). */
#include <stdlib.h>
#include <string.h>

#include "system/utf8.h"
#include "tokens/kinds.h"

/* --- parts of a text ------------------------------------------------------------------------------ */

/* Returns true if the text can be cut after the newline at `at`, even if white space can be one
 * token: the newline has no white space beside it. */
static bool is_lone(const char *text, size_t len, size_t at)
{
    return at > 0 && text[at - 1] > ' ' && at + 1 < len && text[at + 1] > ' ';
}

size_t text_part_end(const TokenKind *kind, const char *text, size_t len, size_t at)
{
    enum { PART = 1 << 16 };
    if (len - at <= PART) return len;
    for (size_t from = at + PART; from < len;) {
        const char *newline = memchr(text + from, '\n', len - from);
        if (!newline) return len;
        from = (size_t)(newline - text) + 1;
        if (!kind->runs || is_lone(text, len, from - 1)) return from;
    }
    return len;
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

/* Counts the tokens of a text without separators. */
static void count_document(TokenLearner *l, const char *text, size_t len)
{
    for (size_t at = 0, end; at < len; at = end) {
        end = text_part_end(l->kind, text, len, at);
        (l->kind->count ? l->kind->count : count_pieces)(l, text + at, end - at);
    }
}

void learner_add(TokenLearner *l, const char *text, size_t len)
{
    const size_t step = l->separator ? strlen(l->separator) : 0;
    for (const char *next; step && (next = memmem(text, len, l->separator, step));) {
        const size_t document = (size_t)(next - text);
        count_document(l, text, document);
        text = next + step, len -= document + step;
    }
    count_document(l, text, len);
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

/* Makes a tokenizer of the most frequent symbols. */
static Tokenizer most_frequent(const TokenLearner *l, int least, int limit)
{
    Tokenizer t = tokenizer_of(l->kind, l->layout, NULL, 0);
    t.composed = l->composed;
    Counted *counted = xmalloc(((size_t)l->seen.size + 1) * sizeof *counted);
    int n = 0;
    for (int id = 0; id < l->seen.size; id++)
        if (l->count[id] >= least) counted[n++] = (Counted){l->seen.string[id], l->count[id]};
    qsort(counted, (size_t)n, sizeof *counted, by_count);
    if (limit && limit < n) n = limit;
    if (l->kind == &kind_char && l->layout == TOKENS_STREAM)
        qsort(counted, (size_t)n, sizeof *counted, by_code);
    for (int i = 0; i < n; i++) symbols_add(&t.symbols, counted[i].symbol);
    if (!l->kind->fixed) t.size = t.symbols.size;
    free(counted);
    return t;
}

Tokenizer learner_end(TokenLearner *l, int least, int limit)
{
    take_codes(l);
    const Tokenizer t = l->kind->learn ? l->kind->learn(l, limit) : most_frequent(l, least, limit);
    free(l->count), free(l->by_code);
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
