/* The Dyck task: its sequences, the best model, and the entropy. */
#include "task_help.h"

START_TEST(dyck)
{
    Task t = open_task("dyck", 0);
    Batch b = batch_new();
    Rng rng = rng_make(5, RNG_TEST, 0);
    int of_length[17] = {0}, deepest = 0;
    for (int k = 0; k < 4; k++) { /* training, and held-out sets of 32, 256 and 10 */
        const int length = (const int[]){32, 32, 256, 10}[k];
        if (k)
            task_heldout(&t, SPLIT_TEST, length, 0, 300, &b);
        else
            task_batch(&t, SPLIT_TRAIN, 0, &rng, 3200, &b);
        for (int c = 0; c < b.B; c++) {
            const int n = steps(&b, c) - 1;
            int stack[256], depth = 0;
            ck_assert(n % 2 == 0 && n >= 2 && n <= length && (k == 0 || n == length));
            for (int i = 0; i < n; i++) {
                const int y = b.y[at(&b, i, c)]; /* 1 2 open, 3 4 close */
                ck_assert(y >= 1 && y <= 4 && b.x[at(&b, i + 1, c)] == y);
                if (y <= 2)
                    stack[depth++] = y;
                else
                    ck_assert(depth > 0 && stack[--depth] == y - 2);
                if (depth > deepest) deepest = depth;
            }
            ck_assert(depth == 0 && b.x[at(&b, 0, c)] == 0 && b.y[at(&b, n, c)] == 0);
            if (k == 0) of_length[n / 2]++;
        }
    }
    ck_assert_int_eq(deepest, 8);
    for (int n = 1; n <= 16; n++) ck_assert_int_le(abs(of_length[n] - 200), 56); /* 4 sigma */
    batch_free(&b);
}
END_TEST

/* Writes the logits of the best model for one Dyck sequence. After each bracket it knows the
 * probability of each n. */
static void dyck_oracle(const Batch *b, int c, int length, real *logits)
{
    double like[200]; /* like[k]: the likelihood of n = 2k brackets */
    int stack[300], depth = 0;
    for (int k = 1; k <= length / 2; k++) like[k] = 1;
    for (int i = 0; i < steps(b, c); i++) {
        double p[5] = {0}, opens[200], total = 0;
        for (int k = 1; k <= length / 2; k++) {
            const int left = 2 * k - i;
            opens[k] = depth == 8 || left == depth ? 0 : depth == 0 ? 1 : .5;
            total += like[k];
            if (left <= 0) {
                p[0] += left == 0 ? like[k] : 0;
                continue;
            }
            p[1] += like[k] * opens[k] / 2;
            p[2] += like[k] * opens[k] / 2;
            if (depth > 0) p[stack[depth - 1] + 2] += like[k] * (1 - opens[k]);
        }
        const int y = b->y[at(b, i, c)];
        for (int s = 0; s < 5; s++)
            logits[5 * at(b, i, c) + s] = p[s] > 0 ? (real)log(p[s] / total) : -10000;
        for (int k = 1; k <= length / 2; k++) {
            if (2 * k <= i || depth > 2 * k - i) like[k] = 0;
            like[k] *= y == 0 ? 1 : y <= 2 ? opens[k] / 2 : 1 - opens[k];
        }
        if (y > 0 && y <= 2) stack[depth++] = y;
        if (y > 2) depth--;
    }
}

START_TEST(dyck_oracle_is_bayes)
{
    enum { N = 4000, B = 500 };
    Task t = open_task("dyck", 0);
    Batch b = batch_new();
    Score s = {0};
    double squares = 0;
    for (int first = 0; first < N; first += B) {
        task_heldout(&t, SPLIT_TEST, 0, first, B, &b);
        real *logits = logits_new(&t, &b);
        for (int c = 0; c < B; c++) dyck_oracle(&b, c, 32, logits);
        const double before = s.bayes;
        task_score(&t, &b, logits, &s);
        squares += pow((s.bayes - before) / (33 * B) - t.loss_perfect, 2);
        free(logits);
    }
    ck_assert_double_eq_tol(s.loss / s.scored, s.bayes / s.scored, 1e-6);
    ck_assert_double_eq(s.hits, s.asked);
    ck_assert_double_eq(s.asked, 16 * N);
    /* The spread of the 8 batch means gives the tolerance: four standard errors. */
    printf("dyck: %.6f nats a token exactly, %.6f in a sample\n", t.loss_perfect,
           s.bayes / s.scored);
    ck_assert_double_le(fabs(s.bayes / s.scored - t.loss_perfect), 4 * sqrt(squares / 8 / 8));

    Score longer = {0}; /* a length that does not occur in training */
    task_heldout(&t, SPLIT_TEST, 256, 0, 2, &b);
    real *logits = logits_new(&t, &b);
    task_score(&t, &b, logits, &longer);
    ck_assert(isnan(longer.bayes) && isfinite(longer.loss));
    free(logits);
    batch_free(&b);
}
END_TEST

/* Returns the sum of -p log p over all continuations. */
static double shape_entropy(int depth, int left, double p)
{
    if (left == 0) return -p * log(p);
    const bool up = depth < 8 && depth<left, down = depth> 0;
    const double q = up && down ? p / 2 : p;
    return (up ? shape_entropy(depth + 1, left - 1, q) : 0) +
           (down ? shape_entropy(depth - 1, left - 1, q) : 0);
}

START_TEST(dyck_entropy_by_enumeration)
{
    for (int n = 10; n <= 20; n += 2) {
        Task t = open_task("dyck", n);
        const double want = log(n / 2) + shape_entropy(0, n, 1) + n / 2 * log(2);
        ck_assert_double_eq_tol(t.loss_perfect, want / (n + 1), 1e-12);
    }
}
END_TEST

SUITE("tasks_dyck", TESTS(dyck, dyck_oracle_is_bayes, dyck_entropy_by_enumeration), NO_ABORTS)
