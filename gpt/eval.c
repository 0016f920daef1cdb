/* Evaluates a trained GPT: loss, perplexity, the task's metric, samples, figures. */
#include "gpt/gpt.h"
#include "programs/evaluator.h"

static const Usage usage = {
    .program = "gpt/eval",
    .about =
        "Evaluates the GPT of a run directory on held-out data, samples text from it and draws its "
        "figures.",
    .operands = "DIR",
    .examples = "  ./gpt/eval runs/places --samples 10 --prompt Se\n"
                "  ./gpt/eval runs/shift --json\n",
};

int main(int argc, char **argv)
{
    EvalConfig c = eval_defaults();
    GptConfig size = gpt_defaults();
    Option sizes[] = {GPT_OPTIONS(&size)};
    Evaluator e;
    Error err;
    if (!evaluator_open(&e, &c, sizes, LEN(sizes), NULL, 0, &usage, argc, argv))
        return evaluator_close(&e);
    if (!gpt_check(&size, &e.data.task, &err)) {
        evaluator_fail(&e, EXIT_FAILED, err.text);
        return evaluator_close(&e);
    }

    Params ps = params_declare(0);
    Gpt gpt = gpt_init(&ps, &size, e.data.task.vocab);
    Model model = gpt_model(&gpt);
    if (evaluator_load(&e, &ps)) evaluator_report(&e, &model, &ps);
    params_free(&ps);
    return evaluator_close(&e);
}
