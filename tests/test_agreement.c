/* The agreement grammar, compared with a second description in another form: a table of words by
 * spelling, and the sum over every path of hidden states. */
#include "tasks/agreement.h"
#include "suite.h"

enum { W = AGREEMENT_WORDS };

static int word_id(const char *w)
{
    for (int i = 0; i < W; i++)
        if (strcmp(agreement_word[i], w) == 0) return i;
    ck_abort_msg("no word \"%s\"", w);
}

/* --- the second description -------------------------------------------------------------------
 * A phase is a letter; each arc has the next phase and its probability. */
static const struct {
    char from, to;
    double p;
} arcs[] = {
    {'.', 'd', 1},  {'d', 'a', .3}, {'d', 's', .7}, {'a', 's', 1},  {'s', 'p', .5},
    {'s', 'v', .5}, {'p', 'D', 1},  {'D', 'n', 1},  {'n', 'p', .4}, {'n', 'v', .6},
    {'v', 'e', .6}, {'v', '.', .4}, {'e', 'o', 1},  {'o', '.', 1},
};

static bool is_in(const char *list, const char *w, int *rank, int *of)
{
    char copy[256], *save = NULL;
    bool found = false;
    *of = 0;
    snprintf(copy, sizeof copy, "%s", list);
    for (char *s = strtok_r(copy, " ", &save); s; s = strtok_r(NULL, " ", &save)) {
        ++*of;
        if (strcmp(s, w) == 0) *rank = *of, found = true;
    }
    return found;
}

static double zipf(const char *list, const char *w)
{
    int rank = 0, n;
    if (!is_in(list, w, &rank, &n)) return 0;
    double h = 0;
    for (int k = 1; k <= n; k++) h += 1. / k;
    return 1 / (rank * h);
}

/* p(word | phase, number of the subject). Nouns end in s in the plural, verbs in the singular. */
static double spoken(char phase, int plural, const char *w)
{
    static const char *const nouns = "dog cat girl boy bird horse friend teacher";
    static const char *const verbs = "see hear know help follow call lead paint visit leave greet";
    const size_t len = strlen(w);
    const bool s = w[len - 1] == 's';
    char stem[32] = {0};
    memcpy(stem, w, len - s);
    switch (phase) {
    case '.': return strcmp(w, ".") == 0;
    case 'd':
    case 'D':
    case 'e': return zipf("the my your her", w);
    case 'a': return zipf("small old young happy quiet clever tired tall", w);
    case 'p': return zipf("near with behind beside", w);
    case 's': return s == plural ? zipf(nouns, stem) : 0;
    case 'n':
    case 'o': return zipf(nouns, stem) / 2;
    default: return s != plural ? zipf(verbs, stem) : 0;
    }
}

/* Returns p(word[t..n-1] | previous state), the sum over all paths, by brute force. */
static double paths(const int *word, int t, int n, char phase, int plural)
{
    if (t == n) return 1;
    double sum = 0;
    for (int i = 0; i < LEN(arcs); i++) {
        if (arcs[i].from != phase) continue;
        for (int number = 0; number < 2; number++) {
            if (phase != '.' && number != plural) continue;
            const double p = arcs[i].p * (phase == '.' ? .5 : 1) *
                             spoken(arcs[i].to, number, agreement_word[word[t]]);
            if (p > 0) sum += p * paths(word, t + 1, n, arcs[i].to, number);
        }
    }
    return sum;
}

static double probability(const int *word, int n)
{
    double nats[64], sum = 0;
    agreement_bayes(word, n, nats);
    for (int t = 0; t < n; t++) sum += nats[t];
    return exp(-sum);
}

START_TEST(words)
{
    for (int i = 0; i < W; i++)
        for (int j = 0; j < i; j++) ck_assert_str_ne(agreement_word[i], agreement_word[j]);
    for (int i = 0; i < W; i++) {
        const int other = agreement_other_verb(i);
        if (other < 0) continue;
        const char *a = agreement_word[i], *b = agreement_word[other];
        ck_assert_int_eq(agreement_other_verb(other), i);
        ck_assert_int_eq(abs((int)strlen(a) - (int)strlen(b)), 1);
        ck_assert(strncmp(a, b, strlen(a) < strlen(b) ? strlen(a) : strlen(b)) == 0);
    }
    ck_assert_int_eq(agreement_other_verb(word_id("sees")), word_id("see"));
    ck_assert_int_eq(agreement_other_verb(word_id("dogs")), -1);
    ck_assert_int_eq(agreement_other_verb(0), -1);
}
END_TEST

/* The probabilities of all continuations of a prefix sum to 1. */
START_TEST(two_more_words_sum_to_one)
{
    Rng rng = rng_make(1, RNG_TEST, 0);
    for (int trial = 0; trial < 12; trial++) {
        int word[20];
        const int n = 1 + trial;
        agreement_draw(&rng, n, word, NULL);
        double sum = 0;
        for (int a = 0; a < W; a++)
            for (int b = 0; b < W; b++) {
                word[n] = a;
                word[n + 1] = b;
                sum += probability(word, n + 2);
            }
        ck_assert_double_eq_tol(sum / probability(word, n), 1, 1e-12);
    }
}
END_TEST

/* All sequences of up to 3 words, and random ones of 5 and 20 words, by explicit paths. */
START_TEST(forward_equals_paths)
{
    for (int a = 0; a < W; a++)
        for (int b = 0; b < W; b++) {
            const int word[3] = {0, a, b};
            ck_assert_double_eq_tol(probability(word, 3), paths(word, 1, 3, '.', 0), 1e-15);
        }
    Rng rng = rng_make(2, RNG_TEST, 0);
    for (int trial = 0; trial < 500; trial++) {
        int word[20];
        const int n = trial % 2 ? 5 : 20;
        agreement_draw(&rng, n, word, NULL);
        const double want = paths(word, 1, n, '.', 0);
        ck_assert_double_gt(want, 0);
        ck_assert_double_eq_tol(probability(word, n) / want, 1, 1e-9);
    }
}
END_TEST

/* -log p of "the", "small", "dogs" by hand: harmonic sums of 4, 8, 8, 11: 25/12,
 * 761/280, 83711/27720. */
START_TEST(by_hand)
{
    const int word[] = {0, word_id("the"), word_id("small"), word_id("dogs"), word_id("see")};
    double nats[5];
    agreement_bayes(word, 5, nats);
    ck_assert_double_eq(nats[0], 0);
    ck_assert_double_eq_tol(nats[1], log(25 / 12.), 1e-12);
    ck_assert_double_eq_tol(nats[2], -log(.3 * 280 / 761), 1e-12);
    ck_assert_double_eq_tol(nats[3], log(2 * 761 / 280.), 1e-12);
    ck_assert_double_eq_tol(nats[4], -log(.5 * 27720 / 83711), 1e-12);
}
END_TEST

START_TEST(the_wrong_verb_is_impossible)
{
    const int word[] = {0,
                        word_id("the"),
                        word_id("dogs"),
                        word_id("near"),
                        word_id("my"),
                        word_id("cat"),
                        word_id("sees")};
    double nats[7];
    agreement_bayes(word, 7, nats);
    ck_assert(isfinite(nats[5]) && isinf(nats[6]) && nats[6] > 0);
}
END_TEST

/* The frequencies of all arcs and of all words in a long text are within 5 sigma of the second
 * description. */
START_TEST(drawn_as_described)
{
    enum { N = 200000 };
    static const char letter[] = ".dasp"
                                 "Dnveo";
    static int word[N], state[N], follows[128][128], visits[128], said[20][W], spent[20];
    Rng rng = rng_make(3, RNG_TEST, 0);
    agreement_draw(&rng, N, word, state);
    ck_assert_int_eq(word[0], 0);
    for (int t = 0; t < N; t++) {
        said[state[t]][word[t]]++;
        spent[state[t]]++;
        if (t + 1 == N) break;
        const char a = letter[state[t] / 2], b = letter[state[t + 1] / 2];
        follows[(int)a][(int)b]++;
        visits[(int)a]++;
        if (a != '.') ck_assert_int_eq(state[t] % 2, state[t + 1] % 2);
    }
    int arcs_seen = 0;
    for (int a = 0; a < 128; a++)
        for (int b = 0; b < 128; b++) arcs_seen += follows[a][b] > 0;
    ck_assert_int_eq(arcs_seen, LEN(arcs));
    for (int i = 0; i < LEN(arcs); i++) {
        const double n = visits[(int)arcs[i].from], p = arcs[i].p;
        const double got = follows[(int)arcs[i].from][(int)arcs[i].to];
        ck_assert_double_le(fabs(got - n * p), 5 * sqrt(n * p * (1 - p)) + 1e-9);
    }
    for (int s = 0; s < AGREEMENT_STATES; s++)
        for (int w = 0; w < W; w++) {
            const double p = spoken(letter[s / 2], s % 2, agreement_word[w]), n = spent[s];
            ck_assert_double_le(fabs(said[s][w] - n * p), 5 * sqrt(n * p * (1 - p)) + 1e-9);
        }
}
END_TEST

static double zipf_entropy(int n)
{
    double h = 0, sum = 0;
    for (int k = 1; k <= n; k++) h += 1. / k;
    for (int k = 1; k <= n; k++) sum += log(k * h) / (k * h);
    return sum;
}

static double coin(double p)
{
    return -p * log(p) - (1 - p) * log(1 - p);
}

/* A sentence has 8 words on average, and its entropy is the sum over its choices. The rate of a
 * long text is their ratio; the rate of 33 words is the mean over many windows. */
START_TEST(entropy)
{
    const double noun_phrases = 1 + .5 / .6 + .6, pps = .5 / .6;
    const double length = noun_phrases * 2 + .3 + pps + 1 + 1;
    const double nats = noun_phrases * (zipf_entropy(4) + zipf_entropy(8) + log(2)) + coin(.3) +
                        .3 * zipf_entropy(8) + coin(.5) + pps * (zipf_entropy(4) + coin(.4)) +
                        zipf_entropy(11) + coin(.6);
    ck_assert_double_eq_tol(length, 8, 1e-12);
    const double a = agreement_entropy_rate(601), b = agreement_entropy_rate(1201);
    ck_assert_double_eq_tol((1200 * b - 600 * a) / 600, nats / length, 1e-9);

    enum { TRIALS = 5000 };
    Rng rng = rng_make(4, RNG_TEST, 0);
    double sum = 0, squares = 0;
    for (int i = 0; i < TRIALS; i++) {
        int word[33];
        agreement_draw(&rng, 33, word, NULL);
        const double x = -log(probability(word, 33)) / 32;
        sum += x;
        squares += x * x;
    }
    const double mean = sum / TRIALS, error = sqrt((squares / TRIALS - mean * mean) / TRIALS);
    const double exact = agreement_entropy_rate(33);
    printf("agreement: %.6f nats a word in a window of 32, %.6f in the long run; "
           "a sample has %.4f +- %.4f\n",
           exact, nats / length, mean, error);
    ck_assert_double_le(fabs(mean - exact), 4 * error);
    ck_assert_double_eq_tol(exact, 1.93, .001);
}
END_TEST

START_TEST(attractors)
{
    enum { N = 13 };
    const char *text[N] = {".",   "the", "dog",  "near", "my",    "cats", "behind",
                           "her", "boy", "sees", "the",  "birds", "."};
    const char *letters = ".dspDnpDnveo.", *order = ".daspDnveo";
    int word[N], state[N];
    for (int i = 0; i < N; i++) {
        word[i] = word_id(text[i]);
        state[i] = 2 * (int)(strchr(order, letters[i]) - order);
    }
    for (int i = 0; i < N; i++) {
        ck_assert_int_eq(agreement_attractors(word, state, i), i == 9 ? 1 : -1);
    }
    word[8] = word_id("boys");
    ck_assert_int_eq(agreement_attractors(word, state, 9), 2);
    word[5] = word_id("cat");
    word[8] = word_id("boy");
    ck_assert_int_eq(agreement_attractors(word, state, 9), 0);
}
END_TEST

START_TEST(must_start_with_a_stop)
{
    double nats[2];
    agreement_bayes((int[]){1, 2}, 2, nats);
}
END_TEST

START_TEST(word_out_of_range)
{
    double nats[2];
    agreement_bayes((int[]){0, W}, 2, nats);
}
END_TEST

SUITE("agreement",
      TESTS(words, two_more_words_sum_to_one, forward_equals_paths, by_hand,
            the_wrong_verb_is_impossible, drawn_as_described, entropy, attractors),
      ABORTS(must_start_with_a_stop, word_out_of_range))
