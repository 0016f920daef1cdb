/* Byte-level byte-pair encoding (BPE): Sennrich, Haddow & Birch 2016 on bytes, as in GPT-2 (Radford
 * et al. 2019, s2.2).
 *
 * A text is cut into pieces (pretokenizer.h). Each piece starts as its bytes, one token each. A
 * merge joins two neighbours: "t" "h" -> "th". The merges have ranks, in the order in which they
 * were learned. Encoding applies, as long as any merge applies, the one with the lowest rank; of
 * several places the leftmost one.
 *
 * Tokenizer.symbols has the printable spelling of each token (byte_map.h). Bpe has the rest. */
#ifndef BPE_H
#define BPE_H

#include "tokens/byte_map.h"
#include "tokens/pair_table.h"
#include "tokens/piece_cache.h"
#include "tokens/tokenizer.h"

#define END_OF_TEXT "<|endoftext|>" /* GPT-2's special token, which separates documents */

typedef struct {
    int left, right; /* the ids of the two neighbours */
    int id;          /* the id of the token that replaces them */
} Merge;

struct Bpe {
    int byte_id[BYTE_VALUES]; /* the token of each byte; -1 if the vocabulary lacks it */
    Merge *merge;             /* (n_merges) in the order of their ranks */
    int n_merges, room;
    PairTable rank;           /* the rank of each pair that can be merged */
    int *special, n_specials; /* the ids of special tokens, whose spelling is the text itself */
    bool special_in_text;     /* a special token's name in a text is this token, not its letters */
    bool undecided;           /* the training text decides about special_in_text (bpe_decide) */
    bool digits_alone;        /* every digit is a piece of its own (pretokenizer.h) */
    bool whole_pieces;        /* a piece that is a token needs no merges ("ignore_merges") */
    PieceCache cache;         /* changes with every text: one thread at a time */
};

/* Makes a tokenizer with the 256 bytes, in GPT-2's order, and no merges. */
Tokenizer bpe_new(void);
Bpe *bpe_copy(const Bpe *b);
void bpe_free(Bpe *b);

/* Adds a merge with the next rank. The spelling of the result gets an id if it has none. */
void bpe_add_merge(Tokenizer *t, int left, int right);
void bpe_add_special(Tokenizer *t, int id); /* declares a token special */
bool bpe_is_special(const Bpe *b, int id);

/* Returns the id of the token that is this string of bytes (for a special token: its name), or -1. */
int bpe_id(const Tokenizer *t, const char *token);

/* Encodes one piece, by merges alone. ids has room for len ids. Bytes without a token get no id and
 * are added to *unknown. Returns the number of ids. O(len log len) time. */
int bpe_encode_piece(const Tokenizer *t, const char *piece, size_t len, int *ids, int *unknown);

/* Encodes a text: TokenKind.encode (kinds.h). */
void bpe_encode(const Tokenizer *t, const char *text, size_t len, size_t origin, Encoding *e);

/* Sets special_in_text, if that is undecided: true if the text has the name of a special token. */
void bpe_decide(Tokenizer *t, const char *text, size_t len);

/* Finds the first special token in a text. Returns its id and its position in *at, or -1. */
int bpe_find_special(const Tokenizer *t, const char *text, size_t len, size_t *at);

#endif
