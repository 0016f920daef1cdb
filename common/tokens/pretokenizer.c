#include "tokens/pretokenizer.h"

#include <utf8proc.h>

#include "system/utf8.h"

typedef enum { OTHER, LETTER, NUMBER, SPACE, WIDE } Class; /* WIDE: the first byte does not tell */

#define REPEAT4(c)  c, c, c, c
#define REPEAT16(c) REPEAT4(c), REPEAT4(c), REPEAT4(c), REPEAT4(c)
#define REPEAT26(c) REPEAT16(c), REPEAT4(c), REPEAT4(c), c, c

/* The class of each byte. */
static const unsigned char class_of_byte[256] = {REPEAT4(OTHER),
                                                 REPEAT4(OTHER),
                                                 OTHER, /* 0x00 - 0x08 */
                                                 REPEAT4(SPACE),
                                                 SPACE, /* tab to carriage return */
                                                 REPEAT16(OTHER),
                                                 OTHER,
                                                 OTHER, /* 0x0E - 0x1F */
                                                 SPACE, /* ' ' */
                                                 REPEAT4(OTHER),
                                                 REPEAT4(OTHER),
                                                 REPEAT4(OTHER),
                                                 OTHER,
                                                 OTHER,
                                                 OTHER, /* ! - / */
                                                 REPEAT4(NUMBER),
                                                 REPEAT4(NUMBER),
                                                 NUMBER,
                                                 NUMBER, /* 0 - 9 */
                                                 REPEAT4(OTHER),
                                                 OTHER,
                                                 OTHER,
                                                 OTHER,            /* : - @ */
                                                 REPEAT26(LETTER), /* A - Z */
                                                 REPEAT4(OTHER),
                                                 OTHER,
                                                 OTHER,            /* [ - ` */
                                                 REPEAT26(LETTER), /* a - z */
                                                 REPEAT4(OTHER),
                                                 OTHER, /* { - DEL */
                                                 REPEAT16(WIDE),
                                                 REPEAT16(WIDE),
                                                 REPEAT16(WIDE),
                                                 REPEAT16(WIDE), /* 0x80 - 0xFF */
                                                 REPEAT16(WIDE),
                                                 REPEAT16(WIDE),
                                                 REPEAT16(WIDE),
                                                 REPEAT16(WIDE)};

static bool is_wide_space(int code)
{
    switch (code) {
    case 0x85:
    case 0xA0:
    case 0x1680:
    case 0x2028:
    case 0x2029:
    case 0x202F:
    case 0x205F:
    case 0x3000: return true;
    default: return code >= 0x2000 && code <= 0x200A;
    }
}

/* Returns the class of a code point beyond ASCII, or of an invalid byte (-1). */
static Class class_of_wide(int code)
{
    if (code < 0) return OTHER;
    switch (utf8proc_category(code)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO: return LETTER;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO: return NUMBER;
    default: return is_wide_space(code) ? SPACE : OTHER;
    }
}

/* Returns the class of the character at s and its length in *step. */
static inline Class class_at(const char *s, size_t len, size_t *step)
{
    const Class c = class_of_byte[(unsigned char)*s];
    int code;
    *step = 1;
    if (c != WIDE) return c;
    *step = (size_t)utf8_decode(s, len, &code);
    return class_of_wide(code);
}

/* Returns the end of the run of characters of one class from byte `at` on. */
static inline size_t run_end(const char *s, size_t len, size_t at, Class class)
{
    for (size_t step;; at += step) {
        while (at < len && class_of_byte[(unsigned char)s[at]] == class) at++;
        if (at == len || class_at(s + at, len - at, &step) != class) return at;
    }
}

/* Returns the length of 's 't 're 've 'm 'll or 'd at s; 0 if it is none of them. */
static size_t contraction(const char *s, size_t len)
{
    const char a = len > 1 ? s[1] : 0, b = len > 2 ? s[2] : 0;
    if (a == 's' || a == 't' || a == 'm' || a == 'd') return 2;
    return ((a == 'r' || a == 'v') && b == 'e') || (a == 'l' && b == 'l') ? 3 : 0;
}

/* Returns the length of white space at s: the last character of a run is left to what follows the
 * run, unless it is the only one. */
static size_t space(const char *s, size_t len, bool digits_alone)
{
    size_t at = 0, last = 0, step;
    Class next = SPACE;
    while (at < len && (next = class_at(s + at, len - at, &step)) == SPACE) last = at, at += step;
    if (at == len || last == 0 || (digits_alone && next == NUMBER)) return at;
    return last;
}

size_t pretoken(const char *s, size_t len, bool digits_alone)
{
    size_t step;
    if (*s == '\'') {
        const size_t n = contraction(s, len);
        if (n) return n;
    }
    const size_t begin = *s == ' ' && len > 1;
    const Class class = class_at(s + begin, len - begin, &step);
    if (class == SPACE) return space(s, len, digits_alone);
    if (digits_alone && class == NUMBER) return begin ? 1 : step;
    return run_end(s, len, begin + step, class);
}
