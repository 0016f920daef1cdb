/* Running text as streams: every token is scored once, and each column continues. */
#include "text_counting.h"

/* In the held-out split every token except the first is a target once, after its predecessor, and
 * each column continues where it stopped in the batch before. */
static void check_stream(const Opened *o, int T, int B)
{
    const int len = o->text.n[SPLIT_VALID], base = o->text.ids[SPLIT_VALID][0];
    const int batches = text_stream_batches(&o->text, SPLIT_VALID, T, B);
    int *seen = xcalloc((size_t)len, sizeof *seen), *last = xmalloc(B * sizeof *last);
    for (int b = 0; b < B; b++) last[b] = -1;
    Batch batch = batch_new();
    int64_t cursor = 0;
    int steps = 0;
    for (int i = 0; i < batches; i++) {
        int scored = 0;
        text_stream(&o->text, SPLIT_VALID, T, B, &cursor, &batch);
        ck_assert_int_eq(cursor, (int64_t)T * (i + 1));
        ck_assert_int_le(batch.T, T);
        steps += batch.T;
        for (int t = 0; t < batch.T; t++)
            for (int b = 0; b < B; b++) {
                const int x = batch.x[t * B + b], y = batch.y[t * B + b];
                if (y < 0) continue;
                ck_assert_int_eq(y, (x + 1) % 251);
                if (last[b] >= 0) ck_assert_int_eq(x, last[b]);
                last[b] = y;
                seen[(y - base + 251) % 251]++; /* len < 251 */
                scored++;
            }
        ck_assert_int_gt(scored, 0); /* no batch is empty */
    }
    ck_assert_int_eq(steps, (len - 1 + B - 1) / B); /* and no step is empty */
    for (int i = 0; i < len; i++) ck_assert_int_eq(seen[i], i > 0);
    text_stream(&o->text, SPLIT_VALID, T, B, &cursor, &batch);
    for (int i = 0; i < batch.T * B; i++) ck_assert_int_eq(batch.y[i], -1);
    batch_free(&batch);
    free(seen), free(last);
}

START_TEST(stream_scores_each_token_once)
{
    const int size[] = {2, 3, 5, 24, 33, 64, 65, 200};
    const int T[] = {1, 2, 7, 8, 64, 300}, B[] = {1, 2, 3, 8, 31, 100};
    for (int i = 0; i < LEN(size); i++) {
        Opened *o = open_counting(10 * size[i], 1);
        ck_assert_int_eq(o->text.n[SPLIT_VALID], size[i]);
        for (int k = 0; k < LEN(T); k++)
            for (int j = 0; j < LEN(B); j++) check_stream(o, T[k], B[j]);
        close_it(o);
    }
}
END_TEST

/* Training: there is no end and no target -1; the cursors start evenly spread and wrap around. */
START_TEST(stream_goes_round)
{
    enum { T = 8, B = 4 };
    Opened *o = open_counting(100, T); /* 90 tokens, 89 targets */
    Batch batch = batch_new();
    int64_t cursor = 0;
    int steps[B] = {0};
    for (int i = 0; i < 60; i++) {
        text_stream(&o->text, SPLIT_TRAIN, T, B, &cursor, &batch);
        ck_assert_int_eq(batch.T, T);
        for (int t = 0; t < T; t++)
            for (int b = 0; b < B; b++) {
                const int at = (89 * b / B + steps[b]++) % 89;
                ck_assert_int_eq(batch.x[t * B + b], at);
                ck_assert_int_eq(batch.y[t * B + b], at + 1);
            }
    }
    /* The cursor is the whole state. */
    int64_t again = cursor - T;
    Batch second = batch_new();
    text_stream(&o->text, SPLIT_TRAIN, T, B, &again, &second);
    ck_assert_mem_eq(batch.x, second.x, T * B * sizeof *batch.x);
    batch_free(&batch), batch_free(&second);
    close_it(o);
}
END_TEST

SUITE("text_streams", TESTS(stream_scores_each_token_once, stream_goes_round), NO_ABORTS)
