/* UNK is never the output of decoding, whatever its probability (decode.h). */
#include "decode_help.h"

/* UNK has id A here, and almost all the probability. */
static void predict_unknown(const Toy *t, const int *history, int len, real *logits)
{
    (void)t, (void)history;
    for (int i = 0; i < V; i++) logits[i] = 0;
    logits[A] = 20;
    logits[B] = 2;
    logits[EOS] = len == 3 ? 3 : -1;
}

START_TEST(greedy)
{
    Toy t = toy_new(predict_unknown, 1);
    Decoder d = decoder_of(&t);
    int token[MOST_STEPS];
    double log_p;
    d.unk = A;
    ck_assert_int_eq(decode_greedy(&d, 12, token, &log_p), 3);
    for (int i = 0; i < 3; i++) ck_assert_int_eq(token[i], B);
    /* log p is the model's own: UNK keeps its share of the probability. */
    ck_assert_double_eq_tol(log_p, rescored(&t, token, 3, true), 1e-12);
    ck_assert_double_lt(log_p, 4 * -16);
    toy_free(&t);
}
END_TEST

START_TEST(beam)
{
    for (int width = 1; width <= 8; width *= 2) {
        Toy t = toy_new(predict_unknown, 1);
        Decoder d = decoder_of(&t);
        d.unk = A;
        Hypothesis h = decode_beam(&d, (Beam){width, 0.6}, 12);
        for (int i = 0; i < h.len; i++) ck_assert_int_ne(h.token[i], A);
        ck_assert(h.finished);
        hypothesis_free(&h);
        toy_free(&t);
    }
}
END_TEST

START_TEST(eos_is_unknown)
{
    Toy t = toy_new(predict_unknown, 1);
    Decoder d = decoder_of(&t);
    int token[MOST_STEPS];
    d.unk = EOS;
    decode_greedy(&d, 12, token, NULL);
}
END_TEST

SUITE("decode_unknown", TESTS(greedy, beam), ABORTS(eos_is_unknown))
