/* The evaluator does the work of an eval program, except for the model: it opens a run directory, scores the
 * model on held-out data, samples from the model and draws its figures. */
#ifndef EVALUATOR_H
#define EVALUATOR_H

#include <stdio.h>
#include <sys/stat.h>

#include "system/args.h"
#include "data/data.h"
#include "data/fingerprint.h"
#include "formats/weights.h"
#include "models/generate.h"
#include "nn/params.h"

typedef struct {
    bool of_pairs, or_task; /* set by programs for pairs, see data.h */
    const bool *
        interactive; /* --interactive, which needs no held-out data (texts: set by evaluator_open) */
    const char *text, *valid;   /* data in place of the run's, or NULL */
    const char *pairs, *output; /* files: pairs to score, their translations; or NULL */
    const char *import, *vocab; /* foreign weights instead of a run, and their vocabulary */
    /* Opens the tokenizer of --import and sets the length of the windows in which a text is scored. NULL:
     * weights_open, for recurrent networks. */
    bool (*open_import)(void *arg, const char *path, Tokenizer *tokens, int *window, Error *err);
    void *import_arg; /* its first argument */
    int examples;     /* number of held-out sequences of a generated task */
    int samples, sample_len, sample_batch, top_k, threads;
    double temperature, top_p, min_p, repetition;
    const char *prompt, *stop, *plot;
    bool json, best, score, ask; /* ask: --interactive of a model of texts */
    uint64_t seed;
} EvalConfig;

EvalConfig eval_defaults(void);

#define EVAL_OPTIONS(c)                                                                            \
    OPTION_GROUP("Data"),                                                                          \
        OPTION_STRING(                                                                             \
            "text", &(c)->text,                                                                    \
            "text to evaluate, all of it (default: the held-out part of the run's own text)"),     \
        OPTION_STRING("valid", &(c)->valid,                                                        \
                      "validation file to evaluate (default: that of the run)"),                   \
        OPTION_FLAG(                                                                               \
            "score", &(c)->score,                                                                  \
            "compute scores on the held-out data; --no-score only samples and needs no data"),     \
        OPTION("examples", &(c)->examples, 1, 1000000,                                             \
               "number of held-out sequences of a generated task"),                                \
        OPTION_STRING("import", &(c)->import,                                                      \
                      "evaluate foreign weights instead of DIR: a safetensors file from PyTorch, " \
                      "or a folder with manifest.json; all of --text is scored"),                  \
        OPTION_STRING("vocab", &(c)->vocab,                                                        \
                      "list of the tokens of --import (default: vocab.json beside it)"),           \
        OPTION_GROUP("Sampling"),                                                                  \
        OPTION("samples", &(c)->samples, 0, 100000, "number of texts to sample"),                  \
        OPTION_STRING("prompt", &(c)->prompt, "text that each sample continues"),                  \
        OPTION("sample-len", &(c)->sample_len, 1, 10000000,                                        \
               "maximum number of tokens in a sample"),                                            \
        OPTION("temperature", &(c)->temperature, 0, 100,                                           \
               "divisor of the logits (0: always the most likely token)"),                         \
        OPTION("top-k", &(c)->top_k, 0, 10000000,                                                  \
               "sample among the k most likely tokens (0: all)"),                                  \
        OPTION("top-p", &(c)->top_p, 0, 1,                                                         \
               "sample among the most likely tokens with total probability p"),                    \
        OPTION("min-p", &(c)->min_p, 0, 1,                                                         \
               "sample among the tokens with at least this part of the largest probability"),      \
        OPTION("repetition-penalty", &(c)->repetition, 0.01, 100,                                  \
               "makes tokens that occurred less likely (1: none; above 1: the more)"),             \
        OPTION_STRING("stop", &(c)->stop,                                                          \
                      "end a sample before any of these texts, separated by |"),                   \
        OPTION("sample-batch", &(c)->sample_batch, 1, 1024,                                        \
               "number of samples to generate at the same time (1: printed as they grow)"),        \
        OPTION_FLAG("interactive", &(c)->ask,                                                      \
                    "continue each line of standard input instead of reporting"),                  \
        OPTION("seed", &(c)->seed, 0, 0x1p64, "random seed of the samples"),                       \
        EVAL_OUTPUT_OPTIONS(c)

/* The options of an eval program for pairs. */
#define EVAL_PAIRS_OPTIONS(c)                                                                      \
    OPTION_GROUP("Data"),                                                                          \
        OPTION_STRING("pairs", &(c)->pairs,                                                        \
                      "tab-separated file to score (default: the test pairs of the run)"),         \
        OPTION_STRING("output", &(c)->output, "file for the translations, one per line"),          \
        OPTION("examples", &(c)->examples, 1, 1000000,                                             \
               "maximum number of pairs to score (with --pairs: all by default)"),                 \
        OPTION("samples", &(c)->samples, 0, 100000, "number of translations to print"),            \
        EVAL_OUTPUT_OPTIONS(c)

#define EVAL_OUTPUT_OPTIONS(c)                                                                     \
    OPTION_GROUP("Output"),                                                                        \
        OPTION_FLAG("best", &(c)->best,                                                            \
                    "use the parameters with the lowest validation loss, not the last"),           \
        OPTION_FLAG("json", &(c)->json, "print one JSON object instead of the report"),            \
        OPTION_CHOICE("plot", &(c)->plot, "png|svg|dumb|none", "format of the figures"),           \
        OPTION("threads", &(c)->threads, 0, 256,                                                   \
               "number of threads (0: OMP_NUM_THREADS or all cores)")

typedef struct {
    EvalConfig *config;
    const Usage *usage;
    char *dir, arch[32];     /* arch: the model folder, "rnn" */
    struct stat opened;      /* DIR/config.json when it was read */
    char *folder;            /* where the run was started, or NULL */
    const char *model;       /* name of the model, "lstm" */
    DataConfig run;          /* the data options of DIR/config.json */
    uint64_t seed;           /* random seed of the training run */
    Fingerprint fingerprint; /* of the training run's data; "": unknown (an old run) */
    const char *own_text;    /* the run's text, - for standard input, or NULL */
    bool whole; /* all of the text is held out: it is not the run's, or it is with --import */
    Data data;
    Weights weights; /* with --import */
    json_t *extra;   /* further keys for the JSON object, or NULL; owned */
    char *pictures;  /* names of the figures drawn, each after a blank; NULL: none */
    int status;
} Evaluator;

/* Parses the command line, opens the run and its held-out data. own: n_own options of this program besides
 * the common ones. size: n_size options of the model, which are read from DIR/config.json like the data
 * options. With --import it opens e->weights instead, and the program takes the sizes from there. Returns
 * false after a failure: the message is printed, e->status is the exit status, and the program must only
 * call evaluator_close. */
bool evaluator_open(Evaluator *e, EvalConfig *c, Option *size, int n_size, Option *own, int n_own,
                    const Usage *usage, int argc, char **argv);
bool evaluator_load(Evaluator *e, Params *ps); /* model.safetensors; --best: best.safetensors */
bool evaluator_fail(Evaluator *e, int status, const char *message); /* prints it; returns false */

/* Returns true if a signal asks the program to stop (stop.h), after printing a message. The first call
 * starts to catch signals. Loops over examples, samples and figures call it in each turn. */
bool evaluator_stopped(Evaluator *e);

/* Opens config->text (evaluator_text.c): the held-out part of the run's own text, all of any other text. */
bool evaluator_open_text(Evaluator *e, const Vocabularies *vocab, Error *err);

/* Scores the model, prints the report or the JSON object on stdout, prints samples and draws the figures.
 * Samples come from a model of texts that continues sequences (model_decodes), by its state or its cache.
 * It also draws the figures of training from their CSV files. If the loss is not finite, it prints no
 * report and fails with EXIT_NUMERIC. */
void evaluator_report(Evaluator *e, const Model *m, const Params *ps);

/* --- for the program's own output --- */

void evaluator_warn(const Evaluator *e, const char *message); /* prints it on stderr */
bool evaluator_flush(Evaluator *e); /* flushes stdout; false after a failure */

/* Writes the output of print(f, arg) into DIR/name. After a failure it prints a warning and returns false. */
bool evaluator_write(const Evaluator *e, const char *name, void (*print)(FILE *f, const void *arg),
                     const void *arg);

/* Draws DIR/name.png (or the format of --plot) with the script DIR/name.gp, which this process must have
 * written itself: see plot.h. evaluator_close prints the names of all figures. */
void evaluator_draw(Evaluator *e, const char *name, int width, int height);

/* --- shared by evaluator*.c --- */

/* evaluator_config.c: reads the options of the run, the n_size options of its model and its vocabularies, and checks that
 * the parameters are of this run. */
bool evaluator_read_config(Evaluator *e, Option *size, int n_size, Vocabularies *vocab, Error *err);
/* Returns the path of the parameters that are evaluated; the caller frees it. */
char *evaluator_model_path(const Evaluator *e);

/* evaluator_samples.c: prints --samples texts; continues each line of standard input. A line and its text
 * are one sample: line i has the random numbers of sample i. */
void evaluator_sample(Evaluator *e, const Model *m, const Params *ps);
void evaluator_continue_lines(Evaluator *e, const Model *m, const Params *ps);
/* Fails with EXIT_NUMERIC. what: the result that is not finite. */
void evaluator_fail_numeric(Evaluator *e, const Params *ps, const char *what);

/* --- for the program's own JSON --- */

void evaluator_set_number(json_t *o, const char *key, double x); /* not finite: null */
void evaluator_set_seed(json_t *o, uint64_t seed);               /* "seed", as config.json has it */

int evaluator_close(Evaluator *e); /* returns the exit status */

#endif
