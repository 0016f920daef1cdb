/* Counting models against counts by hand, against slow counting, and against published results. */
#include "system/file.h"
#include "measure/ngram.h"
#include "suite.h"
#include "tokens/tokenizer.h"

static void ck_near(double a, double b, double tolerance)
{
    ck_assert_double_eq_tol(a, b, tolerance);
}

/* a b a a b: a is followed by b, a, b; b is followed by a. */
START_TEST(bigram_by_hand)
{
    const int ids[] = {0, 1, 0, 0, 1};
    Ngram m = ngram_train(2, 0, 3, 0.5, ids, 5, NGRAM_UNPADDED);
    ck_assert_int_eq(ngram_contexts(&m), 2);
    ck_near(ngram_logp(&m, ids, 1, NGRAM_UNPADDED), log(2.5 / 4.5), 1e-12);
    ck_near(ngram_logp(&m, ids, 2, NGRAM_UNPADDED), log(1.5 / 2.5), 1e-12);
    ck_near(ngram_logp(&m, ids, 3, NGRAM_UNPADDED), log(1.5 / 4.5), 1e-12);
    const double sum = 2 * log(2.5 / 4.5) + log(1.5 / 2.5) + log(1.5 / 4.5);
    ck_near(ngram_loss(&m, ids, 5, NGRAM_UNPADDED), -sum / 4, 1e-12);
    ngram_free(&m);

    m = ngram_train(2, 0, 3, 0, ids, 5, 2); /* the first a follows the padding */
    ck_assert_int_eq(ngram_contexts(&m), 3);
    ck_near(ngram_logp(&m, ids, 0, 2), log(1), 1e-12);
    ck_near(ngram_loss(&m, ids, 5, 2), -(2 * log(2. / 3) + log(1. / 3)) / 5, 1e-12);
    ngram_free(&m);
}
END_TEST

/* The two limits of smoothing: only the smoothing counts, or only the counts do. */
START_TEST(smoothing_limits)
{
    const int ids[] = {1, 2, 3, 1, 2, 3}, other[] = {3, 3, 2};
    Ngram m = ngram_train(3, 0, 7, 1e12, ids, 6, 0);
    ck_near(ngram_loss(&m, other, 3, 0), log(7), 1e-9);
    ngram_free(&m);
    m = ngram_train(3, 0, 7, 0, ids, 6, NGRAM_UNPADDED);
    ck_near(ngram_loss(&m, ids, 6, NGRAM_UNPADDED), 0, 1e-12);
    ck_near(ngram_logp(&m, other, 2, NGRAM_UNPADDED), -log(7),
            1e-12); /* a context without counts */
    const int wrong[] = {1, 2, 2};
    ck_assert(ngram_logp(&m, wrong, 2, NGRAM_UNPADDED) == -INFINITY);
    ck_assert(isnan(ngram_loss(&m, ids, 2, NGRAM_UNPADDED))); /* two tokens are only context */
    ngram_free(&m);
    m = ngram_train(3, 0, 7, 0.1, ids, 0, 0);
    ck_assert_int_eq(ngram_contexts(&m), 0);
    ck_near(ngram_loss(&m, ids, 6, 0), log(7), 1e-12);
    ck_assert(isnan(ngram_loss(&m, ids, 0, 0)));
    ngram_free(&m);
}
END_TEST

static int token(const int *ids, int t, int pad)
{
    return t < 0 ? pad : ids[t];
}

/* Returns -log p(b[t] | context) by a comparison with every position of the training text a. */
static double slow_logp(int n, int V, double s, const int *a, int len, const int *b, int t, int pad)
{
    int count = 0, total = 0;
    for (int i = pad < 0 ? n - 1 : 0; i < len; i++) {
        bool same = true;
        for (int k = 1; k < n; k++) same = same && token(a, i - k, pad) == token(b, t - k, pad);
        total += same;
        count += same && a[i] == b[t];
    }
    return log((count + s) / (total + s * V));
}

START_TEST(against_the_slow_way)
{
    enum { LEN_A = 700, LEN_B = 60 };
    Rng rng = rng_make(3, RNG_TEST, 0);
    int a[LEN_A], b[LEN_B];
    for (int n = 1; n <= 6; n++) {
        for (int variant = 0; variant < 4; variant++) {
            const int V = 2 + variant, pad = variant % 2 ? 1 : NGRAM_UNPADDED;
            for (int i = 0; i < LEN_A; i++) a[i] = rng_below(&rng, V);
            for (int i = 0; i < LEN_B; i++) b[i] = rng_below(&rng, V);
            Ngram m = ngram_train(n, 0, V, 0.1, a, LEN_A, pad);
            for (int t = pad < 0 ? n - 1 : 0; t < LEN_B; t++)
                ck_near(ngram_logp(&m, b, t, pad), slow_logp(n, V, 0.1, a, LEN_A, b, t, pad),
                        1e-12);
            ngram_free(&m);
        }
    }
}
END_TEST

/* p(. | context) sums to 1 and agrees with ngram_logp, with ids from 0 and from 1. */
START_TEST(next_is_a_distribution)
{
    enum { N = 500, V = 9 };
    Rng rng = rng_make(4, RNG_TEST, 0);
    for (int first = 0; first <= 1; first++) {
        int ids[N];
        double p[V];
        for (int i = 0; i < N; i++) ids[i] = first + rng_below(&rng, V);
        Ngram m = ngram_train(3, first, V, 0.25, ids, N, 1);
        for (int t = 0; t < N; t += 7) {
            double sum = 0;
            ngram_next(&m, ids, t, 1, p);
            for (int k = 0; k < V; k++) sum += p[k];
            ck_near(sum, 1, 1e-12);
            ck_near(log(p[ids[t] - first]), ngram_logp(&m, ids, t, 1), 1e-12);
        }
        ngram_free(&m);
    }
}
END_TEST

static int by_value(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Of 400,000 pairs in a million tokens about 19 share their 32-bit hash with another pair: a table that
 * compares only hashes would count fewer contexts. */
START_TEST(equal_hashes_are_told_apart)
{
    enum { N = 400000, V = 1 << 20 };
    Rng rng = rng_make(5, RNG_TEST, 0);
    int *ids = xmalloc(N * sizeof *ids);
    uint64_t *pair = xmalloc(N * sizeof *pair);
    for (int i = 0; i < N; i++) ids[i] = rng_below(&rng, V);
    for (int i = 2; i < N; i++) pair[i] = (uint64_t)ids[i - 2] << 32 | (uint64_t)ids[i - 1];
    qsort(pair + 2, N - 2, sizeof *pair, by_value);
    int distinct = 1;
    for (int i = 3; i < N; i++) distinct += pair[i] != pair[i - 1];
    Ngram m = ngram_train(3, 0, V, 0, ids, N, NGRAM_UNPADDED);
    ck_assert_int_eq(ngram_contexts(&m), distinct);
    /* Almost every context occurred once, so its next token is certain. */
    ck_assert_double_lt(ngram_loss(&m, ids, N, NGRAM_UNPADDED), 1e-4);
    ngram_free(&m);
    free(ids), free(pair);
}
END_TEST

static int *read_ids(const char *name, Tokenizer *v, int *n)
{
    const char *path = data_path(name);
    Error err;
    char *text;
    size_t len;
    if (!path) return NULL;
    ck_assert_msg(file_read(path, 1 << 24, &text, &len, &err), "%s", err.text);
    if (v->size == 0) *v = tokenizer_learn(token_kind("char"), TOKENS_STREAM, text, len, 1, 0);
    const Encoding e = tokenizer_encode(v, text, len);
    ck_assert_int_eq(e.unknown, 0);
    free(text);
    *n = e.n;
    return e.ids;
}

/* EurekaLabsAI/ngram on its own split of the names: 4-grams with smoothing 0.1 reach 1.9028 nats on the
 * training text and 2.1118 on the validation text. Each is one running text of 27 symbols; only tokens with
 * a full context are scored. */
START_TEST(published_figures)
{
    Tokenizer v = {0};
    int n, n_valid;
    int *train = read_ids("lm/names_split/train.txt", &v, &n);
    int *valid = train ? read_ids("lm/names_split/val.txt", &v, &n_valid) : NULL;
    if (!valid) return;
    ck_assert_int_eq(v.size - 1, 27);
    Ngram m = ngram_train(4, 1, v.size - 1, 0.1, train, n, NGRAM_UNPADDED);
    ck_near(ngram_loss(&m, train, n, NGRAM_UNPADDED), 1.9028, 5e-5);
    ck_near(ngram_loss(&m, valid, n_valid, NGRAM_UNPADDED), 2.1118, 5e-5);
    ngram_free(&m);
    free(train), free(valid);
    tokenizer_free(&v);
}
END_TEST

START_TEST(token_beyond_v)
{
    const int ids[] = {0, 4};
    ngram_train(2, 0, 3, 0.1, ids, 2, 0);
}
END_TEST

START_TEST(score_beyond_v)
{
    const int ids[] = {1, 2}, unknown[] = {0};
    Ngram m = ngram_train(1, 1, 2, 0.1, ids, 2, 0);
    ngram_logp(&m, unknown, 0, 0);
}
END_TEST

START_TEST(no_tokens_counted_together)
{
    const int ids[] = {0, 1};
    ngram_train(0, 0, 3, 0.1, ids, 2, 0);
}
END_TEST

SUITE("ngram",
      TESTS(bigram_by_hand, smoothing_limits, against_the_slow_way, next_is_a_distribution,
            equal_hashes_are_told_apart, published_figures),
      ABORTS(token_beyond_v, score_beyond_v, no_tokens_counted_together))
