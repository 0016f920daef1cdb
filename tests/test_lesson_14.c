/* Lesson 14: one vector is all that the decoder knows of a source, and how many bits a source has. */
#include "by_hand.h"
#include "seq2seq_help.h"

/* --- bits ------------------------------------------------------------------------------------------ */

static double log2_choose(int n, int k)
{
    return (lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)) / log(2);
}

/* The bits of a sequence of n symbols out of 20, and of its bag of symbols; all bags are counted for n = 3. */
START_TEST(bits_of_a_sequence)
{
    ck_assert_double_eq_tol(20 * log2(20), 86.44, 0.005);
    ck_assert_double_eq_tol(5 * log2(20), 21.61, 0.005);
    ck_assert_double_eq_tol(log2_choose(39, 19), 36.00, 0.005);
    int bags = 0; /* of 3 symbols out of 20, sorted: a <= b <= c */
    for (int a = 0; a < 20; a++)
        for (int b = a; b < 20; b++)
            for (int c = b; c < 20; c++) bags++;
    ck_assert_double_eq_tol(log2(bags), log2_choose(22, 19), 1e-9);
}
END_TEST

/* Packs n symbols as the digits, in base 20, of one number below 1: the 24 bits of a float have room for 5
 * symbols of 4.32 bits. */
static bool one_float_holds(const int *digit, int n)
{
    double number = 0;
    for (int i = 0; i < n; i++) number = 20 * number + digit[i];
    const volatile float packed = (float)(number / pow(20, n)); /* gcc 12 forgets to round */
    return round((double)packed * pow(20, n)) == number;
}

START_TEST(one_number_holds_five_symbols)
{
    ck_assert_double_eq_tol((400 * 2 + 20 * 0 + 1) / pow(20, 3), 0.100125, 1e-12); /* c a b */
    Rng rng = rng_make(14, RNG_TEST, 0);
    int held[7] = {0};
    for (int k = 0; k < 1000; k++) {
        int digit[6];
        for (int i = 0; i < 6; i++) digit[i] = rng_below(&rng, 20);
        for (int n = 1; n <= 6; n++) held[n] += one_float_holds(digit, n);
    }
    for (int n = 1; n <= 5; n++) ck_assert_int_eq(held[n], 1000);
    ck_assert_int_lt(held[6], 600);
}
END_TEST

/* Four symbols carry 2 bits. If the vector says which half a symbol is in, the best loss is ln 2, so
 * 2 - 1 bits came through; if it says everything, 2 bits; if nothing, the loss is ln 4 and 0 bits. */
START_TEST(bits_that_came_through)
{
    static const real logits[3][4] = {{0, 0, -60, -60}, {60, 0, 0, 0}, {0, 0, 0, 0}};
    static const double bits[] = {1, 2, 0};
    for (int i = 0; i < 3; i++) {
        Tape tp = {0};
        const int y[] = {0};
        const Tensor *loss = op_cross_entropy(&tp, given(&tp, SHAPE(1, 4), logits[i]), y);
        ck_assert_double_eq_tol(log2(4) - (double)loss->data[0] / log(2), bits[i], 1e-6);
        tape_free(&tp);
    }
}
END_TEST

/* --- the bottleneck --------------------------------------------------------------------------------- */

/* Writes the logits of the first step after a change of the encoder's outputs, or of the vector. */
static void first_logits(const Network *n, const Numbered *p, bool spoil_outputs, bool spoil_vector,
                         real *logits)
{
    Tape tp = {.frozen = true};
    Memory memory = seq2seq_encode(&tp, &n->net, p->source, &p->S, p->S, 1, NULL);
    DecoderState s = seq2seq_start(&tp, &n->net, &memory);
    for (int i = 0; spoil_outputs && i < memory.state->len; i++) memory.state->data[i] += 1;
    if (spoil_vector) s.cell[0].h->data[0] += 1;
    const Tensor *z = seq2seq_step(&tp, &n->net, &memory, &(int){BOS}, &s);
    memcpy(logits, z->data, (size_t)z->len * sizeof *logits);
    tape_free(&tp);
}

/* Without attention the decoder ignores the encoder's outputs and reads only the vector. */
START_TEST(the_vector_is_all)
{
    enum { WORDS = 9 };
    for (int attention = 0; attention < 2; attention++) {
        const Seq2seqConfig c = {.cell = CELL_GRU,
                                 .attention = attention ? DOT : NO_ATTENTION,
                                 .layers = 1,
                                 .channels = 5,
                                 .hidden = 12,
                                 .bidirectional = true};
        Network *n = network_new(&c, WORDS, WORDS);
        for (int k = 0; k < 20; k++) {
            const Numbered p = numbered(k, WORDS, WORDS);
            real is[WORDS], outputs[WORDS], vector[WORDS];
            first_logits(n, &p, false, false, is);
            first_logits(n, &p, true, false, outputs);
            first_logits(n, &p, false, true, vector);
            ck_assert_int_eq(memcmp(is, outputs, sizeof is) == 0, !attention);
            ck_assert(memcmp(is, vector, sizeof is) != 0);
        }
        network_free(n);
    }
}
END_TEST

/* The vector has the same length for one word and for six. */
START_TEST(always_as_long)
{
    const Seq2seqConfig c = {
        .cell = CELL_LSTM, .attention = NO_ATTENTION, .layers = 2, .channels = 5, .hidden = 12};
    Network *n = network_new(&c, 9, 9);
    const int source[] = {4, 5, 6, 7, 8, 4};
    for (int S = 1; S <= 6; S++) {
        Tape tp = {.frozen = true};
        const Memory memory = seq2seq_encode(&tp, &n->net, source, &S, S, 1, NULL);
        const DecoderState s = seq2seq_start(&tp, &n->net, &memory);
        for (int i = 0; i < 2; i++) {
            ck_shape(s.cell[i].h, SHAPE(1, 12));
            ck_shape(s.cell[i].c, SHAPE(1, 12));
        }
        tape_free(&tp);
    }
    network_free(n);
}
END_TEST

SUITE("lesson_14",
      TESTS(bits_of_a_sequence, one_number_holds_five_symbols, bits_that_came_through,
            the_vector_is_all, always_as_long),
      NO_ABORTS)
