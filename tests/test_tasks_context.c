/* The tasks shift and labels with their own checkers, and the levels that can be computed: of guessing and of
 * knowing all that the context says. */
#include "tasks/tasks.h"
#include "task_help.h"

enum { P = 11, WORDS = 32, N = 4000 };

/* Returns a batch of N held-out sequences of the test split. */
static Batch held_out(const Task *t)
{
    Batch b = batch_new();
    task_heldout(t, SPLIT_TEST, 0, 0, N, &b);
    return b;
}

/* Every question is scored, with the answer that its shift gives; inputs repeat the answers of the shots. */
START_TEST(shift_layout)
{
    for (int shots = 1; shots <= 8; shots += 7) {
        Task t = open_task("shift", shots);
        Batch b = held_out(&t);
        int of_shift[P] = {0};
        ck_assert(b.T == 2 * shots + 1 && t.vocab == 2 * P && t.length + t.extra == b.T);
        for (int c = 0; c < N; c++) {
            const int k = (b.y[at(&b, 0, c)] - b.x[at(&b, 0, c)]) % P;
            of_shift[k]++;
            for (int i = 0; i < b.T; i++) {
                const int x = b.x[at(&b, i, c)], y = b.y[at(&b, i, c)];
                if (i % 2) ck_assert(x == b.y[at(&b, i - 1, c)] && y == -1);
                if (i % 2 == 0) ck_assert(x >= 0 && x < P && y == P + (x + k) % P);
            }
        }
        if (shots > 1) /* every shift is as likely as another; 5 sigma */
            for (int k = 0; k < P; k++) ck_assert_int_le(abs(of_shift[k] - N / P), 91);
        batch_free(&b);
    }
}
END_TEST

/* A category has one label in a sequence, and every label has one category. */
START_TEST(labels_layout)
{
    Task t = open_task("labels", 0);
    Batch b = held_out(&t);
    int of_pair[4][4] = {0};
    ck_assert(b.T == 33 && t.vocab == 36 && t.length == 16);
    for (int c = 0; c < N; c++) {
        int label[4] = {-1, -1, -1, -1};
        for (int i = 0; i < b.T; i += 2) {
            const int x = b.x[at(&b, i, c)], y = b.y[at(&b, i, c)] - WORDS;
            ck_assert(x >= 0 && x < WORDS && y >= 0 && y < 4);
            ck_assert(label[x % 4] == -1 || label[x % 4] == y);
            label[x % 4] = y;
            if (i + 1 < b.T) ck_assert(b.x[at(&b, i + 1, c)] == WORDS + y);
        }
        for (int i = 0; i < 4; i++)
            for (int j = 0; j < i; j++) ck_assert(label[i] == -1 || label[i] != label[j]);
        of_pair[b.x[at(&b, 0, c)] % 4][b.y[at(&b, 0, c)] - WORDS]++;
    }
    for (int i = 0; i < 16; i++) ck_assert_int_le(abs(of_pair[i / 4][i % 4] - N / 16), 77);
    batch_free(&b);
}
END_TEST

/* Writes the logits of a model that knows what the shots tell: the answers that can still be right are equally
 * likely. */
static void know(const Task *t, const Batch *b, bool is_shift, real *z)
{
    const int first = is_shift ? P : WORDS, answers = is_shift ? P : 4;
    for (int c = 0; c < b->B; c++) {
        bool used[4] = {false};
        int label[4] = {-1, -1, -1, -1};
        for (int i = 0; i < b->T; i += 2) {
            real *row = z + (size_t)at(b, i, c) * t->outputs;
            const int y = b->y[at(b, i, c)], category = b->x[at(b, i, c)] % 4;
            for (int k = 0; k < answers; k++)
                row[first + k] = (is_shift               ? i == 0 || first + k == y
                                  : label[category] >= 0 ? label[category] == k
                                                         : !used[k])
                                     ? 1000
                                     : 0;
            if (is_shift) continue;
            label[category] = y - WORDS;
            used[y - WORDS] = true;
        }
    }
}

/* The levels of eval: those of such a model and of a guess among the answers, at every number of shots. */
START_TEST(levels)
{
    static const double shots[] = {.25, .5, .688, .828, .910, .954, .977, .988, .994};
    for (int k = 0; k < 2; k++) {
        Task t = open_task(k ? "labels" : "shift", 8);
        Batch b = held_out(&t);
        real *z = logits_new(&t, &b);
        Score s = {0};
        know(&t, &b, !k, z);
        task_score(&t, &b, z, &s);
        const double asked = 9. * N;
        ck_assert(s.asked == asked && s.scored == asked && s.sequences == N);
        ck_assert_double_eq_tol(s.loss / asked, t.loss_perfect, 4e-3);
        ck_assert_double_eq_tol(s.loss, s.bayes, 1e-3 * s.loss);
        ck_assert_double_eq_tol(s.hits / asked, t.metric_perfect, 6e-3);
        for (int i = 0; i <= 8; i++) { /* of equal logits the first is the answer: hits vary */
            const double want = k ? shots[i] : i ? 1 : 1. / P;
            ck_assert_double_eq(s.split_asked[i], N);
            ck_assert_double_eq_tol(s.split_hits[i] / N, want, .03);
        }
        ck_assert_double_eq_tol(t.metric_chance, k ? .25 : 1. / P, 1e-12);
        ck_assert_double_eq_tol(t.loss_chance, log(k ? 4 : P), 1e-12);
        free(z);
        batch_free(&b);
    }
}
END_TEST

START_TEST(lengths)
{
    Error err;
    Task t = open_task("shift", SHOTS_LONGEST);
    ck_assert(!task_open(&t, "shift", SHOTS_LONGEST + 1, &err));
    ck_assert(!task_open(&t, "labels", 1, &err)); /* too few sequences to split */
    ck_assert_str_eq(t.class_name, "shot");
}
END_TEST

SUITE("tasks_context", TESTS(shift_layout, labels_layout, levels, lengths), NO_ABORTS)
