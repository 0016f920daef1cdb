/* Trains a gated recurrent network. This file shows the whole training loop; common/programs/trainer.h
 * has options, data and logging, gated.c the model. */
#include "lstm_gru/gated.h"
#include "programs/trainer.h"

static const Usage usage = {
    .program = "lstm_gru/train",
    .about =
        "Trains an LSTM (Hochreiter & Schmidhuber 1997) or a GRU (Cho et al. 2014) on a text, a "
        "list of lines or a task.",
    .operands = "",
    .next = "./lstm_gru/eval",
    .examples = "  ./lstm_gru/train --lines --out runs/places\n"
                "  ./lstm_gru/train --task adding --cell gru --out runs/adding\n"
                "  ./lstm_gru/train --text README.md --trace --out runs/readme\n",
};

enum { GATE_TOKENS = 64, TRACE_SEQUENCES = 32 };

/* Measures how far back the gradient reaches on held-out sequences. */
static LagTrace trace_measure(const Gated *m, const Trainer *t, Params *ps)
{
    Batch batch = batch_new();
    task_heldout(&t->data.task, SPLIT_VALID, t->config->data.seq_len, 0, TRACE_SEQUENCES, &batch);
    LagTrace trace = gated_trace_lags(m, &batch);
    params_zero_grad(ps);
    batch_free(&batch);
    return trace;
}

/* Writes the gates over the beginning of the held-out text. */
static bool trace_gates(const Gated *m, const Trainer *t, Error *err)
{
    const Text *text = &t->data.text;
    if (!t->data.is_text) return true;
    const int *ids = text->ids[SPLIT_VALID], n = text->n[SPLIT_VALID];
    const int T = n < GATE_TOKENS ? n : GATE_TOKENS;
    GateTrace gates = gated_trace_gates(m, ids, T);
    const bool ok = trace_gates_write(t->config->out, &gates, &text->tokens, ids, err);
    trace_gates_free(&gates);
    return ok;
}

int main(int argc, char **argv)
{
    TrainConfig c = train_defaults("runs/lstm_gru");
    GatedConfig size = gated_defaults();
    bool trace = false;
    Option option[] = {TRAIN_OPTIONS(&c), GATED_OPTIONS(&size),
                       OPTION_FLAG("trace", &trace,
                                   "write the gradient against the lag, and for a text the gates",
                                   .may_change = true)};
    Trainer t;
    Error err;
    if (!trainer_open(&t, &c, option, LEN(option), &usage, argc, argv)) return trainer_close(&t);
    if (!gated_check(&size, &err)) {
        trainer_fail(&t, EXIT_USAGE, err.text);
        return trainer_close(&t);
    }

    Params ps = params_declare(c.seed);
    Gated gated = gated_init(&ps, &size, &t.data.task);
    Model model = gated_model(&gated);
    Optim optim = trainer_optim(&c);
    Tape tp = {0};
    const bool ready = trainer_start(&t, &model, &ps, &optim);
    LagTrace before = {0}, after = {0};
    if (ready && trace) before = trace_measure(&gated, &t, &ps);

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
        after = trace_measure(&gated, &t, &ps);
        trainer_warn(&t, trace_lags_write(c.out, &before, &after, &err), &err);
        trainer_warn(&t, trace_gates(&gated, &t, &err), &err);
    }
    const int status = trainer_close(&t);
    trace_lags_free(&before), trace_lags_free(&after);
    tape_free(&tp);
    optim_free(&optim);
    params_free(&ps);
    return status;
}
