/* Builds a tokenizer of byte-level BPE from the parts of a file: a vocabulary and a list of merges.
 * Every fault of the file is an error that names it. */
#ifndef BPE_BUILD_H
#define BPE_BUILD_H

#include "tokens/bpe.h"

/* The spelling of each id, collected in any order. */
typedef struct {
    const char **name; /* (n) borrowed strings; NULL: the id has none yet */
    int n, room;
} TokenNames;

/* Gives an id its spelling. Errors: an id out of range, an id with two spellings, an empty one. */
bool names_put(TokenNames *v, json_int_t id, const char *name, Error *err);
bool names_put_object(TokenNames *v, const json_t *vocab, Error *err); /* {spelling: id, ...} */
void names_free(TokenNames *v);

/* Makes a tokenizer of these ids, without merges. Errors: a missing id, two ids of one spelling, no
 * id at all, no token for the newline, with which generation starts. */
bool bpe_from_names(Tokenizer *t, const TokenNames *v, Error *err);

/* Adds a merge of two spellings. Errors: one of them, or the result, is not in the vocabulary; the
 * merge is repeated. */
bool bpe_merge_names(Tokenizer *t, const char *left, const char *right, Error *err);

/* Adds the merge of a line "a b", which is changed. */
bool bpe_merge_line(Tokenizer *t, char *line, Error *err);

/* Adds the merges of a text: two spellings a line, with one space between them. A first line that
 * begins with "#version" is skipped, and so are empty lines at the end. The text is changed. */
bool bpe_merge_text(Tokenizer *t, char *text, size_t len, Error *err);

/* Declares special the tokens that no text is encoded as (not a byte, not the result of a merge)
 * and that are written as <...> or [...]. Error: another token has a character that stands for no
 * byte. */
bool bpe_find_specials(Tokenizer *t, Error *err);

#endif
