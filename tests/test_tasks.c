/* Each generated task with its own checker, and the scores of models whose loss is known in closed
 * form: chance, memoryless, perfect, Bayes. */
#include "tasks/agreement.h"
#include "task_help.h"

/* --- adding ------------------------------------------------------------------------------------- */
START_TEST(adding)
{
    Task t = open_task("adding", 51);
    Batch b = batch_new();
    ck_assert(t.vocab == 0 && t.inputs == 2 && t.outputs == 0);
    double sum = 0;
    for (int s = 0; s < 3; s++) {
        task_heldout(&t, (Split)s, 0, 0, 200, &b);
        ck_assert(b.T == 51 && b.x == NULL && b.y == NULL);
        for (int c = 0; c < 200; c++) {
            double marked = 0;
            int first = 0, second = 0;
            for (int i = 0; i < 51; i++) {
                const real *u = b.u + 2 * at(&b, i, c);
                ck_assert(u[0] >= 0 && u[0] <= 1 && (u[1] == 0 || u[1] == 1));
                if (u[1] == 1) i < 25 ? first++ : second++;
                marked += (double)(u[0] * u[1]);
                sum += (double)u[0];
            }
            ck_assert(first == 1 && second == 1);
            ck_assert_double_eq_tol((double)b.v[c], marked, 1e-6);
        }
    }
    ck_assert_double_eq_tol(sum / (600 * 51), .5, 4 * sqrt(1 / 12. / (600 * 51)));
    batch_free(&b);
}
END_TEST

/* The content that is hashed: the marked steps and the 32-bit values of u. */
START_TEST(adding_hashes_to_its_split)
{
    Task t = open_task("adding", 10);
    Batch b = batch_new();
    for (int i = 0; i < 50; i++) {
        task_heldout(&t, SPLIT_TEST, 0, i, 1, &b);
        Rng rng = rng_make(12345 + SPLIT_TEST, RNG_TASK, (uint32_t)i);
        int word[12];
        do {
            word[0] = rng_below(&rng, 5);
            word[1] = 5 + rng_below(&rng, 5);
            for (int k = 2; k < 12; k++) word[k] = (int)rng_u32(&rng);
        } while (split_of(word, 12) != SPLIT_TEST);
        for (int k = 0; k < 10; k++)
            ck_assert(b.u[2 * k] == (real)((uint32_t)word[2 + k] * 0x1p-32) &&
                      b.u[2 * k + 1] == (k == word[0] || k == word[1]));
    }
    batch_free(&b);
}
END_TEST

START_TEST(adding_levels)
{
    Task t = open_task("adding", 0);
    Batch b = batch_new();
    real one[3000];
    Score s = {0}, perfect = {0};
    task_heldout(&t, SPLIT_VALID, 0, 0, 3000, &b);
    for (int c = 0; c < 3000; c++) one[c] = 1;
    task_score(&t, &b, one, &s);
    /* The squared error has mean 1/6 and variance 1/15 - 1/36 < .04. */
    ck_assert_double_eq_tol(s.loss / s.scored, t.loss_chance, 4 * sqrt(.04 / 3000));
    ck_assert_double_eq(s.hits / s.asked, s.loss / s.scored);
    ck_assert_double_eq_tol(s.right / s.sequences, .16 - .0064, 4 * sqrt(.16 / 3000));
    task_score(&t, &b, b.v, &perfect);
    ck_assert(perfect.loss == 0 && perfect.hits == 0 && perfect.right == 3000);
    batch_free(&b);
}
END_TEST

/* --- copy memory and parity --------------------------------------------------------------------- */
START_TEST(copy_memory)
{
    Task t = open_task("copy-memory", 30);
    Batch b = batch_new();
    int seen[10] = {0};
    task_heldout(&t, SPLIT_TEST, 0, 0, 400, &b);
    ck_assert(b.T == 50 && t.vocab == 10 && t.outputs == 10);
    for (int c = 0; c < 400; c++)
        for (int i = 0; i < 50; i++) {
            const int x = b.x[at(&b, i, c)], y = b.y[at(&b, i, c)];
            ck_assert_int_eq(y, i >= 40 ? b.x[at(&b, i - 40, c)] : 0);
            ck_assert(i < 10 ? x >= 1 && x <= 8 : x == (i == 39 ? 9 : 0));
            seen[x]++;
        }
    for (int k = 1; k <= 8; k++) ck_assert_int_le(abs(seen[k] - 500), 84); /* 4 sigma */
    batch_free(&b);
}
END_TEST

START_TEST(parity)
{
    Task t = open_task("parity", 0);
    Batch b = batch_new();
    Rng rng = rng_make(4, RNG_TEST, 0);
    int of_length[21] = {0};
    task_batch(&t, SPLIT_TRAIN, 0, &rng, 4000, &b);
    ck_assert_int_eq(b.T, 20);
    for (int c = 0; c < 4000; c++) {
        int ones = 0;
        for (int i = 0; i < steps(&b, c); i++) {
            ones += b.x[at(&b, i, c)];
            ck_assert_int_eq(b.y[at(&b, i, c)], ones % 2);
        }
        of_length[steps(&b, c)]++;
    }
    for (int n = 1; n <= 20; n++) ck_assert_int_le(abs(of_length[n] - 200), 56); /* 4 sigma */
    ck_assert_int_eq(t.n_lengths, 4);
    for (int k = 0; k < t.n_lengths; k++) {
        ck_assert_int_eq(t.lengths[k], 20 << k); /* 20 40 80 160 */
        task_heldout(&t, SPLIT_VALID, t.lengths[k], 0, 50, &b);
        for (int c = 0; c < 50; c++) ck_assert_int_eq(steps(&b, c), t.lengths[k]);
    }
    batch_free(&b);
}
END_TEST

/* A perfect model; and, for copy memory, the best one without memory: 10 log 8 / (T+20). */
START_TEST(copy_and_parity_levels)
{
    for (int k = 1; k <= 2; k++) {
        Task t = open_task(names[k], 0);
        Batch b = batch_new();
        Score s = {0}, memoryless = {0};
        task_heldout(&t, SPLIT_TEST, 0, 0, 100, &b);
        real *sure = logits_new(&t, &b), *guess = logits_new(&t, &b);
        for (int i = 0; i < b.T * b.B; i++) {
            sure[i * t.outputs + b.y[i]] = 1000;
            for (int y = 0; y < t.outputs; y++)
                guess[i * t.outputs + y] = i / b.B < 110      ? y == 0 ? 1000 : 0
                                           : y >= 1 && y <= 8 ? 1000
                                                              : 0;
        }
        task_score(&t, &b, sure, &s);
        ck_assert(s.loss == 0 && s.bayes == 0 && s.hits == s.asked && s.right == s.sequences);
        ck_assert_double_eq(s.sequences, 100);
        if (k == 1) {
            task_score(&t, &b, guess, &memoryless);
            ck_assert_double_eq_tol(memoryless.loss / memoryless.scored, t.loss_chance, 1e-12);
            ck_assert_double_eq_tol(t.loss_chance, .1733, .00005);
            ck_assert_double_eq_tol(memoryless.hits / memoryless.asked, t.metric_chance,
                                    4 * sqrt(7 / 64. / 1000));
        }
        free(sure);
        free(guess);
        batch_free(&b);
    }
}
END_TEST

/* --- agreement ---------------------------------------------------------------------------------- */
START_TEST(agreement)
{
    Task t = open_task("agreement", 0);
    Batch b = batch_new();
    int of_attractors[4] = {0};
    task_heldout(&t, SPLIT_TEST, 0, 0, 500, &b);
    ck_assert(b.T == 32 && t.vocab == 55 && t.outputs == 55);
    for (int c = 0; c < 500; c++) {
        int subject = -1, others = 0; /* plural nouns end in s, and so do singular verbs */
        ck_assert_int_eq(b.x[at(&b, 0, c)], 0);
        for (int i = 0; i < 32; i++) {
            const int y = b.y[at(&b, i, c)], aux = b.aux[at(&b, i, c)];
            const char *w = agreement_word[y];
            const bool s = w[strlen(w) - 1] == 's';
            if (i < 31) ck_assert_int_eq(y, b.x[at(&b, i + 1, c)]);
            if (agreement_other_verb(y) >= 0) {
                ck_assert_int_eq(s, !subject);
                ck_assert_int_eq(aux, others);
                of_attractors[aux < 3 ? aux : 3]++;
                continue;
            }
            ck_assert_int_eq(aux, -1);
            if (y == 0) subject = -1, others = 0;
            if (y < 13 || y > 28) continue; /* not a noun */
            if (subject < 0)
                subject = s;
            else
                others += s != subject;
        }
    }
    for (int k = 0; k < 4; k++) ck_assert_int_gt(of_attractors[k], 5);
    batch_free(&b);
}
END_TEST

/* A model that ignores the grammar scores 1/2, a perfect one 1, for every number of attractors; the
 * best possible loss is the entropy of the grammar. */
START_TEST(agreement_levels)
{
    Task t = open_task("agreement", 0);
    Batch b = batch_new();
    Score s = {0}, blind = {0};
    double bayes = 0;
    task_heldout(&t, SPLIT_VALID, 0, 0, 1000, &b);
    real *logits = logits_new(&t, &b);
    task_score(&t, &b, logits, &blind);
    for (int i = 0; i < b.T * b.B; i++) logits[i * 55 + b.y[i]] = 1;
    task_score(&t, &b, logits, &s);
    double asked = 0;
    for (int k = 0; k < 8; k++) {
        ck_assert_double_eq(blind.split_hits[k], blind.split_asked[k] / 2);
        ck_assert_double_eq(s.split_hits[k], s.split_asked[k]);
        ck_assert((k < 4) == (s.split_asked[k] > 0));
        asked += s.split_asked[k];
    }
    ck_assert(s.asked == asked && s.hits == asked);
    for (int c = 0; c < 1000; c++) {
        int word[33] = {0};
        double nats[33];
        for (int i = 0; i < 32; i++) word[i + 1] = b.y[at(&b, i, c)];
        agreement_bayes(word, 33, nats);
        for (int i = 0; i < 33; i++) bayes += nats[i];
    }
    ck_assert_double_eq_tol(s.bayes, bayes, 1e-8);
    ck_assert_double_eq_tol(s.bayes / s.scored, t.loss_perfect, .015); /* 4 sigma */
    free(logits);
    batch_free(&b);
}
END_TEST

SUITE("tasks",
      TESTS(adding, adding_hashes_to_its_split, adding_levels, copy_memory, parity,
            copy_and_parity_levels, agreement, agreement_levels),
      NO_ABORTS)
