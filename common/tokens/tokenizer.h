/* The tokenizer: a text's bytes as ids and back, whatever a token is.
 *
 *     unit   a token is                        normalised               unknown
 *     byte   a byte                            not at all               never
 *     char   a code point                      NFC                      UNK
 *     jamo   a code point, but a Hangul        NFC, then syllables      UNK
 *            syllable is its 2 or 3 letters    taken apart
 *     word   a word or a punctuation mark      NFC, lower case, white   UNK
 *                                              space is not kept
 *
 * One rule for the unknown: a token without an id is UNK where the unit has one. Bytes that are no
 * UTF-8, U+0000 and U+FFFD never have an id, nor has a word with one of them, nor the word "<unk>".
 *
 * Two layouts of ids, one place for the special ones:
 *
 *     TOKENS_STREAM   0 UNK, then the tokens (byte: id = byte). Running text and lists of lines: the
 *                     newline is a token of every unit, also of words, and ends a line; there is no
 *                     PAD, BOS or EOS.
 *     TOKENS_FRAMED   PAD BOS EOS UNK, then the tokens. Pairs of sequences with a begin and an end.
 *
 * A file's bytes and an answer that somebody types in take the same way: tokenizer_encode. */
#ifndef TOKENIZER_H
#define TOKENIZER_H

#include <jansson.h>

#include "tokens/symbols.h"

typedef enum { TOKENS_STREAM, TOKENS_FRAMED } TokenLayout;

enum { PAD = 0, BOS = 1, EOS = 2, UNK = 3, FIRST_PIECE = 4 }; /* of TOKENS_FRAMED */
enum { STREAM_UNK = 0 };                                      /* of TOKENS_STREAM, but of bytes */

typedef struct TokenKind TokenKind;       /* one of the units above (kinds.h) */
#define TOKEN_UNITS "char|byte|word|jamo" /* their names, for options and messages */
const char *token_unit(const TokenKind *kind);
const TokenKind *token_kind(const char *unit); /* NULL: there is none of that name */

typedef struct {
    const TokenKind *kind;
    TokenLayout layout;
    bool composed; /* texts are normalised to NFC; false only for tables of others, and old ones */
    int size;      /* ids are 0 .. size-1 */
    int pad, bos, eos, unk; /* special ids; -1: there is none */
    int first;              /* the first id that is not special */
    Symbols symbols;        /* the string of each id; empty for bytes */
} Tokenizer;

/* Learns the tokens of a text, of all texts given to one TokenLearner: those that occur at least `least`
 * times, at most `limit` of them (0: all), the most frequent first (ties in the order of their code
 * points); characters of TOKENS_STREAM are in the order of their code points. */
Tokenizer tokenizer_learn(const TokenKind *kind, TokenLayout layout, const char *text, size_t len,
                          int least, int limit);
typedef struct {
    const TokenKind *kind;
    TokenLayout layout;
    bool composed;
    Symbols seen;
    int64_t *count; /* of each id of seen */
    size_t room;
    int64_t *by_code; /* characters: of each code point; else NULL */
} TokenLearner;
TokenLearner learner_new(const TokenKind *kind, TokenLayout layout);
void learner_add(TokenLearner *l, const char *text, size_t len);
Tokenizer learner_end(TokenLearner *l, int least, int limit); /* frees l */

/* Makes a tokenizer of n distinct symbols, in this order (characters of TOKENS_STREAM: ascending). */
Tokenizer tokenizer_of(const TokenKind *kind, TokenLayout layout, const char *const *symbol, int n);
/* Makes one of the characters of a text as they are, not normalised: for the tables of others. */
Tokenizer tokenizer_raw(const char *text, size_t len);
Tokenizer tokenizer_copy(const Tokenizer *t);
void tokenizer_free(Tokenizer *t);

const char *tokenizer_unit(const Tokenizer *t);   /* "char", "byte", "word", "jamo" */
const char *tokenizer_item(const Tokenizer *t);   /* one token, for messages: "character" */
const char *tokenizer_metric(const Tokenizer *t); /* its loss in bits: "bits per character" */
bool tokenizer_of_words(const Tokenizer *t);      /* decoding puts spaces between tokens */
int tokenizer_id(const Tokenizer *t, const char *token); /* of one token; t->unk if it has none */

/* Returns the name of an id, for figures: "<pad>", "<bos>", "<eos>", else its string; room holds the
 * string of a byte. */
const char *tokenizer_name(const Tokenizer *t, int id, char room[2]);

typedef struct {
    int n, *ids;           /* free ids */
    int64_t unknown;       /* how many of them are UNK */
    int64_t first_unknown; /* the byte of the text where the first of those begins; -1: none */
} Encoding;

/* Turns a text of fewer than INT_MAX bytes into ids, without BOS and EOS. There are never more ids than
 * bytes. */
Encoding tokenizer_encode(const Tokenizer *t, const char *text, size_t len);

/* Returns the tokens of a text that have no id, separated by spaces (free() it); NULL: there are none. */
char *tokenizer_unknown(const Tokenizer *t, const char *text, size_t len);

/* Returns the text of n ids as a new string (free() it), up to the first EOS, without PAD and BOS. A
 * text may contain 0 bytes if the tokens are bytes: *len, unless NULL, is its length. tokenizer_decode is
 * for reading; tokenizer_spaced has a space between any two words, for metrics that count words. */
char *tokenizer_decode(const Tokenizer *t, const int *ids, int n, size_t *len);
char *tokenizer_spaced(const Tokenizer *t, const int *ids, int n);

/* Returns the text as tokenizer_spaced would of ids that know every token: what a metric compares with. */
char *tokenizer_spell(const Tokenizer *t, const char *text, size_t len);

/* {"unit":"word","special":["<unk>"],"symbols":["the", ...]}; of characters of TOKENS_STREAM the symbols
 * are one string, and "normal":"NFC" stands beside them. Reads what older runs wrote as well: without
 * "special", an array of symbols is TOKENS_FRAMED and a string TOKENS_STREAM, not normalised. Errors:
 * another unit; symbols that are missing, empty, repeated, of no such unit, or not ascending. */
json_t *tokenizer_to_json(const Tokenizer *t);
bool tokenizer_from_json(Tokenizer *t, const json_t *j,
                         Error *err); /* *t is unchanged on failure */

#endif
