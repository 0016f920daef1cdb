/* Pairs of sequences as tasks (task.h): the model reads a source and writes a target.
 *
 *     copy reverse sort   n symbols of 20, n uniform on 1 .. length; held out: exactly n = length
 *     dates               "September 27, 1994", "27 Sep 1994", "09/27/94, 1994" -> "1994-09-27"
 *     numbers             "three hundred five" -> "삼 백 오", 0 .. 9999; a hyphen in English is a space
 *     places              common/data/places.tsv, English -> Hangul
 *     a file              UTF-8 lines "source TAB target"; text after a second TAB is ignored
 *
 * Pairs of the first three tasks are generated without end; the others are tables. The split of a
 * pair depends on its content alone, not on the order of a file or on the seed. It is a hash
 * (split.h) of the source's symbols; in tables, of the bytes of the source's pieces (in dates, of
 * the target, so that all forms of a day are in one split). A training pair is left out if its
 * target is also the target of a held-out pair. A pair with the same source is held out anyway. So
 * neither the source nor the target of a held-out pair is ever trained on. (In dates and numbers no
 * target has sources in two splits.)
 *
 * Files of held-out pairs (--valid, --test) are used unchanged and in order. None of their pairs is
 * left out because of its length or because it is repeated, and no training pair is left out
 * because it occurs in them; `shared` counts such pairs. The tokenizers are learned from the
 * training pairs only.
 *
 * There are too few sources of 1 or 2 symbols to be split by their hash: all of them are for
 * training, and held-out sequences of copy, reverse and sort have 3 symbols or more. */
#ifndef PAIRS_H
#define PAIRS_H

#include "data/input.h"
#include "tokens/tokenizer.h"
#include "tasks/task.h"

typedef struct {
    const char *task;         /* copy reverse sort dates numbers places, or NULL */
    const char *file;         /* tab-separated, or NULL */
    const char *valid, *test; /* files of held-out pairs for `file`; NULL: a part of `file` */
    const char *unit; /* a unit of tokenizer.h, or "auto": word for files and numbers, else char */
    /* The number of pieces that get an id, on each side; 0: all. Words of a file get an id only if
     * they occur twice in training, so that the model learns what to do with UNK. */
    int vocab_limit;
    int max_words; /* pairs of `file` with more pieces on either side are left out; 0: 4096 */
    bool swap;     /* the source and the target are exchanged */
    /* The size of a sample: all pairs of a file; the training pairs of dates, numbers, places; 0:
     * all. The sample is always the same: the pairs with the smallest hash. */
    int items;
    /* Tables: the part held out for test, and again for validation; in steps of 0.001. */
    double heldout;
    int seq_len; /* copy, reverse, sort: the longest training sequence; 0: 20 */
} PairsConfig;

PairsConfig pairs_defaults(void);
/* Returns true for copy, reverse and sort, whose pairs are generated without end. */
bool pairs_drawn(const char *task);
extern const char *const pairs_tasks; /* "copy|reverse|sort|dates|numbers|places" */

/* clang-format off */
#define PAIRS_OPTIONS(c)                                                                           \
    OPTION_GROUP("Data"),                                                                          \
        OPTION_STRING("task", &(c)->task, "generated or built-in pairs", .known = pairs_tasks),    \
        OPTION_STRING("pairs", &(c)->file,                                                         \
                      "tab-separated file of pairs instead: source, target"),                      \
        OPTION_STRING("valid", &(c)->valid,                                                        \
                      "validation pairs, as --pairs (default: part of --pairs)"),                  \
        OPTION_STRING("test", &(c)->test, "test pairs, as --pairs (default: part of --pairs)"),    \
        OPTION_CHOICE("unit", &(c)->unit, "auto|" TOKEN_UNITS,                                     \
                      "what one token is (auto: word for --pairs and numbers, else char)"),        \
        OPTION("vocab-limit", &(c)->vocab_limit, 0, 10000000,                                      \
               "number of tokens that get an id, on each side (0: all)"),                          \
        OPTION("max-words", &(c)->max_words, 0, 100000,                                            \
               "leave out pairs with more tokens on either side (0: 4096)"),                    \
        OPTION_FLAG("swap", &(c)->swap, "translate the second column into the first"),             \
        OPTION("items", &(c)->items, 0, 1000000000,                                                \
               "number of pairs to sample; for a task, training pairs (0: all)"),                  \
        OPTION("heldout", &(c)->heldout, 0.001, 0.45,                                              \
               "part of a table held out for test, and as much again for validation"),             \
        OPTION("seq-len", &(c)->seq_len, 0, 4096,                                                  \
               "symbols of the longest training sequence of copy, reverse, sort (0: 20)")
/* clang-format on */

/* One pair of a table. Its ids have no BOS and EOS. target_tokens is the reference for metrics: the
 * tokens of the target's text, unknown ones included, as tokenizer_spell writes them. */
typedef struct {
    const int *source, *target; /* ids */
    int n_source, n_target;
    const char *source_text, *target_text; /* as in the file, without spaces at the ends */
    const char *target_tokens;
} Pair;

typedef struct {
    Tokenizer source, target;
    bool is_table;
    bool is_spelled; /* numbers: a hyphen in the source is read as a space */
    Pair *pair[3];   /* (n[split]) the pairs of each split, in the order of their hash */
    int n[3];
    int left_out;      /* number of training pairs left out: a held-out pair has the same target */
    int too_long;      /* number of pairs longer than max_words */
    int empty;         /* number of pairs with an empty side */
    int repeated;      /* number of pairs that repeat another pair exactly */
    int shared[3];     /* --valid, --test: pairs with the source or the target of a training pair */
    double unknown[2]; /* share of unknown tokens in the test split: source, target */
    int further;       /* number of lines of the training file with more than two columns */
    InputFaults faults[3]; /* of the files: pairs, --valid, --test */
    int *ids;              /* the ids that pair[] points into */
    char *bytes;           /* the texts that pair[] points into */
} Pairs;

/* Opens the pairs that c describes. source, target: the vocabularies of a trained model (copied),
 * or NULL to learn them from the training pairs. Errors: no data or two kinds of data, an
 * unreadable file, a line without a tab (the message has its number), a seq_len for a table, a
 * split without pairs. Other options that do not apply to a generated task are ignored here;
 * data_options_fit checks them.
 *
 * Sets up *task, which borrows *p. Its metric is token accuracy; the chance level is over all ids,
 * with PAD, BOS and UNK. A target UNK is scored in the loss but never counts as right: it stands for
 * many words. Sequence i of task_heldout is pair i of a table's split; after the last
 * pair it starts again at the first. */
bool pairs_open(Pairs *p, Task *task, const PairsConfig *c, const Tokenizer *source,
                const Tokenizer *target, Error *err);

/* Sets up *p and *task with given tokenizers (copied) and no pairs, for a model that only
 * translates. length: the length of the longest pair that it was trained on; 0: unknown. */
bool pairs_of_tokens(Pairs *p, Task *task, const PairsConfig *c, const Tokenizer *source,
                     const Tokenizer *target, int length, Error *err);

/* Opens all pairs of a file as the test split, in order, with the tokenizers of a trained model
 * (copied). c is the config of its run. Errors: an unreadable file, a pair with an empty side, a
 * file without pairs. */
bool pairs_open_test(Pairs *p, Task *task, const PairsConfig *c, const char *path,
                     const Tokenizer *source, const Tokenizer *target, Error *err);
void pairs_close(Pairs *p);

/* Returns the number of pairs in a split, 0 if pairs are generated without end. */
int pairs_items(const Pairs *p, Split split);
/* Returns pair i of a table's split; owned by p. */
const Pair *pairs_item(const Pairs *p, Split split, int i);

/* Encodes any text as a source: returns its *n ids in a new array. *unknown becomes a new string
 * with the unknown tokens, separated by spaces, or NULL if there are none. The caller frees
 * both. */
int *pairs_encode_source(const Pairs *p, const char *text, int *n, char **unknown);

#endif
