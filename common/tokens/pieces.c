#include "tokens/pieces.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "system/utf8.h"

enum { CODE_BYTES = 4, JAMO_OF_A_SYLLABLE = 3 };

static const char *const unit_names[] = {"word", "char", "jamo"};
const char *const piece_units = "word|char|jamo";

bool piece_unit_find(const char *name, PieceUnit *unit)
{
    for (int u = 0; u < LEN(unit_names); u++) {
        if (strcmp(name, unit_names[u]) != 0) continue;
        *unit = (PieceUnit)u;
        return true;
    }
    return false;
}

const char *piece_unit_name(PieceUnit unit)
{
    return unit_names[unit];
}

/* --- characters --------------------------------------------------------------------------------- */

static bool is_one_of(int code, const int *set, int n)
{
    for (int i = 0; i < n; i++)
        if (set[i] == code) return true;
    return false;
}

static bool is_space(int code)
{
    if (code < 0x80) return code == ' ' || (code >= '\t' && code <= '\r');
    const utf8proc_category_t c = utf8proc_category(code);
    return c == UTF8PROC_CATEGORY_ZS || c == UTF8PROC_CATEGORY_ZL || c == UTF8PROC_CATEGORY_ZP;
}

/* What stands close to the word before it, and to the word after it; quotes can be either. */
static bool is_closing(int code)
{
    static const int set[] = {
        '.',    ',',    '!',    '?',    ';',    ':',    ')',    ']',   0x2026,
        0x201D, 0x3001, 0x3002, 0xFF01, 0xFF0C, 0xFF1F, 0xFF1A, 0xFF1B}; /* ... " 、。！，？：； */
    return is_one_of(code, set, LEN(set));
}

static bool is_opening(int code)
{
    static const int set[] = {'(', '[', 0xBF, 0xA1, 0x201C, 0x201E};
    return is_one_of(code, set, LEN(set));
}

static bool is_punctuation(int code)
{
    static const int others[] = {'"', 0xAB, 0xBB, 0x2013, 0x2014, 0x2039, 0x203A, 0x300C, 0x300D};
    return is_closing(code) || is_opening(code) || is_one_of(code, others, LEN(others));
}

static bool is_digit(int code)
{
    return code >= '0' && code <= '9';
}

/* --- a text as code points, normalised ---------------------------------------------------------- */
typedef struct {
    int n, *code;
} Codes;

static Codes codes_of(const char *text, size_t len)
{
    Codes c = {.code = xmalloc((len + 1) * sizeof *c.code)};
    for (size_t at = 0; at < len;) {
        int code;
        at += (size_t)utf8_decode(text + at, len - at, &code);
        c.code[c.n++] = code > 0 ? code : UTF8_REPLACEMENT;
    }
    return c;
}

static Codes codes_composed(Codes c) /* NFC: what looks the same is the same */
{
    char *bytes = xmalloc((size_t)c.n * CODE_BYTES + 1);
    size_t len = 0;
    for (int i = 0; i < c.n; i++) len += (size_t)utf8_encode(c.code[i], bytes + len);
    utf8proc_uint8_t *composed = NULL;
    const utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)bytes, (utf8proc_ssize_t)len,
                                            &composed, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    CHECK(n >= 0, "pieces: %s", utf8proc_errmsg(n));
    free(bytes), free(c.code);
    c = codes_of((const char *)composed, (size_t)n);
    free(composed);
    return c;
}

static Codes codes_normalised(const char *text, size_t len)
{
    Codes c = codes_of(text, len);
    for (int i = 0; i < c.n; i++)
        if (c.code[i] >= 0x80) return codes_composed(c);
    return c; /* ASCII is normal as it is */
}

/* --- cutting ------------------------------------------------------------------------------------ */
static void emit(Pieces *p, const int *code, int n) /* one piece; nothing if n is 0 */
{
    if (n == 0) return;
    for (int i = 0; i < n; i++) p->len += (size_t)utf8_encode(code[i], p->bytes + p->len);
    p->bytes[p->len++] = 0;
    p->n++;
}

/* Unicode 3.12: a syllable is 0xAC00 + (L * 21 + V) * 28 + T, T = 0 where nothing closes it. */
enum { SYLLABLE = 0xAC00, L_BASE = 0x1100, V_BASE = 0x1161, T_BASE = 0x11A7 };
enum { N_L = 19, N_V = 21, N_T = 28 };

static void emit_jamo(Pieces *p, int code)
{
    const int s = code - SYLLABLE;
    if (s < 0 || s >= N_L * N_V * N_T) {
        emit(p, &code, 1);
        return;
    }
    const int l = L_BASE + s / (N_V * N_T), v = V_BASE + s / N_T % N_V, t = T_BASE + s % N_T;
    emit(p, &l, 1);
    emit(p, &v, 1);
    if (t > T_BASE) emit(p, &t, 1);
}

/* The words of French that lose their vowel before another: le homme, l'homme. */
static bool is_elided(const int *code, int n)
{
    static const char *const words[] = {"l",      "d",      "j",      "n",      "s",
                                        "t",      "m",      "c",      "qu",     "jusqu",
                                        "lorsqu", "puisqu", "quoiqu", "quelqu", "presqu"};
    for (int w = 0; w < LEN(words); w++) {
        int i = 0;
        while (i < n && words[w][i] == code[i]) i++;
        if (i == n && words[w][i] == 0) return n > 0;
    }
    return false;
}

static bool is_within_number(const Codes *c, int i)
{
    return (c->code[i] == '.' || c->code[i] == ',' || c->code[i] == ':') && i > 0 && i + 1 < c->n &&
           is_digit(c->code[i - 1]) && is_digit(c->code[i + 1]);
}

static bool goes_on(const Codes *c, int i) /* is there more of the word after code i? */
{
    if (i + 1 >= c->n) return false;
    const int next = c->code[i + 1];
    return !is_space(next) && !is_punctuation(next) && next != '\'';
}

static void lower_case(Codes *c)
{
    enum { RIGHT_QUOTE = 0x2019 }; /* the typographer's apostrophe */
    for (int i = 0; i < c->n; i++)
        c->code[i] = c->code[i] == RIGHT_QUOTE ? '\'' : utf8proc_tolower(c->code[i]);
}

static void cut_words(Pieces *p, Codes *c)
{
    int begin = 0; /* of the word at hand */
    lower_case(c);
    for (int i = 0; i < c->n; i++) {
        const int code = c->code[i], *word = c->code + begin, n = i - begin;
        if (is_space(code)) {
            emit(p, word, n);
        } else if (code == '\'' && is_elided(word, n)) {
            emit(p, word, n + 1);
        } else if (code == '\'' && n > 0 && goes_on(c, i)) {
            continue; /* don't, aujourd'hui */
        } else if (code == '\'' || (is_punctuation(code) && !is_within_number(c, i))) {
            emit(p, word, n);
            emit(p, &code, 1);
        } else {
            continue;
        }
        begin = i + 1;
    }
    emit(p, c->code + begin, c->n - begin);
}

Pieces pieces_cut(PieceUnit unit, const char *text, size_t len)
{
    Codes c = codes_normalised(text, len);
    Pieces p = {.bytes = xmalloc((size_t)c.n * JAMO_OF_A_SYLLABLE * (CODE_BYTES + 1) + 1)};
    if (unit == PIECE_WORD)
        cut_words(&p, &c);
    else
        for (int i = 0; i < c.n; i++)
            unit == PIECE_JAMO ? emit_jamo(&p, c.code[i]) : emit(&p, &c.code[i], 1);
    p.bytes = xrealloc(p.bytes, p.len + 1);
    free(c.code);
    return p;
}

const char *piece_next(const char *piece)
{
    return piece + strlen(piece) + 1;
}

/* --- joining ------------------------------------------------------------------------------------ */

static int first_code(const char *piece)
{
    int code;
    utf8_decode(piece, strlen(piece), &code);
    return code;
}

static bool is_mark(const char *piece, bool (*kind)(int))
{
    char one[CODE_BYTES];
    const int code = first_code(piece);
    return kind(code) && (size_t)utf8_encode(code, one) == strlen(piece);
}

static bool space_between(const char *a, const char *b)
{
    const size_t n = strlen(a);
    const bool elided = n > 1 && a[n - 1] == '\'';
    return !elided && !is_mark(a, is_opening) && !is_mark(b, is_closing);
}

static char *join_words(const char *const *piece, int n, bool tokens)
{
    size_t room = 1, len = 0;
    for (int i = 0; i < n; i++) room += strlen(piece[i]) + 1;
    char *text = xmalloc(room);
    for (int i = 0; i < n; i++) {
        const size_t size = strlen(piece[i]);
        if (i > 0 && (tokens || space_between(piece[i - 1], piece[i]))) text[len++] = ' ';
        memcpy(text + len, piece[i], size);
        len += size;
    }
    text[len] = 0;
    return text;
}

static bool within(int code, int first, int n)
{
    return code >= first && code < first + n;
}

/* The syllable that begins at code[0], and how many jamo it takes; or the code itself. */
static int compose(const int *code, int n, int *taken)
{
    *taken = 1;
    if (n < 2 || !within(code[0], L_BASE, N_L) || !within(code[1], V_BASE, N_V)) return code[0];
    const bool closed = n > 2 && within(code[2], T_BASE + 1, N_T - 1);
    *taken = closed ? 3 : 2;
    return SYLLABLE + ((code[0] - L_BASE) * N_V + code[1] - V_BASE) * N_T +
           (closed ? code[2] - T_BASE : 0);
}

/* Pieces of one character each, but for "<unk>". */
static char *join_characters(const char *const *piece, int n)
{
    char *text = xcalloc(1, 1);
    size_t room = 1, len = 0;
    for (int i = 0; i < n; i++) room += strlen(piece[i]);
    text = xrealloc(text, room);
    for (int i = 0; i < n; i++) {
        memcpy(text + len, piece[i], strlen(piece[i]));
        len += strlen(piece[i]);
    }
    Codes c = codes_of(text, len);
    len = 0;
    for (int i = 0, taken; i < c.n; i += taken)
        len += (size_t)utf8_encode(compose(c.code + i, c.n - i, &taken), text + len);
    text[len] = 0;
    free(c.code);
    return text;
}

char *strings_join(PieceUnit unit, const char *const *piece, int n, bool tokens)
{
    return unit == PIECE_WORD ? join_words(piece, n, tokens) : join_characters(piece, n);
}

static char *join_pieces(PieceUnit unit, const Pieces *p, bool tokens)
{
    const char **piece = xmalloc(((size_t)p->n + 1) * sizeof *piece), *at = p->bytes;
    for (int i = 0; i < p->n; i++, at = piece_next(at)) piece[i] = at;
    char *text = strings_join(unit, piece, p->n, tokens);
    free(piece);
    return text;
}

char *pieces_join(PieceUnit unit, const Pieces *p)
{
    return join_pieces(unit, p, false);
}

char *pieces_tokens(PieceUnit unit, const Pieces *p)
{
    return join_pieces(unit, p, true);
}
