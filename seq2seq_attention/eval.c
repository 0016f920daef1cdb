/* Evaluates a trained encoder-decoder network: loss and accuracy on held-out pairs, outputs, attention
 * weights; or translates the lines of standard input. */
#include "seq2seq_attention/decoder.h"
#include "seq2seq_attention/seq2seq.h"
#include "programs/translate.h"

static const Usage usage = {
    .program = "seq2seq_attention/eval",
    .about = "Scores a run of seq2seq_attention/train on held-out pairs, decodes them greedily or "
             "with a beam, draws what attention looked at.",
    .operands = "DIR",
    .examples = "  ./seq2seq_attention/eval runs/reverse\n"
                "  ./seq2seq_attention/eval runs/dates --beam 4 --samples 3\n"
                "  echo '27 Sep 1994' | ./seq2seq_attention/eval runs/dates --interactive\n",
};

static void report(Evaluator *e, const Seq2seq *m, const Params *ps,
                   const TranslateConfig *decoding)
{
    const Model model = seq2seq_model(m);
    Seq2seqDecoder decoder = seq2seq_decoder_init(m);
    const Translator translator = seq2seq_decoder_translator(&decoder);
    if (decoding->interactive) {
        translate_lines(e, &translator, decoding);
    } else {
        const Translation quality = translate_heldout(e, &translator, decoding);
        evaluator_report(e, &model, ps);
        if (e->status == EXIT_OK) translate_report(e, &translator, decoding, &quality);
    }
    seq2seq_decoder_free(&decoder);
}

int main(int argc, char **argv)
{
    EvalConfig c = eval_defaults();
    Seq2seqConfig size = seq2seq_defaults();
    TranslateConfig decoding = translate_defaults();
    Option sizes[] = {SEQ2SEQ_OPTIONS(&size)}, own[] = {TRANSLATE_OPTIONS(&decoding)};
    Evaluator e;
    Error err;
    c.of_pairs = true;
    c.examples = 2000;
    c.interactive = &decoding.interactive;
    if (!evaluator_open(&e, &c, sizes, LEN(sizes), own, LEN(own), &usage, argc, argv))
        return evaluator_close(&e);
    if (!seq2seq_check(&size, &err)) {
        evaluator_fail(&e, EXIT_FAILED, err.text);
        return evaluator_close(&e);
    }

    Params ps = params_declare(0);
    Seq2seq seq2seq = seq2seq_init(&ps, &size, &e.data.task);
    if (evaluator_load(&e, &ps)) report(&e, &seq2seq, &ps, &decoding);
    params_free(&ps);
    return evaluator_close(&e);
}
