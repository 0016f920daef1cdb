/* What a unit of text does (tokenizer.h).
 *
 * A new unit is a file kind_NAME.c and a row of the table `kinds` in tokenizer.c. A unit that learns more
 * than strings, as the merges of BPE, adds a field to Tokenizer and says here how it is learned, copied,
 * freed and written. Its special ids may stand anywhere: nothing but `first` says that they are the
 * lowest. */
#ifndef KINDS_H
#define KINDS_H

#include "tokens/detokenizer.h"
#include "tokens/pieces.h"

struct TokenKind {
    const char *name;   /* of --unit */
    const char *item;   /* one token, for messages */
    const char *metric; /* what a language model's loss is called in bits */
    int fixed;          /* bytes: 256 ids that are not learned; else 0 */
    bool of_words;      /* tokens are separated by spaces */

    /* Normalises the text and cuts it into tokens, the same whatever was learned: splits and lengths of
     * pairs depend on it. */
    Pieces (*cut)(const char *text, size_t len, TokenLayout layout, bool composed);
    /* Adds the ids of a text to e, which has room for them; `origin` is added to the place of the first
     * unknown. NULL: cut, then look up. */
    void (*encode)(const Tokenizer *t, const char *text, size_t len, size_t origin, Encoding *e);
    /* Counts the tokens of a text. NULL: cut, then count. */
    void (*count)(TokenLearner *l, const char *text, size_t len);
    /* Adds a token's string to the text. */
    void (*write)(Detokenizer *d, const char *string, size_t len);
    void (*end)(Detokenizer *d); /* adds what was held back; NULL: nothing ever is */
};

extern const TokenKind kind_byte, kind_char, kind_jamo, kind_word;

/* Adds an id to e; at: the byte of the text where its token begins. */
static inline void encoding_add(Encoding *e, const Tokenizer *t, int id, size_t at)
{
    if (id < 0) id = t->unk;
    if (id == t->unk && e->unknown++ == 0) e->first_unknown = (int64_t)at;
    e->ids[e->n++] = id;
}

#endif
