/* Helpers of the tests of tokenizers: all units, random texts. */
#ifndef TOKENIZER_HELP_H
#define TOKENIZER_HELP_H

#include "tokens/detokenizer.h"

#include "base/rng.h"
#include "suite.h"

static const char *const units[] = {"char", "byte", "word", "jamo"};
enum { UNITS = LEN(units), LAYOUTS = 2 };

/* Makes a text of n parts: letters of several scripts, separate accents, Hangul syllables and jamo,
 * punctuation, white space, and invalid UTF-8. */
static inline char *random_text(Rng *rng, int n, bool valid)
{
    static const char *const part[] = {
        "the", "The",    "l'",     "a", "é",    "e\u0301", "각", "\u1100\u1161", "한국", "<unk>",
        ".",   ",",      "(",      ")", " ",    " ",       "\n", "\n\n",         "😀",    "10,000",
        "Å",   "\u212B", "\u0344", "Z", "日本", "\t",      "«",  "\xFF",         "\xED", "\uFFFD"};
    char *text = xcalloc((size_t)n * 8 + 1, 1);
    for (int i = 0; i < n; i++) strcat(text, part[rng_below(rng, LEN(part) - (valid ? 3 : 0))]);
    return text;
}

static inline Tokenizer learn(const char *unit, TokenLayout layout, const char *text)
{
    return tokenizer_learn(token_kind(unit), layout, text, strlen(text), 1, 0);
}

#endif
