/* Evaluates a trained LSTM or GRU, ours or somebody else's: loss, perplexity, the task's metric,
 * samples, figures. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "programs/evaluator.h"
#include "lstm_gru/gated.h"

static const Usage usage = {
    .program = "lstm_gru/eval",
    .about = "Evaluates the gated recurrent network of a run directory on held-out data, samples "
             "text from it and draws its figures.",
    .operands = "DIR",
    .examples = "  ./lstm_gru/eval runs/places --samples 10 --prompt Se\n"
                "  ./lstm_gru/eval runs/places --gates 'Seoul'\n"
                "  ./lstm_gru/eval --import lstm.safetensors --text README.md\n",
};

/* --- weights of others ------------------------------------------------------------------------------ */

static bool take_sizes(Evaluator *e, GatedConfig *size)
{
    const Weights *f = &e->weights;
    if (strcmp(f->cell, "rnn") == 0)
        return evaluator_fail(e, EXIT_FAILED, "these weights have no gates: use ./rnn/eval");
    size->cell = strcmp(f->cell, "gru") == 0 ? GATED_GRU : GATED_LSTM;
    size->layers = f->layers, size->channels = f->C, size->hidden = f->H;
    size->inner_bias = size->cell == GATED_GRU && f->layer[0].bh;
    return true;
}

static void take_weights(const Weights *f, const Model *model, Gated *m)
{
    weights_ends(f, m->embed, &m->head);
    for (int i = 0; i < f->layers; i++) {
        LstmLayer *l = &m->lstm[i];
        GruLayer *g = &m->gru[i];
        if (m->is_lstm)
            weights_layer(f, i, model->gates, l->w, l->u, l->b, NULL);
        else
            weights_layer(f, i, model->gates, g->w, g->u, g->b, g->k);
    }
}

/* --- the gates over a text --------------------------------------------------------------------------- */

static void write_gates(Evaluator *e, const Gated *m, const char *text)
{
    const Tokenizer *v = &e->data.text.tokens;
    Error err;
    if (!e->data.is_text || !e->dir) {
        evaluator_fail(e, EXIT_USAGE, "--gates TEXT needs a run directory of a text or lines");
        return;
    }
    const Encoding x = tokenizer_encode(v, text, strlen(text));
    if (x.unknown)
        say("%s: warning: %lld %ss of --gates are not in the vocabulary\n", usage.program,
            (long long)x.unknown, tokenizer_item(v));
    if (x.n) {
        GateTrace gates = gated_trace_gates(m, x.ids, x.n);
        if (!trace_gates_write(e->dir, &gates, v, x.ids, &err))
            evaluator_fail(e, EXIT_FAILED, err.text);
        trace_gates_free(&gates);
    }
    free(x.ids);
}

int main(int argc, char **argv)
{
    EvalConfig c = eval_defaults();
    GatedConfig size = gated_defaults();
    const char *gates = NULL;
    Option option[] = {GATED_OPTIONS(&size)};
    Option own[] = {OPTION_STRING("gates", &gates, "draw what the gates do over this text")};
    Evaluator e;
    if (!evaluator_open(&e, &c, option, LEN(option), own, LEN(own), &usage, argc, argv) ||
        (c.import && !take_sizes(&e, &size)))
        return evaluator_close(&e);
    Error err;
    if (!gated_check(&size, &err)) {
        evaluator_fail(&e, EXIT_FAILED, err.text);
        return evaluator_close(&e);
    }

    Params ps = params_declare(0);
    Gated gated = gated_init(&ps, &size, &e.data.task);
    Model model = gated_model(&gated);
    if (c.import) params_allocate(&ps, PARAMS_LOAD);
    if (c.import) take_weights(&e.weights, &model, &gated);
    if (c.import || evaluator_load(&e, &ps)) {
        if (gates) write_gates(&e, &gated, gates);
        evaluator_report(&e, &model, &ps);
    }
    params_free(&ps);
    return evaluator_close(&e);
}
