#include "lessons/one_layer.h"

#include "lessons/depth.h"

#include <stdlib.h>

const char *const one_layer_names[ONE_LAYERS] = {"rnn", "gru", "decoder"};

TransformerConfig one_layer_decoder(int channels, int heads)
{
    TransformerConfig size = transformer_defaults();
    size.layers = 1, size.channels = channels, size.heads = heads, size.ffn = 4 * channels;
    return size;
}

OneLayer *one_layer_new(OneLayerKind kind, int channels, int heads)
{
    const Task task = {.vocab = ONE_LAYER_VOCAB, .outputs = ONE_LAYER_VOCAB};
    OneLayer *n = xcalloc(1, sizeof *n);
    n->ps = params_init(1337);
    n->batch = batch_new();
    if (kind == RNN) {
        const RnnConfig size = {.layers = 1, .channels = channels, .hidden = channels};
        n->rnn = rnn_init(&n->ps, &size, &task);
        n->model = rnn_model(&n->rnn);
    } else if (kind == GRU) {
        GatedConfig size = gated_defaults();
        size.cell = GATED_GRU, size.channels = size.hidden = channels;
        n->gated = gated_init(&n->ps, &size, &task);
        n->model = gated_model(&n->gated);
    } else {
        const TransformerConfig size = one_layer_decoder(channels, heads);
        n->decoder = transformer_init(&n->ps, &size, &task);
        n->model = transformer_model(&n->decoder);
    }
    n->batch.layout = n->model.layout;
    n->optim = optim_init(OPTIM_ADAMW, &n->ps, 0.9, 0.98, 0);
    return n;
}

void one_layer_free(OneLayer *n)
{
    tape_free(&n->tape);
    batch_free(&n->batch);
    optim_free(&n->optim);
    params_free(&n->ps);
    free(n);
}

void one_layer_draw(OneLayer *n, int T, int B)
{
    const Task task = {.vocab = ONE_LAYER_VOCAB, .outputs = ONE_LAYER_VOCAB};
    Rng rng = rng_make(1337, RNG_TEST, 0);
    batch_resize(&n->batch, &task, T, B);
    for (int i = 0; i < T * B; i++) n->batch.x[i] = rng_below(&rng, ONE_LAYER_VOCAB);
    for (int i = 0; i < T * B; i++) n->batch.y[i] = rng_below(&rng, ONE_LAYER_VOCAB);
}

int one_layer_depth(const OneLayer *n, OneLayerKind kind, int T)
{
    Tape tp = {0};
    const int C = shape_last(n->ps.tensor[0]->shape);
    Tensor *x = tape_zeros(&tp, SHAPE(T, 1, C)), *h0 = tape_zeros(&tp, SHAPE(1, C));
    if (kind == RNN) {
        rnn_layer_steps(&tp, &n->rnn.layer[0], x, h0, tape_save(&tp, (size_t)T * sizeof(Tensor *)));
    } else if (kind == GRU) {
        GruState s = {.h = h0};
        for (int t = 0; t < T; t++) s = gru_step(&tp, &n->gated.gru[0], op_rows(&tp, x, t, 1), s);
    } else {
        n->model.forward(&tp, n->model.self, &n->batch, NULL, NULL);
    }
    const int deepest = tape_depth(&tp);
    tape_free(&tp);
    return deepest;
}
