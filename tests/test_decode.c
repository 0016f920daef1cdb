/* Decoding, compared with greedy decoding and with examples by hand. */
#include "decode_help.h"

/* --- a beam of one ------------------------------------------------------------------------------ */

static void ck_greedy_is_beam_1(Toy *t, double alpha, int limit)
{
    int token[MOST_STEPS];
    double log_p;
    Decoder d = decoder_of(t);
    const int len = decode_greedy(&d, limit, token, &log_p);
    ck_assert_int_eq(t->calls, len < limit ? len + 1 : limit);
    d = decoder_of(t);
    Hypothesis h = decode_beam(&d, (Beam){1, alpha}, limit);
    ck_assert_int_eq(h.len, len);
    ck_assert_mem_eq(h.token, token, (size_t)len * sizeof *token);
    ck_assert_mem_eq(&h.log_probability, &log_p, sizeof log_p);
    hypothesis_free(&h);
}

START_TEST(a_beam_of_one_is_greedy)
{
    for (int trial = 0; trial < 2000; trial++) {
        Toy t = toy_new(predict_at_random, 5000 + (uint64_t)trial);
        t.ties = trial % 2;
        ck_greedy_is_beam_1(&t, trial % 5 * 0.4, 1 + trial % 40);
        toy_free(&t);
    }
}
END_TEST

/* Greedy decoding takes the most likely token at each step, the lower id of two, and never BOS or
 * PAD. */
START_TEST(greedy_step_by_step)
{
    int forbidden = 0;
    for (int trial = 0; trial < 200; trial++) {
        Toy t = toy_new(predict_at_random, 9000 + (uint64_t)trial);
        t.ties = trial % 2;
        int token[MOST_STEPS];
        double log_p;
        const Decoder d = decoder_of(&t);
        const int limit = 12, len = decode_greedy(&d, limit, token, &log_p);
        for (int i = 0; i < (len < limit ? len + 1 : len); i++) {
            real logits[V];
            int best = EOS;
            predict_at_random(&t, token, i, logits);
            for (int k = A; k < V; k++)
                if (logits[k] > logits[best]) best = k;
            ck_assert_int_eq(i < len ? token[i] : EOS, best);
            forbidden += logits[PAD] > logits[best] || logits[BOS] > logits[best];
        }
        ck_assert_double_eq_tol(log_p, rescored(&t, token, len, len < limit), 1e-12);
        toy_free(&t);
    }
    ck_assert_int_gt(forbidden, 50);
}
END_TEST

/* --- by hand ------------------------------------------------------------------------------------ */

/* A first-order Markov chain: p[last token or BOS][next token]. */
static void predict_by_table(const real p[V][V], const int *history, int len, real *logits)
{
    for (int i = 0; i < V; i++)
        logits[i] = (real)log((double)p[len > 0 ? history[len - 1] : BOS][i]);
}

static void predict_trap(const Toy *t, const int *history, int len, real *logits)
{
    static const real p[V][V] = {[BOS] = {[A] = (real)0.6, [B] = (real)0.4},
                                 [A] = {[A] = (real)0.3, [B] = (real)0.3, [EOS] = (real)0.4},
                                 [B] = {[EOS] = (real)0.9, [C] = (real)0.1},
                                 [C] = {0, 0, 0, 0, 0, 1}};
    (void)t;
    predict_by_table(p, history, len, logits);
}

/* Greedy decoding takes A, after which no token is likely: .6 * .4 = .24. B and EOS have .4 * .9 =
 * .36. */
START_TEST(greedy_is_beaten)
{
    Toy t = toy_new(predict_trap, 0);
    int token[8];
    double log_p;
    Decoder d = decoder_of(&t);
    ck_assert_int_eq(decode_greedy(&d, 8, token, &log_p), 1);
    ck_assert_int_eq(token[0], A);
    ck_assert_double_eq_tol(exp(log_p), 0.24, 1e-6);
    d = decoder_of(&t);
    Hypothesis h = decode_beam(&d, (Beam){2, 0}, 8);
    ck_assert_int_eq(h.len, 1);
    ck_assert_int_eq(h.token[0], B);
    ck_assert(h.finished);
    ck_assert_double_eq_tol(exp(h.log_probability), 0.36, 1e-6);
    ck_assert_double_eq(h.score, h.log_probability);
    ck_assert_int_eq(t.calls, 2); /* the other hypotheses have .18 at most */
    hypothesis_free(&h);
    toy_free(&t);
}
END_TEST

static void predict_short_or_long(const Toy *t, const int *history, int len, real *logits)
{
    static const real p[V][V] = {[BOS] = {[A] = (real)0.58, [EOS] = (real)0.42},
                                 [A] = {[A] = (real)0.3, [B] = (real)0.7},
                                 [B] = {[EOS] = (real)0.95, [A] = (real)0.05}};
    (void)t;
    predict_by_table(p, history, len, logits);
}

/* The empty output has probability .42, A B has .58 * .7 * .95 = .3857. With length normalisation A
 * B wins: log .42 = -.868 < log .3857 / (8/6) = -.715. */
START_TEST(normalisation_favours_the_long)
{
    Toy t = toy_new(predict_short_or_long, 0);
    Decoder d = decoder_of(&t);
    Hypothesis h = decode_beam(&d, (Beam){4, 0}, 6);
    ck_assert_int_eq(h.len, 0);
    ck_assert_double_eq_tol(exp(h.score), 0.42, 1e-6);
    hypothesis_free(&h);
    d = decoder_of(&t);
    h = decode_beam(&d, (Beam){4, 1}, 6);
    ck_assert_int_eq(h.len, 2);
    ck_assert(h.token[0] == A && h.token[1] == B);
    ck_assert_double_eq_tol(h.score, log(0.58 * 0.7 * 0.95) / (8. / 6), 1e-6);
    hypothesis_free(&h);
    toy_free(&t);
}
END_TEST

static void predict_end(const Toy *t, const int *history, int len, real *logits)
{
    static const real p[V][V] = {[BOS] = {[EOS] = (real)0.9, [A] = (real)0.1}, [A] = {0, 0, 0, 1}};
    (void)t;
    predict_by_table(p, history, len, logits);
}

/* EOS has log .9 = -.105. A repeated to the limit could reach log .1 / lp(50) = -2.303 /
 * 9.17^alpha: less than that for alpha = 0 and 1, more for 2. */
START_TEST(stops_when_it_has_won)
{
    static const int calls[] = {1, 1, 50};
    for (int alpha = 0; alpha <= 2; alpha++) {
        Toy t = toy_new(predict_end, 0);
        const Decoder d = decoder_of(&t);
        Hypothesis h = decode_beam(&d, (Beam){2, alpha}, 50);
        ck_assert_int_eq(t.calls, calls[alpha]);
        ck_assert_int_eq(h.len, alpha < 2 ? 0 : 50);
        hypothesis_free(&h);
        toy_free(&t);
    }
}
END_TEST

static void predict_endless(const Toy *t, const int *history, int len, real *logits)
{
    (void)t, (void)history, (void)len;
    for (int i = 0; i < V; i++) logits[i] = i == EOS ? -INFINITY : 0;
}

/* EOS never comes and all tokens are equally likely: the lowest id wins at every step. */
START_TEST(cut_off_at_the_limit)
{
    Toy t = toy_new(predict_endless, 0);
    for (int limit = 1; limit <= 20; limit += 19)
        for (int width = 1; width <= 5; width += 2) {
            int token[20];
            double log_p;
            Decoder d = decoder_of(&t);
            ck_assert_int_eq(decode_greedy(&d, limit, token, &log_p), limit);
            ck_assert_int_eq(t.calls, limit);
            d = decoder_of(&t);
            Hypothesis h = decode_beam(&d, (Beam){width, 1}, limit);
            ck_assert_int_eq(t.calls, limit);
            ck_assert_int_eq(t.widest, limit == 1 ? 1 : width);
            ck_assert(!h.finished && h.len == limit);
            for (int i = 0; i < limit; i++) ck_assert(token[i] == A && h.token[i] == A);
            ck_assert_double_eq_tol(log_p, -limit * log(V - 1), 1e-9); /* BOS and PAD keep theirs */
            ck_assert_double_eq(h.log_probability, log_p);
            ck_assert_double_eq_tol(h.score, score_of(log_p, limit, 1), 1e-12);
            hypothesis_free(&h);
        }
    toy_free(&t);
}
END_TEST

static void predict_huge(const Toy *t, const int *history, int len, real *logits)
{
    (void)t, (void)history;
    for (int i = 0; i < V; i++) logits[i] = 0;
    logits[len < 3 ? B : EOS] = (real)1e30;
}

START_TEST(huge_logits)
{
    Toy t = toy_new(predict_huge, 0);
    int token[8];
    double log_p;
    const Decoder d = decoder_of(&t);
    ck_assert_int_eq(decode_greedy(&d, 8, token, &log_p), 3);
    ck_assert_double_eq(log_p, 0);
    ck_greedy_is_beam_1(&t, 1, 8);
    toy_free(&t);
}
END_TEST

static void predict_nan(const Toy *t, const int *history, int len, real *logits)
{
    (void)history;
    for (int i = 0; i < V; i++) logits[i] = (real)NAN;
    if (t->seed == 1) logits[C] = 0, logits[A] = -INFINITY;
    if (t->seed == 2) logits[len % V] = INFINITY;
}

/* Decoding ends even if the model's logits are NaN or infinite. */
START_TEST(no_numbers)
{
    for (uint64_t variant = 0; variant < 3; variant++) {
        Toy t = toy_new(predict_nan, variant);
        int token[8];
        double log_p;
        Decoder d = decoder_of(&t);
        const int len = decode_greedy(&d, 8, token, &log_p);
        if (variant == 1) ck_assert(len == 8 && token[0] == C && token[7] == C && log_p == 0);
        if (variant != 1) ck_assert(log_p == -INFINITY);
        ck_greedy_is_beam_1(&t, 1, 8);
        d = decoder_of(&t);
        Hypothesis h = decode_beam(&d, (Beam){3, 0}, 8);
        ck_assert_int_le(h.len, 8);
        hypothesis_free(&h);
        toy_free(&t);
    }
}
END_TEST

static void attempt(int limit, int eos, Beam beam)
{
    Toy t = toy_new(predict_endless, 0);
    Decoder d = decoder_of(&t);
    d.eos = eos;
    decode_beam(&d, beam, limit);
}

START_TEST(no_limit)
{
    attempt(0, EOS, (Beam){1, 0});
}
END_TEST

START_TEST(no_width)
{
    attempt(3, EOS, (Beam){0, 0});
}
END_TEST

START_TEST(negative_alpha)
{
    attempt(3, EOS, (Beam){1, -1});
}
END_TEST

START_TEST(bos_is_eos)
{
    attempt(3, BOS, (Beam){1, 0});
}
END_TEST

SUITE("decode",
      TESTS(a_beam_of_one_is_greedy, greedy_step_by_step, greedy_is_beaten,
            normalisation_favours_the_long, stops_when_it_has_won, cut_off_at_the_limit,
            huge_logits, no_numbers),
      ABORTS(no_limit, no_width, negative_alpha, bos_is_eos))
