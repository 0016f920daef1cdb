/* Each option of the encoder-decoder networks does what it says and nothing else; the sizes of the networks;
 * mistakes that a program must not make. */
#include "seq2seq_help.h"

enum { V_SOURCE = 9, V = 8, B = 4 };

/* --- options -------------------------------------------------------------------------------------- */

/* Reading a source backwards equals reading the reversed source. */
static void check_reversal(Seq2seqConfig c)
{
    Network *reversed = network_new(&c, V_SOURCE, V);
    c.reverse = false;
    Network *plain = network_new(&c, V_SOURCE, V);
    Batch there = batch_numbered(plain, 0, B, 2, 0), back = batch_numbered(plain, 0, B, 2, 0);
    for (int b = 0; b < B; b++)
        for (int i = 0; i < there.s_len[b]; i++)
            back.s[i * B + b] = there.s[(there.s_len[b] - 1 - i) * B + b];
    real *got = logits_of(reversed, &there), *want = logits_of(plain, &back);
    real *other = logits_of(plain, &there);
    for (int b = 0; b < B; b++) ck_same(&c, "by hand", V, &back, want, b, &there, got, b);
    ck_assert(memcmp(want, other, (size_t)there.T * B * V * sizeof *want) != 0);
    free(got), free(want), free(other), batch_free(&there), batch_free(&back);
    network_free(reversed), network_free(plain);
}

START_TEST(reverse_source_is_reversed_by_hand)
{
    Seq2seqConfig c;
    for (int i = 0; i < KINDS; i++)
        if (kind_of_network(i, &c) && c.reverse) check_reversal(c);
}
END_TEST

/* With a bidirectional encoder the two directions are swapped: the state of step len-1-i is the state of
 * step i of a network with swapped cells, with its halves swapped. */
START_TEST(reverse_source_exchanges_the_ways)
{
    enum { H = 12, HALF = H / 2 };
    static const CellKind cells[] = {CELL_RNN, CELL_LSTM, CELL_GRU};
    for (int k = 0; k < LEN(cells); k++) {
        const Seq2seqConfig c = {.attention = DOT,
                                 .cell = cells[k],
                                 .bidirectional = true,
                                 .layers = 1,
                                 .channels = 5,
                                 .hidden = H};
        Network *plain = network_new(&c, V_SOURCE, V);
        Seq2seq *net = &plain->net;
        Batch batch = batch_numbered(plain, 0, B, 0, 0);
        Tape tp = {.frozen = true};
        const Memory there = seq2seq_encode(&tp, net, batch.s, batch.s_len, batch.S, B, NULL);
        const Cell forward = net->forward[0];
        net->forward[0] = net->backward[0], net->backward[0] = forward;
        net->config.reverse = true;
        const Memory back = seq2seq_encode(&tp, net, batch.s, batch.s_len, batch.S, B, NULL);
        for (int b = 0; b < B; b++)
            for (int i = 0; i < batch.s_len[b]; i++) {
                const real *at = there.state->data + (i * B + b) * H;
                const real *mirrored = back.state->data + ((batch.s_len[b] - 1 - i) * B + b) * H;
                ck_assert_mem_eq(at, mirrored + HALF, HALF * sizeof *at);
                ck_assert_mem_eq(at + HALF, mirrored, HALF * sizeof *at);
            }
        tape_free(&tp), batch_free(&batch), network_free(plain);
    }
}
END_TEST

/* The decoder starts from the encoder's last state, in each direction the state at that direction's end. */
START_TEST(starts_from_the_last_state)
{
    enum { H = 12, HALF = H / 2 };
    Seq2seqConfig c;
    for (int i = 0; i < KINDS; i++) {
        if (!kind_of_network(i, &c)) continue;
        Network *n = network_new(&c, V_SOURCE, V);
        Batch batch = batch_numbered(n, 0, B, 0, 0);
        Tape tp = {.frozen = true};
        const Memory m = seq2seq_encode(&tp, &n->net, batch.s, batch.s_len, batch.S, B, NULL);
        const DecoderState s = seq2seq_start(&tp, &n->net, &m);
        const int own = c.bidirectional ? HALF : H;
        for (int b = 0; b < B; b++) {
            const real *h = s.cell[c.layers - 1].h->data + b * H;
            const int last = batch.s_len[b] - 1;
            ck_assert_mem_eq(h, m.state->data + (last * B + b) * H, (size_t)own * sizeof *h);
            if (c.bidirectional)
                ck_assert_mem_eq(h + HALF, m.state->data + b * H + HALF, HALF * sizeof *h);
        }
        ck_assert((s.cell[0].c != NULL) == (c.cell == CELL_LSTM));
        tape_free(&tp), batch_free(&batch), network_free(n);
    }
}
END_TEST

static real *logits_in_training(const Network *n, const Batch *batch, int step, int *dropouts)
{
    Tape tp = {0};
    Rng rng = rng_make(7, RNG_DROPOUT, (uint32_t)step);
    const Tensor *z = n->model.forward(&tp, n->model.self, batch, NULL, &rng);
    real *logits = xmalloc((size_t)z->len * sizeof *logits);
    memcpy(logits, z->data, (size_t)z->len * sizeof *logits);
    *dropouts = 0;
    for (int i = 0; i < tp.n; i++) *dropouts += strcmp(tp.node[i]->name, "dropout") == 0;
    tape_free(&tp);
    return logits;
}

/* Dropout in training applies to the embeddings (separately for each direction of the encoder), between
 * layers (step by step if a step's output is input of the next), and before the head. In evaluation it
 * applies nowhere. */
static void check_dropout(Seq2seqConfig c)
{
    Network *without = network_new(&c, V_SOURCE, V);
    c.dropout = 0.3;
    Network *with = network_new(&c, V_SOURCE, V);
    Batch batch = batch_numbered(with, 0, B, 0, 0);
    const size_t size = (size_t)batch.T * B * V * sizeof(real);
    int none, some, n;
    real *plain = logits_of(without, &batch), *evaluated = logits_of(with, &batch);
    real *trained = logits_in_training(without, &batch, 1, &none);
    real *first = logits_in_training(with, &batch, 1, &some);
    real *again = logits_in_training(with, &batch, 1, &n);
    real *other = logits_in_training(with, &batch, 2, &n);
    const char *what = words_of(&c);
    ck_assert_msg(memcmp(plain, evaluated, size) == 0, "%s", what);
    ck_assert_msg(memcmp(plain, trained, size) == 0, "%s", what);
    ck_assert_msg(memcmp(plain, first, size) != 0, "%s", what);
    ck_assert_msg(memcmp(first, again, size) == 0, "%s", what);
    ck_assert_msg(memcmp(first, other, size) != 0, "%s", what);
    const bool stepwise = c.feed || c.attention == ADDITIVE;
    ck_assert_int_eq(none, 0);
    ck_assert_int_eq(some, 1 + c.bidirectional + 1 + 1 + (stepwise ? batch.T : 1) + 1);
    free(plain), free(evaluated), free(trained), free(first), free(again), free(other);
    batch_free(&batch), network_free(without), network_free(with);
}

START_TEST(dropout_is_for_training)
{
    Seq2seqConfig c;
    for (int i = 0; i < KINDS; i++)
        if (kind_of_network(i, &c)) check_dropout(c);
}
END_TEST

/* The attentional output of a step reaches the next step only by input feeding; if the matrix of input
 * feeding is 0, the network equals one without it. */
START_TEST(feeding)
{
    Seq2seqConfig c;
    for (int i = 0; i < KINDS; i++) {
        if (!kind_of_network(i, &c) || !c.feed) continue;
        Network *fed = network_new(&c, V_SOURCE, V);
        c.feed = false;
        Network *plain = network_new(&c, V_SOURCE, V);
        for (int k = 0; k < plain->ps.n;
             k++) { /* the same weights, though drawn in another order */
            const Tensor *p = plain->ps.tensor[k];
            memcpy(params_find(&fed->ps, p->name)->data, p->data, (size_t)p->len * sizeof(real));
        }
        Batch batch = batch_numbered(fed, 0, B, 0, 0);
        real *with = logits_of(fed, &batch), *without = logits_of(plain, &batch);
        param_fill(&fed->ps, fed->net.context, 0);
        real *nothing = logits_of(fed, &batch);
        const int first = B * V, all = batch.T * B * V; /* the first step gets zeros */
        for (int k = 0; k < all; k++) {
            ck_assert_double_eq_tol((double)nothing[k], (double)without[k], 1e-6);
            if (k < first) ck_assert_double_eq_tol((double)with[k], (double)without[k], 1e-6);
        }
        for (int t = 1; t < batch.T; t++)
            ck_assert(memcmp(with + t * first, without + t * first, first * sizeof *with) != 0);
        free(with), free(without), free(nothing), batch_free(&batch);
        network_free(fed), network_free(plain);
    }
}
END_TEST

START_TEST(contradictory_options)
{
    static const struct {
        AttentionKind attention;
        bool bidirectional, feed;
        int hidden;
        const char *message; /* NULL: no contradiction */
    } row[] = {
        {NO_ATTENTION, false, true, 12, "input feeding is for --attention dot, general and concat"},
        {ADDITIVE, false, true, 12, "additive attention feeds its context anyway"},
        {DOT, false, true, 12, NULL},
        {GENERAL, true, true, 12, NULL},
        {CONCAT, false, true, 12, NULL},
        {DOT, true, false, 13, "--hidden 13: must be even"},
        {DOT, false, false, 13, NULL},
    };
    for (int i = 0; i < LEN(row); i++) {
        Error err = {.text = ""};
        Seq2seqConfig c = seq2seq_defaults();
        c.attention = row[i].attention, c.bidirectional = row[i].bidirectional;
        c.feed = row[i].feed, c.hidden = row[i].hidden;
        const bool ok = seq2seq_check(&c, &err);
        ck_assert_msg(ok == !row[i].message, "row %d", i);
        if (!ok) ck_assert_msg(strstr(err.text, row[i].message) != NULL, "%s", err.text);
    }
    const Seq2seqConfig defaults = seq2seq_defaults();
    Error err;
    ck_assert(seq2seq_check(&defaults, &err));
}
END_TEST

/* --- sizes ---------------------------------------------------------------------------------------- */

static size_t weights_of(const Seq2seqConfig *c, int source_vocab, int vocab)
{
    Network *n = network_new(c, source_vocab, vocab);
    const size_t count = n->ps.count;
    network_free(n);
    return count;
}

/* Returns the number of weights of a cell of H units with C inputs. */
static size_t weights_of_cell(CellKind cell, int C, int H)
{
    const int gates = cell == CELL_LSTM ? 4 : cell == CELL_GRU ? 3 : 1;
    return (size_t)gates * H * (C + H + 1);
}

START_TEST(weights_by_formula)
{
    Seq2seqConfig c;
    for (int i = 0; i < KINDS; i++) {
        if (!kind_of_network(i, &c)) continue;
        const int C = c.channels, H = c.hidden, ways = c.bidirectional ? 2 : 1;
        const int kind = i % 5; /* none, additive, dot, general, concat */
        const size_t encoder =
            ways * (weights_of_cell(c.cell, C, H / ways) + weights_of_cell(c.cell, H, H / ways));
        const size_t decoder = weights_of_cell(c.cell, C, H) + weights_of_cell(c.cell, H, H);
        static const int squares[] = {0, 2, 0, 1, 2}, vectors[] = {0, 1, 0, 0, 1};
        const size_t attention =
            (size_t)squares[kind] * H * H + (size_t)vectors[kind] * H + (kind ? 2 * H * H + H : 0);
        const size_t context =
            kind == 1 || c.feed ? weights_of_cell(c.cell, 2 * H, H) - weights_of_cell(c.cell, H, H)
                                : 0;
        const size_t want =
            (V_SOURCE + V) * C + encoder + decoder + attention + context + (size_t)(H + 1) * V;
        ck_assert_msg(weights_of(&c, V_SOURCE, V) == want, "%s: %zu, not %zu", words_of(&c),
                      weights_of(&c, V_SOURCE, V), want);
    }
}
END_TEST

/* The defaults with 30 and 20 words. Embeddings: 50 x 64 = 3200; encoder, two GRUs of 64: 2 x 3 x 64
 * x 129 = 49536; decoder, a GRU of 128: 3 x 128 x 193 = 74112, and 128 x 384 = 49152 for the context;
 * attention: 2 x 16384 + 128, and 256 x 128 + 128 after it = 65792; head: 129 x 20 = 2580. */
START_TEST(weights_of_the_defaults)
{
    const Seq2seqConfig c = seq2seq_defaults();
    ck_assert_uint_eq(weights_of(&c, 30, 20), 3200 + 49536 + 74112 + 49152 + 65792 + 2580);
}
END_TEST

/* --- programmer's mistakes ------------------------------------------------------------------------ */

static void forward_of(int S, bool with_state)
{
    Seq2seqConfig c;
    kind_of_network(2, &c);
    Network *n = network_new(&c, V_SOURCE, V);
    Batch batch = batch_numbered(n, 0, B, 0, 0);
    real state[1] = {0};
    Tape tp = {0};
    if (S == 0) batch.S = 0;
    n->model.forward(&tp, n->model.self, &batch, with_state ? state : NULL, NULL);
}

START_TEST(a_batch_without_a_source)
{
    forward_of(0, false);
}
END_TEST

START_TEST(a_state_to_carry)
{
    forward_of(1, true);
}
END_TEST

SUITE("seq2seq_options",
      TESTS(reverse_source_is_reversed_by_hand, reverse_source_exchanges_the_ways,
            starts_from_the_last_state, dropout_is_for_training, feeding, contradictory_options,
            weights_by_formula, weights_of_the_defaults),
      ABORTS(a_batch_without_a_source, a_state_to_carry))
