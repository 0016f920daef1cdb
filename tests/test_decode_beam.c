/* Beam search, compared with an exhaustive search over all outputs. */
#include "decode_help.h"

typedef struct {
    int token[MOST_STEPS], len;
    bool finished;
    double score;
} Best;

static void try_all(const Toy *t, double alpha, int limit, int *token, int len, Best *best)
{
    const bool cut = len == limit;
    const double score = score_of(rescored(t, token, len, !cut), len + !cut, alpha);
    if (score > best->score) {
        *best = (Best){.len = len, .finished = !cut, .score = score};
        memcpy(best->token, token, (size_t)len * sizeof *token);
    }
    for (int next = A; next < V && !cut; next++) {
        token[len] = next;
        try_all(t, alpha, limit, token, len + 1, best);
    }
}

START_TEST(a_wide_beam_finds_the_best)
{
    static const double alphas[] = {0, 0.6, 2};
    int cut = 0, early = 0;
    for (int trial = 0; trial < 120; trial++) {
        const int limit = 1 + trial % 5;
        const double alpha = alphas[trial / 5 % 3];
        Toy t = toy_new(predict_at_random, (uint64_t)trial);
        Best best = {.score = -INFINITY};
        int token[MOST_STEPS];
        try_all(&t, alpha, limit, token, 0, &best);
        const Decoder d = decoder_of(&t);
        Hypothesis h = decode_beam(&d, (Beam){MOST_HYPOTHESES, alpha}, limit);
        ck_assert_int_eq(h.len, best.len);
        ck_assert_int_eq(h.finished, best.finished);
        ck_assert_mem_eq(h.token, best.token, (size_t)h.len * sizeof *token);
        ck_assert_double_eq_tol(h.score, best.score, 1e-12);
        cut += !h.finished;
        early += t.calls < limit;
        hypothesis_free(&h);
        toy_free(&t);
    }
    ck_assert_int_gt(cut, 5); /* both cut-off and finished outputs occurred */
    ck_assert_int_lt(cut, 115);
    ck_assert_int_gt(early, 5);
}
END_TEST

/* For any width, the log p is that of the tokens and the score is at most the best one. */
START_TEST(a_narrow_beam_tells_the_truth)
{
    int better = 0, moved = 0;
    for (int trial = 0; trial < 200; trial++) {
        const int limit = 5, width = 2 + trial % 4;
        const double alpha = trial % 3 * 0.5;
        Toy t = toy_new(predict_at_random, 1000 + (uint64_t)trial);
        Best best = {.score = -INFINITY};
        int token[MOST_STEPS];
        try_all(&t, alpha, limit, token, 0, &best);
        Decoder d = decoder_of(&t);
        Hypothesis h = decode_beam(&d, (Beam){width, alpha}, limit);
        ck_assert_int_le(t.widest, width);
        ck_assert(h.finished == (h.len < limit));
        ck_assert_double_eq_tol(h.log_probability, rescored(&t, h.token, h.len, h.finished), 1e-12);
        ck_assert_double_eq_tol(h.score, score_of(h.log_probability, h.len + h.finished, alpha),
                                1e-12);
        ck_assert_double_le(h.score, best.score + 1e-12);
        moved += t.moved;

        double log_p;
        d = decoder_of(&t);
        const int len = decode_greedy(&d, limit, token, &log_p);
        better += h.score > score_of(log_p, len + (len < limit), alpha) + 1e-9;
        hypothesis_free(&h);
        toy_free(&t);
    }
    ck_assert_int_gt(better, 20);
    ck_assert_int_gt(moved, 100);
}
END_TEST

SUITE("decode_beam", TESTS(a_wide_beam_finds_the_best, a_narrow_beam_tells_the_truth), NO_ABORTS)
