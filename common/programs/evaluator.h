/* Everything an eval program needs besides its model: it opens a run directory, scores the model on
 * held-out data, samples from it, and draws its figures. */
#ifndef EVALUATOR_H
#define EVALUATOR_H

#include <stdio.h>

#include "system/args.h"
#include "data/data.h"
#include "formats/weights.h"
#include "models/generate.h"
#include "nn/params.h"

typedef struct {
    bool of_pairs, or_task;     /* set by a program that translates, see data.h */
    const bool *interactive;    /* likewise: its option that asks for no held-out data; or NULL */
    const char *text, *valid;   /* other data than the run's, or NULL */
    const char *pairs, *output; /* a file of pairs to score; where its translations go; or NULL */
    const char *import, *vocab; /* weights of others instead of a run, and their vocabulary */
    int examples;               /* held-out sequences of a generated task */
    int samples, sample_len, top_k, threads;
    double temperature, top_p;
    const char *prompt, *plot;
    bool json, best, score;
    uint64_t seed;
} EvalConfig;

EvalConfig eval_defaults(void);

#define EVAL_OPTIONS(c)                                                                            \
    OPTION_GROUP("Data"),                                                                          \
        OPTION_STRING("text", &(c)->text, "text to evaluate on (default: the run's)"),             \
        OPTION_STRING("valid", &(c)->valid, "validation file (default: the run's)"),               \
        OPTION_FLAG("score", &(c)->score,                                                          \
                    "score the held-out data (--no-score: only sample, which needs no data)"),     \
        OPTION("examples", &(c)->examples, 1, 1000000, "held-out sequences of a generated task"),  \
        OPTION_STRING("import", &(c)->import,                                                      \
                      "weights of others instead of DIR: PyTorch's in a safetensors file, or a "   \
                      "folder with manifest.json; all of --text is held out"),                     \
        OPTION_STRING("vocab", &(c)->vocab,                                                        \
                      "characters of the weights of others (default: vocab.json beside them)"),    \
        OPTION_GROUP("Sampling"), OPTION("samples", &(c)->samples, 0, 100000, "texts to sample"),  \
        OPTION_STRING("prompt", &(c)->prompt, "what a sample starts with"),                        \
        OPTION("sample-len", &(c)->sample_len, 1, 10000000, "tokens of a sample, at most"),        \
        OPTION("temperature", &(c)->temperature, 0, 100, "0: always the most likely token"),       \
        OPTION("top-k", &(c)->top_k, 0, 10000000, "only the k most likely tokens (0: all)"),       \
        OPTION("top-p", &(c)->top_p, 0, 1, "only the most likely tokens of total probability p"),  \
        OPTION("seed", &(c)->seed, 0, 0x1p64, "of the samples"), EVAL_OUTPUT_OPTIONS(c)

/* Of a program that translates. */
#define EVAL_PAIRS_OPTIONS(c)                                                                      \
    OPTION_GROUP("Data"),                                                                          \
        OPTION_STRING("pairs", &(c)->pairs,                                                        \
                      "tab-separated file to score, all of it (default: the run's test pairs)"),   \
        OPTION_STRING("output", &(c)->output,                                                      \
                      "write the translation of each pair into this file, one a line"),            \
        OPTION("examples", &(c)->examples, 1, 1000000,                                             \
               "held-out pairs, at most (of --pairs: all, unless given)"),                         \
        OPTION("samples", &(c)->samples, 0, 100000, "outputs to print"), EVAL_OUTPUT_OPTIONS(c)

#define EVAL_OUTPUT_OPTIONS(c)                                                                     \
    OPTION_GROUP("Output"),                                                                        \
        OPTION_FLAG("best", &(c)->best,                                                            \
                    "the parameters of the lowest validation loss, not the last ones"),            \
        OPTION_FLAG("json", &(c)->json, "one JSON object instead of the report"),                  \
        OPTION_CHOICE("plot", &(c)->plot, "png|svg|dumb|none", "the figures"),                     \
        OPTION("threads", &(c)->threads, 0, 256, "threads (0: OMP_NUM_THREADS or all cores)")

typedef struct {
    EvalConfig *config;
    const Usage *usage;
    char *dir, arch[32]; /* arch: the folder */
    const char *model;   /* its name */
    DataConfig run;      /* from the run's own config.json */
    uint64_t seed;       /* that it was trained with */
    Data data;
    Weights weights; /* with --import */
    json_t *extra;   /* what the JSON object has besides, or NULL; owned */
    char *pictures;  /* the files drawn, a blank before each; NULL: none */
    int status;
} Evaluator;

/* Parses the command line, with n_own options of the program's own, reads DIR/config.json into the data
 * options and the model's own (`size`, n_size of them) and opens the data. With --import it opens
 * e->weights instead, and its sizes are the program's to take. False: e->status is the exit status,
 * all has been said, and only evaluator_close is left to call. */
bool evaluator_open(Evaluator *e, EvalConfig *c, Option *size, int n_size, Option *own, int n_own,
                    const Usage *usage, int argc, char **argv);
bool evaluator_load(Evaluator *e, Params *ps); /* model.safetensors, or with --best the best */
bool evaluator_fail(Evaluator *e, int status, const char *message); /* says it; returns false */

/* Returns true, and has said so, if a signal asked for the end (stop.h); it is heard from the first call
 * on. Loops over examples, samples and figures ask. */
bool evaluator_stopped(Evaluator *e);

/* Scores, prints the report or the JSON object on stdout, samples, draws; of train's own figures what it
 * left as numbers. A loss that is not finite is a failure, EXIT_NUMERIC, and nothing is printed. */
void evaluator_report(Evaluator *e, const Model *m, const Params *ps);

/* --- for what a program says besides --- */

void evaluator_warn(const Evaluator *e, const char *message); /* on stderr */
bool evaluator_flush(Evaluator *e); /* stdout; where that fails, so does the evaluator */

/* DIR/name, what print(f, arg) prints. False, and a warning, if it cannot be written. */
bool evaluator_write(const Evaluator *e, const char *name, void (*print)(FILE *f, const void *arg),
                     const void *arg);

/* DIR/name.png (or as --plot has it) by DIR/name.gp, which this process has just written: see plot.h.
 * evaluator_close says what was drawn. */
void evaluator_draw(Evaluator *e, const char *name, int width, int height);

void evaluator_set_number(json_t *o, const char *key, double x); /* null for what is not finite */
void evaluator_set_seed(json_t *o, uint64_t seed);               /* "seed", as config.json has it */

int evaluator_close(Evaluator *e); /* returns the exit status */

#endif
