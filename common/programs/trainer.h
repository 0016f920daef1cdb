/* The trainer does the work of a train program, except for the model and the training loop: options, data,
 * batches, validation, checkpoints and the log. */
#ifndef TRAINER_H
#define TRAINER_H

#include "models/model.h"
#include "formats/checkpoint.h"
#include "data/data.h"
#include "data/fingerprint.h"
#include "programs/runlog.h"
#include "tasks/batches.h"

typedef enum { SCHEDULE_COSINE, SCHEDULE_INVERSE_SQRT } ScheduleKind;

typedef struct {
    DataConfig data;
    const char *out, *plot;
    const char *init_from, *fresh; /* the run to start from; names of new parameters; or NULL */
    const char *freeze;            /* a pattern of the names of frozen parameters, or NULL */
    OptimKind optimizer;
    ScheduleKind schedule;
    int steps, batch, accumulate, warmup, eval_every, save_every, early_stop,
        threads;   /* 0: see the options */
    double budget; /* seconds; 0: `steps` says how many updates */
    double lr, min_lr, weight_decay, grad_clip, beta1, beta2;
    bool stream, resume, overwrite, other_data, quiet, dry_run;
    uint64_t seed;
} TrainConfig;

TrainConfig train_defaults(const char *out);

enum { TRAIN_MOST_STEPS = 1000000000, TRAIN_EVALS = 20, TRAIN_SAVES = 10 };

#define TRAIN_OPTIONS(c)                                                                           \
    TRAIN_OPTIONS_OF(                                                                              \
        c, DATA_OPTIONS(&(c)->data),                                                               \
        OPTION_FLAG("stream", &(c)->stream,                                                        \
                    "read the text in order and carry the hidden state from batch to batch "       \
                    "(without it: random parts of the text, zero state)"))

/* The options of a train program for pairs, which sets data.of_pairs. */
#define TRAIN_PAIRS_OPTIONS(c) TRAIN_OPTIONS_OF(c, PAIRS_OPTIONS(&(c)->data.pairs))

/* The options of the data, then those of every train program. */
/* clang-format off */
#define TRAIN_OPTIONS_OF(c, ...)                                                                   \
    __VA_ARGS__, OPTION_GROUP("Optimisation"),                                                     \
        OPTION("steps", &(c)->steps, 0, TRAIN_MOST_STEPS,                                          \
               "number of updates (0: the number for the task)",                                   \
               .may_change = true),                                                                \
        OPTION_DURATION("budget", &(c)->budget, 31536000,                                          \
                        "instead of --steps: time for training, validations and checkpoints, "     \
                        "such as 60s, 10m or 2h (0: no budget)"),                                  \
        OPTION("batch", &(c)->batch, 0, 65536,                                                     \
               "sequences in a batch (0: the number for the task)"),                               \
        OPTION("accumulate", &(c)->accumulate, 1, 65536,                                           \
               "batches per update; their gradients are averaged"),                                \
        OPTION("lr", &(c)->lr, 0, 100, "peak learning rate (0: the rate for the task)"),           \
        OPTION("min-lr", &(c)->min_lr, 0, 100,                                                     \
               "learning rate at the end of the cosine, one update after the last"),               \
        OPTION("warmup", &(c)->warmup, 0, 1000000000,                                              \
               "updates during which the learning rate rises to --lr"),                            \
        OPTION_CHOICE("schedule", &(c)->schedule, "cosine|inverse-sqrt",                           \
                      "how the learning rate falls after the warm-up"),                            \
        OPTION_CHOICE("optimizer", &(c)->optimizer, "adamw|sgd", "optimizer"),                     \
        OPTION("beta1", &(c)->beta1, 0, 0.9999, "AdamW's beta1; SGD's momentum"),                  \
        OPTION("beta2", &(c)->beta2, 0, 0.999999, "AdamW's beta2"),                                \
        OPTION("weight-decay", &(c)->weight_decay, 0, 10, "weight decay, of matrices only"),       \
        OPTION("grad-clip", &(c)->grad_clip, 0, 1e9,                                               \
               "largest norm of the gradient (0: no limit)"),                                      \
        OPTION_STRING("init-from", &(c)->init_from,                                                \
                      "run directory to start from: its parameters and its tokenizer"),            \
        OPTION_STRING("fresh", &(c)->fresh,                                                        \
                      "with --init-from: pattern of parameters to initialise, as 'head.*'"),       \
        OPTION_STRING("freeze", &(c)->freeze,                                                      \
                      "pattern of the parameters not to train, as 'encoder*'"),                    \
        OPTION("seed", &(c)->seed, 0, 0x1p64, "random seed of weights, batches and dropout"),      \
        OPTION_GROUP("Output"),                                                                    \
        OPTION_STRING("out", &(c)->out, "run directory", .may_change = true),                      \
        OPTION("eval-every", &(c)->eval_every, 0, 1000000000,                                      \
               "updates between validations (0: 20 validations in all)"),                          \
        OPTION("early-stop", &(c)->early_stop, 0, 1000000,                                         \
               "stop after N validations in a row without a lower loss (0: never)",                \
               .may_change = true),                                                                \
        OPTION("save-every", &(c)->save_every, 0, 1000000000,                                      \
               "updates between checkpoints (0: 10 checkpoints in all)", .may_change = true),      \
        OPTION_FLAG("resume", &(c)->resume, "continue the run in --out", .may_change = true),      \
        OPTION_FLAG("other-data", &(c)->other_data,                                                \
                    "with --resume: continue although the data has changed", .may_change = true),  \
        OPTION_FLAG("overwrite", &(c)->overwrite, "replace the run in --out", .may_change = true), \
        OPTION_CHOICE("plot", &(c)->plot, "png|svg|dumb|none", "format of the figure of the loss", \
                      .may_change = true),                                                         \
        OPTION("threads", &(c)->threads, 0, 256,                                                   \
               "number of threads (0: OMP_NUM_THREADS or all cores)",                              \
               .may_change = true),                                                                \
        OPTION_FLAG("quiet", &(c)->quiet, "print no progress", .may_change = true),                \
        OPTION_FLAG("dry-run", &(c)->dry_run, "print sizes and memory, then exit",                 \
                    .may_change = true)
/* clang-format on */

typedef struct {
    TrainConfig *config;
    Option *option;
    int n_options;
    const Usage *usage;

    Data data;
    Fingerprint fingerprint; /* of the data, set by trainer_open */
    Fingerprint expected;    /* of the data of the resumed run; "": unknown */
    json_t *metadata;        /* of a checkpoint: its run (origin.h) and the order of its gates */
    Batch batch;             /* the current batch */
    TrainState state;        /* all of a checkpoint except parameters and moments */
    int step;                /* the current step, from 1 */
    Batches batches;         /* the order of the batches, unless the text is streamed */
    int micro;               /* batches of the current step drawn so far */
    uint32_t drawn;          /* number of the batch at hand, over all steps, from 1 */
    LossSum loss;            /* of the step so far */
    Tensor *backward;        /* what went backward last */
    int64_t saved;           /* the step of the checkpoint in the run directory; 0: none */
    Schedule schedule;
    RunLog log;
    json_t *paths;   /* the data files of the resumed run's config.json; NULL: a new run */
    const char *out; /* --out as given; config->out is where the run writes: rundir.h */
    bool restart;    /* --resume of a run that has no checkpoint yet */
    bool ended;      /* the run is complete or stopped, and saved */
    double started;  /* time at which state.seconds was 0 */

    TrainState before; /* copies from before the current step, with --accumulate */
    real *carried_before;

    const Model *model; /* set by trainer_start; not owned */
    Params *params;
    Optim *optim;
    int status; /* exit status so far */
} Trainer;

/* Parses the options and opens the data. Returns false after a failure: the message is printed, t->status is
 * the exit status, and the program must only call trainer_close. */
bool trainer_open(Trainer *t, TrainConfig *c, Option *option, int n, const Usage *usage, int argc,
                  char **argv);

/* Allocates the parameters and opens the run directory; with --resume it loads the checkpoint. Returns false
 * after a failure, as above, and with --dry-run. */
bool trainer_start(Trainer *t, const Model *model, Params *ps, Optim *o);
Optim trainer_optim(const TrainConfig *c); /* of the options; trainer_start allocates it */

/* Draws the next batch into t->batch and returns true. Returns false after the last step, after a signal and
 * after a failure. */
bool trainer_next(Trainer *t);
real *trainer_state(Trainer *t); /* the carried hidden state, or NULL: zero state */

/* Returns true after --early-stop validations in a row without a lower loss. */
bool trainer_stopped_early(const Trainer *t);

/* Runs the backward pass of the batch (loss_backward: tape_backward, weighted by the items scored). Returns
 * true when the gradients of the update are complete. Returns false while batches of --accumulate are
 * missing; the tape is then reset for the next batch. */
bool trainer_backward(Trainer *t, Tape *tp, Loss loss);

/* Returns false if the loss or the norm of the gradient is not finite, and prints which op and tensor. */
bool trainer_finite(Trainer *t, Tape *tp, double norm);

/* Prints the error and sets the exit status; returns false. */
bool trainer_fail(Trainer *t, int status, const char *message);

/* Prints a warning unless ok: the run continues without the file that could not be written. */
void trainer_warn(const Trainer *t, bool ok, const Error *err);

/* Returns false, after a message, if another run stands in the place of this one's directory. Call it before a program
 * writes files of its own to config->out. */
bool trainer_may_write(Trainer *t);

/* Logs the step, and validates and saves if either is due. Call it after the update. */
void trainer_log(Trainer *t, double norm);

/* Saves, draws loss.png, prints a summary and frees everything. Returns the exit status. */
int trainer_close(Trainer *t);

/* --- shared by trainer*.c ------------------------------------------------------------------------------ */

bool trainer_save(Trainer *t); /* saves a checkpoint; false after a failure, as above */

/* Sets the validation loss and metric of the row. Returns false if a signal came (the row is unchanged) or if
 * the loss is not finite (the message is printed, t->status is set). */
bool trainer_validate(Trainer *t, LogRow *row);

/* trainer_config.c: writes config.json. */
bool trainer_write_config(Trainer *t, Error *err);
/* Makes the metadata of the checkpoints before the first of them is saved: then a lack of memory cannot leave
 * them out. */
void trainer_make_metadata(Trainer *t);
/* Compares the shapes of the resumed run's checkpoint with those of the model, before memory is allocated for
 * them. */
bool trainer_state_fits(const Trainer *t, Error *err);
/* Saves the resumed run again if its state is of an older version or of other data. So its files agree with the
 * config.json that will be written. */
bool trainer_renew_state(Trainer *t);

/* trainer_budget.c: sets config->steps from config->budget. Returns false, with t->status set, if a signal
 * came or a file could not be written. */
bool trainer_set_steps(Trainer *t);

/* trainer_init.c, for --init-from: the first reads the tokenizers of the run, before the data is opened; the
 * second reads the parameters. They return false with an error if these do not fit. */
bool trainer_tokens_from(const Trainer *t, Vocabularies *vocab, Error *err);
bool trainer_init_from(Trainer *t, Error *err);

/* trainer_init.c: freezes the parameters of --freeze, before they are allocated. Returns false with an error
 * if the pattern matches no parameter, or all. */
bool trainer_freeze(const Trainer *t, Error *err);

/* --- trainer_report.c: printed output and the figure of the loss --- */
void trainer_arch(const Usage *usage, char *name, size_t room); /* "rnn" of "rnn/train" */

void trainer_print_sizes(Trainer *t);        /* --dry-run: parameters and memory, to stdout */
void trainer_print_header(const Trainer *t); /* to stderr, unless --quiet */
void trainer_print_summary(const Trainer *t);

/* Writes loss.gp (runlog_script.h) and draws loss.png, or the format of --plot. */
void trainer_draw_loss(const Trainer *t);

#endif
