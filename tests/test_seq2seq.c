/* Every kind of encoder-decoder network as a whole: it learns, the decoder cannot see later tokens, padding
 * and other sequences change nothing. (Each option: test_seq2seq_options.c. Numbers against PyTorch's:
 * test_seq2seq_golden.c. Gradients: double/models.c. Decoding: test_seq2seq_decoder.c.) */
#include "seq2seq_help.h"

#include "nn/optim.h"

enum { V_SOURCE = 9, V = 8, B = 4 };

/* --- learning ------------------------------------------------------------------------------------- */

/* Four different sources with random targets. */
static double loss_after_training(const Seq2seqConfig *c)
{
    Network *n = network_new(c, V_SOURCE, V);
    Optim o = optim_init(OPTIM_ADAMW, &n->ps, 0.9, 0.99, 0);
    Batch batch = batch_numbered(n, 100, B, 0, 0);
    Tape tp = {0};
    double loss = 0;
    for (int step = 0; step < 300; step++) {
        Tensor *l = model_loss(&tp, &n->model, &batch, NULL, NULL).mean;
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
        for (int b = 0; b < B; b++) { /* the changed token is seen at step t */
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

/* Every id of the source changes the logits, also the first and the last, in either reading direction. */
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
            for (int k = 0; k < B; k++) /* the first step of each sequence */
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

/* --- padding and other sequences ------------------------------------------------------------------ */

/* Writes other ids than PAD into the padding of both sides. */
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

/* At a realistic size; the vocabulary is larger than the batch until padding makes the batch larger. */
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

/* A sequence has the same logits beside more sequences, and alone with padding, bit for bit. Alone and
 * beside others agree up to rounding, because the BLAS computes a single row in another way. */
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

/* No gradient comes from padding: its ids change no gradient, and words that occur only in padding get a
 * gradient of 0. */
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
        tape_backward(&tp, model_loss(&tp, &n->model, &batch, NULL, NULL).mean);
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

/* Few tokens are embedded and then multiplied, many are looked up in a table of products: same results. */
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

START_TEST(too_many_layers)
{
    const Task task = {.vocab = 3, .outputs = 3, .source_vocab = 3};
    Seq2seqConfig c = seq2seq_defaults();
    Params ps = params_init(1);
    c.layers = SEQ2SEQ_MAX_LAYERS + 1;
    seq2seq_init(&ps, &c, &task);
}
END_TEST

SUITE("seq2seq",
      TESTS(overfits_one_batch, sees_nothing_ahead, sees_all_of_its_own_source,
            padding_changes_nothing, padding_changes_nothing_at_length, company_changes_nothing,
            padding_has_no_gradient, both_ways_to_make_the_inputs),
      ABORTS(too_many_layers))
