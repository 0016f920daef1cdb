/* Evaluates a trained Elman network: loss, perplexity, the task's metric, samples, figures. */
#include <string.h>

#include "programs/evaluator.h"
#include "rnn/rnn.h"

static const Usage usage = {
    .program = "rnn/eval",
    .about = "Evaluates the recurrent network of a run directory on held-out data, samples text "
             "from it and draws its figures.",
    .operands = "DIR",
    .examples = "  ./rnn/eval runs/places --samples 10 --prompt Se\n"
                "  ./rnn/eval runs/parity --json\n",
};

/* Takes the sizes from imported weights. */
static bool take_sizes(Evaluator *e, RnnConfig *size)
{
    const Weights *f = &e->weights;
    if (strcmp(f->cell, "rnn") != 0)
        return evaluator_fail(e, EXIT_FAILED, "these weights are of gates: use ./lstm_gru/eval");
    size->layers = f->layers, size->channels = f->C, size->hidden = f->H;
    return true;
}

static void take_weights(const Weights *f, Rnn *m)
{
    weights_ends(f, m->embed, &m->head);
    for (int i = 0; i < f->layers; i++)
        weights_layer(f, i, "h", m->layer[i].w, m->layer[i].u, m->layer[i].b, NULL);
}

int main(int argc, char **argv)
{
    EvalConfig c = eval_defaults();
    RnnConfig size = rnn_defaults();
    Option option[] = {RNN_OPTIONS(&size)};
    Evaluator e;
    if (!evaluator_open(&e, &c, option, LEN(option), NULL, 0, &usage, argc, argv) ||
        (c.import && !take_sizes(&e, &size)))
        return evaluator_close(&e);

    Params ps = params_declare(0);
    Rnn rnn = rnn_init(&ps, &size, &e.data.task);
    Model model = rnn_model(&rnn);
    if (c.import) params_allocate(&ps, PARAMS_LOAD);
    if (c.import) take_weights(&e.weights, &rnn);
    if (c.import || evaluator_load(&e, &ps)) evaluator_report(&e, &model, &ps);
    params_free(&ps);
    return evaluator_close(&e);
}
