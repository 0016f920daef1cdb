/* Lesson 21: chains of dependent operations, multiply-adds, memory and carried state, counted on real
 * networks and their tapes and compared with the cost table. */
#include "models/model.h"
#include "lessons/costs.h"
#include "lessons/depth.h"
#include "lstm_gru/gated.h"
#include "rnn/rnn.h"
#include "by_hand.h"
#include "math/parallel.h"

static TransformerConfig sizes(int C, int H, int F)
{
    TransformerConfig c = transformer_defaults();
    c.layers = 1, c.channels = C, c.heads = H, c.ffn = F;
    return c;
}

/* Returns the multiply-adds of the matrix products on a tape, from the shapes of their factors. */
static double products_on(const Tape *tp)
{
    double sum = 0;
    for (int i = 0; i < tp->n; i++) {
        const Node *nd = tp->node[i];
        const bool product = strcmp(nd->name, "matmul") == 0 || strcmp(nd->name, "linear") == 0 ||
                             strcmp(nd->name, "bmm") == 0;
        if (product) sum += (double)nd->out->len * shape_last(nd->in[0]->shape);
    }
    return sum;
}

static Tensor *sequence(Tape *tp, int T, int C)
{
    Rng rng = rng_make(21, RNG_TEST, 0);
    Tensor *x = tape_tensor(tp, SHAPE(T, 1, C));
    for (int i = 0; i < x->len; i++) x->data[i] = (real)rng_normal(&rng);
    return x;
}

/* Records a recurrent layer over T steps, step by step. */
static void steps_on(Tape *tp, Params *ps, LayerKind kind, int T, int C)
{
    Tensor *x = sequence(tp, T, C), *zero = tape_zeros(tp, SHAPE(1, C));
    const Task task = {.vocab = 3, .outputs = 3};
    if (kind == COST_RNN) {
        const RnnConfig c = {.layers = 1, .channels = C, .hidden = C};
        const Rnn m = rnn_init(ps, &c, &task);
        rnn_layer_steps(tp, &m.layer[0], x, zero, tape_save(tp, (size_t)T * sizeof(Tensor *)));
        return;
    }
    const LstmLayer lstm = kind == COST_LSTM ? lstm_init(ps, C, C, true, 1) : (LstmLayer){0};
    const GruLayer gru = kind == COST_GRU ? gru_init(ps, C, C, true, false) : (GruLayer){0};
    LstmState a = {.h = zero, .c = zero};
    GruState b = {.h = zero};
    for (int t = 0; t < T; t++) {
        if (kind == COST_LSTM)
            a = lstm_step(tp, &lstm, op_rows(tp, x, t, 1), a);
        else
            b = gru_step(tp, &gru, op_rows(tp, x, t, 1), b);
    }
}

/* Records self-attention of one sequence in primitive ops, with all T^2 scores as a tensor. */
static void attention_on(Tape *tp, Params *ps, int T, int C, int H)
{
    Tensor *x = op_swap(tp, sequence(tp, T, C)), *part[3]; /* (1,T,C) */
    for (int i = 0; i < 3; i++) {
        const Linear l = linear_init(ps, C, C, (const char *[]){"q", "k", "v"}[i]);
        part[i] = op_split_heads(tp, linear(tp, &l, x), H, 0, 1); /* (H,T,D) */
    }
    Tensor *p = op_softmax(tp, op_bmm(tp, part[0], part[1], false, true)); /* (H,T,T) */
    const Linear out = linear_init(ps, C, C, "out");
    linear(tp, &out, op_merge_heads(tp, op_bmm(tp, p, part[2], false, false), H));
}

/* The example of the page: four steps, two channels, one head. */
START_TEST(counts_by_hand)
{
    const TransformerConfig c = sizes(2, 1, 8);
    const LayerCost rnn = layer_cost(COST_RNN, &c, 4), gru = layer_cost(COST_GRU, &c, 4),
                    attention = layer_cost(COST_ATTENTION, &c, 4);
    ck_assert(rnn.waits == 4 && rnn.products == 32 && rnn.kept == 8 && rnn.carried == 2);
    ck_assert(gru.waits == 4 && gru.products == 96);
    ck_assert(attention.waits == 1 && attention.products == 128 && attention.kept == 40 &&
              attention.carried == 16);
}
END_TEST

/* tanh(a) + tanh(tanh(b)): four operations, of which three depend on one another. */
START_TEST(depth_by_hand)
{
    Tape tp = {0};
    Tensor *a = GIVEN(&tp, SHAPE(1, 1), 1), *b = GIVEN(&tp, SHAPE(1), 2);
    Tensor *seen = op_reshape(&tp, op_tanh(&tp, b), SHAPE(1, 1)); /* a view is no operation */
    op_add(&tp, op_tanh(&tp, a), op_tanh(&tp, seen));
    ck_assert_int_eq(tape_depth(&tp), 3);
    tape_free(&tp);
}
END_TEST

START_TEST(products_are_those_of_the_layers)
{
    static const int shape[][3] = {{4, 2, 1}, {8, 8, 2}, {5, 12, 3}, {33, 16, 4}}; /* T C H */
    for (int i = 0; i < LEN(shape); i++)
        for (LayerKind kind = 0; kind <= COST_ATTENTION; kind++) {
            const int T = shape[i][0], C = shape[i][1], H = shape[i][2];
            const TransformerConfig c = sizes(C, H, 4 * C);
            Tape tp = {0};
            Params ps = params_init(1);
            if (kind == COST_ATTENTION)
                attention_on(&tp, &ps, T, C, H);
            else
                steps_on(&tp, &ps, kind, T, C);
            ck_assert_msg(products_on(&tp) == layer_cost(kind, &c, T).products,
                          "%s, T %d: %g on the tape, %g in the table", cost_names[kind], T,
                          products_on(&tp), layer_cost(kind, &c, T).products);
            tape_free(&tp);
            params_free(&ps);
        }
}
END_TEST

/* Apart from the products of attention, which grow as T^2, a layer multiplies each step by each weight once. */
START_TEST(products_are_weights_times_steps)
{
    enum { T = 7, C = 12, H = 3, F = 20 };
    const TransformerConfig c = sizes(C, H, F);
    const Task task = {.vocab = 5, .outputs = 5};
    Params ps = params_init(1);
    transformer_init(&ps, &c, &task);
    double weights = 0;
    for (int i = 0; i < ps.n; i++)
        if (strncmp(ps.tensor[i]->name, "decoder0.", 9) == 0 && ps.tensor[i]->shape.n == 2)
            weights += ps.tensor[i]->len;
    const double squared = H * (T * T * (C / H) + T * T * (C / H)); /* each head: q k^T, p v */
    ck_assert_double_eq(layer_cost(COST_ATTENTION, &c, T).products +
                            layer_cost(COST_FEED_FORWARD, &c, T).products,
                        weights * T + squared);
    params_free(&ps);
}
END_TEST

/* Attention needs as many products as a GRU if T = C, as an LSTM if T = 2 C, and always more than an Elman
 * layer. */
START_TEST(crossover)
{
    for (int C = 8; C <= 512; C *= 4) {
        const TransformerConfig c = sizes(C, 2, 4 * C);
        for (int T = 1; T <= 4 * C; T++) {
            const double attention = layer_cost(COST_ATTENTION, &c, T).products;
            const double gru = layer_cost(COST_GRU, &c, T).products,
                         lstm = layer_cost(COST_LSTM, &c, T).products;
            ck_assert((attention < gru) == (T < C) && (attention == gru) == (T == C));
            ck_assert((attention < lstm) == (T < 2 * C) && (attention == lstm) == (T == 2 * C));
            ck_assert(attention > 2 * layer_cost(COST_RNN, &c, T).products);
        }
    }
}
END_TEST

/* Causal attention sees T (T + 1) / 2 of T^2 pairs: 10 of 16. */
START_TEST(mask_halves)
{
    enum { T = 4, C = 2 };
    Tape tp = {.frozen = true};
    const real *p;
    Tensor *x = op_swap(&tp, sequence(&tp, T, C));
    op_attention(&tp, x, x, x, 1, &(AttentionMask){.causal = true}, &p);
    int seen = 0;
    for (int i = 0; i < T * T; i++) seen += p[i] > 0;
    ck_assert_int_eq(seen, 10);
    tape_free(&tp);
}
END_TEST

/* The chain of a recurrent layer grows by the same number of operations with every step; the chain of a
 * Transformer decoder does not grow. */
START_TEST(what_waits)
{
    static const int each[] = {[COST_RNN] = 4, [COST_GRU] = 11, [COST_LSTM] = 9};
    for (LayerKind kind = COST_RNN; kind <= COST_LSTM; kind++) {
        int depth[3];
        for (int i = 0; i < 3; i++) {
            Tape tp = {0};
            Params ps = params_init(1);
            steps_on(&tp, &ps, kind, 5 << i, 6);
            depth[i] = tape_depth(&tp);
            tape_free(&tp);
            params_free(&ps);
        }
        ck_assert_int_eq(depth[1] - depth[0], 5 * each[kind]);
        ck_assert_int_eq(depth[2] - depth[1], 10 * each[kind]);
    }
}
END_TEST

/* --- whole networks ------------------------------------------------------------------------------------- */

enum { VOCAB = 5, CHANNELS = 64, HEADS = 4 };

typedef struct {
    Params ps;
    Rnn rnn;
    Gated gated;
    Transformer decoder;
    Model model;
} Network;

static void network_init(Network *n, LayerKind kind)
{
    const Task task = {.vocab = VOCAB, .outputs = VOCAB};
    n->ps = params_init(1);
    if (kind == COST_RNN) {
        const RnnConfig c = {.layers = 1, .channels = CHANNELS, .hidden = CHANNELS};
        n->rnn = rnn_init(&n->ps, &c, &task);
        n->model = rnn_model(&n->rnn);
    } else if (kind == COST_ATTENTION) {
        const TransformerConfig c = sizes(CHANNELS, HEADS, 0);
        n->decoder = transformer_init(&n->ps, &c, &task);
        n->model = transformer_model(&n->decoder);
    } else {
        GatedConfig c = gated_defaults();
        c.cell = kind == COST_GRU ? GATED_GRU : GATED_LSTM, c.channels = c.hidden = CHANNELS;
        n->gated = gated_init(&n->ps, &c, &task);
        n->model = gated_model(&n->gated);
    }
}

typedef struct {
    int depth;
    size_t bytes;
} Measured;

static Measured trained(LayerKind kind, int T)
{
    Network n;
    Tape tp = {0};
    int *ids = xcalloc((size_t)T, sizeof *ids);
    const Batch batch = {.T = T, .B = 1, .x = ids, .y = ids};
    network_init(&n, kind);
    tape_backward(&tp, model_loss(&tp, &n.model, &batch, NULL, NULL).mean);
    const Measured m = {tape_depth(&tp), tp.arena.used};
    tape_free(&tp);
    params_free(&n.ps);
    free(ids);
    return m;
}

START_TEST(a_decoder_is_as_deep_at_any_length)
{
    const int depth = trained(COST_ATTENTION, 2).depth;
    ck_assert_int_lt(depth, 20);
    for (int T = 4; T <= 256; T *= 4) ck_assert_int_eq(trained(COST_ATTENTION, T).depth, depth);
}
END_TEST

/* A training step keeps at least the values that the backward pass reads, and not many times more; twice the
 * steps need twice the bytes. */
START_TEST(what_is_kept)
{
    parallel_init(1);
    for (LayerKind kind = 0; kind <= COST_ATTENTION; kind++) {
        const TransformerConfig c = sizes(CHANNELS, HEADS, 0);
        const double a = (double)trained(kind, 512).bytes, b = (double)trained(kind, 1024).bytes,
                     d = (double)trained(kind, 2048).bytes;
        const double kept =
            (layer_cost(kind, &c, 1024).kept - layer_cost(kind, &c, 512).kept) * sizeof(real);
        ck_assert_double_ge(b - a, kept);
        ck_assert_double_le(b - a, 6 * kept);
        ck_assert_double_eq_tol((d - b) / (b - a), 2, 0.05);
    }
}
END_TEST

/* The size of the state that the networks carry from step to step while they generate. */
START_TEST(what_is_carried)
{
    const TransformerConfig c = sizes(CHANNELS, HEADS, 0);
    for (LayerKind kind = COST_RNN; kind <= COST_LSTM; kind++) {
        Network n;
        network_init(&n, kind);
        for (int T = 1; T < 100; T *= 3)
            ck_assert_double_eq(layer_cost(kind, &c, T).carried, n.model.state_size);
        params_free(&n.ps);
    }
    Network n;
    Tape tp = {.frozen = true};
    KeyValues past = {0};
    network_init(&n, COST_ATTENTION);
    for (int t = 0; t < 9; t++) {
        transformer_step(&tp, &n.decoder, NULL, NULL, &(int){t % VOCAB}, 1, t, &past);
        ck_assert_double_eq(layer_cost(COST_ATTENTION, &c, t + 1).carried,
                            past.k[0]->len + past.v[0]->len);
    }
    tape_free(&tp);
    params_free(&n.ps);
}
END_TEST

/* Returns the bytes of masked attention over T steps, forward and backward. */
static double held(int T, bool weights)
{
    Tape tp = {0};
    const real *p;
    Tensor *q[3];
    for (int i = 0; i < 3; i++) {
        q[i] = op_swap(&tp, sequence(&tp, T, CHANNELS));
        q[i]->requires_grad = true;
    }
    Tensor *y = op_attention(&tp, q[0], q[1], q[2], HEADS, &(AttentionMask){.causal = true},
                             weights ? &p : NULL);
    tape_backward(&tp, op_dot(&tp, y, q[0]->data));
    const double used = (double)tp.arena.used;
    tape_free(&tp);
    return used;
}

/* Four times the steps need four times the memory; if all weights were kept, almost sixteen times. */
START_TEST(attention_memory_is_linear)
{
    parallel_init(1);
    ck_assert_double_eq_tol(held(2048, false) / held(512, false), 4, 0.1);
    ck_assert_double_gt(held(2048, true) / held(512, true), 10);
}
END_TEST

SUITE("lesson_21",
      TESTS(counts_by_hand, depth_by_hand, products_are_those_of_the_layers,
            products_are_weights_times_steps, crossover, mask_halves, what_waits,
            a_decoder_is_as_deep_at_any_length, what_is_kept, what_is_carried,
            attention_memory_is_linear),
      NO_ABORTS)
