/* The interface of a unit of text (tokenizer.h).
 *
 * A new unit needs a file kind_NAME.c and a row in the table `kinds` in tokenizer.c. A unit that
 * learns more than strings, like the merges of BPE, adds a field to Tokenizer, and functions here
 * that learn, copy, free and write it. Its special ids need not be the lowest ids: only `first`
 * assumes that they are. */
#ifndef KINDS_H
#define KINDS_H

#include "tokens/detokenizer.h"
#include "tokens/pieces.h"

struct TokenKind {
    const char *name;   /* the value of --unit */
    const char *item;   /* the word for one token in messages */
    const char *metric; /* the name of a language model's loss in bits */
    int fixed;          /* the number of ids that are not learned: 256 for bytes, else 0 */
    bool of_words;      /* tokens are separated by spaces */
    bool runs;          /* several newlines and spaces can be one token */

    /* Normalises the text and cuts it into tokens. The result must not depend on the vocabulary,
     * because the splits and lengths of pairs depend on it. */
    Pieces (*cut)(const char *text, size_t len, TokenLayout layout, bool composed);
    /* Adds the ids of a text to e, which has room for them. `origin` is the byte offset of this
     * part in the whole text; it is added to e->first_unknown. NULL: cut, then look up each
     * token. */
    void (*encode)(const Tokenizer *t, const char *text, size_t len, size_t origin, Encoding *e);
    /* Counts the tokens of a text. NULL: cut, then count each token. */
    void (*count)(TokenLearner *l, const char *text, size_t len);
    /* Makes the tokenizer from the counts. NULL: the tokens of the text become symbols. */
    Tokenizer (*learn)(const TokenLearner *l, int limit);
    /* Adds a token's string to the text. */
    void (*write)(Detokenizer *d, const char *string, size_t len);
    /* Adds what `write` held back. NULL: `write` never holds anything back. */
    void (*end)(Detokenizer *d);
};

extern const TokenKind kind_bpe, kind_byte, kind_char, kind_jamo, kind_word;

/* Returns the end of the part of a text that begins at `at`. Long texts are encoded in parts. A part
 * ends after a newline, so that no token is split. */
size_t text_part_end(const TokenKind *kind, const char *text, size_t len, size_t at);

/* Adds an id to e, or UNK if id < 0. `at` is the byte offset in the text where its token begins. */
static inline void encoding_add(Encoding *e, const Tokenizer *t, int id, size_t at)
{
    if (id < 0) id = t->unk;
    if (id == t->unk && e->unknown++ == 0) e->first_unknown = (int64_t)at;
    if (e->at) e->at[e->n] = (int)at;
    e->ids[e->n++] = id;
}

#endif
