/* Decoding with a Transformer step by step, with its key/value cache, against whole sequences at once. */
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

/* The log p of greedy decoding is minus the loss with the same output as input; a beam of one equals greedy
 * decoding; attention weights are distributions over the source. */
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

/* Step by step with the key/value cache: the logits equal those of the whole pass, for every kind of
 * positions. */
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

/* A step whose cache does not hold exactly the steps before it. */
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

/* An alignment is the mean over the heads of the last layer, for each step of the output. */
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

SUITE("transformer_decoding", TESTS(decoding, a_step_at_a_time, alignments),
      ABORTS(a_step_is_left_out))
