/* A model as a decoder: whatever state it carries, several hypotheses continue as if each were read
 * in one pass. */
#include "models/generate.h"
#include "models/model_decoder.h"

#include <math.h>

#include "lstm_gru/gated.h"
#include "math/vecmath.h"
#include "rnn/rnn.h"
#include "suite.h"
#include "transformer/transformer.h"

enum { V = 9, LAYERS = 2, LONGEST = 12, NETS = 6 };

typedef struct {
    Params ps;
    Rnn rnn;
    Gated gated;
    Transformer transformer;
    Model model;
} Net;

/* rnn, LSTM, GRU, and Transformers with sinusoidal, learned and rotary positions. */
static Net *net_new(int kind)
{
    static const Positions positions[] = {SINUSOID, LEARNED, ROTARY};
    const Task task = {.vocab = V, .outputs = V};
    Net *n = xcalloc(1, sizeof *n);
    n->ps = params_init(5);
    if (kind == 0) {
        const RnnConfig c = {.layers = LAYERS, .channels = 4, .hidden = 6};
        n->rnn = rnn_init(&n->ps, &c, &task);
        n->model = rnn_model(&n->rnn);
    } else if (kind < 3) {
        GatedConfig c = gated_defaults();
        c.cell = kind == 1 ? GATED_LSTM : GATED_GRU;
        c.layers = LAYERS, c.channels = 4, c.hidden = 6;
        n->gated = gated_init(&n->ps, &c, &task);
        n->model = gated_model(&n->gated);
    } else {
        TransformerConfig c = transformer_defaults();
        c.layers = LAYERS, c.channels = 8, c.heads = 2, c.ffn = 12, c.longest = LONGEST;
        c.positions = positions[kind - 3];
        n->transformer = transformer_init(&n->ps, &c, &task);
        n->model = transformer_model(&n->transformer);
    }
    return n;
}

static void net_free(Net *n)
{
    params_free(&n->ps);
    free(n);
}

/* Computes the logits after n ids, read in one pass. */
static void read_whole(const Net *n, const int *ids, int len, real *logits)
{
    int x[LONGEST], y[LONGEST];
    for (int i = 0; i < len; i++) x[i] = ids[i], y[i] = -1;
    const Batch batch = {.layout = n->model.layout, .T = len, .B = 1, .x = x, .y = y};
    Tape tp = {.frozen = true};
    const Tensor *z = n->model.forward(&tp, n->model.self, &batch, NULL, NULL);
    memcpy(logits, z->data + (len - 1) * V, V * sizeof *logits);
    tape_free(&tp);
}

static void ck_row(const Net *n, const real *row, const int *ids, int len)
{
    real want[V];
    read_whole(n, ids, len, want);
    for (int i = 0; i < V; i++) ck_assert_double_eq_tol((double)row[i], (double)want[i], 1e-5);
}

START_TEST(hypotheses_continue)
{
    for (int kind = 0; kind < NETS; kind++) {
        Net *n = net_new(kind);
        const Decoder d = model_decoder(&n->model, V);
        real z[3 * V];
        for (int trial = 0; trial < 2; trial++) { /* the second trial restarts the decoder */
            const int p = trial ? 7 : 3;
            d.start(d.self, 2, (int[]){p, 5}, z);
            ck_row(n, z, (int[]){p, 5}, 2);
            d.step(d.self, 3, (int[]){0, 0, 0}, (int[]){1, 2, 8}, z);
            ck_row(n, z, (int[]){p, 5, 1}, 3);
            ck_row(n, z + V, (int[]){p, 5, 2}, 3);
            ck_row(n, z + 2 * V, (int[]){p, 5, 8}, 3);
            d.step(d.self, 2, (int[]){2, 0}, (int[]){4, 6}, z);
            ck_row(n, z, (int[]){p, 5, 8, 4}, 4);
            ck_row(n, z + V, (int[]){p, 5, 1, 6}, 4);
            d.step(d.self, 3, (int[]){1, 1, 0}, (int[]){0, 3, 3}, z);
            ck_row(n, z, (int[]){p, 5, 1, 6, 0}, 5);
            ck_row(n, z + V, (int[]){p, 5, 1, 6, 3}, 5);
            ck_row(n, z + 2 * V, (int[]){p, 5, 8, 4, 3}, 5);
        }
        d.close(d.self);
        net_free(n);
    }
}
END_TEST

/* Every kind of model generates text: with temperature 0 the most likely token at each step, as one
 * pass over all tokens finds it. With learned positions the text ends at the last position. */
START_TEST(text_of_any_model)
{
    enum { MORE = 6 };
    Tokenizer v = tokenizer_raw("\nabcdefg", 8); /* and the unknown token */
    ck_assert_int_eq(v.size, V);
    for (int kind = 0; kind < NETS; kind++) {
        Net *n = net_new(kind);
        Generation g = {.prompt = "ab", .length = MORE};
        const int start[] = {tokenizer_id(&v, "\n"), tokenizer_id(&v, "a"), tokenizer_id(&v, "b")};
        int ids[LONGEST], len = LEN(start);
        memcpy(ids, start, sizeof start);
        char want[64] = "ab", *text;
        for (int i = 0; i < MORE; i++) {
            real z[V];
            read_whole(n, ids, len, z);
            ids[len] = 1 + argmax(z + 1, V - 1); /* never the unknown token, 0 */
            const char *letter = NULL;
            static const char *const letters[] = {"\n", "a", "b", "c", "d", "e", "f", "g"};
            for (int k = 0; k < LEN(letters); k++)
                if (tokenizer_id(&v, letters[k]) == ids[len]) letter = letters[k];
            strcat(want, letter);
            len++;
        }
        strcat(want, "\n");
        size_t size;
        FILE *f = open_memstream(&text, &size);
        ck_assert_int_eq(generate(&n->model, &v, &g, 1, 0, f), 0);
        fclose(f);
        ck_assert_str_eq(text, want);
        free(text);

        g.length = 3 * LONGEST; /* one more token is written after the last one that is read */
        f = open_memstream(&text, &size);
        generate(&n->model, &v, &g, 1, 0, f);
        fclose(f);
        int written = 0; /* characters */
        for (size_t i = 0; i < size; i++) written += (text[i] & 0xC0) != 0x80;
        ck_assert_int_eq(written, kind == 4 ? LONGEST + 1 : 2 + 3 * LONGEST + 1);
        free(text);
        net_free(n);
    }
    tokenizer_free(&v);
}
END_TEST

START_TEST(no_source)
{
    const Task task = {.source_vocab = V, .vocab = V, .outputs = V};
    TransformerConfig c = transformer_defaults();
    c.layers = 1, c.channels = 8, c.heads = 2, c.ffn = 12;
    Params ps = params_init(5);
    const Transformer t = transformer_init(&ps, &c, &task);
    const Model m = transformer_model(&t);
    if (!model_decodes(&m)) model_decoder(&m, V);
}
END_TEST

SUITE("model_decoder", TESTS(hypotheses_continue, text_of_any_model), ABORTS(no_source))
