/* Evaluates a trained LSTM or GRU: loss, perplexity, the task's metric, samples, figures. */
#include "evaluator.h"
#include "gated.h"

static const Usage usage = {
    .program = "lstm_gru/eval",
    .about =
        "Evaluates the gated recurrent network of a run directory on held-out data, samples text "
        "from it and draws its figures.",
    .operands = "DIR",
    .examples = "  ./lstm_gru/eval runs/places --samples 10 --prompt Se\n"
                "  ./lstm_gru/eval runs/parity --json\n",
};

int main(int argc, char **argv)
{
    EvalConfig c = eval_defaults();
    GatedConfig size = gated_defaults();
    Option option[] = {GATED_OPTIONS(&size)};
    Evaluator e;
    if (!evaluator_open(&e, &c, option, LEN(option), &usage, argc, argv))
        return evaluator_close(&e);

    Params ps = params_init(0);
    Gated gated = gated_init(&ps, &size, &e.data.task);
    Model model = gated_model(&gated);
    if (evaluator_load(&e, &ps)) evaluator_report(&e, &model, &ps);
    params_free(&ps);
    return evaluator_close(&e);
}
