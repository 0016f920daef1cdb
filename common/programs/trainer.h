/* Everything a train program needs besides its model and its loop. */
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
    const char *init_from,
        *fresh;         /* a run to start from, and a pattern of new parameters; or NULL */
    const char *freeze; /* a pattern of parameters that stay as they are; or NULL */
    OptimKind optimizer;
    ScheduleKind schedule;
    int steps, batch, accumulate, warmup, eval_every, save_every, early_stop,
        threads;   /* 0: see the options */
    double budget; /* seconds; 0: as many steps as steps says */
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
                    "read the text in order and carry the state from batch to batch (default: "    \
                    "random crops, fresh state)"))

/* Of a program that translates; it sets data.of_pairs. */
#define TRAIN_PAIRS_OPTIONS(c) TRAIN_OPTIONS_OF(c, PAIRS_OPTIONS(&(c)->data.pairs))

/* The options of the data, and then those of any training. */
/* clang-format off */
#define TRAIN_OPTIONS_OF(c, ...)                                                                   \
    __VA_ARGS__, OPTION_GROUP("Optimisation"),                                                     \
        OPTION("steps", &(c)->steps, 0, TRAIN_MOST_STEPS, "updates (0: as the task has it)",             \
               .may_change = true),                                                                \
        OPTION_DURATION("budget", &(c)->budget, 31536000,                                          \
                        "instead of --steps: as many updates as fit into 60s, 10m or 2h, "         \
                        "validations and checkpoints included (0: no budget)"),                    \
        OPTION("batch", &(c)->batch, 0, 65536, "sequences per update (0: as the task has it)"),    \
        OPTION("accumulate", &(c)->accumulate, 1, 65536,                                           \
               "batches whose gradients make one update: memory of one, gradient of all"),         \
        OPTION("lr", &(c)->lr, 0, 100, "peak learning rate (0: as the task has it)"),              \
        OPTION("min-lr", &(c)->min_lr, 0, 100, "rate that the cosine falls to, one update after the last"),          \
        OPTION("warmup", &(c)->warmup, 0, 1000000000, "updates of linear warm-up"),                \
        OPTION_CHOICE("schedule", &(c)->schedule, "cosine|inverse-sqrt",                           \
                      "how the rate falls after it"),                                              \
        OPTION_CHOICE("optimizer", &(c)->optimizer, "adamw|sgd", "how to update"),                 \
        OPTION("beta1", &(c)->beta1, 0, 0.9999, "AdamW's beta1; SGD's momentum"),                  \
        OPTION("beta2", &(c)->beta2, 0, 0.999999, "AdamW's beta2"),                                \
        OPTION("weight-decay", &(c)->weight_decay, 0, 10, "of matrices only"),                     \
        OPTION("grad-clip", &(c)->grad_clip, 0, 1e9, "largest gradient norm (0: any)"),            \
        OPTION_STRING("init-from", &(c)->init_from,                                                \
                      "start from the parameters of this run, and read its tokens"),               \
        OPTION_STRING("fresh", &(c)->fresh,                                                        \
                      "with --init-from: parameters that start anew, as 'head.*'"),                \
        OPTION_STRING("freeze", &(c)->freeze,                                                      \
                      "leave parameters as they are, by a pattern of names, as 'encoder*'"),       \
        OPTION("seed", &(c)->seed, 0, 0x1p64, "of weights, batches and dropout"),                  \
        OPTION_GROUP("Output"),                                                                    \
        OPTION_STRING("out", &(c)->out, "run directory", .may_change = true),                      \
        OPTION("eval-every", &(c)->eval_every, 0, 1000000000,                                      \
               "updates between validations (0: twenty in all)"),                                  \
        OPTION("early-stop", &(c)->early_stop, 0, 1000000,                                         \
               "stop after so many validations without a lower loss (0: never)",                   \
               .may_change = true),                                                                \
        OPTION("save-every", &(c)->save_every, 0, 1000000000,                                      \
               "updates between checkpoints (0: ten in all)", .may_change = true),                 \
        OPTION_FLAG("resume", &(c)->resume, "go on with the run in --out", .may_change = true),    \
        OPTION_FLAG("other-data", &(c)->other_data,                                                \
                    "with --resume: go on although the data have changed", .may_change = true),    \
        OPTION_FLAG("overwrite", &(c)->overwrite, "replace the run in --out", .may_change = true), \
        OPTION_CHOICE("plot", &(c)->plot, "png|svg|dumb|none", "the picture of the loss",          \
                      .may_change = true),                                                         \
        OPTION("threads", &(c)->threads, 0, 256, "threads (0: OMP_NUM_THREADS or all cores)",      \
               .may_change = true),                                                                \
        OPTION_FLAG("quiet", &(c)->quiet, "no progress line", .may_change = true),                 \
        OPTION_FLAG("dry-run", &(c)->dry_run, "print sizes and memory, and stop",                  \
                    .may_change = true)
/* clang-format on */

typedef struct {
    TrainConfig *config;
    Option *option;
    int n_options;
    const Usage *usage;

    Data data;
    Fingerprint fingerprint; /* of the data; from trainer_open on */
    Fingerprint expected;    /* of the run that is resumed; "": unknown */
    Batch batch;             /* at hand */
    TrainState state;        /* what a checkpoint holds besides parameters and moments */
    int step;                /* the step at hand, from 1 */
    Batches batches;         /* of all steps, unless the text is streamed */
    int micro;               /* batches of the step drawn so far, of --accumulate */
    uint32_t drawn;          /* number of the batch at hand, over all steps, from 1 */
    LossSum loss;            /* of the step so far */
    Tensor *backward;        /* what went backward last */
    int64_t saved;           /* the step of the checkpoint in the run directory; 0: none */
    Schedule schedule;
    RunLog log;
    double started; /* clock at which state.seconds was 0 */

    TrainState before; /* the step at hand, with --accumulate */
    real *carried_before;

    const Model *model; /* set by trainer_start; not owned */
    Params *params;
    Optim *optim;
    int status; /* exit status so far */
} Trainer;

/* Options, data and random seed. False: t->status is the exit status, all has been said, and only
 * trainer_close is left to call. */
bool trainer_open(Trainer *t, TrainConfig *c, Option *option, int n, const Usage *usage, int argc,
                  char **argv);

/* The run directory, or with --resume the state of the run in it. False as above (and with
 * --dry-run). */
bool trainer_start(Trainer *t, const Model *model, Params *ps, Optim *o);
Optim trainer_optim(const TrainConfig *c); /* as the options have it; trainer_start allocates it */

/* Draws the next batch into t->batch and returns true, or returns false when the last step is done, a
 * signal came, or something failed. */
bool trainer_next(Trainer *t);
real *trainer_state(Trainer *t); /* the carried state of the model, NULL if it starts afresh */

/* Returns true if --early-stop validations have passed without a lower loss. */
bool trainer_stopped_early(const Trainer *t);

/* Runs the batch's backward pass (loss_backward: tape_backward, weighted by the items scored). Returns
 * true when the gradients are those of the whole update; false while --accumulate has more batches for
 * it, and the tape is reset for the next. */
bool trainer_backward(Trainer *t, Tape *tp, Loss loss);

/* False when the loss or the gradient's norm is not finite: says which op and tensor. */
bool trainer_finite(Trainer *t, Tape *tp, double norm);

/* Says what is wrong and notes the exit status; returns false. */
bool trainer_fail(Trainer *t, int status, const char *message);

/* A warning unless ok: something that nothing depends on could not be written. */
void trainer_warn(const Trainer *t, bool ok, const Error *err);

/* Logs the step; validates and saves when it is time to. Call after the update. */
void trainer_log(Trainer *t, double norm);

/* Saves, draws loss.png, prints a summary and frees; returns the exit status. */
int trainer_close(Trainer *t);

/* --- shared by trainer*.c ------------------------------------------------------------------------------ */

bool trainer_save(Trainer *t); /* state and model; false, all said, if it cannot be written */

/* Sets the row's validation loss and metric. False if a signal interrupted it: the row has none then. */
bool trainer_validate(Trainer *t, LogRow *row);

/* trainer_budget.c: sets config->steps from config->budget. False if a signal came or a file could not be
 * written; t->status says so. */
bool trainer_set_steps(Trainer *t);

/* trainer_init.c: with --init-from the tokens of the run, before the data are opened; and its parameters.
 * False, and a message, if they do not fit. */
bool trainer_tokens_from(const Trainer *t, Vocabularies *vocab, Error *err);
bool trainer_init_from(Trainer *t, Error *err);

/* trainer_init.c: --freeze, before the parameters are allocated. False, and a message with the names that
 * there are, if it matches none, or all. */
bool trainer_freeze(const Trainer *t, Error *err);

/* --- trainer_report.c: the trainer's words and picture */
void trainer_arch(const Usage *usage, char *name, size_t room); /* "rnn" of "rnn/train" */

void trainer_print_sizes(Trainer *t);        /* --dry-run, to stdout: parameters and memory */
void trainer_print_header(const Trainer *t); /* to stderr, unless quiet, as the summary */
void trainer_print_summary(const Trainer *t);

/* loss.gp (runlog_script.h), and loss.png, or as --plot has it. */
void trainer_draw_loss(const Trainer *t);

#endif
