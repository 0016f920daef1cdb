/* The tokenizer turns a text into ids, and ids into text. The unit decides what a token is:
 *
 *     unit   a token is                        normalised               unknown
 *     byte   a byte                            not at all               never
 *     char   a code point                      NFC                      UNK
 *     jamo   a code point, but a Hangul        NFC, then syllables      UNK
 *            syllable is its 2 or 3 letters    are split
 *     word   a word or a punctuation mark      NFC, lower case, white   UNK
 *                                              space is dropped
 *     bpe    a string of bytes that occurs     not at all               never
 *            often, of at most a word (bpe.h)
 *
 * Every token without an id becomes UNK, the unknown token; byte and bpe have no unknown token. Invalid
 * UTF-8, U+0000 and U+FFFD never get an id. Neither does a word that contains one of them, nor the
 * word "<unk>".
 *
 * There are two layouts of ids:
 *
 *     TOKENS_STREAM   0 UNK, then the tokens (byte: id = byte; bpe: the ids of its file). For
 *                     running text and lines. The newline is a token in every unit, words
 *                     included, and ends a line. There is no PAD, BOS or EOS.
 *     TOKENS_FRAMED   PAD BOS EOS UNK, then the tokens. For pairs of sequences with a beginning
 *                     and an end. Not for bpe.
 *
 * Files and text that a user types are encoded by the same function, tokenizer_encode. */
#ifndef TOKENIZER_H
#define TOKENIZER_H

#include <jansson.h>

#include "tokens/symbols.h"

typedef enum { TOKENS_STREAM, TOKENS_FRAMED } TokenLayout;
typedef struct Bpe Bpe; /* bpe.h */

enum { PAD = 0, BOS = 1, EOS = 2, UNK = 3, FIRST_PIECE = 4 }; /* in TOKENS_FRAMED */
enum { STREAM_UNK = 0 };                                      /* in TOKENS_STREAM; not for bytes */

typedef struct TokenKind TokenKind;       /* one of the units above (kinds.h) */
#define TOKEN_UNITS "char|byte|word|jamo" /* the names of the units, for options and messages */
#define TEXT_UNITS  TOKEN_UNITS "|bpe"    /* those of TOKENS_STREAM */
const char *token_unit(const TokenKind *kind);
const TokenKind *token_kind(const char *unit); /* NULL if no unit has that name */

typedef struct {
    const TokenKind *kind;
    TokenLayout layout;
    bool composed; /* texts are normalised to NFC; false for imported tables and old runs */
    int size;      /* ids are 0 .. size-1 */
    int pad, bos, eos, unk; /* special ids; -1 if there is none */
    int first;              /* the first id that is not special */
    Symbols symbols; /* the string of each id; empty for bytes; bpe: its spelling (byte_map.h) */
    Bpe *bpe;        /* unit bpe: its merges and special tokens; else NULL */
    bool by_line;    /* bpe: the text is a list, in which every newline is a token */
} Tokenizer;

/* Learns the vocabulary from a text, or from all texts given to one TokenLearner. A token gets an
 * id if it occurs at least `least` times, and only the `limit` most frequent tokens get one (0: no
 * limit). The most frequent token comes first, ties in the order of their code points. Characters
 * of TOKENS_STREAM are in the order of their code points instead. bpe ignores `least`, and `limit` is
 * the number of ids: the 256 bytes, the merges and the special token. */
Tokenizer tokenizer_learn(const TokenKind *kind, TokenLayout layout, const char *text, size_t len,
                          int least, int limit);
typedef struct {
    const TokenKind *kind;
    TokenLayout layout;
    bool composed;
    Symbols seen;
    int64_t *count; /* (room) how often each id of `seen` occurred */
    size_t room;
    int64_t *by_code; /* unit "char": how often each code point occurred; else NULL */
    /* NULL, or a string between documents, which is not counted; bpe makes it a special token. */
    const char *separator;
} TokenLearner;
TokenLearner learner_new(const TokenKind *kind, TokenLayout layout);
void learner_add(TokenLearner *l, const char *text, size_t len);
Tokenizer learner_end(TokenLearner *l, int least, int limit); /* frees l */

/* Makes a tokenizer of n distinct symbols; ids follow the order given. The caller gives characters
 * of TOKENS_STREAM in ascending order. */
Tokenizer tokenizer_of(const TokenKind *kind, TokenLayout layout, const char *const *symbol, int n);
/* Makes a tokenizer of the characters of a text without normalisation, for imported
 * vocabularies. */
Tokenizer tokenizer_raw(const char *text, size_t len);
Tokenizer tokenizer_copy(const Tokenizer *t);
void tokenizer_free(Tokenizer *t);

const char *tokenizer_unit(const Tokenizer *t);   /* "char", "byte", "word", "jamo", "bpe" */
const char *tokenizer_item(const Tokenizer *t);   /* the word for one token: "character" */
const char *tokenizer_metric(const Tokenizer *t); /* the name of the loss: "bits per character" */
bool tokenizer_of_words(const Tokenizer *t);      /* decoding puts spaces between tokens */
int tokenizer_id(const Tokenizer *t, const char *token); /* the id of a token; t->unk if unknown */

/* Returns the name of an id for figures: "<pad>", "<bos>", "<eos>", else its string. `room` holds
 * the string if the token is a byte. */
const char *tokenizer_name(const Tokenizer *t, int id, char room[2]);

typedef struct {
    int n, *ids; /* the caller frees ids */
    int *
        at; /* (n) the byte offset where each token begins; only of tokenizer_encode_at, else NULL */
    int64_t unknown;       /* how many ids are UNK */
    int64_t first_unknown; /* the byte offset where the first unknown token begins; -1 if none is */
} Encoding;

/* Encodes a text of fewer than INT_MAX bytes as ids, without BOS and EOS. There are at most as many
 * ids as bytes. bpe: the tokenizer remembers pieces of the text, so that two threads must not encode
 * with one tokenizer at the same time. */
Encoding tokenizer_encode(const Tokenizer *t, const char *text, size_t len);
/* The same with e.at, which the caller frees. A token's bytes reach to the begin of the next token. */
Encoding tokenizer_encode_at(const Tokenizer *t, const char *text, size_t len);

/* Returns the unknown tokens of a text, separated by spaces, or NULL if there are none. The caller
 * frees the string. */
char *tokenizer_unknown(const Tokenizer *t, const char *text, size_t len);

/* Decodes n ids up to the first EOS, without PAD and BOS. The caller frees the text. If the tokens
 * are bytes, the text may contain 0 bytes; its length goes to *len unless len is NULL.
 * tokenizer_decode spaces the words as a reader expects; tokenizer_spaced puts a space between any
 * two words, for metrics that count words. */
char *tokenizer_decode(const Tokenizer *t, const int *ids, int n, size_t *len);
char *tokenizer_spaced(const Tokenizer *t, const int *ids, int n);

/* Normalises and spaces a text as tokenizer_spaced does, but with no token unknown. Metrics compare
 * the output with this reference. The caller frees the text. */
char *tokenizer_spell(const Tokenizer *t, const char *text, size_t len);

/* Write and read a tokenizer as {"unit":"word","special":["<unk>"],"symbols":["the", ...]}. For
 * characters of TOKENS_STREAM, "symbols" is one string and "normal":"NFC" is added; bpe: see bpe_json.c. Files of older
 * runs are read too: without "special", an array of symbols means TOKENS_FRAMED, and a string means
 * TOKENS_STREAM without normalisation. Errors: an unknown unit; symbols that are missing, empty,
 * repeated, not valid for the unit, or not ascending. After an error *t is unchanged. */
json_t *tokenizer_to_json(const Tokenizer *t);
bool tokenizer_from_json(Tokenizer *t, const json_t *j, Error *err);

#endif
