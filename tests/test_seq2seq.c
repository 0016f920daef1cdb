/* The encoder-decoder networks as a whole, every kind of them: they learn, the decoder cannot see
 * ahead, padding and company change nothing, and each option does what it says. (Their numbers
 * against PyTorch's stand in test_seq2seq_golden.c, their gradients in double/models.c, decoding in
 * test_search.c.) */
#include "seq2seq_help.h"

#include "optim.h"

enum { V_SOURCE = 9, V = 8, B = 4 };

/* --- learning ------------------------------------------------------------------------------------- */

/* Four sources that all differ and targets that have nothing to do with them. */
static double loss_after_training(const Seq2seqConfig *c)
{
    Network *n = network_new(c, V_SOURCE, V);
    Optim o = optim_init(OPTIM_ADAMW, &n->ps, 0.9, 0.99, 0);
    Batch batch = batch_numbered(n, 100, B, 0, 0);
    Tape tp = {0};
    double loss = 0;
    for (int step = 0; step < 300; step++) {
        Tensor *l = model_loss(&tp, &n->model, &batch, NULL, NULL);
        tape_backward(&tp, l);
        params_clip(&n->ps, 1);
        optim_step(&o, &n->ps, 0.02);
        loss = (double)l->data[0];
        tape_reset(&tp);
    }
    tape_free(&tp), optim_free(&o), batch_free(&batch), network_free(n);
    return loss;
}

START_TEST(overfits_one_batch)
{
    Seq2seqConfig c;
    for (int i = 0; i < KINDS; i++) {
        if (!kind_of_network(i, &c)) continue;
        const double loss = loss_after_training(&c);
        ck_assert_msg(loss < 0.01, "%s: %g", words_of(&c), loss);
    }
}
END_TEST

/* --- what the logits depend on -------------------------------------------------------------------- */

static void check_causality(const Seq2seqConfig *c)
{
    Network *n = network_new(c, V_SOURCE, V);
    Batch batch = batch_numbered(n, 0, B, 0, 0);
    const size_t row = (size_t)B * V * sizeof(real);
    for (int i = 0; i < batch.T * B; i++) batch.x[i] = UNK + i * 7 % (V - UNK);
    real *before = logits_of(n, &batch);
    for (int t = 0; t < batch.T; t++) {
        int x[(LONGEST_TARGET + 1) * B];
        memcpy(x, batch.x, sizeof x);
        for (int i = t * B; i < batch.T * B; i++) batch.x[i] = (x[i] + 1) % V;
        real *after = logits_of(n, &batch);
        ck_assert_msg(!memcmp(before, after, t * row), "%s: t = %d", words_of(c), t);
        for (int b = 0; b < B; b++) { /* which is seen at once */
            const size_t at = (size_t)(t * B + b) * V;
            ck_assert(memcmp(before + at, after + at, V * sizeof(real)) != 0);
        }
        memcpy(batch.x, x, sizeof x);
        free(after);
    }
    free(before), batch_free(&batch), network_free(n);
}

START_TEST(sees_nothing_ahead)
{
    Seq2seqConfig c;
    for (int i = 0; i < KINDS; i++)
        if (kind_of_network(i, &c)) check_causality(&c);
}
END_TEST

/* Every id of the source counts, the first and the last too, whichever way it is read. */
static void check_reading(const Seq2seqConfig *c)
{
    Network *n = network_new(c, V_SOURCE, V);
    Batch batch = batch_numbered(n, 0, B, 0, 0);
    real *before = logits_of(n, &batch);
    for (int b = 0; b < B; b++)
        for (int i = 0; i < batch.s_len[b]; i++) {
            int *id = &batch.s[i * B + b];
            const int was = *id;
            *id = (was + 1) % V_SOURCE;
            real *after = logits_of(n, &batch);
            for (int k = 0; k < B; k++) /* the first step of each sequence of the batch */
                ck_assert_msg(!memcmp(before + k * V, after + k * V, V * sizeof(real)) == (k != b),
                              "%s: step %d of source %d, logits of %d", words_of(c), i, b, k);
            *id = was;
            free(after);
        }
    free(before), batch_free(&batch), network_free(n);
}

START_TEST(sees_all_of_its_own_source)
{
    Seq2seqConfig c;
    for (int i = 0; i < KINDS; i++)
        if (kind_of_network(i, &c)) check_reading(&c);
}
END_TEST

/* --- padding and company -------------------------------------------------------------------------- */

/* Anything but PAD into the padding of both sides. */
static void spoil_padding(Batch *batch, int source_vocab, int vocab)
{
    Rng rng = rng_make(6, RNG_TEST, 0);
    for (int b = 0; b < batch->B; b++) {
        for (int i = batch->s_len[b]; i < batch->S; i++)
            batch->s[i * batch->B + b] = 1 + rng_below(&rng, source_vocab - 1);
        for (int i = targets_of(batch, b); i < batch->T; i++)
            batch->x[i * batch->B + b] = 1 + rng_below(&rng, vocab - 1);
    }
}

/* The logits of two columns of two batches, over the true steps, bit for bit. */
static void ck_same(const Seq2seqConfig *c, const char *what, int vocab, const Batch *one,
                    const real *logits, int column, const Batch *other, const real *others,
                    int other_column)
{
    const int steps = targets_of(one, column);
    ck_assert_int_eq(targets_of(other, other_column), steps);
    for (int t = 0; t < steps; t++)
        ck_assert_msg(!memcmp(logits + (size_t)(t * one->B + column) * vocab,
                              others + (size_t)(t * other->B + other_column) * vocab,
                              (size_t)vocab * sizeof(real)),
                      "%s: %s, sequence %d, step %d", words_of(c), what, column, t);
}

static void check_padding(const Seq2seqConfig *c, int source_vocab, int vocab, int n_pairs)
{
    Network *n = network_new(c, source_vocab, vocab);
    Batch batch = batch_numbered(n, 0, n_pairs, 0, 0), longer = batch_numbered(n, 0, n_pairs, 5, 3);
    real *logits = logits_of(n, &batch), *more = logits_of(n, &longer);
    spoil_padding(&batch, source_vocab, vocab), spoil_padding(&longer, source_vocab, vocab);
    real *spoilt = logits_of(n, &batch), *more_spoilt = logits_of(n, &longer);
    for (int b = 0; b < n_pairs; b++) {
        ck_same(c, "a longer batch", vocab, &batch, logits, b, &longer, more, b);
        ck_same(c, "other padding", vocab, &batch, logits, b, &batch, spoilt, b);
        ck_same(c, "both", vocab, &batch, logits, b, &longer, more_spoilt, b);
    }
    free(logits), free(more), free(spoilt), free(more_spoilt);
    batch_free(&batch), batch_free(&longer), network_free(n);
}

START_TEST(padding_changes_nothing)
{
    Seq2seqConfig c;
    for (int i = 0; i < KINDS; i++)
        if (kind_of_network(i, &c)) check_padding(&c, V_SOURCE, V, B);
}
END_TEST

/* At a size that is used, and with more words than tokens until there is more padding. */
START_TEST(padding_changes_nothing_at_length)
{
    Seq2seqConfig c;
    for (int i = 0; i < KINDS; i++) {
        if (!kind_of_network(i, &c)) continue;
        c.channels = 64, c.hidden = 64;
        check_padding(&c, 150, 130, 20);
    }
}
END_TEST

/* A sequence beside others, or beside none and padded: bit for bit. Alone against beside others: all
 * but, since the BLAS takes another way for a single row. */
static void check_company(const Seq2seqConfig *c)
{
    Network *n = network_new(c, V_SOURCE, V);
    Batch batch = batch_numbered(n, 0, B, 0, 0), more = batch_numbered(n, 0, B + 3, 0, 0);
    real *logits = logits_of(n, &batch), *others = logits_of(n, &more);
    for (int b = 0; b < B; b++) {
        const Numbered p = numbered(b, V_SOURCE, V);
        Batch alone = batch_of(p.S, p.T + 1, 1), padded = batch_of(p.S + 5, p.T + 4, 1);
        put(&alone, 0, &p), put(&padded, 0, &p);
        real *own = logits_of(n, &alone), *own_padded = logits_of(n, &padded);
        ck_same(c, "beside three more", V, &batch, logits, b, &more, others, b);
        ck_same(c, "alone and padded", V, &alone, own, 0, &padded, own_padded, 0);
        for (int t = 0; t < targets_of(&alone, 0); t++)
            for (int k = 0; k < V; k++)
                ck_assert_double_eq_tol((double)logits[(t * B + b) * V + k], (double)own[t * V + k],
                                        1e-6);
        free(own), free(own_padded), batch_free(&alone), batch_free(&padded);
    }
    free(logits), free(others), batch_free(&batch), batch_free(&more), network_free(n);
}

START_TEST(company_changes_nothing)
{
    Seq2seqConfig c;
    for (int i = 0; i < KINDS; i++)
        if (kind_of_network(i, &c)) check_company(&c);
}
END_TEST

/* No gradient flows from padding: whatever its ids, all gradients are the same, and those of words
 * that only padding has are 0. */
static void check_gradients(const Seq2seqConfig *c)
{
    Network *n = network_new(c, V_SOURCE + 1, V + 1);
    const Tensor *embed[] = {n->net.source_embed, n->net.target_embed};
    Batch batch = batch_of(LONGEST_SOURCE, LONGEST_TARGET + 1, B);
    for (int b = 0; b < B; b++) {
        const Numbered p = numbered(b, V_SOURCE, V);
        put(&batch, b, &p);
    }
    Tape tp = {0};
    real *first = NULL;
    for (int trial = 0; trial < 2; trial++) {
        tape_backward(&tp, model_loss(&tp, &n->model, &batch, NULL, NULL));
        if (trial == 0) {
            first = xmalloc(n->ps.len * sizeof *first);
            memcpy(first, n->ps.grad, n->ps.len * sizeof *first);
            spoil_padding(&batch, V_SOURCE + 1, V + 1);
            params_zero_grad(&n->ps);
        }
        tape_reset(&tp);
    }
    for (size_t i = 0; i < n->ps.len; i++)
        ck_assert_msg(first[i] == n->ps.grad[i], "%s: gradient %zu", words_of(c), i);
    for (int side = 0; side < 2; side++) {
        const real *last = embed[side]->grad + embed[side]->len - c->channels;
        for (int j = 0; j < c->channels; j++) ck_assert(last[j] == 0);
        ck_assert(last[-1] != 0);
    }
    free(first), tape_free(&tp), batch_free(&batch), network_free(n);
}

START_TEST(padding_has_no_gradient)
{
    Seq2seqConfig c;
    for (int i = 0; i < KINDS; i++)
        if (kind_of_network(i, &c)) check_gradients(&c);
}
END_TEST

/* Few tokens are embedded and multiplied, many looked up in a table of products: the same. */
START_TEST(both_ways_to_make_the_inputs)
{
    enum { MANY = 12 };
    Seq2seqConfig c;
    for (int i = 0; i < KINDS; i++) {
        if (!kind_of_network(i, &c)) continue;
        Network *n = network_new(&c, 20, 21);
        Batch many = batch_numbered(n, 0, MANY, 0, 0);
        ck_assert(many.S * MANY >= 20 && many.T * MANY >= 21);
        real *all = logits_of(n, &many);
        for (int b = 0; b < MANY; b++) {
            Batch one = batch_numbered(n, b, 1, 0, 0);
            ck_assert(one.S < 20 && one.T < 21);
            real *own = logits_of(n, &one);
            for (int t = 0; t < targets_of(&one, 0); t++)
                for (int k = 0; k < 21; k++)
                    ck_assert_double_eq_tol((double)all[(t * MANY + b) * 21 + k],
                                            (double)own[t * 21 + k], 1e-6);
            free(own), batch_free(&one);
        }
        free(all), batch_free(&many), network_free(n);
    }
}
END_TEST

/* --- options -------------------------------------------------------------------------------------- */

/* Read from its end is read as if it stood there the other way round. */
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

/* Where both ways are read anyway, they change places: the state of step len-1-i is that of step i of
 * a network whose two cells are exchanged, with its halves exchanged. */
START_TEST(reverse_source_exchanges_the_ways)
{
    enum { H = 12, HALF = H / 2 };
    static const char *const cells[] = {"rnn", "lstm", "gru"};
    for (int k = 0; k < LEN(cells); k++) {
        const Seq2seqConfig c = {.attention = "dot",
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

/* The decoder starts from what the encoder has in the end: of each way, where that way ends. */
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
        ck_assert((s.cell[0].c != NULL) == (strcmp(c.cell, "lstm") == 0));
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

/* Dropped in training: the embeddings (of a source read both ways each way's own), what goes from
 * layer to layer (where steps are fed back to the next, step by step), and what words are read off
 * from. In evaluation: nothing. */
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
    const bool stepwise = c.feed || strcmp(c.attention, "additive") == 0;
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

/* What was said a step ago reaches the next step only by way of input feeding, or not at all; with
 * its matrix at 0 nothing is fed. */
START_TEST(feeding)
{
    Seq2seqConfig c;
    for (int i = 0; i < KINDS; i++) {
        if (!kind_of_network(i, &c) || !c.feed) continue;
        Network *fed = network_new(&c, V_SOURCE, V);
        c.feed = false;
        Network *plain = network_new(&c, V_SOURCE, V);
        for (int k = 0; k < plain->ps.n; k++) { /* the same weights, whichever was made when */
            const Tensor *p = plain->ps.tensor[k];
            memcpy(params_find(&fed->ps, p->name)->data, p->data, (size_t)p->len * sizeof(real));
        }
        Batch batch = batch_numbered(fed, 0, B, 0, 0);
        real *with = logits_of(fed, &batch), *without = logits_of(plain, &batch);
        param_fill(fed->net.context, 0);
        real *nothing = logits_of(fed, &batch);
        const int first = B * V, all = batch.T * B * V; /* the first step is fed 0 */
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
        const char *attention;
        bool bidirectional, feed;
        int hidden;
        const char *message; /* NULL: they go together */
    } row[] = {
        {"none", false, true, 12, "input feeding is for --attention dot, general and concat"},
        {"additive", false, true, 12, "additive attention feeds its context anyway"},
        {"dot", false, true, 12, NULL},
        {"general", true, true, 12, NULL},
        {"concat", false, true, 12, NULL},
        {"dot", true, false, 13, "--hidden 13: must be even"},
        {"dot", false, false, 13, NULL},
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

/* A cell of H units that reads C numbers. */
static size_t weights_of_cell(const char *cell, int C, int H)
{
    const int gates = cell[0] == 'l' ? 4 : cell[0] == 'g' ? 3 : 1;
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

/* The defaults over 30 and 20 words. Embeddings: 50 x 64 = 3200; encoder, two GRUs of 64: 2 x 3 x 64
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

SUITE("seq2seq",
      TESTS(overfits_one_batch, sees_nothing_ahead, sees_all_of_its_own_source,
            padding_changes_nothing, padding_changes_nothing_at_length, company_changes_nothing,
            padding_has_no_gradient, both_ways_to_make_the_inputs,
            reverse_source_is_reversed_by_hand, reverse_source_exchanges_the_ways,
            starts_from_the_last_state, dropout_is_for_training, feeding, contradictory_options,
            weights_by_formula, weights_of_the_defaults),
      ABORTS(a_batch_without_a_source, a_state_to_carry))
