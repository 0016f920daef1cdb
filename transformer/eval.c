/* Evaluates a trained Transformer: loss and accuracy on held-out data, for pairs outputs and attention
 * weights; or translates the lines of standard input. */
#include "transformer/cache.h"
#include "transformer/figures.h"
#include "transformer/transformer.h"
#include "programs/translate.h"

static const Usage usage = {
    .program = "transformer/eval",
    .about =
        "Scores a run of transformer/train on held-out data; pairs it decodes greedily or with "
        "a beam, and draws what attention looked at.",
    .operands = "DIR",
    .examples = "  ./transformer/eval runs/reverse\n"
                "  ./transformer/eval runs/dates --beam 4 --samples 3\n"
                "  echo '27 Sep 1994' | ./transformer/eval runs/dates --interactive\n",
};

static void report(Evaluator *e, const Transformer *m, const Params *ps,
                   const TranslateConfig *decoding, bool head_table)
{
    const Model model = transformer_model(m);
    const bool json = e->config->json, pairs = e->data.is_pairs;
    TransformerCache cache = transformer_cache_init(m);
    const Translator translator = transformer_cache_translator(&cache);
    Translation quality = {0};
    if (pairs) quality = translate_heldout(e, &translator, decoding);
    if (head_table && json) transformer_figures_table_to_json(e, m);
    evaluator_report(e, &model, ps);
    if (e->status == EXIT_OK && pairs) translate_report(e, &translator, decoding, &quality);
    if (e->status == EXIT_OK && head_table && !json) transformer_figures_print_table(e, m);
    if (e->status == EXIT_OK) transformer_figures_draw(e, m);
    transformer_cache_free(&cache);
}

static void translate(Evaluator *e, const Transformer *m, const TranslateConfig *decoding)
{
    TransformerCache cache = transformer_cache_init(m);
    const Translator translator = transformer_cache_translator(&cache);
    translate_lines(e, &translator, decoding);
    transformer_cache_free(&cache);
}

int main(int argc, char **argv)
{
    EvalConfig c = eval_defaults();
    TransformerConfig size = transformer_defaults();
    TranslateConfig decoding = translate_defaults();
    bool head_table = false;
    Option sizes[] = {TRANSFORMER_OPTIONS(&size)};
    Option own[] = {TRANSLATE_OPTIONS(&decoding), TRANSFORMER_FIGURES_OPTIONS(&head_table)};
    Evaluator e;
    Error err;
    c.of_pairs = c.or_task = true;
    c.examples = 2000;
    c.interactive = &decoding.interactive;
    if (!evaluator_open(&e, &c, sizes, LEN(sizes), own, LEN(own), &usage, argc, argv))
        return evaluator_close(&e);
    if (!transformer_check(&size, &e.data.task, &err)) {
        evaluator_fail(&e, EXIT_FAILED, err.text);
        return evaluator_close(&e);
    }
    if (decoding.interactive && !e.data.is_pairs) {
        evaluator_fail(&e, EXIT_USAGE,
                       "--interactive: the run is of no pairs; nothing to translate");
        return evaluator_close(&e);
    }

    Params ps = params_declare(0);
    Transformer transformer = transformer_init(&ps, &size, &e.data.task);
    if (evaluator_load(&e, &ps)) {
        if (decoding.interactive)
            translate(&e, &transformer, &decoding);
        else
            report(&e, &transformer, &ps, &decoding, head_table);
    }
    params_free(&ps);
    return evaluator_close(&e);
}
