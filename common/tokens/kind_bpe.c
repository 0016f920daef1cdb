/* The unit "bpe": byte-level byte-pair encoding (bpe.h). Every byte has a token, so that no text is
 * unknown, and decoding gives back every byte. The text is not normalised. */
#include <stdlib.h>
#include <string.h>

#include "tokens/bpe.h"
#include "tokens/bpe_learn.h"
#include "tokens/kinds.h"
#include "tokens/pretokenizer.h"

/* Cuts the text into the spellings of its pieces, from which the merges are learned. */
static Pieces cut(const char *text, size_t len, TokenLayout layout, bool composed)
{
    (void)layout, (void)composed;
    Pieces p = {0};
    size_t room = 0;
    char *spelling = NULL;
    for (size_t at = 0, n; at < len; at += n) {
        n = pretoken(text + at, len - at, false);
        if (BYTE_SPELLED * n + 1 > room) {
            room = 2 * (BYTE_SPELLED * n + 1);
            spelling = xrealloc(spelling, room);
        }
        const size_t spelled = bytes_spell(text + at, n, spelling);
        pieces_add_bytes(&p, spelling, spelled, (int)at);
    }
    free(spelling);
    return p;
}

static Tokenizer learn(const TokenLearner *l, int limit)
{
    CHECK(l->layout == TOKENS_STREAM, "bpe: pairs of sequences have other units");
    Tokenizer t = bpe_learn(l->seen.string, l->count, l->seen.size, limit - (l->separator != NULL));
    if (!l->separator) return t;
    bpe_add_special(&t, symbols_add(&t.symbols, l->separator));
    t.size = t.symbols.size;
    t.bpe->special_in_text = true;
    return t;
}

static void write(Detokenizer *d, const char *string, size_t len)
{
    char *bytes = xmalloc(len + 1);
    detokenizer_add(d, bytes, bytes_read(string, len, bytes, NULL));
    free(bytes);
}

const TokenKind kind_bpe = {.name = "bpe",
                            .item = "token",
                            .metric = "bits per token",
                            .runs = true,
                            .cut = cut,
                            .encode = bpe_encode,
                            .learn = learn,
                            .write = write};
