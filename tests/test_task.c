/* Tasks in general: batches, scores by hand, errors of task_open. */
#include "tasks/tasks.h"
#include "math/parallel.h"
#include "task_help.h"

/* --- batches ----------------------------------------------------------------------------------- */
START_TEST(layout)
{
    Task t = open_task("parity", 0);
    Batch b = batch_new();
    Rng rng = rng_make(6, RNG_TEST, 0);
    for (int trial = 0; trial < 20; trial++) {
        task_batch(&t, SPLIT_TRAIN, 0, &rng, 3, &b);
        int longest = 0;
        for (int c = 0; c < 3; c++) {
            const int n = steps(&b, c);
            if (n > longest) longest = n;
            for (int i = n; i < b.T; i++) /* padding comes after the tokens */
                ck_assert(b.x[at(&b, i, c)] == 0 && b.y[at(&b, i, c)] == -1);
        }
        ck_assert_int_eq(b.T, longest);
        ck_assert_int_eq(b.B, 3);
    }
    batch_free(&b);
}
END_TEST

/* One batch used for several tasks, growing and shrinking: no old value is left, and no array is
 * too small (the sanitizer would report it). */
START_TEST(reuse)
{
    Batch b = batch_new();
    const Task kinds[] = {
        {.inputs = 2},
        {.vocab = 3, .outputs = 3},
        {.inputs = 1, .outputs = 3},
        {.inputs = 5, .outputs = 3},
        {.vocab = 9},
    };
    for (int trial = 0; trial < 20; trial++) {
        const Task t = kinds[trial * 3 % 5];
        const int T = 1 + trial * 7 % 40, B = 1 + trial * 5 % 9;
        for (int twice = 0; twice < 2; twice++) {
            batch_resize(&b, &t, T, B);
            ck_assert(!b.x == (t.inputs > 0) && !b.u == !t.inputs);
            ck_assert(!b.y == !t.outputs && !b.v == (t.outputs > 0));
            for (int i = 0; i < T * B; i++) {
                if (b.x) ck_assert(b.x[i]++ == 0);
                if (b.y) ck_assert(b.y[i]++ == -1);
                ck_assert(b.aux[i]++ == -1);
                for (int k = 0; k < t.inputs; k++) ck_assert(b.u[i * t.inputs + k]++ == 0);
            }
            for (int c = 0; c < B && b.v; c++) ck_assert(b.v[c]++ == 0);
        }
    }
    batch_free(&b);
}
END_TEST

static bool column_equal(const Task *t, const Batch *a, int ca, const Batch *b, int cb)
{
    if (a->T != b->T) return false;
    for (int i = 0; i < a->T; i++) {
        const int p = at(a, i, ca), q = at(b, i, cb);
        if (t->vocab && (a->x[p] != b->x[q] || a->y[p] != b->y[q])) return false;
        if (t->inputs && memcmp(a->u + 2 * p, b->u + 2 * q, 2 * sizeof(real)) != 0) return false;
    }
    return true;
}

/* Sequence i is the same in any batch, and differs from its neighbour and from sequence i of the
 * other split. */
START_TEST(heldout_is_numbered)
{
    for (int k = 0; k < LEN(names); k++) {
        Task t = open_task(names[k], 0);
        Batch a = batch_new(), b = batch_new();
        task_heldout(&t, SPLIT_TEST, 0, 0, 40, &a);
        task_heldout(&t, SPLIT_TEST, 0, 25, 10, &b);
        for (int c = 0; c < 10; c++) {
            ck_assert(column_equal(&t, &a, 25 + c, &b, c));
            ck_assert(!column_equal(&t, &a, 24 + c, &b, c));
        }
        task_heldout(&t, SPLIT_VALID, 0, 0, 40, &b);
        for (int c = 0; c < 40; c++) ck_assert(!column_equal(&t, &a, c, &b, c));
        batch_free(&a);
        batch_free(&b);
    }
}
END_TEST

/* A batch-major batch is the time-major one transposed, and scores the same. */
START_TEST(layouts_agree)
{
    for (int k = 0; k < LEN(names); k++) {
        Task t = open_task(names[k], 0);
        Batch a = batch_new(), b = batch_new_as(BATCH_MAJOR);
        Rng rng = rng_make(5, RNG_TEST, 0), again = rng, random = rng_make(6, RNG_TEST, 0);
        task_batch(&t, SPLIT_TRAIN, 0, &rng, 9, &a);
        task_batch(&t, SPLIT_TRAIN, 0, &again, 9, &b);
        ck_assert(a.T == b.T && b.layout == BATCH_MAJOR && batch_scored(&a) == batch_scored(&b));
        real *za = logits_new(&t, &a), *zb = logits_new(&t, &a);
        const int V = t.outputs ? t.outputs : 1;
        for (int c = 0; c < 9; c++)
            for (int i = 0; i < a.T; i++) {
                const int p = at(&a, i, c), q = c * b.T + i;
                ck_assert(batch_at(&a, i, c) == (size_t)p && batch_at(&b, i, c) == (size_t)q);
                ck_assert(!t.vocab || (a.x[p] == b.x[q] && a.y[p] == b.y[q]));
                ck_assert(!t.inputs || !memcmp(a.u + 2 * p, b.u + 2 * q, 2 * sizeof(real)));
                ck_assert(a.aux[p] == b.aux[q]);
                for (int j = 0; j < V && t.outputs; j++)
                    za[p * V + j] = zb[q * V + j] = (real)rng_normal(&random);
            }
        Score s[2] = {0};
        task_score(&t, &a, za, &s[0]), task_score(&t, &b, zb, &s[1]);
        ck_assert_mem_eq(&s[0], &s[1], sizeof s[0]);
        free(za), free(zb), batch_free(&a), batch_free(&b);
    }
}
END_TEST

/* The extra arrays that a task asks for exist and have their default values, whatever the batch
 * held before. */
START_TEST(extras)
{
    const Task plain = {.vocab = 3, .outputs = 3},
               full = {.vocab = 3,
                       .outputs = 3,
                       .extras = BATCH_SEGMENTS | BATCH_LABELS | BATCH_WEIGHTS};
    Batch b = batch_new();
    for (int trial = 0; trial < 2; trial++) {
        batch_resize(&b, &plain, 4, 2);
        ck_assert(!b.segments && !b.labels && !b.weights);
        batch_resize(&b, &full, 2, 3);
        for (int i = 0; i < 6; i++) ck_assert(b.segments[i] == 0 && b.weights[i] == 1);
        for (int i = 0; i < 3; i++) ck_assert_int_eq(b.labels[i], -1);
        for (int i = 0; i < 6; i++) b.segments[i] = 7, b.weights[i] = 7, b.labels[i / 2] = 7;
        batch_resize(&b, &full, 2, 3);
        ck_assert(b.segments[5] == 0 && b.weights[5] == 1 && b.labels[2] == -1);
    }
    batch_free(&b);
}
END_TEST

/* --- scores ------------------------------------------------------------------------------------ */
/* Two sequences of three classes, by hand; the second has one step and is right. */
START_TEST(score_by_hand)
{
    const Task t = {.vocab = 3, .outputs = 3, .loss_perfect = (double)NAN};
    const real third = 1000, logits[12] = {0, 0, 0, 1, 3, 2, third, third, third, 9, 9, 9};
    Batch b = batch_new();
    Score s = {0};
    batch_resize(&b, &t, 2, 2);
    memcpy(b.y, (int[]){2, 1, 0, -1}, 4 * sizeof(int));
    task_score(&t, &b, logits, &s);
    const double want = 2 * log(3) + log(exp(-2) + 1 + exp(-1));
    ck_assert_double_eq_tol(s.loss, want, 1e-12);
    ck_assert(s.scored == 3 && s.hits == 2 && s.asked == 3 && s.right == 1 && s.sequences == 2);
    ck_assert(isnan(s.bayes));
    batch_free(&b);
}
END_TEST

/* A target counts with its weight; with weight 0 not at all. A target of the unknown class costs its nats and is never
 * a hit. */
START_TEST(weights_and_the_unknown)
{
    const Task t = {.vocab = 3, .outputs = 3, .unknown = 2, .extras = BATCH_WEIGHTS};
    const real logits[12] = {9, 0, 0, 0, 9, 0, 0, 0, 9, 0, 9, 0};
    Batch b = batch_new();
    Score s = {0};
    batch_resize(&b, &t, 2, 2);
    memcpy(b.y, (int[]){0, 1, 2, 0}, 4 * sizeof(int)); /* 0 2 and 1 0 */
    memcpy(b.weights, (real[]){2, 0.5, 1, 0}, 4 * sizeof(real));
    task_score(&t, &b, logits, &s);
    const double nats = log(2 + exp(9)) - 9;
    ck_assert_double_eq_tol(s.loss, 3.5 * nats, 1e-9);
    ck_assert(s.scored == 3.5 && s.hits == 2.5 && s.asked == 3.5);
    ck_assert(s.right == 1 &&
              s.sequences == 2); /* the second sequence: its wrong target has weight 0 */
    batch_free(&b);
}
END_TEST

/* Returns the number of questions in a sequence, 0 if any symbol can be the answer. */
static int questions_of(const char *name)
{
    static const struct {
        const char *name;
        int questions;
    } task[] = {{"copy-memory", 10}, {"recall", 8}, {"shift", 9}, {"labels", 17}};
    for (int i = 0; i < LEN(task); i++)
        if (strcmp(task[i].name, name) == 0) return task[i].questions;
    return 0;
}

/* Uniform logits: exactly log V nats, and half of all binary questions right. */
START_TEST(blind_model_is_at_chance)
{
    for (int k = 1; k < LEN(names); k++) {
        Task t = open_task(names[k], 0);
        Batch b = batch_new();
        Score s = {0};
        for (int first = 0; first < 2000; first += 500) {
            task_heldout(&t, SPLIT_TEST, 0, first, 500, &b);
            real *logits = logits_new(&t, &b);
            task_score(&t, &b, logits, &s);
            free(logits);
        }
        ck_assert_double_eq_tol(s.loss / s.scored, log(t.outputs), 1e-10);
        batch_free(&b);
        const int questions = questions_of(names[k]);
        if (questions) {
            ck_assert_double_eq(s.asked, questions * 2000);
            continue; /* at their chance level a model knows which symbols can occur */
        }
        ck_assert_double_eq_tol(t.loss_chance, log(t.outputs), 1e-12);
        ck_assert_double_eq_tol(s.hits / s.asked, t.metric_chance, 4 * sqrt(.25 / s.asked));
    }
}
END_TEST

START_TEST(same_for_any_number_of_threads)
{
    Task t = open_task("agreement", 0);
    Batch b = batch_new();
    Rng rng = rng_make(7, RNG_TEST, 0);
    Score s[3] = {0};
    task_heldout(&t, SPLIT_TEST, 0, 0, 64, &b);
    real *logits = logits_new(&t, &b);
    for (int i = 0; i < b.T * b.B * 55; i++) logits[i] = (real)rng_normal(&rng);
    for (int k = 0; k < 3; k++) {
        parallel_init(k + 1);
        task_score(&t, &b, logits, &s[k]);
    }
    parallel_init(1);
    ck_assert_mem_eq(&s[0], &s[1], sizeof s[0]);
    ck_assert_mem_eq(&s[0], &s[2], sizeof s[0]);
    free(logits);
    batch_free(&b);
}
END_TEST

/* --- opening ----------------------------------------------------------------------------------- */
START_TEST(names_agree)
{
    char list[256] = "";
    for (int k = 0; k < LEN(names); k++) {
        Task t = open_task(names[k], 0);
        ck_assert_str_eq(t.name, names[k]);
        ck_assert(t.about && t.metric && t.n_lengths >= 1 && t.lengths[0] == t.length);
        ck_assert(t.steps > 0 && t.batch > 0 && t.lr > 0);
        task_close(&t);
        task_close(&t); /* harmless */
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", k ? "|" : "", names[k]);
    }
    ck_assert_str_eq(list, task_names);
}
END_TEST

START_TEST(bad_requests)
{
    Task t;
    Error err;
    ck_assert(!task_open(&t, "partiy", 0, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "partiy"));
    ck_assert_ptr_nonnull(strstr(err.text, task_names));
    const int bad[] = {-1, 6, 4097, INT32_MAX, INT32_MIN};
    for (int k = 0; k < LEN(bad); k++) {
        ck_assert(!task_open(&t, "parity", bad[k], &err));
        ck_assert_ptr_nonnull(strstr(err.text, "length"));
    }
}
END_TEST

/* The longest sequences fit. */
START_TEST(longest)
{
    Rng rng = rng_make(8, RNG_TEST, 0);
    Batch b = batch_new();
    for (int k = 0; k < LEN(names); k++) {
        const bool shots = strcmp(names[k], "shift") == 0 || strcmp(names[k], "labels") == 0;
        const int most = strcmp(names[k], "recall") == 0 ? 256 : shots ? 63 : 4096;
        Task t = open_task(names[k], most);
        task_heldout(&t, SPLIT_TEST, 0, 0, 1, &b);
        ck_assert_int_eq(b.T, most + t.extra);
        task_batch(&t, SPLIT_TRAIN, 0, &rng, 2, &b);
        real *logits = logits_new(&t, &b);
        Score s = {0};
        task_score(&t, &b, logits, &s);
        ck_assert_double_gt(s.loss, 0);
        free(logits);
    }
    batch_free(&b);
}
END_TEST

START_TEST(too_short_to_hold_out)
{
    Task t = open_task("parity", 0);
    Batch b = batch_new();
    task_heldout(&t, SPLIT_TEST, 6, 0, 1, &b);
}
END_TEST

START_TEST(target_out_of_range)
{
    const Task t = {.vocab = 2, .outputs = 2};
    const real logits[2] = {0};
    Batch b = batch_new();
    Score s = {0};
    batch_resize(&b, &t, 1, 1);
    b.y[0] = 2;
    task_score(&t, &b, logits, &s);
}
END_TEST

START_TEST(class_out_of_range)
{
    Score s = {0};
    score_class(&s, SCORE_CLASSES - 1, 1);
    if (s.split_asked[SCORE_CLASSES - 1] == 1) score_class(&s, SCORE_CLASSES, 1);
}
END_TEST

START_TEST(batch_of_nothing)
{
    Task t = open_task("parity", 0);
    Batch b = batch_new();
    batch_resize(&b, &t, 0, 4);
}
END_TEST

SUITE("task",
      TESTS(layout, reuse, heldout_is_numbered, layouts_agree, extras, score_by_hand,
            weights_and_the_unknown, blind_model_is_at_chance, same_for_any_number_of_threads,
            names_agree, bad_requests, longest),
      ABORTS(too_short_to_hold_out, target_out_of_range, class_out_of_range, batch_of_nothing))
