/* Recall and induction with their own checkers, and the scores that can be computed: of looking up,
 * of guessing among the values present, of matching earlier symbols. */
#include "tasks/tasks.h"
#include "task_help.h"

/* --- recall ------------------------------------------------------------------------------------- */
enum { PAIRS = 8, KEYS = 32 };

static int looked_up(const Batch *b, int c, int n, int key) /* the value of key, or -1 */
{
    for (int i = 0; i < n; i++)
        if (b->x[at(b, 2 * i, c)] == key) return b->x[at(b, 2 * i + 1, c)];
    return -1;
}

START_TEST(recall_layout)
{
    enum { N = 2000 };
    Task t = open_task("recall", 0);
    Batch b = batch_new();
    Rng rng = rng_make(9, RNG_TEST, 0);
    int of_symbol[2 * KEYS] = {0}, asked_first[PAIRS] = {0}, asked_last[PAIRS] = {0};
    ck_assert(t.vocab == 2 * KEYS && t.outputs == 2 * KEYS && t.length == PAIRS);
    task_batch(&t, SPLIT_TRAIN, 0, &rng, N, &b);
    ck_assert_int_eq(b.T, 3 * PAIRS);
    for (int c = 0; c < N; c++) {
        int seen[2 * KEYS] = {0};
        for (int i = 0; i < 2 * PAIRS; i++) {
            const int x = b.x[at(&b, i, c)];
            ck_assert(i % 2 ? x >= KEYS && x < 2 * KEYS : x >= 0 && x < KEYS);
            ck_assert_int_eq(seen[x]++, 0); /* keys are distinct, and so are values */
            ck_assert_int_eq(b.y[at(&b, i, c)], -1);
            of_symbol[x]++;
        }
        for (int i = 2 * PAIRS; i < 3 * PAIRS; i++) {
            const int x = b.x[at(&b, i, c)];
            ck_assert(x < KEYS && seen[x]++ == 1); /* each key is queried once */
            ck_assert_int_eq(b.y[at(&b, i, c)], looked_up(&b, c, PAIRS, x));
        }
        for (int i = 0; i < PAIRS; i++) {
            asked_first[i] += b.x[at(&b, 2 * i, c)] == b.x[at(&b, 2 * PAIRS, c)];
            asked_last[i] += b.x[at(&b, 2 * i, c)] == b.x[at(&b, 3 * PAIRS - 1, c)];
        }
    }
    for (int k = 0; k < 2 * KEYS; k++) /* each in a quarter of the sequences; 4 sigma */
        ck_assert_int_le(abs(of_symbol[k] - N / 4), 78);
    for (int i = 0; i < PAIRS; i++) {
        ck_assert_int_le(abs(asked_first[i] - N / PAIRS), 60);
        ck_assert_int_le(abs(asked_last[i] - N / PAIRS), 60);
    }
    batch_free(&b);
}
END_TEST

/* A model that looks up is always right. A model that does not know which value belongs to which
 * key has n equally likely values: log n nats, and accuracy 1/n whichever it answers. */
START_TEST(recall_levels)
{
    enum { N = 1000 };
    for (int k = 0; k < 3; k++) {
        const int n = 4 << k;
        Task t = open_task("recall", n);
        Batch b = batch_new();
        Rng rng = rng_make(10, RNG_TEST, 0);
        Score right = {0}, first = {0}, random = {0};
        task_heldout(&t, SPLIT_TEST, 0, 0, N, &b);
        real *sure = logits_new(&t, &b), *even = logits_new(&t, &b), *guess = logits_new(&t, &b);
        ck_assert(t.n_lengths == 1 && t.lengths[0] == n && t.vocab == 8 * n);
        for (int c = 0; c < N; c++)
            for (int i = 2 * n; i < 3 * n; i++) {
                const size_t row = (size_t)at(&b, i, c) * t.outputs;
                sure[row + looked_up(&b, c, n, b.x[at(&b, i, c)])] = 1000;
                for (int j = 0; j < n; j++) even[row + b.x[at(&b, 2 * j + 1, c)]] = 1000;
                memcpy(guess + row, even + row, t.outputs * sizeof *guess);
                guess[row + b.x[at(&b, 2 * rng_below(&rng, n) + 1, c)]] += 1;
            }
        task_score(&t, &b, sure, &right);
        task_score(&t, &b, even, &first);
        task_score(&t, &b, guess, &random);
        ck_assert(right.loss == 0 && right.bayes == 0 && right.right == N);
        ck_assert_double_eq(right.hits / right.asked, t.metric_perfect);
        ck_assert_double_eq(right.asked, n * N);
        ck_assert_double_eq_tol(first.loss / first.scored, t.loss_chance, 1e-6);
        ck_assert_double_eq(t.metric_chance, 1. / n);
        /* If all queries of a sequence get the same answer, it is right exactly once. */
        ck_assert_double_eq(first.hits, N);
        ck_assert_double_eq_tol(random.hits / random.asked, 1. / n,
                                4 * sqrt((1. / n) * (1 - 1. / n) / (n * N)));
        free(sure), free(even), free(guess);
        batch_free(&b);
    }
}
END_TEST

START_TEST(recall_lengths)
{
    Task t;
    Error err;
    ck_assert(!task_open(&t, "recall", 1, &err));
    ck_assert(!task_open(&t, "recall", 257, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "2 to 256"));
    ck_assert(!task_open(&t, "induction", 24, &err)); /* period 24 would have no scored step */
    t = open_task("recall", 0);
    Batch b = batch_new();
    task_heldout(&t, SPLIT_VALID, 3, 0, 50, &b); /* fewer pairs, the same number of keys */
    ck_assert_int_eq(b.T, 9);
    for (int c = 0; c < 50; c++) ck_assert_int_eq(steps(&b, c), 9);
    batch_free(&b);
}
END_TEST

START_TEST(recall_of_more_than_trained)
{
    Task t = open_task("recall", 8);
    Batch b = batch_new();
    task_heldout(&t, SPLIT_TEST, 9, 0, 1, &b);
}
END_TEST

/* --- induction ---------------------------------------------------------------------------------- */
enum { SYMBOLS = 32 };

static int period_of(const Batch *b, int c) /* the period: the number of unscored steps */
{
    int p = 0;
    while (p < b->T && b->y[at(b, p, c)] < 0) p++;
    return p;
}

START_TEST(induction_layout)
{
    enum { N = 2600 };
    Task t = open_task("induction", 0);
    Batch b = batch_new();
    Rng rng = rng_make(11, RNG_TEST, 0);
    int of_period[25] = {0}, of_symbol[SYMBOLS] = {0}, symbols = 0;
    task_batch(&t, SPLIT_TRAIN, 0, &rng, N, &b);
    ck_assert(b.T == 48 && t.vocab == SYMBOLS && t.outputs == SYMBOLS);
    for (int c = 0; c < N; c++) {
        const int p = period_of(&b, c);
        ck_assert(p >= 12 && p <= 24);
        of_period[p]++;
        symbols += p;
        for (int i = 0; i < 48; i++) {
            const int x = b.x[at(&b, i, c)];
            if (i < p) of_symbol[x]++;
            if (i >= p) ck_assert_int_eq(x, b.x[at(&b, i - p, c)]);
            if (i >= p) ck_assert_int_eq(b.y[at(&b, i, c)], b.x[at(&b, i - p + 1, c)]);
        }
    }
    for (int p = 12; p <= 24; p++) ck_assert_int_le(abs(of_period[p] - 200), 55); /* 4 sigma */
    for (int k = 0; k < SYMBOLS; k++)
        ck_assert_double_le(fabs(of_symbol[k] - symbols / 32.), 4 * sqrt(symbols / 32.));
    batch_free(&b);
}
END_TEST

static int match(const Batch *b, int c, int j, int i) /* equal symbols, backwards from j and i */
{
    int n = 0;
    while (n <= j && b->x[at(b, j - n, c)] == b->x[at(b, i - n, c)]) n++;
    return n;
}

/* Counts how often each symbol followed the longest match (at most `most` symbols) of the text that
 * ends at step i. */
static void suffix_counts(const Batch *b, int c, int i, int most, real *count)
{
    int longest = 1;
    for (int j = 0; j < i; j++) {
        int n = match(b, c, j, i);
        if (n > most) n = most;
        if (n < longest) continue;
        if (n > longest) memset(count, 0, SYMBOLS * sizeof *count);
        longest = n;
        count[b->x[at(b, j + 1, c)]]++;
    }
}

/* Weighs the predictions of all periods up to i that explain the symbols so far; each symbol of a
 * period's segment has probability 1/32. */
static void period_weights(const Batch *b, int c, int i, real *weight)
{
    for (int p = 12; p <= 24 && p <= i; p++)
        if (match(b, c, i - p, i) == i - p + 1)
            weight[b->x[at(b, i + 1 - p, c)]] += (real)pow(SYMBOLS, 12 - p);
}

/* Measures three models that see x only and choose uniformly if they cannot decide; the header of
 * the task has their scores. */
START_TEST(induction_levels)
{
    enum { N = 3000 };
    Task t = open_task("induction", 0);
    Batch b = batch_new();
    Score s[3] = {0};
    double even[3] = {0};
    task_heldout(&t, SPLIT_TEST, 0, 0, N, &b);
    for (int reader = 0; reader < 3; reader++) {
        real *logits = logits_new(&t, &b);
        for (int c = 0; c < N; c++)
            for (int i = period_of(&b, c); i < 48; i++) {
                real *z = logits + (size_t)at(&b, i, c) * SYMBOLS, sum = 0;
                if (reader < 2)
                    suffix_counts(&b, c, i, reader ? 48 : 1, z);
                else
                    period_weights(&b, c, i, z);
                for (int k = 0; k < SYMBOLS; k++) sum += z[k];
                even[reader] += (double)(z[b.y[at(&b, i, c)]] / sum);
                for (int k = 0; k < SYMBOLS; k++) z[k] = z[k] > 0 ? (real)log((double)z[k]) : -1000;
            }
        task_score(&t, &b, logits, &s[reader]);
        even[reader] /= s[reader].asked;
        free(logits);
    }
    printf("induction: right by the symbol before %.4f, the longest match %.4f, all periods %.5f\n",
           even[0], even[1], s[2].hits / s[2].asked);
    ck_assert_double_eq_tol(even[0], .76, .01);
    ck_assert_double_eq_tol(even[1], .992, .0015); /* 4 sigma: at most one guess a sequence */
    ck_assert_double_eq_tol(s[1].hits / s[1].asked, .992, .0015);
    ck_assert_double_ge(s[2].hits / s[2].asked, .9998);
    ck_assert_double_le(s[2].loss / s[2].scored, .0005);
    ck_assert_double_eq(t.metric_chance, 1 / 32.);
    batch_free(&b);
}
END_TEST

SUITE("tasks_recall",
      TESTS(recall_layout, recall_levels, recall_lengths, induction_layout, induction_levels),
      ABORTS(recall_of_more_than_trained))
