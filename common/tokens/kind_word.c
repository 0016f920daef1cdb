/* The unit "word": words and punctuation marks, for languages that put spaces between words.
 *
 *     L'homme dit : « Oui ! »    l' homme dit : « oui ! »
 *
 * Words are in lower case. The text is cut at white space (U+00A0 and U+202F too) and around
 * punctuation, but 2:30 and 10,000 are one token each. The French elisions (l' d' qu' ...) are
 * words of their own; don't is one word. In TOKENS_STREAM the newline is a token too. Decoding puts
 * a space between two words, except before closing punctuation, after opening punctuation, after an
 * elision and around a newline. */
#include <string.h>
#include <utf8proc.h>

#include "system/utf8.h"
#include "tokens/kinds.h"

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

/* Closing punctuation has no space before it, opening punctuation none after it. '"' and the
 * guillemets are in neither list: each of them can open or close. */
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

/* Returns true for a French word that has lost its vowel before another vowel: l' in l'homme (le +
 * homme). */
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

/* Returns true if the word continues after code point i. */
static bool goes_on(const Codes *c, int i)
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

static void cut_words(Pieces *p, Codes *c, bool newlines)
{
    int begin = 0; /* index where the current word begins */
    lower_case(c);
    for (int i = 0; i < c->n; i++) {
        const int code = c->code[i], *word = c->code + begin, n = i - begin;
        if (is_space(code)) {
            pieces_add(p, word, n, c->at[begin]);
            if (newlines && code == '\n') pieces_add(p, &code, 1, c->at[i]);
        } else if (code == '\'' && is_elided(word, n)) {
            pieces_add(p, word, n + 1, c->at[begin]);
        } else if (code == '\'' && n > 0 && goes_on(c, i)) {
            continue; /* don't, aujourd'hui */
        } else if (code == '\'' || (is_punctuation(code) && !is_within_number(c, i))) {
            pieces_add(p, word, n, c->at[begin]);
            pieces_add(p, &code, 1, c->at[i]);
        } else {
            continue;
        }
        begin = i + 1;
    }
    if (begin < c->n) pieces_add(p, c->code + begin, c->n - begin, c->at[begin]);
}

static Pieces cut(const char *text, size_t len, TokenLayout layout, bool composed)
{
    Pieces p = {0};
    Codes c = codes_of(text, len, composed);
    cut_words(&p, &c, layout == TOKENS_STREAM);
    codes_free(&c);
    return p;
}

/* --- joining -------------------------------------------------------------------------------------- */

/* Returns true if the word is a single character for which kind() is true. */
static bool is_mark(const char *word, bool (*kind)(int))
{
    int code;
    const size_t len = strlen(word);
    return len && (size_t)utf8_decode(word, len, &code) == len && kind(code);
}

static bool is_newline(const char *word)
{
    return strcmp(word, "\n") == 0;
}

static bool space_between(const char *a, const char *b, bool spaced)
{
    const size_t n = strlen(a);
    const bool elided = n > 1 && a[n - 1] == '\'';
    if (is_newline(a) || is_newline(b)) return false;
    return spaced || (!elided && !is_mark(a, is_opening) && !is_mark(b, is_closing));
}

static void write(Detokenizer *d, const char *string, size_t len)
{
    if (d->last && space_between(d->last, string, d->spaced)) detokenizer_add(d, " ", 1);
    detokenizer_add(d, string, len);
    d->last = string;
}

const TokenKind kind_word = {.name = "word",
                             .item = "word",
                             .metric = "bits per word",
                             .of_words = true,
                             .cut = cut,
                             .write = write};
