/* Properties of a GPT with any weights: which tokens a step sees, sizes, initial weights; and it learns. */
#include "gpt_help.h"
#include "math/parallel.h"
#include "nn/optim.h"

/* A change of later tokens, or of another sequence, does not change a bit of a step; a change of an earlier
 * token does. */
START_TEST(sees_nothing_ahead)
{
    for (int k = 0; k < 4; k++) {
        Net *n = net_new(variant(k));
        Data d;
        real before[B * T * V], after[B * T * V];
        draw(&d);
        logits(n, &d.batch, before);
        for (int at = 0; at < T; at++) {
            const int keep = d.x[T + at], first = (T + at) * V;
            d.x[T + at] = (keep + 1) % V;
            logits(n, &d.batch, after);
            ck_assert_mem_eq(before, after, first * sizeof *after);
            ck_assert_mem_eq(before + 2 * T * V, after + 2 * T * V, T * V * sizeof *after);
            for (int t = at; t < T; t++)
                ck_assert(memcmp(before + (T + t) * V, after + (T + t) * V, V * sizeof *after) !=
                          0);
            d.x[T + at] = keep;
        }
        net_free(n);
    }
}
END_TEST

/* Radford et al. 2018 and 2019, with their vocabularies; microgpt and nano by hand: a block has 12 C^2 + 13 C
 * parameters, V and the context a row of C each. */
START_TEST(presets_have_the_published_sizes)
{
    static const struct {
        GptPreset preset;
        int V;
        size_t parameters;
    } c[] = {{GPT_MICRO, 27, 27 * 16 + 16 * 16 + 12 * 256 + 13 * 16 + 2 * 16 + 27 * 16},
             {GPT_NANO, 65, 65 * 128 + 64 * 128 + 4 * (12 * 16384 + 13 * 128) + 2 * 128},
             {GPT_1, 40478, 116534784},
             {GPT_2, 50257, 124439808},
             {GPT_MEDIUM, 50257, 354823168},
             {GPT_LARGE, 50257, 774030080},
             {GPT_XL, 50257, 1557611200}};
    const Task task = {.vocab = 3, .outputs = 3, .length = 16};
    for (int i = 0; i < LEN(c); i++) {
        GptConfig config = gpt_defaults();
        Error err;
        config.preset = c[i].preset;
        ck_assert(gpt_check(&config, &task, &err));
        ck_assert_int_eq(gpt_count(&config, c[i].V), c[i].parameters);
        const int published = gpt_published_vocab(c[i].preset);
        ck_assert(published == c[i].V || (published == 0 && i < 2));
    }
}
END_TEST

/* Weights start with the standard deviation asked for; those that add to the residual stream with
 * 1 / sqrt(2 L) of it, but not with --no-scaled-init. Biases start at 0. */
START_TEST(initial_weights)
{
    for (int scaled = 0; scaled < 2; scaled++) {
        GptConfig c = small;
        c.channels = 64, c.layers = 8, c.init_std = 0.02, c.scaled = scaled;
        Net *n = net_new(c);
        const GptBlock *b = &n->m.block[3];
        const Tensor *of[] = {b->q.w,   b->k.w,    b->v.w,    b->up.w,
                              b->out.w, b->down.w, n->m.word, n->m.position};
        for (int i = 0; i < LEN(of); i++) {
            double squares = 0;
            for (int j = 0; j < of[i]->len; j++)
                squares += (double)of[i]->data[j] * (double)of[i]->data[j];
            const double std = (of[i] == b->out.w || of[i] == b->down.w) && scaled ? 0.005 : 0.02;
            ck_assert_double_eq_tol(sqrt(squares / of[i]->len) / std, 1, 0.1);
        }
        for (int j = 0; j < 64; j++) ck_assert(b->down.b->data[j] == 0 && b->norm1.g->data[j] == 1);
        net_free(n);
    }
}
END_TEST

START_TEST(options_that_contradict)
{
    const Task task = {.name = "text", .vocab = V, .outputs = V, .length = 40, .extra = 1};
    const Task real_inputs = {.name = "adding", .inputs = 2};
    GptConfig c = gpt_defaults();
    Error err;
    ck_assert(gpt_check(&c, &task, &err));
    ck_assert_int_eq(c.context, 41);
    c.heads = 3;
    ck_assert(!gpt_check(&c, &task, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "--heads 3"));
    c = gpt_defaults();
    c.context = 40;
    ck_assert(!gpt_check(&c, &task, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "--context 40: sequences have up to 41 steps"));
    c = gpt_defaults();
    c.preset = GPT_MICRO;
    ck_assert(!gpt_check(&c, &task, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "context of 16"));
    c = gpt_defaults();
    ck_assert(!gpt_check(&c, &real_inputs, &err));
}
END_TEST

/* The longest sequence of training and of eval decides on the number of positions. */
START_TEST(context_of_a_task)
{
    const Task t = {.length = 20, .lengths = {10, 40}, .n_lengths = 2, .extra = 3};
    ck_assert_int_eq(gpt_longest(&t), 43);
}
END_TEST

START_TEST(overfits_a_batch)
{
    for (int k = 0; k < 4; k++) {
        Net *n = net_new(variant(k));
        Data d;
        Tape tp = {0};
        Optim o = optim_init(OPTIM_ADAMW, &n->ps, 0.9, 0.98, 0);
        double loss = 0;
        draw(&d);
        for (int b = 0; b < B; b++) d.x[b * T] = b; /* tells the sequences apart */
        for (int step = 0; step < 400; step++) {
            Tensor *l = model_loss(&tp, &n->model, &d.batch, NULL, NULL).mean;
            loss = (double)l->data[0];
            tape_backward(&tp, l);
            optim_step(&o, &n->ps, 3e-3);
            tape_reset(&tp);
        }
        ck_assert_msg(loss < 0.01, "variant %d: loss %g", k, loss);
        tape_free(&tp);
        optim_free(&o);
        net_free(n);
    }
}
END_TEST

/* Without dropout's random numbers dropout changes nothing; with them it changes the loss. */
START_TEST(dropout_in_training_only)
{
    GptConfig c = small;
    Net *without = net_new(c);
    c.dropout = 0.5;
    Net *with = net_new(c);
    Data d;
    real a[B * T * V], b[B * T * V];
    draw(&d);
    logits(without, &d.batch, a);
    logits(with, &d.batch, b);
    ck_assert_mem_eq(a, b, sizeof a);
    Tape tp = {0};
    Rng rng = rng_make(1, RNG_DROPOUT, 1);
    const real dropped = model_loss(&tp, &with->model, &d.batch, NULL, &rng).mean->data[0];
    ck_assert(dropped != model_loss(&tp, &without->model, &d.batch, NULL, &rng).mean->data[0]);
    tape_free(&tp);
    net_free(with), net_free(without);
}
END_TEST

START_TEST(same_bits_on_any_threads)
{
    real z[B * T * V], first[B * T * V];
    for (int threads = 1; threads <= 3; threads++) {
        GptConfig c = small;
        c.channels = 128;
        Net *n = net_new(c);
        Data d;
        draw(&d);
        parallel_init(threads);
        logits(n, &d.batch, threads == 1 ? first : z);
        if (threads > 1) ck_assert_mem_eq(first, z, sizeof z);
        net_free(n);
    }
    parallel_init(1);
}
END_TEST

START_TEST(longer_than_the_context)
{
    Net *n = net_new(small);
    int x[CONTEXT + 1] = {0}, y[CONTEXT + 1] = {0};
    const Batch batch = {.layout = BATCH_MAJOR, .T = CONTEXT + 1, .B = 1, .x = x, .y = y};
    real z[(CONTEXT + 1) * V];
    logits(n, &batch, z);
}
END_TEST

START_TEST(too_many_layers)
{
    GptConfig c = small;
    c.layers = GPT_MAX_LAYERS + 1;
    net_new(c);
}
END_TEST

START_TEST(time_major_batch)
{
    Net *n = net_new(small);
    Data d;
    real z[B * T * V];
    draw(&d);
    d.batch.layout = TIME_MAJOR;
    logits(n, &d.batch, z);
}
END_TEST

SUITE("gpt",
      TESTS(sees_nothing_ahead, presets_have_the_published_sizes, initial_weights,
            options_that_contradict, context_of_a_task, overfits_a_batch, dropout_in_training_only,
            same_bits_on_any_threads),
      ABORTS(longer_than_the_context, too_many_layers, time_major_batch))
