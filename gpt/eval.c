/* Evaluates a trained GPT: loss, perplexity, the task's metric, samples, figures. Reads and writes the weights of
 * Hugging Face's transformers. */
#include "gpt/gpt.h"
#include "gpt/weights.h"
#include "programs/evaluator.h"

static const Usage usage = {
    .program = "gpt/eval",
    .about =
        "Evaluates the GPT of a run directory on held-out data, samples text from it and draws its "
        "figures; or does so with GPT-2's weights as Hugging Face publishes them (--import).",
    .operands = "DIR",
    .examples = "  ./gpt/eval runs/places --samples 10 --prompt Se\n"
                "  ./gpt/eval runs/shift --json\n"
                "  ./gpt/eval runs/places --export exported --no-score --samples 0\n",
};

/* Hugging Face's model: its options, and the size of its vocabulary. */
typedef struct {
    GptConfig config;
    int V;
} Imported;

/* Opens the tokenizer of --import and reads its config.json; arg: the Imported. */
static bool open_import(void *arg, const char *path, Tokenizer *tokens, int *window, Error *err)
{
    Imported *i = arg;
    if (!gpt_read_config(path, &i->config, &i->V, err)) return false;
    *window = i->config.context;
    return gpt_import_tokens(path, i->V, tokens, err);
}

static bool load(Evaluator *e, const Gpt *gpt, Params *ps)
{
    Error err;
    if (!e->config->import) return evaluator_load(e, ps);
    params_allocate(ps, PARAMS_LOAD);
    return gpt_import(e->config->import, gpt, ps, &err) || evaluator_fail(e, EXIT_FAILED, err.text);
}

static bool export_to(Evaluator *e, const char *dir, const Gpt *gpt, const Params *ps)
{
    Error err;
    return gpt_export(dir, gpt, ps, e->data.is_text ? &e->data.text.tokens : NULL, &err) ||
           evaluator_fail(e, EXIT_FAILED, err.text);
}

int main(int argc, char **argv)
{
    EvalConfig c = eval_defaults();
    GptConfig size = gpt_defaults();
    Imported imported = {0};
    const char *export = NULL;
    Option sizes[] = {GPT_OPTIONS(&size)};
    Option own[] = {OPTION_STRING("export", &export,
                                  "new directory for the weights, which transformers loads")};
    Evaluator e;
    Error err;
    c.open_import = open_import, c.import_arg = &imported;
    if (!evaluator_open(&e, &c, sizes, LEN(sizes), own, LEN(own), &usage, argc, argv))
        return evaluator_close(&e);
    if (c.import) size = imported.config;
    if (!gpt_check(&size, &e.data.task, &err)) {
        evaluator_fail(&e, EXIT_FAILED, err.text);
        return evaluator_close(&e);
    }

    Params ps = params_declare(0);
    Gpt gpt = gpt_init(&ps, &size, e.data.task.vocab);
    Model model = gpt_model(&gpt);
    if (load(&e, &gpt, &ps) && (!export || export_to(&e, export, &gpt, &ps)))
        evaluator_report(&e, &model, &ps);
    params_free(&ps);
    return evaluator_close(&e);
}
