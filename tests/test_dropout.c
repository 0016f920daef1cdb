/* --dropout applies at every place that the papers name, only in training. (Recurrent encoder and decoder:
 * test_seq2seq_options.c.) */
#include "models/model.h"
#include "lstm_gru/gated.h"
#include "rnn/rnn.h"
#include "suite.h"
#include "transformer/transformer.h"

enum { V = 7, T = 5, B = 3, S = 4, H = 8 };

static int ids[T * B], source[S * B], targets[T * B], lengths[B] = {S, 2, 3};

static Batch batch_of(bool pairs)
{
    for (int i = 0; i < T * B; i++) ids[i] = i * 5 % V, targets[i] = i * 3 % V;
    for (int i = 0; i < S * B; i++) source[i] = i * 2 % V;
    Batch b = {.T = T, .B = B, .x = ids, .y = targets};
    if (pairs) b.S = S, b.s = source, b.s_len = lengths;
    return b;
}

/* Returns the number of dropouts on the tape of a forward pass. */
static int dropouts(const Model *m, const Batch *batch, bool training)
{
    Tape tp = {0};
    Rng rng = rng_make(7, RNG_DROPOUT, 1);
    int n = 0;
    m->forward(&tp, m->self, batch, NULL, training ? &rng : NULL);
    for (int i = 0; i < tp.n; i++) n += strcmp(tp.node[i]->name, "dropout") == 0;
    tape_free(&tp);
    return n;
}

static void ck_dropouts(const Model *m, bool pairs, int wanted)
{
    Batch batch = batch_of(pairs);
    batch.layout = m->layout; /* the ids are arbitrary */
    ck_assert_msg(dropouts(m, &batch, true) == wanted, "%s: %d dropouts, not %d", m->name,
                  dropouts(m, &batch, true), wanted);
    ck_assert_int_eq(dropouts(m, &batch, false), 0);
}

/* Dropout on the output of each layer. */
START_TEST(recurrent)
{
    static const GatedCell cells[] = {GATED_LSTM, GATED_GRU};
    const Task task = {.vocab = V, .outputs = V};
    for (int layers = 1; layers <= 2; layers++) {
        Params ps = params_init(1);
        const RnnConfig config = {.layers = layers, .channels = H, .hidden = H, .dropout = .3};
        const Rnn rnn = rnn_init(&ps, &config, &task);
        const Model m = rnn_model(&rnn);
        ck_dropouts(&m, false, layers);
        params_free(&ps);
        for (int i = 0; i < LEN(cells); i++) {
            ps = params_init(1);
            GatedConfig c = gated_defaults();
            c.cell = cells[i], c.layers = layers, c.channels = c.hidden = H, c.dropout = .3;
            const Gated gated = gated_init(&ps, &c, &task);
            const Model g = gated_model(&gated);
            ck_dropouts(&g, false, layers);
            params_free(&ps);
        }
    }
}
END_TEST

/* Section 5.4: dropout on the sums of embeddings and positions, and on the output of each sublayer: two in a
 * layer of the encoder, three in one of the decoder, two without a source. */
START_TEST(transformer)
{
    for (int pairs = 0; pairs < 2; pairs++)
        for (int layers = 1; layers <= 2; layers++) {
            const Task task = {.vocab = V, .outputs = V, .source_vocab = pairs ? V : 0};
            Params ps = params_init(1);
            TransformerConfig c = transformer_defaults();
            c.layers = layers, c.channels = H, c.heads = 2, c.ffn = H, c.dropout = .3;
            const Transformer t = transformer_init(&ps, &c, &task);
            const Model m = transformer_model(&t);
            ck_dropouts(&m, pairs, pairs ? 2 + 5 * layers : 1 + 2 * layers);
            params_free(&ps);
        }
}
END_TEST

/* Table 3 of the paper. */
START_TEST(presets)
{
    static const struct {
        TransformerPreset preset;
        double dropout;
    } c[] = {{PRESET_TINY, 0}, {PRESET_BASE, .1}, {PRESET_BIG, .3}};
    const Task task = {.vocab = V, .outputs = V, .length = 20};
    for (int i = 0; i < LEN(c); i++) {
        Error err;
        TransformerConfig t = transformer_defaults();
        t.preset = c[i].preset;
        ck_assert_msg(transformer_check(&t, &task, &err), "%s", err.text);
        ck_assert_double_eq(t.dropout, c[i].dropout);
    }
}
END_TEST

SUITE("dropout", TESTS(recurrent, transformer, presets), NO_ABORTS)
