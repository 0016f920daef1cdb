/* Lesson 15: one step of attention by hand, forward and backward, the purpose of the mask, and how the
 * four scores are related. */
#include "by_hand.h"
#include "seq2seq_help.h"

#define LN2 0.69314718056f
#define LN3 1.09861228867f

/* Three states of a source; the query is (ln 2, 0). The scores ln 2, 0, ln 2 give the weights 2/5, 1/5, 2/5. */
#define STATES 1, 0, 0, 1, 1, 1

/* c = 0.4 (1,0) + 0.2 (0,1) + 0.4 (1,1) = (0.8, 0.6). With the loss c_1: dp = (1, 0, 1), mean p . dp = 0.8;
 * de = (0.4 * 0.2, -0.2 * 0.8, 0.4 * 0.2) = (0.08, -0.16, 0.08); ds = sum of de h = (0.16, -0.08). */
START_TEST(dot_by_hand)
{
    Tape tp = {0};
    const int len[] = {3};
    const real *p;
    Tensor *s = GIVEN(&tp, SHAPE(1, 1, 2), LN2, 0), *h = GIVEN(&tp, SHAPE(3, 1, 2), STATES);
    Tensor *c = op_attend_dot(&tp, s, h, h, len, &p);
    CK(p, 0.4f, 0.2f, 0.4f);
    CK(c->data, 0.8f, 0.6f);
    BACKWARD(&tp, c, 1, 0);
    CK(s->grad, 0.16f, -0.08f);
    /* dh = p dc + de s, the second part through the scores */
    CK(h->grad, 0.4f + 0.08f * LN2, 0, 0.2f - 0.16f * LN2, 0, 0.4f + 0.08f * LN2, 0);
    tape_free(&tp);
}
END_TEST

/* The third state is padding: the weights are 2/3 and 1/3. Its values do not matter, not even a NaN. */
START_TEST(mask_by_hand)
{
    Tape tp = {0};
    const int len[] = {2};
    const real *p;
    Tensor *s = GIVEN(&tp, SHAPE(1, 1, 2), LN2, 0);
    Tensor *h = GIVEN(&tp, SHAPE(3, 1, 2), 1, 0, 0, 1, NAN, NAN);
    Tensor *c = op_attend_dot(&tp, s, h, h, len, &p);
    CK(p, 2 / 3.f, 1 / 3.f, 0);
    CK(c->data, 2 / 3.f, 1 / 3.f);
    tape_free(&tp);
}
END_TEST

/* Additive attention, one unit: s W = ln 2; h U = 0, -ln 2; a = ln 3 / 0.6. tanh gives 0.6 and 0, the
 * scores are ln 3 and 0, the weights 3/4 and 1/4. */
START_TEST(additive_by_hand)
{
    Tape tp = {0};
    const int len[] = {2};
    const real *p;
    Tensor *s = GIVEN(&tp, SHAPE(1, 1, 1), LN2), *key = GIVEN(&tp, SHAPE(2, 1, 1), 0, -LN2);
    Tensor *a = GIVEN(&tp, SHAPE(1), LN3 / 0.6f), *h = GIVEN(&tp, SHAPE(2, 1, 1), 4, 8);
    Tensor *c = op_attend_additive(&tp, s, key, a, h, len, &p);
    CK(p, 0.75f, 0.25f);
    CK(c->data, 5);
    tape_free(&tp);
}
END_TEST

/* Equal scores give the average; a score far above the others selects one state. */
START_TEST(from_average_to_choice)
{
    static const real size[] = {0, 1, 60};
    static const double first[] = {1 / 3., 2 / 5., 1 / 2.}; /* the first of two with equal scores */
    for (int i = 0; i < 3; i++) {
        Tape tp = {0};
        const int len[] = {3};
        const real *p;
        Tensor *s = GIVEN(&tp, SHAPE(1, 1, 2), size[i] * LN2, 0);
        Tensor *h = GIVEN(&tp, SHAPE(3, 1, 2), STATES);
        op_attend_dot(&tp, s, h, h, len, &p);
        ck_assert_double_eq_tol((double)p[0], first[i], 1e-6);
        ck_assert_double_eq_tol((double)(p[0] + p[1] + p[2]), 1, 1e-6);
        tape_free(&tp);
    }
}
END_TEST

/* --- the four scores ------------------------------------------------------------------------------- */

enum { WORDS = 9, SIZE = 6 };

static Network *network_with(AttentionKind attention)
{
    const Seq2seqConfig c = {.cell = CELL_GRU,
                             .attention = attention,
                             .layers = 1,
                             .channels = 5,
                             .hidden = SIZE,
                             .bidirectional = true};
    return network_new(&c, WORDS, WORDS);
}

static Tensor *named(const Network *n, const char *name)
{
    for (int i = 0; i < n->ps.n; i++)
        if (strcmp(n->ps.tensor[i]->name, name) == 0) return n->ps.tensor[i];
    return NULL;
}

/* With W = I general attention is dot attention: the logits are the same. */
START_TEST(general_with_identity_is_dot)
{
    Network *dot = network_with(DOT), *general = network_with(GENERAL);
    for (int i = 0; i < dot->ps.n; i++) {
        Tensor *to = named(general, dot->ps.tensor[i]->name);
        ck_assert_ptr_nonnull(to);
        memcpy(to->data, dot->ps.tensor[i]->data, (size_t)to->len * sizeof *to->data);
    }
    Tensor *w = named(general, "attention.key");
    ck_assert_int_eq(general->ps.n, dot->ps.n + 1);
    for (int i = 0; i < w->len; i++) w->data[i] = i % (SIZE + 1) == 0;
    Batch batch = batch_numbered(dot, 0, 3, 0, 0);
    real *a = logits_of(dot, &batch), *b = logits_of(general, &batch);
    for (int i = 0; i < batch.T * batch.B * WORDS; i++)
        ck_assert_double_eq_tol((double)a[i], (double)b[i], 1e-5);
    free(a), free(b), batch_free(&batch);
    network_free(dot), network_free(general);
}
END_TEST

/* Additive attention takes its query before the step, so the step's input cannot change the weights; the
 * other three take it after the step. */
START_TEST(before_or_after_the_step)
{
    static const AttentionKind kinds[] = {ADDITIVE, DOT, GENERAL, CONCAT};
    for (int i = 0; i < LEN(kinds); i++) {
        Network *n = network_with(kinds[i]);
        Tape tp = {.frozen = true};
        const int source[] = {4, 5, 6, 7}, len = 4;
        const Memory memory = seq2seq_encode(&tp, &n->net, source, &len, len, 1, NULL);
        real weight[2][4];
        for (int word = 0; word < 2; word++) {
            DecoderState s = seq2seq_start(&tp, &n->net, &memory);
            seq2seq_step(&tp, &n->net, &memory, &(int){4 + word}, &s);
            memcpy(weight[word], s.weights, sizeof weight[word]);
        }
        const bool same = memcmp(weight[0], weight[1], sizeof weight[0]) == 0;
        ck_assert_msg(same == (i == 0), "%s", seq2seq_attention_names[kinds[i]]);
        tape_free(&tp), network_free(n);
    }
}
END_TEST

/* The number of weights of each form, with H = 6. */
START_TEST(weights_of_each_form)
{
    static const AttentionKind kinds[] = {NO_ATTENTION, DOT, GENERAL, CONCAT, ADDITIVE};
    const size_t out = 2 * SIZE * SIZE + SIZE, square = SIZE * SIZE;
    const size_t more[] = {0, out, out + square, out + 2 * square + SIZE,
                           out + 2 * square + SIZE + SIZE * 3 * SIZE};
    size_t none = 0;
    for (int i = 0; i < LEN(kinds); i++) {
        Network *n = network_with(kinds[i]);
        if (i == 0) none = n->ps.count;
        ck_assert_uint_eq(n->ps.count - none, more[i]);
        network_free(n);
    }
}
END_TEST

SUITE("lesson_15",
      TESTS(dot_by_hand, mask_by_hand, additive_by_hand, from_average_to_choice,
            general_with_identity_is_dot, before_or_after_the_step, weights_of_each_form),
      NO_ABORTS)
