/* The data that a program trains or evaluates on, chosen by options: a generated task, running
 * text, a list of lines, or pairs (in programs that translate). */
#ifndef DATA_H
#define DATA_H

#include "system/args.h"
#include "data/pairs.h"
#include "data/text.h"
#include "tasks/tasks.h"

typedef struct {
    const char *task;      /* a generated task, or NULL */
    const char *text;      /* a file, "-", or NULL: the lessons' prose; with lines, places.tsv */
    const char *valid;     /* a file, or NULL: the last part of the text, or one line in ten */
    const char *unit;      /* one of TEXT_UNITS */
    int vocab_limit;       /* only so many tokens get an id, the most frequent ones; 0: all */
    int vocab_size;        /* bpe: the number of ids that are learned */
    const char *tokenizer; /* bpe: a file or directory to read (bpe_files.h); NULL: learn it */
    bool lines;            /* the text is a list, one item per line */
    double heldout;        /* the part of a running text that is held out */
    int seq_len;           /* steps of a training sequence; 0: the task's default */
    bool of_pairs;         /* set by the program: only `pairs` is used, nothing above */
    bool or_task;          /* set by the program: pairs.task may also be a task of one sequence */
    PairsConfig pairs;
} DataConfig;

DataConfig data_defaults(void);
const char *data_name(const DataConfig *c); /* the name of the task or of the file */

#define DATA_OPTIONS(c)                                                                            \
    OPTION_GROUP("Data"),                                                                          \
        OPTION_STRING("task", &(c)->task, "generated task", .known = task_names),                  \
        OPTION_STRING("text", &(c)->text,                                                          \
                      "text file, any UTF-8, - for standard input (without --task and --text: "    \
                      "the prose of lessons/; with --lines: common/data/places.tsv)"),             \
        OPTION_FLAG("lines", &(c)->lines, "the text has one item per line, as lists of names do"), \
        OPTION_STRING("valid", &(c)->valid, "validation file (default: part of the text)"),        \
        OPTION("heldout", &(c)->heldout, 0.001, 0.9, "part of a running text held out, its end"),  \
        OPTION_CHOICE(                                                                             \
            "unit", &(c)->unit, TEXT_UNITS,                                                        \
            "what one token is (a word gets an id if it occurs twice; bpe: byte-pair encoding)"),  \
        OPTION("vocab-limit", &(c)->vocab_limit, 0, 10000000,                                      \
               "number of tokens that get an id, the most frequent ones (0: all)"),                \
        OPTION("vocab-size", &(c)->vocab_size, 256, 1000000,                                       \
               "bpe: number of tokens to learn from the text"),                                    \
        OPTION_STRING("tokenizer", &(c)->tokenizer,                                                \
                      "bpe: read a tokenizer: a directory, or one of the files vocab.json and "    \
                      "merges.txt, encoder.json and vocab.bpe, tokenizer.json, or a run"),         \
        OPTION("seq-len", &(c)->seq_len, 0, 100000,                                                \
               "steps of a training sequence (0: the task's default)")

typedef struct {
    Task task;
    Text text; /* for running text and lines */
    Pairs pairs;
    bool is_text, is_pairs;
    int streams; /* streams of a held-out running text (evaluate.h); 0: up to 64 */
} Data;

/* The vocabularies of a trained model, from its run's config.json: "vocab" for texts,
 * "source_vocab" and "target_vocab" for pairs. Generated tasks have none. */
typedef struct {
    int length;             /* pairs: the task's length; 0: unknown (older runs did not save it) */
    bool of_text, of_pairs; /* which of the following are set */
    Tokenizer tokens;       /* of_text: texts and lines */
    Tokenizer source, target; /* of_pairs */
} Vocabularies;

/* Sets those keys of config. */
void vocabularies_to_json(const Data *d, json_t *config);
bool vocabularies_from_json(Vocabularies *v, const json_t *config, Error *err);
void vocabularies_free(Vocabularies *v);

/* Returns false, with a message, if an option was given that does not apply to the chosen data: a
 * generated task, for example, has no --unit and no --heldout. option: the program's n options
 * after args_parse; they include DATA_OPTIONS or PAIRS_OPTIONS. */
bool data_options_fit(const DataConfig *c, Option *option, int n, Error *err);

/* Opens the data. given: the vocabularies of a trained model (copied), or NULL to learn them from
 * the training data. */
bool data_open(Data *d, const DataConfig *c, const Vocabularies *given, Error *err);

/* Opens only the tokenizers and the sizes in d->task. With these a trained model can sample or
 * translate although the data of its run is gone. All splits are empty; no sequence can be drawn
 * from d->task. Error: the run has no tokenizer, or it does not fit c. */
bool data_open_tokens(Data *d, const DataConfig *c, const Vocabularies *given, Error *err);

/* Opens a file of pairs as the test split of a run that was trained on other pairs. */
bool data_open_test(Data *d, const DataConfig *c, const Vocabularies *given, const char *path,
                    Error *err);
void data_close(Data *d);

/* Returns true for running text, which can be streamed with carried state; false for lines. */
bool data_is_running(const Data *d);

/* Warns on stderr of data that a model does not see as it is in the file: bytes that are not UTF-8,
 * tokens outside the vocabulary, lines that are cut, pairs that are left out. Programs call it with
 * --quiet too: a warning is no progress. trained: the training data is used; else only the held-out
 * data is. Rare words are always unknown, so for words only a share above a half is a warning. */
void data_warn(const Data *d, const char *program, bool trained);

/* Prints on stderr which pipes and terminals will be read, before data_open, which may wait for them. */
void data_say_waiting(const DataConfig *c, const char *program);

/* Warns on stderr of the bytes that are not UTF-8 in the files of texts and pairs, with the place of the first.
 * Prints nothing for bytes and for data without such faults. */
void data_warn_faults(const Data *d, const char *program);

/* Returns the value of the metric: bits per token for running text and lines, else hits / asked. */
double data_metric(const Data *d, const Score *s);
const char *data_metric_name(const Data *d);

#endif
