/* What is true of a Transformer whatever its weights: what it can see, what padding does, how order
 * comes in; and that it learns. */
#include "models/model.h"
#include "transformer/cache.h"
#include "transformer/describe.h"
#include "transformer/transformer.h"
#include "tokens/tokenizer.h"
#include "nn/optim.h"
#include "math/parallel.h"
#include "layout_help.h"
#include "suite.h"

enum { B = 3, S = 7, T = 6, V = 11 };

typedef struct {
    Params ps;
    Transformer m;
    Model model;
} Net;

static Net *net_new(TransformerConfig config, bool has_encoder)
{
    const Task task = {.source_vocab = has_encoder ? V : 0, .vocab = V, .outputs = V};
    Net *n = xmalloc(sizeof *n);
    n->ps = params_init(5);
    n->m = transformer_init(&n->ps, &config, &task);
    n->model = transformer_model(&n->m);
    return n;
}

static void net_free(Net *n)
{
    params_free(&n->ps);
    free(n);
}

static TransformerConfig small(NormPlace norm, Positions positions)
{
    TransformerConfig c = transformer_defaults();
    c.layers = 2, c.channels = 16, c.heads = 4, c.ffn = 24, c.longest = 32;
    c.norm = norm, c.positions = positions;
    return c;
}

typedef struct {
    int s[S * B], s_len[B], x[T * B], y[T * B];
    Batch batch;
} Data;

static void draw(Data *d, bool has_source)
{
    Rng rng = rng_make(3, RNG_TEST, 0);
    for (int i = 0; i < S * B; i++) d->s[i] = rng_below(&rng, V);
    for (int i = 0; i < T * B; i++) d->x[i] = rng_below(&rng, V), d->y[i] = rng_below(&rng, V);
    for (int b = 0; b < B; b++) d->s_len[b] = S - 2 * b;
    d->batch = (Batch){.T = T, .B = B, .x = d->x, .y = d->y};
    if (has_source) d->batch.S = S, d->batch.s = d->s, d->batch.s_len = d->s_len;
}

/* Logits (T,B,V), a copy. */
static void logits(const Net *n, const Batch *batch, real *z)
{
    Tape tp = {.frozen = true};
    Batch b = batch_major(batch);
    const Tensor *out = n->model.forward(&tp, n->model.self, &b, NULL, NULL);
    time_major_logits(out->data, b.T, b.B, V, z);
    batch_free(&b);
    tape_free(&tp);
}

static const NormPlace norms[] = {POST_NORM, PRE_NORM, NO_NORM};
static const Positions positions[] = {SINUSOID, LEARNED, ROTARY, ALIBI, NO_POSITIONS};

/* Step i does not change by a bit when tokens after it do. */
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

/* A longer batch, filled up with padding, gives the same bits. */
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

/* Without positions the encoder treats a source as a set: what the decoder gets from a permuted one is
 * the same, up to the order of sums; with positions it is not. */
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

/* PE(p + k) is a rotation of PE(p) by k w_i in each pair of channels, the same for every p. */
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

/* The paper's base model: 6 and 6 layers, 63 million parameters with its vocabulary of 37,000 (the
 * paper says 65). Counted by hand: a layer's attention 4 C^2 + 4 C, feed-forward 2 C F + C + F, a norm
 * 2 C. */
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

/* What --dry-run says without making the network is what there would be. */
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

/* Without residuals and norms a network of zero weights forgets its input; with residuals it is the
 * embedding that comes out. */
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
            d.x[i] = i; /* so that even a decoder alone can tell them apart */
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

/* Greedy decoding's log p is minus the loss of a network that is fed that very output; a beam of one
 * is greedy; where it looks are distributions over the source. */
START_TEST(decoding)
{
    enum { LIMIT = 8 };
    Net *n = net_new(small(PRE_NORM, SINUSOID), true);
    TransformerCache cache = transformer_cache_init(&n->m);
    const Translator t = transformer_cache_translator(&cache);
    const int source[] = {5, 4, 9, 6};
    int out[LIMIT];
    double log_p;
    t.read(t.self, source, LEN(source));
    const int len = decode_greedy(&t.decoder, LIMIT, out, &log_p);
    int x[LIMIT + 1] = {BOS}, y[LIMIT + 1];
    const int steps = len < LIMIT ? len + 1 : len, S_len = LEN(source);
    for (int i = 0; i < steps; i++) y[i] = i < len ? out[i] : EOS, x[i + 1] = y[i];
    const Batch batch = {
        .T = steps, .B = 1, .x = x, .y = y, .S = S_len, .s = (int *)source, .s_len = (int *)&S_len};
    Tape tp = {.frozen = true};
    const Tensor *loss = model_loss(&tp, &n->model, &batch, NULL, NULL).mean;
    ck_assert_double_eq_tol(-log_p, (double)loss->data[0] * steps, 1e-4);
    tape_free(&tp);

    t.read(t.self, source, LEN(source));
    Hypothesis h = decode_beam(&t.decoder, (Beam){.width = 1}, LIMIT);
    ck_assert(h.len == len && h.log_probability == log_p);
    ck_assert_mem_eq(h.token, out, (size_t)len * sizeof *out);
    hypothesis_free(&h);
    t.read(t.self, source, LEN(source));
    h = decode_beam(&t.decoder, (Beam){.width = 4}, LIMIT);
    ck_assert(h.log_probability >= log_p - 1e-5);
    hypothesis_free(&h);

    real weight[LIMIT * LEN(source)];
    t.align(t.self, source, LEN(source), y, steps, weight);
    for (int i = 0; i < steps; i++) {
        double sum = 0;
        for (int j = 0; j < LEN(source); j++) sum += (double)weight[i * LEN(source) + j];
        ck_assert_double_eq_tol(sum, 1, 1e-5);
    }
    transformer_cache_free(&cache);
    net_free(n);
}
END_TEST

/* Keys and values kept, a step at a time: the logits of the whole pass, whatever tells steps apart. */
START_TEST(a_step_at_a_time)
{
    for (int k = 0; k < 2 * LEN(positions); k++) {
        Net *n = net_new(small(norms[k / 2 % 2], positions[k / 2]), k % 2);
        Data d;
        Tape tp = {.frozen = true};
        real want[T * B * V];
        draw(&d, k % 2);
        logits(n, &d.batch, want);
        KeyValues source = {0}, past = {0};
        Batch b = batch_major(&d.batch);
        if (k % 2) source = transformer_read(&tp, &n->m, b.s, d.s_len, S, B);
        for (int t = 0; t < T; t++) {
            const Tensor *z = transformer_step(&tp, &n->m, k % 2 ? &source : NULL, d.s_len,
                                               d.x + (size_t)t * B, B, t, &past);
            for (int i = 0; i < B * V; i++)
                ck_assert_double_eq_tol((double)z->data[i], (double)want[t * B * V + i], 1e-5);
        }
        batch_free(&b);
        tape_free(&tp);
        net_free(n);
    }
}
END_TEST

/* A step whose past has other steps than those before it. */
START_TEST(a_step_is_left_out)
{
    Net *n = net_new(small(PRE_NORM, ROTARY), false);
    Tape tp = {.frozen = true};
    KeyValues past = {0};
    const int y[B] = {1, 2, 3};
    transformer_step(&tp, &n->m, NULL, NULL, y, B, 0, &past);
    transformer_step(&tp, &n->m, NULL, NULL, y, B, 2, &past);
}
END_TEST

/* A head's slope is 2^(-8h/H) under a causal mask (Press et al. 2022); where both ways are open, as
 * many heads look back as ahead, with equal slopes. */
/* An alignment is the mean of the last layer's heads, of the output as it is written. */
START_TEST(alignments)
{
    enum { N = 4, M = 3 };
    Net *n = net_new(small(POST_NORM, SINUSOID), true);
    TransformerCache cache = transformer_cache_init(&n->m);
    const Translator t = transformer_cache_translator(&cache);
    int source[N] = {5, 4, 9, 6}, output[M] = {7, 5, EOS}, x[M] = {BOS, 7, 5}, len = N;
    const Batch batch = {.T = M, .B = 1, .x = x, .S = N, .s = source, .s_len = &len};
    real weight[M * N];
    t.align(t.self, source, N, output, M, weight);
    Tape tp = {.frozen = true};
    const int H = n->m.config.heads;
    const real *p = transformer_attention_weights(&tp, &n->m, &batch).cross[n->m.config.layers - 1];
    ck_assert_int_gt(H, 1);
    for (int i = 0; i < M * N; i++) {
        double mean = 0;
        for (int h = 0; h < H; h++) mean += (double)p[h * M * N + i] / H;
        ck_assert_double_eq_tol((double)weight[i], mean, 1e-6);
    }
    tape_free(&tp);
    transformer_cache_free(&cache);
    net_free(n);
}
END_TEST

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

/* Learned positions: a place for each step of the longest sequence and one for its EOS. Rotary ones turn
 * pairs of a head's columns. */
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
            overfits_a_batch, decoding, a_step_at_a_time, slopes_of_alibi, alignments,
            same_bits_on_any_threads),
      ABORTS(a_step_is_left_out, too_many_layers))
