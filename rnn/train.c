/* Trains an Elman network: options, data and logging are the trainer's (common/trainer.h), the model
 * is rnn.c's, and the loop is here to be read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "rnn.h"
#include "trainer.h"

static const Usage usage = {
    .program = "rnn/train",
    .about = "Trains a recurrent network (Elman 1990) on a text, a list of lines or a task.",
    .operands = "",
    .examples = "  ./rnn/train --lines --out runs/places\n"
                "  ./rnn/train --task parity --out runs/parity\n"
                "  ./rnn/train --text README.md --steps 500 --out runs/readme\n",
};

/* |dL/dh_{T-1-lag}| for each lag, on held-out sequences. */
typedef struct {
    int T;
    double *norm;
} Trace;

static Trace trace_measure(const Rnn *rnn, const Trainer *t, Params *ps)
{
    Batch batch = batch_new();
    task_heldout(&t->data.task, SPLIT_VALID, t->config->data.seq_len, 0, 32, &batch);
    Trace trace = {batch.T, xcalloc((size_t)batch.T, sizeof *trace.norm)};
    rnn_trace(rnn, &batch, trace.norm);
    params_zero_grad(ps);
    batch_free(&batch);
    return trace;
}

/* DIR/trace.csv and the script that eval draws it with. */
static void trace_write(const char *dir, const Trace *before, const Trace *after)
{
    static const char script[] =
        "set datafile separator comma\nset title 'How far back does the gradient reach?'\n"
        "set xlabel 'lag (steps before the loss)'\nset ylabel '|dL/dh|'\nset logscale y\n"
        "set format y '10^{%L}'\nset grid linetype 1 linecolor rgb '#dddddd'\n"
        "plot 'trace.csv' using 1:2 every ::1 with lines linewidth 2 linecolor rgb '#999999' title "
        "'before training', \\\n     '' using 1:3 every ::1 with lines linewidth 2 linecolor rgb "
        "'#0072b2' title 'after training'\n";
    char *csv = xstrdup("lag,initial,trained\n");
    for (int k = 0; k < before->T && k < after->T; k++) {
        char *more = xformat("%s%d,%.6e,%.6e\n", csv, k, before->norm[k], after->norm[k]);
        free(csv);
        csv = more;
    }
    Error err;
    char *csv_path = xformat("%s/trace.csv", dir), *script_path = xformat("%s/trace.gp", dir);
    if (!file_write(csv_path, csv, strlen(csv), &err) ||
        !file_write(script_path, script, strlen(script), &err))
        fprintf(stderr, "%s: warning: %s\n", usage.program, err.text);
    free(csv), free(csv_path), free(script_path);
}

int main(int argc, char **argv)
{
    TrainConfig c = train_defaults("runs/rnn");
    RnnConfig size = rnn_defaults();
    bool trace = false;
    Option option[] = {TRAIN_OPTIONS(&c), RNN_OPTIONS(&size),
                       OPTION_FLAG("trace", &trace, "write |dL/dh| against the lag, trace.csv")};
    Trainer t;
    if (!trainer_open(&t, &c, option, LEN(option), &usage, argc, argv)) return trainer_close(&t);

    Params ps = params_init(c.seed);
    Rnn rnn = rnn_init(&ps, &size, &t.data.task);
    Model model = rnn_model(&rnn);
    Optim optim = trainer_optim(&c, &ps);
    Tape tp = {0};
    const bool ready = trainer_start(&t, &model, &ps, &optim);
    Trace before = {0}, after = {0};
    if (ready && trace) before = trace_measure(&rnn, &t, &ps);

    while (ready && trainer_next(&t)) {
        Rng dropout = rng_make(c.seed, RNG_DROPOUT, (uint32_t)t.step);
        Tensor *loss = model_loss(&tp, &model, &t.batch, trainer_state(&t), &dropout);
        tape_backward(&tp, loss);
        const double norm = params_clip(&ps, c.grad_clip);
        if (!trainer_finite(&t, &tp, loss, norm)) break;
        optim_step(&optim, &ps, lr_at(&t.schedule, t.step));
        trainer_log(&t, (double)loss->data[0], norm);
        tape_reset(&tp);
    }
    if (ready && trace) {
        after = trace_measure(&rnn, &t, &ps);
        trace_write(c.out, &before, &after);
    }
    const int status = trainer_close(&t);
    free(before.norm), free(after.norm);
    tape_free(&tp);
    optim_free(&optim);
    params_free(&ps);
    return status;
}
