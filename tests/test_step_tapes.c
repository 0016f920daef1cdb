/* Rows of parents by hand, and hypotheses whose rows are their histories, with random parents. */
#include "decoding/step_tapes.h"
#include "base/rng.h"
#include "suite.h"

static Tensor *counting(Tape *tp, Shape s)
{
    Tensor *x = tape_tensor(tp, s);
    for (int i = 0; i < x->len; i++) x->data[i] = (real)i;
    return x;
}

static void ck_tensor(const Tensor *x, Shape s, const real *want)
{
    ck_assert_msg(shape_equal(x->shape, s), "%s", shape_text(x->shape).text);
    for (int i = 0; i < x->len; i++)
        ck_assert_msg(x->data[i] == want[i], "element %d is %g, not %g", i, (double)x->data[i],
                      (double)want[i]);
}

/* --- by hand ------------------------------------------------------------------------------------ */

START_TEST(rows_by_hand)
{
    StepTapes steps = {0};
    Tape *tp = step_tapes_next(&steps);
    Tensor *x = counting(tp, SHAPE(3, 2)), *y = counting(tp, SHAPE(3, 2, 2)),
           *z = counting(tp, SHAPE(3));
    tp = step_tapes_next(&steps);
    ck_tensor(step_tapes_rows(tp, x, 3, (int[]){0, 1, 2}), x->shape, x->data); /* all stay */
    ck_tensor(step_tapes_rows(tp, x, 4, (int[]){2, 0, 2, 1}), SHAPE(4, 2), /* one continues twice */
              (real[]){4, 5, 0, 1, 4, 5, 2, 3});
    ck_tensor(step_tapes_rows(tp, y, 2, (int[]){2, 1}), SHAPE(2, 2, 2), /* one is dropped */
              (real[]){8, 9, 10, 11, 4, 5, 6, 7});
    ck_tensor(step_tapes_rows(tp, z, 1, (int[]){1}), SHAPE(1), (real[]){1});
    ck_assert_ptr_null(step_tapes_rows(tp, NULL, 2, (int[]){0, 0}));
    step_tapes_free(&steps);
}
END_TEST

START_TEST(rows_are_copies)
{
    StepTapes steps = {0};
    Tape *tp = step_tapes_next(&steps);
    Tensor *x = counting(tp, SHAPE(1, 2)), *y = step_tapes_rows(tp, x, 1, (int[]){0});
    y->data[0] = 7;
    ck_tensor(x, SHAPE(1, 2), (real[]){0, 1});
    step_tapes_free(&steps);
}
END_TEST

START_TEST(repeated_by_hand)
{
    Tape tp = {.frozen = true};
    Tensor *first = counting(&tp, SHAPE(1, 2, 2)), *middle = counting(&tp, SHAPE(2, 1, 2)),
           *last = counting(&tp, SHAPE(2, 1));
    ck_tensor(step_tapes_repeat(&tp, first, 0, 2), SHAPE(2, 2, 2),
              (real[]){0, 1, 2, 3, 0, 1, 2, 3});
    ck_tensor(step_tapes_repeat(&tp, middle, 1, 3), SHAPE(2, 3, 2),
              (real[]){0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3});
    ck_tensor(step_tapes_repeat(&tp, last, 1, 2), SHAPE(2, 2), (real[]){0, 0, 1, 1});
    ck_assert_ptr_eq(step_tapes_repeat(&tp, middle, 1, 1), middle);
    tape_free(&tp);
}
END_TEST

/* --- the two tapes ------------------------------------------------------------------------------ */

START_TEST(the_last_step_lives_on)
{
    StepTapes steps = {0};
    Tape *before = step_tapes_next(&steps);
    Tensor *x = counting(before, SHAPE(2, 3));
    for (int step = 0; step < 10; step++) {
        Tape *tp = step_tapes_next(&steps);
        ck_assert(tp != before && tp->frozen && tp->arena.used == 0);
        ck_tensor(x, SHAPE(2, 3), (real[]){0, 1, 2, 3, 4, 5});
        before = tp;
        x = step_tapes_rows(tp, x, 2, (int[]){0, 1});
    }
    step_tapes_free(&steps);
}
END_TEST

START_TEST(memory_of_two_steps)
{
    StepTapes steps = {0};
    size_t held = 0;
    for (int step = 0; step < 1000; step++) {
        counting(step_tapes_next(&steps), SHAPE(100, 100));
        size_t now = 0;
        for (int i = 0; i < LEN(steps.tape); i++) now += arena_reserved(&steps.tape[i].arena);
        if (step == 1) held = now;
        if (step > 1) ck_assert_uint_eq(now, held);
    }
    step_tapes_free(&steps);
    ck_assert_uint_eq(arena_reserved(&steps.tape[0].arena), 0);
    step_tapes_free(&steps); /* nothing is left to free */
}
END_TEST

/* --- a search ----------------------------------------------------------------------------------- */

enum { STEPS = 12, WIDEST = 6 };

/* The tokens of every hypothesis so far, on the tapes and in plain arrays: rows of a fixed size,
 * the last two tokens (n,2), and rows that grow, all tokens (n,t,1). */
typedef struct {
    StepTapes steps;
    Tensor *last, *all; /* NULL before the first step */
    int n, t, history[WIDEST][STEPS];
} Beam;

static void go_on(Beam *b, int n, const int *parent, Rng *rng)
{
    int before[WIDEST][STEPS];
    memcpy(before, b->history, sizeof before);
    Tape *tp = step_tapes_next(&b->steps);
    Tensor *last = step_tapes_rows(tp, b->last, n, parent),
           *all = step_tapes_rows(tp, b->all, n, parent);
    b->last = tape_zeros(tp, SHAPE(n, 2));
    b->all = tape_tensor(tp, SHAPE(n, b->t + 1, 1));
    for (int i = 0; i < n; i++) {
        const int word = rng_below(rng, 1000);
        real *said = b->all->data + (size_t)i * (b->t + 1);
        memcpy(b->history[i], before[parent[i]], sizeof *before);
        b->history[i][b->t] = word;
        if (all) memcpy(said, all->data + (size_t)i * b->t, (size_t)b->t * sizeof *said);
        said[b->t] = b->last->data[2 * i + 1] = (real)word;
        if (last) b->last->data[2 * i] = last->data[2 * i + 1];
    }
    b->n = n, b->t++;
}

static void ck_histories(const Beam *b)
{
    for (int i = 0; i < b->n; i++) {
        for (int t = 0; t < b->t; t++)
            ck_assert(b->all->data[i * b->t + t] == (real)b->history[i][t]);
        for (int k = 0; k < 2 && b->t >= 2; k++)
            ck_assert(b->last->data[2 * i + k] == (real)b->history[i][b->t - 2 + k]);
    }
}

/* Runs a search with n[t] hypotheses at step t and random parents. */
static void check_search(const int *n)
{
    Beam b = {.n = 1};
    Rng rng = rng_make(1, RNG_TEST, 0);
    for (int t = 0; t < STEPS; t++) {
        int parent[WIDEST];
        for (int i = 0; i < n[t]; i++) parent[i] = rng_below(&rng, b.n);
        go_on(&b, n[t], parent, &rng);
        ck_histories(&b);
    }
    step_tapes_free(&b.steps);
}

START_TEST(a_beam_grows)
{
    check_search((int[STEPS]){1, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6});
    check_search((int[STEPS]){1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6});
}
END_TEST

START_TEST(a_beam_shrinks)
{
    check_search((int[STEPS]){1, 6, 5, 5, 4, 3, 3, 2, 2, 1, 1, 1});
    check_search((int[STEPS]){1, 6, 1, 6, 1, 6, 2, 5, 3, 1, 4, 1}); /* and grows again */
}
END_TEST

/* --- programming errors ----------------------------------------------------------------------- */

START_TEST(parent_of_nobody)
{
    Tape tp = {.frozen = true};
    step_tapes_rows(&tp, counting(&tp, SHAPE(2, 3)), 2, (int[]){0, 2});
}
END_TEST

START_TEST(parent_below_0)
{
    Tape tp = {.frozen = true};
    step_tapes_rows(&tp, counting(&tp, SHAPE(2, 3)), 1, (int[]){-1});
}
END_TEST

START_TEST(repeated_along_more)
{
    Tape tp = {.frozen = true};
    step_tapes_repeat(&tp, counting(&tp, SHAPE(2, 3)), 0, 2);
}
END_TEST

START_TEST(repeated_along_no_axis)
{
    Tape tp = {.frozen = true};
    step_tapes_repeat(&tp, counting(&tp, SHAPE(1, 3)), 2, 2);
}
END_TEST

SUITE("carried",
      TESTS(rows_by_hand, rows_are_copies, repeated_by_hand, the_last_step_lives_on,
            memory_of_two_steps, a_beam_grows, a_beam_shrinks),
      ABORTS(parent_of_nobody, parent_below_0, repeated_along_more, repeated_along_no_axis))
