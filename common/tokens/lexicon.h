/* Vocabularies of strings: the pieces (pieces.h) of a text as ids and back.
 *
 * The most frequent pieces of the training text get an id each; all others share UNK. What vocab.h
 * is to running text, this is to pairs of sequences: here are ids for padding, begin and end, and a
 * piece may be more than a character. */
#ifndef LEXICON_H
#define LEXICON_H

#include <jansson.h>

#include "tokens/pieces.h"

enum { PAD = 0, BOS = 1, EOS = 2, UNK = 3, FIRST_PIECE = 4 };

typedef struct {
    PieceUnit unit;
    int size;      /* ids are 0 .. size-1 */
    char **symbol; /* (size) the string of each id; those of PAD BOS EOS are "", UNK's is "<unk>" */
    int *slot;     /* hash table: an id, or 0 where it is empty */
    int n_slots;   /* a power of two */
} Lexicon;

/* The pieces that occur at least `least` times in n texts, the most frequent first (ties in the
 * order of their code points), at most `limit` of them (0: all). */
Lexicon lexicon_learn(PieceUnit unit, const Pieces *text, int n, int least, int limit);
Lexicon lexicon_of(PieceUnit unit, const char *const *symbol, int n); /* distinct, in this order */
Lexicon lexicon_copy(const Lexicon *l);
void lexicon_free(Lexicon *l);

int lexicon_id(const Lexicon *l, const char *piece); /* UNK if it has none */

/* ids[0 .. p->n-1]; returns how many of them are UNK. */
int lexicon_encode(const Lexicon *l, const Pieces *p, int *ids);

/* The text of n ids, up to the first EOS; PAD and BOS are passed over. lexicon_decode is for
 * reading, as pieces_join; lexicon_tokens for metrics, as pieces_tokens. New strings; free() them. */
char *lexicon_decode(const Lexicon *l, const int *ids, int n);
char *lexicon_tokens(const Lexicon *l, const int *ids, int n);

/* {"unit":"word","symbols":["the", ...]}, from FIRST_PIECE on. Reading it back, another unit, or
 * symbols that are empty, repeated, or more than one character of char and jamo are an error. */
json_t *lexicon_to_json(const Lexicon *l);
bool lexicon_from_json(Lexicon *l, const json_t *j, Error *err);

#endif
