/* The unit "jamo": each code point is a token, but a Hangul syllable is split into its 2 or 3
 * letters:
 *
 *     각은    U+1100 U+1161 U+11A8  U+110B U+1173 U+11AB
 *     syllable = 0xAC00 + 588 l + 28 v + t    gives the jamo U+1100+l, U+1161+v, U+11A7+t
 *
 * Decoding composes the syllables again. */
#include <string.h>

#include "system/utf8.h"
#include "tokens/kinds.h"

static void add_letters(Pieces *p, int code, int at)
{
    const int s = code - SYLLABLE;
    if (s < 0 || s >= N_L * N_V * N_T) {
        pieces_add(p, &code, 1, at);
        return;
    }
    const int l = L_BASE + s / (N_V * N_T), v = V_BASE + s / N_T % N_V, t = T_BASE + s % N_T;
    pieces_add(p, &l, 1, at);
    pieces_add(p, &v, 1, at);
    if (t > T_BASE) pieces_add(p, &t, 1, at);
}

static Pieces cut(const char *text, size_t len, TokenLayout layout, bool composed)
{
    (void)layout;
    Pieces p = {0};
    Codes c = codes_of(text, len, composed);
    for (int i = 0; i < c.n; i++) add_letters(&p, c.code[i], c.at[i]);
    codes_free(&c);
    return p;
}

static bool within(int code, int first, int n)
{
    return code >= first && code < first + n;
}

static void add_code(Detokenizer *d, int code)
{
    char bytes[4];
    detokenizer_add(d, bytes, (size_t)utf8_encode(code, bytes));
}

static int syllable_of(const Detokenizer *d, int t)
{
    return SYLLABLE + ((d->held[0] - L_BASE) * N_V + d->held[1] - V_BASE) * N_T + t - T_BASE;
}

static void end(Detokenizer *d)
{
    if (d->n_held) add_code(d, d->n_held == 2 ? syllable_of(d, T_BASE) : d->held[0]);
    d->n_held = 0;
}

/* Holds back an initial consonant and the vowel after it, because the next jamo decides which
 * syllable they form. */
static void write(Detokenizer *d, const char *string, size_t len)
{
    int code;
    const bool one = len && (size_t)utf8_decode(string, len, &code) == len && code > 0;
    if (one && d->n_held == 2 && within(code, T_BASE + 1, N_T - 1)) {
        d->n_held = 0;
        add_code(d, syllable_of(d, code));
    } else if (one && d->n_held == 1 && within(code, V_BASE, N_V)) {
        d->held[d->n_held++] = code;
    } else {
        end(d);
        if (one && within(code, L_BASE, N_L))
            d->held[d->n_held++] = code;
        else
            detokenizer_add(d, string, len);
    }
}

const TokenKind kind_jamo = {.name = "jamo",
                             .item = "jamo",
                             .metric = "bits per jamo",
                             .cut = cut,
                             .write = write,
                             .end = end};
