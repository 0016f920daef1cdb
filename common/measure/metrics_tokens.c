/* The tokenisers of BLEU, which decide what a word is: sacreBLEU's, character for character. */
#include "measure/metrics.h"

#include <stdlib.h>
#include <string.h>

#include "system/utf8.h"

/* Returns whether Python, in which sacreBLEU is written, counts a code point as white space. */
static bool is_space(int code)
{
    return (code >= 0x09 && code <= 0x0D) || (code >= 0x1C && code <= 0x20) || code == 0x85 ||
           code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 ||
           code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

/* Replaces `what` by `with`, which is not longer. */
static void replace_all(char *line, const char *what, const char *with)
{
    const size_t len = strlen(what), new_len = strlen(with);
    char *to = line;
    for (const char *from = line; *from;) {
        const bool here = strncmp(from, what, len) == 0;
        if (here) memcpy(to, with, new_len);
        if (!here) *to = *from;
        to += here ? new_len : 1;
        from += here ? len : 1;
    }
    *to = 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_no_digit(char c)
{
    return !is_digit(c);
}

static bool is_stop(char c) /* period or comma */
{
    return c == '.' || c == ',';
}

static bool is_dash(char c)
{
    return c == '-';
}

static bool is_symbol(char c) /* ASCII punctuation and space, except ' , - . */
{
    return (c >= ' ' && c <= '&') || (c >= '(' && c <= '+') || c == '/' || (c >= ':' && c <= '@') ||
           (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

/* Puts spaces around every symbol. Frees the line. */
static char *set_off_symbols(char *line)
{
    char *out = xmalloc(3 * strlen(line) + 1), *to = out;
    for (const char *s = line; *s; s++) {
        if (is_symbol(*s)) *to++ = ' ';
        *to++ = *s;
        if (is_symbol(*s)) *to++ = ' ';
    }
    *to = 0;
    free(line);
    return out;
}

/* Puts a space between the two characters of every pair, and one more before or behind the pair. Pairs
 * do not overlap: the leftmost wins, as in a regular expression's substitution. A longer character is
 * judged by its last or first byte. Frees the line. */
static char *split_pairs(char *line, bool (*first)(char), bool (*second)(char), bool before)
{
    char *out = xmalloc(2 * strlen(line) + 1), *to = out;
    for (const char *s = line; *s; s++) {
        if (!s[1] || !first(s[0]) || !second(s[1])) {
            *to++ = *s;
            continue;
        }
        if (before) *to++ = ' ';
        *to++ = s[0];
        *to++ = ' ';
        *to++ = s[1];
        if (!before) *to++ = ' ';
        s++;
    }
    *to = 0;
    free(line);
    return out;
}

/* Applies the rules of mteval-v13a in sacreBLEU's order. */
static char *tokenize_13a(char *line)
{
    replace_all(line, "<skipped>", "");
    replace_all(line, "-\n", "");
    replace_all(line, "\n", " ");
    replace_all(line, "&quot;", "\"");
    replace_all(line, "&amp;", "&");
    replace_all(line, "&lt;", "<");
    replace_all(line, "&gt;", ">");
    char *padded = xformat(" %s ", line);
    free(line);
    line = set_off_symbols(padded);
    line = split_pairs(line, is_no_digit, is_stop, false);
    line = split_pairs(line, is_stop, is_no_digit, true);
    return split_pairs(line, is_digit, is_dash, false);
}

/* Returns the words (with `chars` the code points) of a line, separated by one space each. Frees the line. */
static char *join_tokens(char *line, bool chars)
{
    const size_t len = strlen(line);
    char *out = xmalloc(2 * len + 1), *to = out;
    bool apart = false; /* does a new token begin? */
    for (size_t i = 0; i < len;) {
        int code;
        const size_t n = (size_t)utf8_decode(line + i, len - i, &code);
        if (!is_space(code)) {
            if (apart && to > out) *to++ = ' ';
            memcpy(to, line + i, n);
            to += n;
        }
        apart = chars || is_space(code);
        i += n;
    }
    *to = 0;
    free(line);
    return out;
}

static void trim_end(char *line)
{
    const size_t len = strlen(line);
    size_t end = 0;
    for (size_t i = 0; i < len;) {
        int code;
        i += (size_t)utf8_decode(line + i, len - i, &code);
        if (!is_space(code)) end = i;
    }
    line[end] = 0;
}

char *bleu_tokenize(BleuTokenizer tokenizer, const char *line)
{
    char *copy = xstrdup(line);
    trim_end(copy); /* first: a newline at the end joins no hyphen to what follows */
    if (tokenizer == BLEU_13A) copy = tokenize_13a(copy);
    return join_tokens(copy, tokenizer == BLEU_CHAR);
}
