/* A grammar that is small enough to compute the best possible language model exactly.
 *
 *     sentence = det adj? SUBJECT (prep det noun)* VERB (det noun)? .
 *     "the small dog near my cats behind the boys sees her bird ."
 *
 * The verb agrees in number with the subject, whatever the number of the nouns in between. Such
 * nouns are called attractors (Linzen, Dupoux & Goldberg 2016). So a model must remember one bit
 * over any distance, and a test shows whether it does or copies the number of the nearest noun.
 *
 * The grammar is a hidden Markov model. A state is a phase of the sentence and the number of its
 * subject: 10 x 2 states. The words of a class follow Zipf's law, p ~ 1 / rank. */
#include "tasks/agreement.h"

#include <math.h>
#include <string.h>

/* clang-format off */
const char *const agreement_word[AGREEMENT_WORDS] = {
    ".",
    "the", "my", "your", "her",
    "small", "old", "young", "happy", "quiet", "clever", "tired", "tall",
    "dog", "dogs", "cat", "cats", "girl", "girls", "boy", "boys",
    "bird", "birds", "horse", "horses", "friend", "friends", "teacher", "teachers",
    "near", "with", "behind", "beside",
    "sees", "see", "hears", "hear", "knows", "know", "helps", "help", "follows", "follow",
    "calls", "call", "leads", "lead", "paints", "paint", "visits", "visit", "leaves", "leave",
    "greets", "greet",
};
/* clang-format on */

enum { FIRST_DET = 1, FIRST_ADJ = 5, FIRST_NOUN = 13, FIRST_PREP = 29, FIRST_VERB = 33 };

/* A class has `stems` words in a row from `first` on; or, in two forms, twice as many: singular and
 * plural of each. */
typedef enum { ONE_FORM, OF_SUBJECT, EITHER } Form;

enum { STOP, DET, ADJ, NOUN, PREP, PP_DET, PP_NOUN, VERB, OBJ_DET, OBJ_NOUN, PHASES };
_Static_assert(2 * PHASES == AGREEMENT_STATES, "a state is 2 * phase + number");

static const struct {
    int first, stems;
    Form form;
    double p; /* of the first of the two phases that may follow */
    int next[2];
} grammar[PHASES] = {
    [STOP] = {0, 1, ONE_FORM, 1, {DET, DET}},
    [DET] = {FIRST_DET, 4, ONE_FORM, .3, {ADJ, NOUN}},
    [ADJ] = {FIRST_ADJ, 8, ONE_FORM, 1, {NOUN, NOUN}},
    [NOUN] = {FIRST_NOUN, 8, OF_SUBJECT, .5, {PREP, VERB}},
    [PREP] = {FIRST_PREP, 4, ONE_FORM, 1, {PP_DET, PP_DET}},
    [PP_DET] = {FIRST_DET, 4, ONE_FORM, 1, {PP_NOUN, PP_NOUN}},
    [PP_NOUN] = {FIRST_NOUN, 8, EITHER, .4, {PREP, VERB}},
    [VERB] = {FIRST_VERB, 11, OF_SUBJECT, .6, {OBJ_DET, STOP}},
    [OBJ_DET] = {FIRST_DET, 4, ONE_FORM, 1, {OBJ_NOUN, OBJ_NOUN}},
    [OBJ_NOUN] = {FIRST_NOUN, 8, EITHER, 1, {STOP, STOP}},
};

typedef struct {
    int to;
    double p;
} Arc;

/* Returns the i-th of the two states that may follow. At a full stop i is the next subject's
 * number; in all other states the number stays the same. */
static Arc arc(int state, int i)
{
    const int phase = state / 2, number = state % 2;
    if (phase == STOP) return (Arc){2 * DET + i, .5};
    const double p = grammar[phase].p;
    return (Arc){2 * grammar[phase].next[i] + number, i == 0 ? p : 1 - p};
}

static double harmonic(int n)
{
    double sum = 0;
    for (int rank = 1; rank <= n; rank++) sum += 1.0 / rank;
    return sum;
}

static double emission(int state, int word) /* p(word | state) */
{
    const int phase = state / 2, stems = grammar[phase].stems, at = word - grammar[phase].first;
    const Form form = grammar[phase].form;
    const int forms = form == ONE_FORM ? 1 : 2;
    if (at < 0 || at >= stems * forms) return 0;
    const double p = 1 / ((at / forms + 1) * harmonic(stems));
    if (form == EITHER) return p / 2;
    return form == ONE_FORM || at % 2 == state % 2 ? p : 0;
}

static int draw_word(Rng *rng, int state)
{
    const int phase = state / 2, stems = grammar[phase].stems;
    double u = rng_uniform(rng) * harmonic(stems);
    int k = 0;
    for (; k < stems - 1 && u >= 1.0 / (k + 1); k++) u -= 1.0 / (k + 1);
    switch (grammar[phase].form) {
    case OF_SUBJECT: return grammar[phase].first + 2 * k + state % 2;
    case EITHER: return grammar[phase].first + 2 * k + rng_below(rng, 2);
    default: return grammar[phase].first + k;
    }
}

void agreement_draw(Rng *rng, int n, int *word, int *state)
{
    int s = 2 * STOP;
    for (int t = 0; t < n; t++) {
        if (t > 0) {
            const Arc first = arc(s, 0);
            s = rng_uniform(rng) < first.p ? first.to : arc(s, 1).to;
        }
        word[t] = draw_word(rng, s);
        if (state) state[t] = s;
    }
}

/* Updates belief[s] = p(state s | words so far) with one more word, and returns the probability of
 * that word. */
static double forward_step(double belief[AGREEMENT_STATES], int word)
{
    CHECK(word >= 0 && word < AGREEMENT_WORDS, "agreement: word %d of %d", word, AGREEMENT_WORDS);
    double prior[AGREEMENT_STATES] = {0}, p = 0;
    for (int s = 0; s < AGREEMENT_STATES; s++)
        for (int i = 0; i < 2 && belief[s] > 0; i++) prior[arc(s, i).to] += belief[s] * arc(s, i).p;
    for (int s = 0; s < AGREEMENT_STATES; s++) {
        belief[s] = prior[s] > 0 ? prior[s] * emission(s, word) : 0;
        p += belief[s];
    }
    for (int s = 0; s < AGREEMENT_STATES && p > 0; s++) belief[s] /= p;
    return p;
}

void agreement_bayes(const int *word, int n, double *nats)
{
    CHECK(n >= 1 && word[0] == 0, "agreement_bayes: %d words; the first must be the full stop", n);
    double belief[AGREEMENT_STATES] = {[2 * STOP] = 1};
    nats[0] = 0;
    for (int t = 1; t < n; t++) nats[t] = -log(forward_step(belief, word[t]));
}

/* --- the exact entropy -----------------------------------------------------------------------
 * The expected loss of the best model is a sum over all histories. But the loss depends on a
 * history only through its belief, and there are few beliefs: the words always tell the phase, and
 * the number is either known or, before the subject, equally likely to be either. So it is enough
 * to keep the probability of each belief. */
enum { MOST_BELIEFS = 64 };

typedef struct {
    double weight; /* the probability of all histories with this belief */
    double of[AGREEMENT_STATES];
} Belief;

static bool same(const Belief *a, const Belief *b)
{
    for (int s = 0; s < AGREEMENT_STATES; s++)
        if (fabs(a->of[s] - b->of[s]) > 1e-9) return false;
    return true;
}

static int belief_add(Belief *set, int n, const Belief *b)
{
    for (int i = 0; i < n; i++)
        if (same(&set[i], b)) {
            set[i].weight += b->weight;
            return n;
        }
    CHECK(n < MOST_BELIEFS, "agreement: more than %d beliefs", MOST_BELIEFS);
    set[n] = *b;
    return n + 1;
}

static void check_rows(void)
{
    for (int s = 0; s < AGREEMENT_STATES; s++) {
        double words = 0;
        for (int w = 0; w < AGREEMENT_WORDS; w++) words += emission(s, w);
        CHECK(fabs(words - 1) < 1e-12 && fabs(arc(s, 0).p + arc(s, 1).p - 1) < 1e-12,
              "agreement: the probabilities of state %d do not sum to 1", s);
    }
}

double agreement_entropy_rate(int n)
{
    CHECK(n >= 2, "agreement_entropy_rate: %d words; must be at least 2", n);
    check_rows();
    Belief now[MOST_BELIEFS] = {{.weight = 1, .of = {[2 * STOP] = 1}}}, next[MOST_BELIEFS];
    int n_now = 1;
    double sum = 0;
    for (int t = 1; t < n; t++) {
        int n_next = 0;
        for (int i = 0; i < n_now; i++)
            for (int w = 0; w < AGREEMENT_WORDS; w++) {
                Belief b = now[i];
                const double p = forward_step(b.of, w);
                if (p <= 0) continue;
                sum -= b.weight * p * log(p);
                b.weight *= p;
                n_next = belief_add(next, n_next, &b);
            }
        memcpy(now, next, (size_t)n_next * sizeof *now);
        n_now = n_next;
    }
    return sum / (n - 1);
}

/* --- agreement ------------------------------------------------------------------------------- */
int agreement_other_verb(int word)
{
    return word >= FIRST_VERB ? FIRST_VERB + ((word - FIRST_VERB) ^ 1) : -1;
}

int agreement_attractors(const int *word, const int *state, int t)
{
    if (word[t] < FIRST_VERB) return -1;
    const int number = (word[t] - FIRST_VERB) % 2;
    int count = 0;
    for (int j = t - 1; j >= 0 && state[j] / 2 != NOUN; j--)
        if (state[j] / 2 == PP_NOUN) count += (word[j] - FIRST_NOUN) % 2 != number;
    return count;
}
