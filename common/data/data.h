/* What a program trains or evaluates on, chosen by options: a generated task, running text, a
 * list of lines, or, in programs that translate, pairs. */
#ifndef DATA_H
#define DATA_H

#include "system/args.h"
#include "data/pairs.h"
#include "data/text.h"
#include "tasks/tasks.h"

typedef struct {
    const char *task;  /* a generated task, or NULL */
    const char *text;  /* a file, "-", or NULL: the lessons' prose; with lines, places.tsv */
    const char *valid; /* a file, or NULL: the last part of the text, or one line in ten */
    const char *unit;  /* "char", "byte", "word" or "jamo" */
    int vocab_limit;   /* tokens of a text that get an id, the most frequent; 0: all */
    bool lines;        /* one item a line */
    double heldout;    /* part of a running text that is held out */
    int seq_len;       /* steps of a training sequence; 0: the task's own */
    bool of_pairs;     /* set by the program: none of the above, but these */
    bool or_task;      /* likewise: pairs.task may also be a task of one sequence */
    PairsConfig pairs;
} DataConfig;

DataConfig data_defaults(void);
const char *data_name(const DataConfig *c); /* of the task, or of the file */

#define DATA_OPTIONS(c)                                                                            \
    OPTION_GROUP("Data"),                                                                          \
        OPTION_STRING("task", &(c)->task, "generated task", .known = task_names),                  \
        OPTION_STRING("text", &(c)->text,                                                          \
                      "text file, any UTF-8, - for standard input (without --task and --text: "    \
                      "the prose of lessons/; with --lines: common/data/places.tsv)"),             \
        OPTION_FLAG("lines", &(c)->lines, "one item a line, as in lists of names"),                \
        OPTION_STRING("valid", &(c)->valid, "validation file (default: part of the text)"),        \
        OPTION("heldout", &(c)->heldout, 0.001, 0.9, "part of a running text held out, its end"),  \
        OPTION_CHOICE("unit", &(c)->unit, TOKEN_UNITS,                                             \
                      "what one token is (word: those that occur twice)"),                         \
        OPTION("vocab-limit", &(c)->vocab_limit, 0, 10000000,                                      \
               "most frequent tokens of a text that are kept (0: all)"),                           \
        OPTION("seq-len", &(c)->seq_len, 0, 100000,                                                \
               "steps of a training sequence (0: as the task has it)")

typedef struct {
    Task task;
    Text text; /* of running text and lines */
    Pairs pairs;
    bool is_text, is_pairs;
    int streams; /* cursors that read a held-out running text side by side; 0: 64 */
} Data;

/* What the ids of a trained model mean, as its run's config.json has it: "vocab" of texts,
 * "source_vocab" and "target_vocab" of pairs, nothing of generated tasks. */
typedef struct {
    int length;             /* of pairs: the task's length; 0: not known, of an older run */
    bool of_text, of_pairs; /* which of these are set */
    Tokenizer tokens;       /* of texts and lines */
    Tokenizer source, target;
} Vocabularies;

void vocabularies_to_json(const Data *d, json_t *config); /* sets those keys */
bool vocabularies_from_json(Vocabularies *v, const json_t *config, Error *err);
void vocabularies_free(Vocabularies *v);

/* False, and a message, where an option of the data was given that what was chosen has no use for: a
 * task draws its sequences, it has no --unit and no --heldout. option: n of DATA_OPTIONS or PAIRS_OPTIONS
 * and others, as args_parse left them. */
bool data_options_fit(const DataConfig *c, Option *option, int n, Error *err);

/* given: the vocabularies a model was trained with (copied), or NULL to make them from what is to
 * be trained on. */
bool data_open(Data *d, const DataConfig *c, const Vocabularies *given, Error *err);

/* Sets up what a run's model needs to sample or to translate, without the data of the run: the
 * tokenizers, and the sizes in d->task. No sequence can be drawn from d->task, and all splits are empty.
 * Error: the run has no tokenizer, or it does not fit c. */
bool data_open_tokens(Data *d, const DataConfig *c, const Vocabularies *given, Error *err);

/* Opens a file of pairs as the test split of a run that was trained on others. */
bool data_open_test(Data *d, const DataConfig *c, const Vocabularies *given, const char *path,
                    Error *err);
void data_close(Data *d);

/* Running text, which can be streamed with carried state; not lines. */
bool data_is_running(const Data *d);

/* Warns on stderr of what a text has that its vocabulary has not; of words it says how many. */
void data_warn_unknown(const Data *d, const char *program);

/* The metric's value: of running text and lines bits per character (or byte), else hits / asked. */
double data_metric(const Data *d, const Score *s);
const char *data_metric_name(const Data *d);

#endif
