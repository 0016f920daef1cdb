/* Trains an Elman network. This file shows the whole training loop; common/programs/trainer.h has
 * options, data and logging, rnn.c the model. */
#include "rnn/rnn.h"
#include "models/trace.h"
#include "programs/trainer.h"

static const Usage usage = {
    .program = "rnn/train",
    .about = "Trains a recurrent network (Elman 1990) on a text, a list of lines or a task.",
    .operands = "",
    .next = "./rnn/eval",
    .examples = "  ./rnn/train --lines --out runs/places\n"
                "  ./rnn/train --task parity --out runs/parity\n"
                "  ./rnn/train --text README.md --steps 500 --out runs/readme\n",
};

/* Measures how far back the gradient reaches on held-out sequences. */
static LagTrace trace_measure(const Rnn *rnn, const Trainer *t, Params *ps)
{
    Batch batch = batch_new();
    task_heldout(&t->data.task, SPLIT_VALID, t->config->data.seq_len, 0, 32, &batch);
    LagTrace trace = trace_lags_new(batch.T, false);
    rnn_trace(rnn, &batch, trace.h);
    params_zero_grad(ps);
    batch_free(&batch);
    return trace;
}

int main(int argc, char **argv)
{
    TrainConfig c = train_defaults("runs/rnn");
    RnnConfig size = rnn_defaults();
    bool trace = false;
    Option option[] = {TRAIN_OPTIONS(&c), RNN_OPTIONS(&size),
                       OPTION_FLAG("trace", &trace, "write |dL/dh| against the lag, trace.csv",
                                   .may_change = true)};
    Trainer t;
    Error err;
    if (!trainer_open(&t, &c, option, LEN(option), &usage, argc, argv)) return trainer_close(&t);

    Params ps = params_declare(c.seed);
    Rnn rnn = rnn_init(&ps, &size, &t.data.task);
    Model model = rnn_model(&rnn);
    Optim optim = trainer_optim(&c);
    Tape tp = {0};
    const bool ready = trainer_start(&t, &model, &ps, &optim);
    LagTrace before = {0}, after = {0};
    if (ready && trace) before = trace_measure(&rnn, &t, &ps);

    while (ready && trainer_next(&t)) {
        Rng dropout = rng_make(c.seed, RNG_DROPOUT, t.drawn);
        const Loss loss = model_loss(&tp, &model, &t.batch, trainer_state(&t), &dropout);
        if (!trainer_backward(&t, &tp, loss)) continue;
        const double norm = params_clip(&ps, c.grad_clip);
        if (!trainer_finite(&t, &tp, norm)) break;
        optim_step(&optim, &ps, lr_at(&t.schedule, t.step));
        trainer_log(&t, norm);
        tape_reset(&tp);
    }
    if (ready && trace && trainer_may_write(&t)) {
        after = trace_measure(&rnn, &t, &ps);
        trainer_warn(&t, trace_lags_write(c.out, &before, &after, &err), &err);
    }
    const int status = trainer_close(&t);
    trace_lags_free(&before), trace_lags_free(&after);
    tape_free(&tp);
    optim_free(&optim);
    params_free(&ps);
    return status;
}
