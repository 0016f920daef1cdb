/* Evaluates a trained Elman network: loss, perplexity, the task's metric, samples, figures. */
#include "evaluator.h"
#include "rnn.h"

static const Usage usage = {
    .program = "rnn/eval",
    .about = "Evaluates the recurrent network of a run directory on held-out data, samples text "
             "from it and draws its figures.",
    .operands = "DIR",
    .examples = "  ./rnn/eval runs/places --samples 10 --prompt Se\n"
                "  ./rnn/eval runs/parity --json\n",
};

int main(int argc, char **argv)
{
    EvalConfig c = eval_defaults();
    RnnConfig size = rnn_defaults();
    Option option[] = {RNN_OPTIONS(&size)};
    Evaluator e;
    if (!evaluator_open(&e, &c, option, LEN(option), &usage, argc, argv))
        return evaluator_close(&e);

    Params ps = params_init(0);
    Rnn rnn = rnn_init(&ps, &size, &e.data.task);
    Model model = rnn_model(&rnn);
    if (evaluator_load(&e, &ps)) evaluator_report(&e, &model, &ps);
    params_free(&ps);
    return evaluator_close(&e);
}
