/* Lesson 09: the numbers that the page calculates by hand, and its claims about a state: it carries order,
 * it can be carried over to the next batch, and a truncated gradient leaves a part out. */
#include "models/model.h"
#include "by_hand.h"
#include "nn/params.h"
#include "rnn/rnn.h"

#define LN2 0.69314718056f
#define LN3 1.09861228867f

/* --- three steps of one unit ---------------------------------------------------------------------
 * u = 0.5, h0 = 0. z = (ln 2, ln 2 - 0.3, ln 3 - 0.3) gives h = (0.6, 0.6, 0.8). L is the last h. */

START_TEST(three_steps_fused)
{
    Tape tp = {0};
    Tensor *z = GIVEN(&tp, SHAPE(3, 1, 1), LN2, LN2 - 0.3f, LN3 - 0.3f);
    Tensor *h0 = GIVEN(&tp, SHAPE(1, 1), 0), *u = GIVEN(&tp, SHAPE(1, 1), 0.5f);
    Tensor *h = op_rnn(&tp, sequence_of(z), h0, u);
    CK(h->data, 0.6f, 0.6f, 0.8f);
    BACKWARD(&tp, h, 0, 0, 1);
    CK(z->grad, 0.036864f, 0.1152f, 0.36f);
    CK(u->grad, 0.28512f);
    CK(h0->grad, 0.018432f);
    tape_free(&tp);
}
END_TEST

START_TEST(three_steps_unrolled)
{
    Tape tp = {0};
    const RnnLayer l = {.w = GIVEN(&tp, SHAPE(1, 1), 1),
                        .u = GIVEN(&tp, SHAPE(1, 1), 0.5f),
                        .b = GIVEN(&tp, SHAPE(1), 0)};
    Tensor *x = GIVEN(&tp, SHAPE(3, 1, 1), LN2, LN2 - 0.3f, LN3 - 0.3f);
    Tensor *h0 = GIVEN(&tp, SHAPE(1, 1), 0), *step[3];
    Tensor *h = rnn_layer_steps(&tp, &l, x, h0, step);
    CK(h->data, 0.6f, 0.6f, 0.8f);
    BACKWARD(&tp, h, 0, 0, 1);
    CK(l.u->grad, 0.28512f);
    CK(l.b->grad, 0.512064f); /* the sum of dz */
    CK(l.w->grad, 0.036864f * LN2 + 0.1152f * (LN2 - 0.3f) + 0.36f * (LN3 - 0.3f));
    CK(h0->grad, 0.018432f);
    tape_free(&tp);
}
END_TEST

/* The same, truncated before the last step: h2 = 0.6 is a constant. */
START_TEST(truncated)
{
    Tape tp = {0};
    Tensor *z = GIVEN(&tp, SHAPE(1, 1, 1), LN3 - 0.3f), *u = GIVEN(&tp, SHAPE(1, 1), 0.5f);
    Tensor *h2 = tape_zeros(&tp, SHAPE(1, 1));
    h2->data[0] = 0.6f;
    Tensor *h = op_rnn(&tp, sequence_of(z), h2, u);
    CK(h->data, 0.8f);
    BACKWARD(&tp, h, 1);
    CK(u->grad, 0.216f); /* the truncation leaves out 0.28512 - 0.216 = 0.06912 */
    ck_assert_ptr_null(h2->grad);
    tape_free(&tp);
}
END_TEST

/* --- parity, with weights set by hand ------------------------------------------------------------ */

/* h1 = tanh(10 x + 5 h1 - 5 h2 - 5), h2 = tanh(10 x + 5 h1 - 5 h2 - 15): of x and the parity so far, h1
 * means "at least one is 1" and h2 "both are 1"; the new parity is (h1 - h2) / 2. */
static Tensor *parity_states(Tape *tp, const int *bit, int T)
{
    const RnnLayer l = {.w = GIVEN(tp, SHAPE(1, 2), 10, 10),
                        .u = GIVEN(tp, SHAPE(2, 2), 5, 5, -5, -5),
                        .b = GIVEN(tp, SHAPE(2), -5, -15)};
    Tensor *x = tape_tensor(tp, SHAPE(T, 1, 1));
    for (int t = 0; t < T; t++) x->data[t] = (real)bit[t];
    Tensor **step = tape_save(tp, (size_t)T * sizeof *step);
    return rnn_layer_steps(tp, &l, x, GIVEN(tp, SHAPE(1, 2), -1, -1), step);
}

START_TEST(parity_by_hand)
{
    Tape tp = {0};
    const Tensor *h = parity_states(&tp, (const int[]){1, 1, 0, 1}, 4);
    const int want[4][2] = {{1, -1}, {1, 1}, {-1, -1}, {1, -1}};
    for (int t = 0; t < 4; t++)
        for (int j = 0; j < 2; j++) ck_assert(fabs((double)h->data[2 * t + j] - want[t][j]) < 2e-4);
    tape_free(&tp);
}
END_TEST

START_TEST(parity_of_any_length)
{
    enum { BITS = 1000 };
    Tape tp = {0};
    Rng rng = rng_make(9, RNG_TEST, 0);
    int bit[BITS], parity = 0;
    for (int t = 0; t < BITS; t++) bit[t] = rng_below(&rng, 2);
    const Tensor *h = parity_states(&tp, bit, BITS);
    for (int t = 0; t < BITS; t++) {
        parity ^= bit[t];
        const double answer = (double)(h->data[2 * t] - h->data[2 * t + 1]) / 2;
        ck_assert_msg(fabs(answer - parity) < 2e-4, "bit %d: %g, not %d", t, answer, parity);
    }
    tape_free(&tp);
}
END_TEST

/* --- the page's claims about the state ----------------------------------------------------------- */

/* A model of three tokens and one batch for it. */
typedef struct {
    Params ps;
    Rnn rnn;
    Batch batch;
} Small;

static Small small_of(int T, const int *x)
{
    const Task task = {.vocab = 3, .outputs = 3};
    const RnnConfig size = {.layers = 1, .channels = 4, .hidden = 5};
    Small s = {.ps = params_init(9), .batch = batch_new()};
    s.rnn = rnn_init(&s.ps, &size, &task);
    batch_resize(&s.batch, &task, T, 1);
    for (int t = 0; t < T; t++) {
        s.batch.x[t] = x[t];
        s.batch.y[t] = x[(t + 1) % T];
    }
    return s;
}

static void small_free(Small *s)
{
    batch_free(&s->batch);
    params_free(&s->ps);
}

/* Copies the logits of the last step; adds to the gradients of s->ps. */
static void run(Small *s, real *state, real last[3])
{
    Tape tp = {0};
    const Model m = rnn_model(&s->rnn);
    Tensor *y = m.forward(&tp, m.self, &s->batch, state, NULL); /* (T,1,3) */
    memcpy(last, y->data + y->len - 3, 3 * sizeof *last);
    tape_backward(&tp, op_cross_entropy(&tp, y, s->batch.y));
    tape_free(&tp);
}

static double length_of(const real *v, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += (double)v[i] * (double)v[i];
    return sqrt(sum);
}

static double distance(const real *a, const real *b, int n)
{
    double worst = 0;
    for (int i = 0; i < n; i++) worst = fmax(worst, fabs((double)a[i] - (double)b[i]));
    return worst;
}

START_TEST(order_counts)
{
    Small a = small_of(3, (const int[]){0, 1, 2}), b = small_of(3, (const int[]){1, 0, 2});
    real with[2][3], without[2][3];
    run(&a, NULL, with[0]), run(&b, NULL, with[1]);
    const Tensor *u[] = {a.rnn.layer[0].u, b.rnn.layer[0].u};
    for (int i = 0; i < 2; i++) memset(u[i]->data, 0, (size_t)u[i]->len * sizeof(real));
    run(&a, NULL, without[0]), run(&b, NULL, without[1]);
    ck_assert_double_gt(distance(with[0], with[1], 3), 1e-3);
    ck_assert_double_le(distance(without[0], without[1], 3),
                        0); /* without a state, only the last token counts */
    small_free(&a), small_free(&b);
}
END_TEST

/* --seq-len 1 without --stream: U is multiplied by a state of zeros, so it never learns. */
START_TEST(one_step_trains_no_memory)
{
    Small s = small_of(1, (const int[]){1});
    const RnnLayer *l = &s.rnn.layer[0];
    real last[3], state[5] = {0.5, -0.5, 0.25, 0, 1};
    run(&s, NULL, last);
    ck_assert_double_le(length_of(l->u->grad, l->u->len), 0);
    ck_assert_double_gt(length_of(l->w->grad, l->w->len), 1e-3);
    run(&s, state, last); /* with --stream a state comes in and U is trained */
    ck_assert_double_gt(length_of(l->u->grad, l->u->len), 1e-3);
    small_free(&s);
}
END_TEST

/* Two halves with the state carried over give the logits of the whole sequence, but not its gradient. */
START_TEST(carried_state)
{
    const int x[6] = {0, 2, 1, 1, 0, 2};
    Small whole = small_of(6, x), first = small_of(3, x), second = small_of(3, x + 3);
    for (int t = 0; t < 3; t++) {
        first.batch.y[t] = whole.batch.y[t];
        second.batch.y[t] = whole.batch.y[3 + t];
    }
    real state[5] = {0}, expected[3], last[3];
    run(&whole, NULL, expected);
    run(&first, state, last);
    run(&second, state, last);
    ck_assert_double_le(distance(last, expected, 3), 1e-6);
    const Tensor *u = whole.rnn.layer[0].u;
    real halves[25];
    for (int i = 0; i < u->len; i++)
        halves[i] = (first.rnn.layer[0].u->grad[i] + second.rnn.layer[0].u->grad[i]) / 2;
    ck_assert_double_gt(distance(halves, u->grad, u->len), 1e-4);
    small_free(&whole), small_free(&first), small_free(&second);
}
END_TEST

/* --- the letters of Elman's text: ba, dii and guuu in random order -------------------------------- */

static double entropy(const int count[6])
{
    double n = 0, sum = 0;
    for (int i = 0; i < 6; i++) n += count[i];
    for (int i = 0; i < 6; i++)
        if (count[i]) sum -= count[i] * log(count[i] / n);
    return sum / n;
}

/* Nine words, three of each kind: every letter has exactly its average successors. */
START_TEST(letters_by_hand)
{
    enum { B, D, G, A, I, U };
    const char *word[3] = {"ba", "dii", "guuu"}, *letters = "bdgaiu";
    int next[6][6] = {{0}}, letter_count[6] = {0}, total = 0, ends = 0;
    for (int w = 0; w < 3; w++)
        for (int k = 0; word[w][k]; k++) {
            const int now = (int)(strchr(letters, word[w][k]) - letters);
            letter_count[now] += 3, total += 3;
            if (word[w][k + 1])
                next[now][strchr(letters, word[w][k + 1]) - letters] += 3;
            else
                next[now][B]++, next[now][D]++, next[now][G]++, ends += 3;
        }
    double pairs = 0;
    for (int i = 0; i < 6; i++) pairs += letter_count[i] * entropy(next[i]) / total;
    ck_assert_double_eq_tol(pairs, 2 * log(3) / 3, 1e-12);
    ck_assert_double_eq_tol(ends * log(3) / total, log(3) / 3,
                            1e-12); /* only the letter after a word's end is uncertain */
}
END_TEST

SUITE("lesson_09",
      TESTS(three_steps_fused, three_steps_unrolled, truncated, parity_by_hand,
            parity_of_any_length, order_counts, one_step_trains_no_memory, carried_state,
            letters_by_hand),
      NO_ABORTS)
