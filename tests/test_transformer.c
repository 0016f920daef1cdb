/* Properties of a Transformer with any weights: which tokens a step sees, padding, positions; and it
 * learns. */
#include "models/model.h"
#include "transformer/cache.h"
#include "transformer/describe.h"
#include "transformer/transformer.h"
#include "tokens/tokenizer.h"
#include "nn/optim.h"
#include "math/parallel.h"
#include "layout_help.h"
#include "suite.h"

#include "transformer_help.h"

/* A change of later tokens does not change a bit of step i. */
START_TEST(sees_nothing_ahead)
{
    for (int k = 0; k < 2 * LEN(positions); k++)
        for (int with_encoder = 0; with_encoder < 2; with_encoder++) {
            Net *n = net_new(small(norms[k % 2], positions[k / 2]), with_encoder);
            Data d;
            real before[T * B * V], after[T * B * V];
            draw(&d, with_encoder);
            logits(n, &d.batch, before);
            for (int at = 1; at < T; at++) {
                const int keep = d.x[at * B + 1];
                d.x[at * B + 1] = (keep + 1) % V;
                logits(n, &d.batch, after);
                ck_assert_mem_eq(before, after, (size_t)at * B * V * sizeof *after);
                ck_assert(memcmp(before + (at * B + 1) * V, after + (at * B + 1) * V,
                                 V * sizeof *after) != 0);
                d.x[at * B + 1] = keep;
            }
            net_free(n);
        }
}
END_TEST

/* Every true source token reaches every output; padding and the other sequences reach none. */
START_TEST(sees_its_source_and_no_padding)
{
    for (int k = 0; k < 2; k++) {
        Net *n = net_new(small(norms[k], SINUSOID), true);
        Data d;
        real before[T * B * V], after[T * B * V];
        draw(&d, true);
        logits(n, &d.batch, before);
        for (int i = 0; i < S; i++) {
            d.s[i * B + 1] = (d.s[i * B + 1] + 1) % V;
            logits(n, &d.batch, after);
            for (int t = 0; t < T; t++)
                for (int b = 0; b < B; b++) {
                    const int at = (t * B + b) * V;
                    const bool same = memcmp(before + at, after + at, V * sizeof *after) == 0;
                    ck_assert_int_eq(same, b != 1 || i >= d.s_len[1]);
                }
            d.s[i * B + 1] = (d.s[i * B + 1] + V - 1) % V;
        }
        net_free(n);
    }
}
END_TEST

/* A longer batch with more padding gives the same bits. */
START_TEST(padding_changes_nothing)
{
    enum { LONGER = 2 * S };
    Net *n = net_new(small(POST_NORM, SINUSOID), true);
    Data d;
    int padded[LONGER * B];
    real before[T * B * V], after[T * B * V];
    draw(&d, true);
    logits(n, &d.batch, before);
    for (int i = 0; i < LONGER * B; i++) padded[i] = i < S * B ? d.s[i] : 7;
    d.batch.S = LONGER, d.batch.s = padded;
    logits(n, &d.batch, after);
    ck_assert_mem_eq(before, after, sizeof before);
    net_free(n);
}
END_TEST

/* Without positions the encoder treats a source as a set: a permuted source gives the decoder the same
 * logits, up to the rounding of sums. With positions it gives others. */
START_TEST(order_comes_from_positions)
{
    for (int k = 0; k < LEN(positions); k++) {
        const bool with = positions[k] != NO_POSITIONS;
        Net *n = net_new(small(POST_NORM, positions[k]), true);
        Data d;
        real before[T * B * V], after[T * B * V], apart = 0;
        draw(&d, true);
        logits(n, &d.batch, before);
        for (int b = 0; b < B; b++)
            for (int i = 0, j = d.s_len[b] - 1; i < j; i++, j--) {
                const int keep = d.s[i * B + b];
                d.s[i * B + b] = d.s[j * B + b];
                d.s[j * B + b] = keep;
            }
        logits(n, &d.batch, after);
        for (int i = 0; i < T * B * V; i++)
            apart = (real)fmax((double)apart, fabs((double)(after[i] - before[i])));
        ck_assert_msg(with ? apart > 1e-3 : apart < 1e-5, "%s: %g apart",
                      positions_names[positions[k]], (double)apart);
        net_free(n);
    }
}
END_TEST

/* PE(p + k) is PE(p) rotated by k w_i in each pair of channels, the same rotation for every p. */
START_TEST(sinusoids_rotate)
{
    enum { C = 32 };
    real a[C], b[C];
    for (int k = 1; k < 200; k += 7)
        for (int p = 0; p < 300; p += 13) {
            positions_sinusoid(p, C, a);
            positions_sinusoid(p + k, C, b);
            for (int i = 0; i < C; i += 2) {
                const double w = k / pow(10000, i / (double)C);
                const double sine = (double)a[i] * cos(w) + (double)a[i + 1] * sin(w);
                const double cosine = (double)a[i + 1] * cos(w) - (double)a[i] * sin(w);
                ck_assert_double_eq_tol((double)b[i], sine, 1e-5);
                ck_assert_double_eq_tol((double)b[i + 1], cosine, 1e-5);
            }
        }
}
END_TEST

/* The paper's base model: 6 and 6 layers, 63 million parameters with its vocabulary of 37,000 (the paper
 * says 65). By hand: attention has 4 C^2 + 4 C parameters, feed-forward 2 C F + C + F, a norm 2 C. */
START_TEST(base_preset)
{
    TransformerConfig c = transformer_defaults();
    const Task task = {.source_vocab = 2, .vocab = 3, .outputs = 3};
    Error err;
    c.preset = PRESET_BASE;
    ck_assert(transformer_check(&c, &task, &err));
    ck_assert(c.layers == 6 && c.channels == 512 && c.heads == 8 && c.ffn == 2048);
    Params ps = params_init(1);
    transformer_init(&ps, &c, &task);
    const size_t C = 512, F = 2048, attention = 4 * C * C + 4 * C, ffn = 2 * C * F + C + F;
    const size_t encoder = 6 * (attention + ffn + 4 * C),
                 decoder = 6 * (2 * attention + ffn + 6 * C);
    ck_assert_int_eq(ps.count, encoder + decoder + 5 * C);
    ck_assert_int_eq(encoder + decoder + 37000 * C, 63082496);
    params_free(&ps);
}
END_TEST

/* The size that --dry-run prints, without making the network, is the size of the network. */
START_TEST(count_is_that_of_the_network)
{
    for (int k = 0; k < 24; k++) {
        TransformerConfig c = small(norms[k % 3], positions[k / 2 % LEN(positions)]);
        c.tied = k < 12;
        if (k % 5 == 0) c.ffn = 0;
        const int source = k % 4 ? 13 : 0;
        const Task task = {.source_vocab = source, .vocab = V, .outputs = V};
        Params ps = params_init(1);
        transformer_init(&ps, &c, &task);
        ck_assert_int_eq(ps.count, transformer_count(&c, source, V));
        params_free(&ps);
    }
}
END_TEST

START_TEST(options_that_contradict)
{
    const Task task = {.source_vocab = V, .vocab = V, .outputs = V, .length = 40};
    const Task real_inputs = {.name = "adding", .inputs = 2};
    TransformerConfig c = transformer_defaults();
    Error err;
    c.heads = 3;
    ck_assert(!transformer_check(&c, &task, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "--heads 3"));
    c = transformer_defaults();
    c.positions = LEARNED, c.longest = 39;
    ck_assert(!transformer_check(&c, &task, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "--longest 39"));
    c = transformer_defaults();
    c.positions = ROTARY, c.channels = 12;
    ck_assert(!transformer_check(&c, &task, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "--positions rotary"));
    c = transformer_defaults();
    ck_assert(!transformer_check(&c, &real_inputs, &err));
}
END_TEST

/* Without residuals and norms a network of zero weights forgets its input; with residuals its output is the
 * embedding. */
START_TEST(residuals_carry_the_input)
{
    for (int with = 0; with < 2; with++) {
        TransformerConfig c = small(NO_NORM, NO_POSITIONS);
        c.residual = with;
        Net *n = net_new(c, false);
        Data d;
        real z[T * B * V];
        draw(&d, false);
        for (int i = 0; i < n->ps.n; i++)
            if (n->ps.tensor[i] != n->m.target_embed)
                memset(n->ps.tensor[i]->data, 0, (size_t)n->ps.tensor[i]->len * sizeof(real));
        logits(n, &d.batch, z);
        const real *table = n->m.target_embed->data, C = (real)c.channels;
        for (int i = 0; i < T * B * V; i++) {
            const real *x = table + d.x[i / V] * c.channels, *w = table + i % V * c.channels;
            double want = 0;
            for (int j = 0; j < c.channels && with; j++)
                want += (double)x[j] * (double)w[j] * sqrt((double)C);
            ck_assert_double_eq_tol((double)z[i], want, 1e-5);
        }
        net_free(n);
    }
}
END_TEST

START_TEST(overfits_a_batch)
{
    for (int k = 0; k < 5; k++) {
        static const Positions how[] = {SINUSOID, SINUSOID, SINUSOID, ROTARY, ALIBI};
        Net *n = net_new(small(norms[k % 2], how[k]), k != 2);
        Data d;
        Tape tp = {0};
        Optim o = optim_init(OPTIM_ADAMW, &n->ps, 0.9, 0.98, 0);
        double loss = 0;
        draw(&d, k != 2);
        for (int i = 0; i < B; i++)
            d.x[i] = i; /* then even a decoder without a source can tell them apart */
        Batch batch = batch_major(&d.batch);
        for (int step = 0; step < 400; step++) {
            Tensor *l = model_loss(&tp, &n->model, &batch, NULL, NULL).mean;
            loss = (double)l->data[0];
            tape_backward(&tp, l);
            optim_step(&o, &n->ps, 3e-3);
            tape_reset(&tp);
        }
        ck_assert_msg(loss < 0.01, "network %d: loss %g", k, loss);
        batch_free(&batch);
        tape_free(&tp);
        optim_free(&o);
        net_free(n);
    }
}
END_TEST

/* With a causal mask a head has the slope 2^(-8h/H) (Press et al. 2022). Without a mask half of the heads
 * look back and half ahead, with the same slopes. */
/* With a causal mask a head has the slope 2^(-8h/H) (Press et al. 2022). Without a mask half of the heads
 * look back and half ahead, with the same slopes. */
/* With a causal mask a head has the slope 2^(-8h/H) (Press et al. 2022). Without a mask half of the heads
 * look back and half ahead, with the same slopes. */
START_TEST(slopes_of_alibi)
{
    Tape tp = {0};
    const real *one_way = positions_slopes(&tp, ALIBI, 8, false);
    const real *both = positions_slopes(&tp, ALIBI, 8, true);
    for (int h = 0; h < 8; h++) {
        ck_assert_double_eq_tol((double)one_way[h], pow(2, -h - 1), 1e-9);
        ck_assert_double_eq_tol((double)both[h % 2 * 8 + h], pow(2, -2 * (h / 2) - 2), 1e-9);
        ck_assert(isinf((double)both[(h + 1) % 2 * 8 + h]));
    }
    const real *odd = positions_slopes(&tp, ALIBI, 3, true); /* two look back, one ahead */
    ck_assert(odd[0] == 1 / 16.f && odd[3 + 1] == 1 / 16.f && odd[2] == 1 / 256.f);
    const real *alone = positions_slopes(&tp, ALIBI, 1, true); /* one head sees all */
    ck_assert(alone[0] == 1 / 256.f && alone[1] == 1 / 256.f);
    ck_assert_ptr_null(positions_slopes(&tp, ROTARY, 8, true));
    tape_free(&tp);
}
END_TEST

START_TEST(same_bits_on_any_threads)
{
    real z[T * B * V], first[T * B * V];
    for (int threads = 1; threads <= 3; threads++) {
        TransformerConfig c = small(POST_NORM, SINUSOID);
        c.channels = 64, c.ffn = 256;
        Net *n = net_new(c, true);
        Data d;
        draw(&d, true);
        parallel_init(threads);
        logits(n, &d.batch, threads == 1 ? first : z);
        if (threads > 1) ck_assert_mem_eq(first, z, sizeof z);
        net_free(n);
    }
    parallel_init(1);
}
END_TEST

/* Learned positions need a row for each step of the longest sequence and one for its EOS. Rotary positions
 * rotate pairs of columns, so a head needs an even number of columns. */
START_TEST(sizes_that_fit)
{
    static const struct {
        Positions positions;
        int longest, channels, heads;
        bool fits;
    } c[] = {{LEARNED, 41, 12, 4, true},
             {LEARNED, 40, 12, 4, false},
             {SINUSOID, 1, 12, 4, true},
             {ROTARY, 1, 12, 4, false},
             {ROTARY, 1, 12, 3, true}};
    const Task of_40 = {
        .vocab = 9, .outputs = 9, .length = 20, .lengths = {10, 40}, .n_lengths = 2, .extra = 1};
    for (int i = 0; i < LEN(c); i++) {
        Error err;
        TransformerConfig t = transformer_defaults();
        t.positions = c[i].positions, t.longest = c[i].longest;
        t.channels = c[i].channels, t.heads = c[i].heads;
        ck_assert_msg(transformer_check(&t, &of_40, &err) == c[i].fits, "case %d", i);
    }
}
END_TEST

START_TEST(too_many_layers)
{
    const Task task = {.vocab = 3, .outputs = 3};
    TransformerConfig c = transformer_defaults();
    Params ps = params_init(1);
    c.layers = TRANSFORMER_MAX_LAYERS + 1;
    transformer_init(&ps, &c, &task);
}
END_TEST

SUITE("transformer",
      TESTS(sees_nothing_ahead, sees_its_source_and_no_padding, padding_changes_nothing,
            order_comes_from_positions, sinusoids_rotate, base_preset, sizes_that_fit,
            count_is_that_of_the_network, options_that_contradict, residuals_carry_the_input,
            overfits_a_batch, slopes_of_alibi, same_bits_on_any_threads),
      ABORTS(too_many_layers))
