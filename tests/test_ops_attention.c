/* Attention in one op: by hand, against the same computation from primitive ops, and over padding.
 * Also op_pick and op_reverse for padded sequences. */
#include "by_hand.h"
#include "math/parallel.h"
#include "nn/params.h"

/* One query, two keys: e = (0, ln 3), so p = (1/4, 3/4), y = 4/4 + 3 * 8/4 = 7. With dy = 1: dp =
 * (4, 8), its mean under p is 7, de = (1/4 * -3, 3/4 * 1) = (-3/4, 3/4), dq = sum de k = 3/4 ln 3,
 * dk = de q = (-3/4, 3/4), dv = p. */
START_TEST(dot_by_hand)
{
    Tape tp = {0};
    const real ln3 = (real)1.09861228867;
    const int len[] = {2};
    const real *p;
    Tensor *q = GIVEN(&tp, SHAPE(1, 1, 1), 1), *k = GIVEN(&tp, SHAPE(2, 1, 1), 0, ln3);
    Tensor *v = GIVEN(&tp, SHAPE(2, 1, 1), 4, 8);
    Tensor *y = op_attend_dot(&tp, q, k, v, len, &p);
    ck_shape(y, SHAPE(1, 1, 1));
    CK(p, 0.25f, 0.75f);
    CK(y->data, 7);
    BACKWARD(&tp, y, 1);
    CK(q->grad, 0.75f * ln3);
    CK(k->grad, -0.75f, 0.75f);
    CK(v->grad, 0.25f, 0.75f);
    tape_free(&tp);
}
END_TEST

/* tanh(ln 2) = 0.6, tanh(0) = 0, a = ln 3 / 0.6: e = (ln 3, 0), p = (3/4, 1/4), y = 3 + 2 = 5. dp =
 * (4, 8), mean 5, de = (-3/4, 3/4); dk = de a (1 - x^2) = (-0.75 a 0.64, 0.75 a), dq their sum,
 * da = sum de x = -0.45. */
START_TEST(additive_by_hand)
{
    Tape tp = {0};
    const real ln2 = (real)0.69314718056, a = (real)1.09861228867 / 0.6f;
    const int len[] = {2};
    const real *p;
    Tensor *q = GIVEN(&tp, SHAPE(1, 1, 1), ln2), *k = GIVEN(&tp, SHAPE(2, 1, 1), 0, -ln2);
    Tensor *v = GIVEN(&tp, SHAPE(2, 1, 1), 4, 8), *w = GIVEN(&tp, SHAPE(1), a);
    Tensor *y = op_attend_additive(&tp, q, k, w, v, len, &p);
    CK(p, 0.75f, 0.25f);
    CK(y->data, 5);
    BACKWARD(&tp, y, 1);
    CK(k->grad, -0.48f * a, 0.75f * a);
    CK(q->grad, 0.27f * a);
    CK(w->grad, -0.45f);
    CK(v->grad, 0.75f, 0.25f);
    tape_free(&tp);
}
END_TEST

/* The tape reuses memory that holds old values: the second step's gradients must equal the
 * first's. */
START_TEST(a_second_step)
{
    Tape tp = {0};
    const int len[] = {2};
    for (int step = 0; step < 3; step++) {
        Tensor *q = GIVEN(&tp, SHAPE(1, 1, 1), 1), *k = GIVEN(&tp, SHAPE(2, 1, 1), 0, -1);
        Tensor *v = GIVEN(&tp, SHAPE(2, 1, 1), 4, 8), *w = GIVEN(&tp, SHAPE(1), 1);
        Tensor *y = op_attend_additive(&tp, q, k, w, v, len, NULL);
        BACKWARD(&tp, y, 1);
        static real first[4];
        const real now[4] = {q->grad[0], k->grad[0], k->grad[1], w->grad[0]};
        if (step == 0) memcpy(first, now, sizeof first);
        ck_assert_mem_eq(first, now, sizeof first);
        tape_reset(&tp);
    }
    tape_free(&tp);
}
END_TEST

/* --- against primitive ops -------------------------------------------------------------------- */

enum { T = 3, S = 5, A = 19, C = 6 };

/* (n,1,X) -> (1,n,X), the layout of op_bmm. */
static Tensor *alone(Tape *tp, Tensor *x)
{
    return op_reshape(tp, x, SHAPE(1, x->shape.d[0], x->shape.d[2]));
}

static Tensor *composed(Tape *tp, Tensor *q, Tensor *k, Tensor *a, Tensor *v)
{
    Tensor *e;
    if (a) {
        Tensor *row[T];
        for (int t = 0; t < T; t++) {
            Tensor *qt = op_reshape(tp, op_rows(tp, q, t, 1), SHAPE(A));
            Tensor *x = op_tanh(tp, op_bias(tp, op_reshape(tp, k, SHAPE(S, A)), qt)); /* (S,A) */
            row[t] = op_reshape(tp, op_matmul(tp, x, op_reshape(tp, a, SHAPE(A, 1))), SHAPE(S));
        }
        e = op_reshape(tp, op_stack(tp, row, T), SHAPE(1, T, S));
    } else {
        e = op_bmm(tp, alone(tp, q), alone(tp, k), false, true);
    }
    return op_bmm(tp, op_softmax(tp, e), alone(tp, v), false, false); /* (1,T,C) */
}

START_TEST(equals_its_composition)
{
    const int len[] = {S};
    for (int additive = 0; additive < 2; additive++) {
        Tape tp = {0};
        Params ps = params_init(5);
        Tensor *q = param(&ps, SHAPE(T, 1, A), 1, "q"), *k = param(&ps, SHAPE(S, 1, A), 1, "k");
        Tensor *v = param(&ps, SHAPE(S, 1, C), 1, "v"), *a = param(&ps, SHAPE(A), 1, "a");
        Tensor *r = param(&ps, SHAPE(T, 1, C), 1, "r");
        Tensor *slow = composed(&tp, q, k, additive ? a : NULL, v);
        backward(&tp, slow, r->data);
        real *want = xmalloc(ps.len * sizeof *want);
        memcpy(want, ps.grad, ps.len * sizeof *want);
        params_zero_grad(&ps);
        Tensor *fast = additive ? op_attend_additive(&tp, q, k, a, v, len, NULL)
                                : op_attend_dot(&tp, q, k, v, len, NULL);
        backward(&tp, fast, r->data);
        for (int i = 0; i < fast->len; i++)
            ck_assert_double_eq_tol((double)fast->data[i], (double)slow->data[i], 2e-6);
        for (size_t i = 0; i < ps.len; i++)
            ck_assert_double_eq_tol((double)ps.grad[i], (double)want[i], 5e-6);
        free(want);
        params_free(&ps);
        tape_free(&tp);
    }
}
END_TEST

/* --- padding ---------------------------------------------------------------------------------- */

/* Values in the padding, even NaN, change nothing; a sequence of length 0 gets 0. */
START_TEST(padding_is_not_seen)
{
    Tape tp = {0};
    Tensor *q = GIVEN(&tp, SHAPE(1, 2, 1), 1, 1), *w = GIVEN(&tp, SHAPE(1), 2);
    Tensor *k = GIVEN(&tp, SHAPE(3, 2, 1), 1, NAN, 2, NAN, NAN, NAN);
    Tensor *v = GIVEN(&tp, SHAPE(3, 2, 1), 5, NAN, 5, NAN, NAN, NAN);
    const int len[] = {2, 0};
    const real *p;
    for (int additive = 0; additive < 2; additive++) {
        Tensor *y = additive ? op_attend_additive(&tp, q, k, w, v, len, &p)
                             : op_attend_dot(&tp, q, k, v, len, &p);
        CK(y->data, 5, 0);
        CK(p + 2, 0, 0, 0, 0); /* (T,B,S): the padding of sequence 0, and all of sequence 1 */
        BACKWARD(&tp, y, 1, 1);
        CK(v->grad + 1, 0);
        ck_assert(isfinite((double)k->grad[0]) && isfinite((double)q->grad[1]));
        ck_assert(k->grad[4] == 0 && v->grad[5] == 0);
        memset(k->grad, 0, 6 * sizeof(real)), memset(v->grad, 0, 6 * sizeof(real));
    }
    tape_free(&tp);
}
END_TEST

START_TEST(pick_and_reverse)
{
    Tape tp = {0};
    Tensor *x = GIVEN(&tp, SHAPE(3, 2, 1), 1, 10, 2, 20, 3, 30);
    const int t[] = {2, 0}, len[] = {3, 2};
    Tensor *last = op_pick(&tp, x, t), *back = op_reverse(&tp, x, len);
    ck_shape(last, SHAPE(2, 1));
    CK(last->data, 3, 10);
    CK(back->data, 3, 20, 2, 10, 1, 30);
    BACKWARD(&tp, back, 1, 2, 3, 4, 5, 6);
    CK(x->grad, 5, 4, 3, 2, 1, 6);
    tape_free(&tp);
}
END_TEST

START_TEST(same_bits_on_any_threads)
{
    enum { STEPS = 7, BATCH = 33, SOURCE = 21, WIDE = 40 };
    real first[3 * STEPS * BATCH * WIDE];
    for (int threads = 1; threads <= 4; threads++) {
        Tape tp = {0};
        Params ps = params_init(8);
        int len[BATCH];
        for (int b = 0; b < BATCH; b++) len[b] = b % SOURCE + 1;
        parallel_init(threads);
        Tensor *q = param(&ps, SHAPE(STEPS, BATCH, WIDE), 1, "q");
        Tensor *k = param(&ps, SHAPE(SOURCE, BATCH, WIDE), 1, "k"),
               *a = param(&ps, SHAPE(WIDE), 1, "a");
        Tensor *y = op_attend_additive(&tp, q, k, a, k, len, NULL);
        backward(&tp, y, q->data);
        real *now[] = {y->data, q->grad, k->grad};
        for (int i = 0; i < LEN(now); i++) {
            real *then = first + i * STEPS * BATCH * WIDE;
            if (threads == 1) memcpy(then, now[i], STEPS * BATCH * WIDE * sizeof(real));
            ck_assert_mem_eq(then, now[i], STEPS * BATCH * WIDE * sizeof(real));
        }
        params_free(&ps);
        tape_free(&tp);
    }
    parallel_init(1);
}
END_TEST

SUITE("ops_attention",
      TESTS(dot_by_hand, additive_by_hand, a_second_step, equals_its_composition,
            padding_is_not_seen, pick_and_reverse, same_bits_on_any_threads),
      NO_ABORTS)
