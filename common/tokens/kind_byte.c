/* The unit "byte": each byte is a token. No token is unknown, and the text is not normalised. */
#include "tokens/kinds.h"

enum { BYTES = 256 };

static Pieces cut(const char *text, size_t len, TokenLayout layout, bool composed)
{
    (void)layout, (void)composed;
    Pieces p = {0};
    for (size_t i = 0; i < len; i++) pieces_add_bytes(&p, text + i, 1, (int)i);
    return p;
}

static void encode(const Tokenizer *t, const char *text, size_t len, size_t origin, Encoding *e)
{
    for (size_t i = 0; i < len; i++)
        encoding_add(e, t, t->first + (unsigned char)text[i], origin + i);
}

static void count(TokenLearner *l, const char *text, size_t len)
{
    (void)l, (void)text, (void)len; /* every byte has a fixed id */
}

const TokenKind kind_byte = {.name = "byte",
                             .item = "byte",
                             .metric = "bits per byte",
                             .fixed = BYTES,
                             .cut = cut,
                             .encode = encode,
                             .count = count,
                             .write = detokenizer_add};
