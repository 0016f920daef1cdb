/* The splits of tasks: a hash of the content decides, so no sequence is in two splits. */
#include "tasks/tasks.h"
#include "task_help.h"

static Split split_of_column(const Batch *b, int column, int n)
{
    int x[512];
    for (int t = 0; t < n; t++) x[t] = b->x[at(b, t, column)];
    return split_of(x, n);
}

static uint64_t fnv(const unsigned char *s, size_t n)
{
    uint64_t h = 14695981039346656037u;
    while (n--) h = (h ^ *s++) * 1099511628211u;
    return h;
}

static uint64_t splitmix(uint64_t state) /* returns the generator's first output from that state */
{
    uint64_t z = (state + 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

/* Compares the reference with published values, and split_of with the reference. */
START_TEST(split_by_hash)
{
    ck_assert_uint_eq(fnv((const unsigned char *)"", 0), 0xcbf29ce484222325);
    ck_assert_uint_eq(fnv((const unsigned char *)"a", 1), 0xaf63dc4c8601ec8c);
    ck_assert_uint_eq(fnv((const unsigned char *)"foobar", 6), 0x85944171f73967e8);
    ck_assert_uint_eq(splitmix(0), 0xe220a8397b1dcdaf);
    ck_assert_uint_eq(splitmix(1234567), 6457827717110365317u);

    enum { N = 100000 };
    Rng rng = rng_make(1, RNG_TEST, 0);
    int count[3] = {0};
    for (int i = 0; i < N; i++) {
        int token[5];
        unsigned char byte[20];
        for (int k = 0; k < 5; k++) {
            token[k] = (int)rng_u32(&rng);
            for (int j = 0; j < 4; j++) byte[4 * k + j] = (unsigned char)(token[k] >> 8 * j);
        }
        const int n = i % 6;
        const uint64_t h = splitmix(fnv(byte, 4 * (size_t)n)) % 1000;
        const Split want = h < 100 ? SPLIT_TEST : h < 200 ? SPLIT_VALID : SPLIT_TRAIN;
        ck_assert_int_eq(split_of(token, n), want);
        count[split_of(token, 5)]++;
    }
    for (int s = 0; s < 3; s++) {
        const double p = s == SPLIT_TRAIN ? .8 : .1;
        ck_assert_double_le(fabs(count[s] - N * p), 4 * sqrt(N * p * (1 - p)));
    }
}
END_TEST

static int by_value(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Draws 100,000 sequences, writes the sorted fingerprints of the distinct ones and returns their
 * number. */
static int draw_prints(const Task *t, Split split, uint64_t *print, int n)
{
    Rng rng = rng_make(2, RNG_TEST, split);
    Batch batch = batch_new();
    for (int i = 0; i < n; i += 1000) {
        task_batch(t, split, 0, &rng, 1000, &batch);
        for (int b = 0; b < 1000; b++) {
            const int length = steps(&batch, b);
            uint64_t h = length;
            for (int k = 0; k < length; k++) h = splitmix(h ^ (uint64_t)batch.x[at(&batch, k, b)]);
            print[i + b] = h;
        }
    }
    batch_free(&batch);
    qsort(print, n, sizeof *print, by_value);
    int distinct = 0;
    for (int i = 0; i < n; i++)
        if (i == 0 || print[i] != print[i - 1]) print[distinct++] = print[i];
    return distinct;
}

/* Lengths so short that the same sequences are drawn many times. */
START_TEST(splits_are_disjoint)
{
    enum { N = 100000 };
    static uint64_t print[3][N];
    static const struct {
        const char *name;
        int length;
    } small[] = {{"parity", 10}, {"dyck", 12}, {"agreement", 8}, {"recall", 2}};
    for (int k = 0; k < LEN(small); k++) {
        Task t = open_task(small[k].name, small[k].length);
        int n[3];
        for (int s = 0; s < 3; s++) n[s] = draw_prints(&t, (Split)s, print[s], N);
        int met = 0;
        for (int a = 0; a < 3; a++)
            for (int b = 0; b < a; b++)
                for (int i = 0; i < n[a]; i++)
                    met += bsearch(&print[a][i], print[b], n[b], sizeof **print, by_value) != NULL;
        ck_assert_int_eq(met, 0);
        if (k == 0) { /* every 10-bit sequence was drawn, in its split */
            ck_assert_int_gt(n[SPLIT_TEST], 60);
            ck_assert_int_gt(n[SPLIT_VALID], 60);
            ck_assert_int_lt(n[SPLIT_TEST] + n[SPLIT_VALID], 300);
        }
        task_close(&t);
    }
}
END_TEST

START_TEST(sequences_hash_to_their_split)
{
    for (int k = 1; k < LEN(names); k++) { /* all with ids */
        Task t = open_task(names[k], 0);
        Batch b = batch_new();
        Rng rng = rng_make(3, RNG_TEST, 0);
        const int free_below = strcmp(names[k], "parity") == 0 ? 7
                               : strcmp(names[k], "dyck") == 0 ? 10
                                                               : 0;
        int elsewhere = 0; /* short training sequences whose hash is of another split */
        for (int s = 0; s < 3; s++) {
            task_batch(&t, (Split)s, 0, &rng, 1000, &b);
            for (int c = 0; c < 1000; c++) {
                const int n = steps(&b, c);
                const Split hashed = split_of_column(&b, c, n);
                if (n >= free_below) {
                    ck_assert_int_eq(hashed, s);
                } else {
                    ck_assert_int_eq(s, SPLIT_TRAIN);
                    elsewhere += n == free_below - 1 && hashed != SPLIT_TRAIN;
                }
            }
        }
        ck_assert((elsewhere > 0) == (free_below > 0));
        batch_free(&b);
    }
}
END_TEST

SUITE("task_splits", TESTS(split_by_hash, splits_are_disjoint, sequences_hash_to_their_split),
      NO_ABORTS)
