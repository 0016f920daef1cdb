/* Decoding with a GPT: the key/value cache gives the logits of a pass over all tokens, for any hypotheses, and the
 * decoder goes on beyond the context. */
#include "gpt_help.h"
#include "models/model_decoder.h"

static void ck_row(const Net *n, const real *row, const int *ids, int len)
{
    real want[V];
    read_whole(n, ids, len, want);
    for (int i = 0; i < V; i++) ck_assert_double_eq_tol((double)row[i], (double)want[i], 1e-5);
}

/* Every way to cut a sequence into a prompt and single steps gives the logits of the whole pass. */
START_TEST(cached_equals_uncached)
{
    static const int ids[CONTEXT] = {3, 1, 4, 1, 5, 9, 2, 6};
    for (int k = 0; k < 4; k++) {
        Net *n = net_new(variant(k));
        const Decoder d = model_decoder(&n->model, V);
        real z[V];
        for (int prompt = 1; prompt <= CONTEXT; prompt++) {
            d.start(d.self, prompt, ids, z);
            ck_row(n, z, ids, prompt);
            for (int i = prompt; i < CONTEXT; i++) {
                d.step(d.self, 1, (int[]){0}, &ids[i], z);
                ck_row(n, z, ids, i + 1);
            }
        }
        d.close(d.self);
        net_free(n);
    }
}
END_TEST

START_TEST(hypotheses_continue)
{
    Net *n = net_new(small);
    const Decoder d = model_decoder(&n->model, V);
    real z[3 * V];
    for (int trial = 0; trial < 2; trial++) { /* the second trial restarts the decoder */
        const int p = trial ? 7 : 3;
        d.start(d.self, 2, (int[]){p, 5}, z);
        ck_row(n, z, (int[]){p, 5}, 2);
        d.step(d.self, 3, (int[]){0, 0, 0}, (int[]){1, 2, 8}, z);
        ck_row(n, z + V, (int[]){p, 5, 2}, 3);
        ck_row(n, z + 2 * V, (int[]){p, 5, 8}, 3);
        d.step(d.self, 2, (int[]){2, 0}, (int[]){4, 6}, z);
        ck_row(n, z, (int[]){p, 5, 8, 4}, 4);
        ck_row(n, z + V, (int[]){p, 5, 1, 6}, 4);
        d.step(d.self, 3, (int[]){1, 1, 0}, (int[]){0, 3, 3}, z);
        ck_row(n, z, (int[]){p, 5, 1, 6, 0}, 5);
        ck_row(n, z + V, (int[]){p, 5, 1, 6, 3}, 5);
        ck_row(n, z + 2 * V, (int[]){p, 5, 8, 4, 3}, 5);
        d.step(d.self, 3, (int[]){0, 1, 2}, (int[]){9, 8, 7}, z); /* nobody moves */
        ck_row(n, z + 2 * V, (int[]){p, 5, 8, 4, 3, 7}, 6);
    }
    d.close(d.self);
    net_free(n);
}
END_TEST

/* When the context is full, the decoder drops the older half of the tokens: token number t, counted from 0, is
 * then read after at most CONTEXT - 1 others. Two hypotheses go over the end together. */
START_TEST(beyond_the_context)
{
    enum { N = 5 * CONTEXT, HALF = CONTEXT / 2 };
    Net *n = net_new(small);
    const Decoder d = model_decoder(&n->model, V);
    int ids[2][N];
    real z[2 * V];
    for (int i = 0; i < N; i++) ids[0][i] = i * i % V, ids[1][i] = i ? (7 * i + 3) % V : ids[0][0];
    d.start(d.self, 1, ids[0], z);
    for (int t = 1, first = 0; t < N; t++) {
        if (t - first == CONTEXT) first += HALF;
        d.step(d.self, 2, t == 1 ? (int[]){0, 0} : (int[]){0, 1}, (int[]){ids[0][t], ids[1][t]}, z);
        for (int b = 0; b < 2; b++) ck_row(n, z + b * V, ids[b] + first, t + 1 - first);
    }
    d.close(d.self);
    net_free(n);
}
END_TEST

/* Of a prompt that is longer than the context the decoder reads the end. A context of 1 works too. */
START_TEST(long_prompt)
{
    static const int ids[2 * CONTEXT] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 9, 8, 7, 6, 5, 4};
    for (int context = 1; context <= CONTEXT; context++) {
        GptConfig c = small;
        c.context = context;
        Net *n = net_new(c);
        const Decoder d = model_decoder(&n->model, V);
        real z[V];
        d.start(d.self, LEN(ids), ids, z);
        ck_row(n, z, ids + LEN(ids) - context, context);
        d.step(d.self, 1, (int[]){0}, (int[]){5}, z);
        int tail[CONTEXT];
        const int kept = context / 2;
        memcpy(tail, ids + LEN(ids) - kept, kept * sizeof *tail);
        tail[kept] = 5;
        ck_row(n, z, tail, kept + 1);
        d.close(d.self);
        net_free(n);
    }
}
END_TEST

/* The cache is allocated once: its memory stays where it is while steps are added. */
START_TEST(cache_does_not_move)
{
    Net *n = net_new(small);
    GptCache cache = gpt_cache_new(&n->m.config, 1);
    Tape tp = {.frozen = true};
    const real *block = cache.block.data;
    ck_assert_int_eq(cache.block.len, 2 * 2 * CONTEXT * 16);
    for (int t = 0; t < CONTEXT; t++) {
        gpt_step(&tp, &n->m, &cache, &t, 1, 1);
        cache.steps++;
        tape_reset(&tp);
        ck_assert_ptr_eq(cache.block.data, block);
    }
    tape_free(&tp);
    gpt_cache_free(&cache);
    net_free(n);
}
END_TEST

START_TEST(step_into_a_full_cache)
{
    Net *n = net_new(small);
    GptCache cache = gpt_cache_new(&n->m.config, 1);
    Tape tp = {.frozen = true};
    cache.steps = CONTEXT;
    gpt_step(&tp, &n->m, &cache, (int[]){1}, 1, 1);
}
END_TEST

START_TEST(no_such_parent)
{
    Net *n = net_new(small);
    const Decoder d = model_decoder(&n->model, V);
    real z[V];
    d.start(d.self, 1, (int[]){1}, z);
    d.step(d.self, 1, (int[]){1}, (int[]){1}, z);
}
END_TEST

SUITE("gpt_decoding",
      TESTS(cached_equals_uncached, hypotheses_continue, beyond_the_context, long_prompt,
            cache_does_not_move),
      ABORTS(step_into_a_full_cache, no_such_parent))
