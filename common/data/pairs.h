/* Pairs of sequences as tasks (task.h): a source to be read, a target to be written.
 *
 *     copy reverse sort   n symbols of 20, n uniform on 1 .. length; held out: exactly n = length
 *     dates               "September 27, 1994", "27 Sep 1994", "09/27/94, 1994" -> "1994-09-27"
 *     numbers             "three hundred five" -> "삼 백 오", 0 .. 9999; a hyphen in English is a space
 *     places              common/data/places.tsv, English -> Hangul
 *     a file              UTF-8 lines "source TAB target", what follows a second TAB is ignored
 *
 * The first three are drawn without end, the others are tables. Which split a pair belongs to
 * depends on its content alone, neither on the order of a file nor on the seed: by the hash of
 * task.h, of the source's symbols; in tables of the bytes of the source as it was cut into pieces
 * (dates: of the target, so that all forms of a day are on one side). Of a table's training pairs
 * those are left out whose target is that of a held-out pair: with the source the same is held out
 * anyway, so nothing of a held-out pair is ever trained on. (In dates and numbers no target has two
 * sources on two sides.)
 *
 * Files of held-out pairs are taken as they are, in their order: no pair of them is left out for its
 * length or because it stands there twice, and no training pair because it stands in them (`shared`
 * counts those). The tokenizers are learned from the training pairs only.
 *
 * Of sources of 1 or 2 symbols there are too few to be split by their hash: they are all for
 * training, and held-out sequences of copy, reverse and sort have 3 symbols or more. */
#ifndef PAIRS_H
#define PAIRS_H

#include "tokens/tokenizer.h"
#include "tasks/task.h"

typedef struct {
    const char *task;         /* copy reverse sort dates numbers places, or NULL */
    const char *file;         /* tab-separated, or NULL */
    const char *valid, *test; /* files of held-out pairs beside `file`, or NULL: part of it */
    const char *unit;         /* of tokenizer.h, or "auto": word for files and numbers, else char */
    int vocab_limit; /* pieces that get an id, each side; 0: all. Words of files: only those that
                         occur twice in training, so that the model learns what to do with UNK */
    int max_words; /* pairs of `file` with more pieces on either side are left out; 0: any length */
    bool swap;     /* the target is the source */
    int items;     /* of a file: pairs in all; of dates numbers places: training pairs; 0: all. A
                         random sample, the same always: those with the smallest hash */
    double
        heldout; /* part held out for test, and as much again for validation, of tables; to 0.001 */
    int seq_len; /* of copy reverse sort: the longest training sequence; 0: 20 */
} PairsConfig;

PairsConfig pairs_defaults(void);
bool pairs_drawn(
    const char *task); /* one of those that are drawn without end: copy, reverse, sort */
extern const char *const pairs_tasks; /* "copy|reverse|sort|dates|numbers|places" */

/* clang-format off */
#define PAIRS_OPTIONS(c)                                                                           \
    OPTION_GROUP("Data"),                                                                          \
        OPTION_STRING("task", &(c)->task, "generated or built-in pairs", .known = pairs_tasks),    \
        OPTION_STRING("pairs", &(c)->file,                                                         \
                      "tab-separated file instead: source, target"),                               \
        OPTION_STRING("valid", &(c)->valid,                                                        \
                      "validation pairs, as --pairs (default: part of --pairs)"),                  \
        OPTION_STRING("test", &(c)->test, "test pairs, as --pairs (default: part of --pairs)"),    \
        OPTION_CHOICE("unit", &(c)->unit, "auto|" TOKEN_UNITS,                                     \
                      "what one token is (auto: word for --pairs and numbers, else char)"),        \
        OPTION("vocab-limit", &(c)->vocab_limit, 0, 10000000,                                      \
               "most frequent pieces that are kept, on each side (0: all)"),                       \
        OPTION("max-words", &(c)->max_words, 0, 100000,                                            \
               "leave out pairs with more pieces on either side (0: none)"),                       \
        OPTION_FLAG("swap", &(c)->swap, "from the second column into the first"),                  \
        OPTION("items", &(c)->items, 0, 1000000000,                                                \
               "a sample of so many pairs; of a task, so many to train on (0: all)"),              \
        OPTION("heldout", &(c)->heldout, 0.001, 0.45,                                              \
               "part of a table held out for test, and as much again for validation"),             \
        OPTION("seq-len", &(c)->seq_len, 0, 4096,                                                  \
               "symbols of the longest training sequence of copy, reverse, sort (0: 20)")
/* clang-format on */

/* One pair of a table. Ids have no BOS or EOS. The tokens are those of the text itself, whether they
 * have an id or not (tokenizer_spell): what a metric compares with. */
typedef struct {
    const int *source, *target; /* ids */
    int n_source, n_target;
    const char *source_text, *target_text; /* as in the file, white space at the ends cut off */
    const char *target_tokens;
} Pair;

typedef struct {
    Tokenizer source, target;
    bool is_table;
    bool is_spelled; /* numbers: a hyphen of the source is a space */
    Pair *pair[3];   /* of each split, in the order of their hash */
    int n[3];
    int left_out; /* training pairs with the target of a held-out pair */
    int too_long; /* pairs beyond max_words */
    int empty;    /* pairs of which one side is empty */
    int repeated; /* pairs that were there already, to the letter */
    int shared
        [3]; /* of --valid and --test: pairs with the source or the target of a training pair */
    double unknown[2]; /* part of the test split's pieces without an id: source, target */
    int *ids;          /* what pair[] points into */
    char *bytes;
} Pairs;

/* source, target: the vocabularies a model was trained with (copied), or NULL to make them from the
 * training pairs only. Errors: no or two kinds of data, an unreadable file, a line without a tab
 * (its number is named), a seq_len for a table, no pair in one of the splits. What else a drawn task has no
 * use for is not looked at (data_options_fit).
 *
 * Sets up *task, which borrows *p. Its metric is token accuracy; chance is over all ids, PAD, BOS and UNK
 * among them. task_heldout's sequence i is pair
 * i of a table's split; after the last it begins anew. */
bool pairs_open(Pairs *p, Task *task, const PairsConfig *c, const Tokenizer *source,
                const Tokenizer *target, Error *err);

/* Sets up *p and *task as pairs_open would, with given tokenizers (copied) and no pairs: for a model that
 * only translates. length: of the longest pair it was trained on; 0: unknown. */
bool pairs_of_tokens(Pairs *p, Task *task, const PairsConfig *c, const Tokenizer *source,
                     const Tokenizer *target, int length, Error *err);

/* Opens all pairs of a file as the test split, in their order, with the tokenizers of a trained model
 * (copied); c is the config of its run. Errors: an unreadable file, a pair with an empty side, no pair. */
bool pairs_open_test(Pairs *p, Task *task, const PairsConfig *c, const char *path,
                     const Tokenizer *source, const Tokenizer *target, Error *err);
void pairs_close(Pairs *p);

int pairs_items(const Pairs *p, Split split);               /* 0: drawn without end */
const Pair *pairs_item(const Pairs *p, Split split, int i); /* of a table; owned by p */

/* The ids of any text as a source: *n of them in a new array (free() it). *unknown becomes a new
 * string with the pieces that have no id, separated by spaces, or NULL if there are none. */
int *pairs_encode_source(const Pairs *p, const char *text, int *n, char **unknown);

#endif
