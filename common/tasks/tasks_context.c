/* Two tasks whose rule is drawn anew for every sequence, so a model can only learn it from the examples in its
 * context (few-shot; Brown et al. 2020, s2). A sequence has `length` examples (shots) and one more question; every
 * question is scored, so one sequence gives the accuracy after 0, 1, .. `length` shots.
 *
 *     x   q1 a1 q2 a2 .. qn an q          y   a1 at q1, a2 at q2, .., a at q
 *
 * The chance level is that of a model that knows which tokens are answers, but not the rule. */
#include <math.h>

#include "math/vecmath.h"
#include "tasks/tasks.h"

/* Counts a hit by the number of shots before the question, and adds the best possible loss of each answer:
 * nats[i] of question i. */
static void score_shots(const Task *t, const Batch *batch, int b, const real *logits,
                        const double *nats, Score *s)
{
    for (int i = 0; 2 * i < batch->T; i++) {
        const size_t at = batch_at(batch, 2 * i, b);
        const int y = batch->y[at];
        if (y < 0) return;
        const double hit = argmax(logits + at * t->outputs, t->outputs) == y;
        s->hits += hit;
        s->asked++;
        s->bayes += nats[i];
        score_class(s, i, hit);
    }
}

/* Writes the questions and answers token[0 .. 2 length + 1] as a sequence. */
static int put(const int *token, int length, Batch *batch, int b)
{
    for (int i = 0; i <= 2 * length; i++) batch->x[batch_at(batch, i, b)] = token[i];
    for (int i = 0; i <= length; i++) batch->y[batch_at(batch, 2 * i, b)] = token[2 * i + 1];
    return 2 * length + 1;
}

static Task in_context(int length, int vocab, int answers, int steps)
{
    return (Task){
        .vocab = vocab,
        .outputs = vocab,
        .length = length,
        .extra = length + 1,
        .longest = SHOTS_LONGEST,
        .steps = steps,
        .batch = 128,
        .lr = 2e-3,
        .metric = "accuracy",
        .class_name = "shot",
        .loss_chance = log(answers),
        .metric_chance = 1. / answers,
        .lengths = {length},
        .n_lengths = 1,
    };
}

/* --- shift --------------------------------------------------------------------------------------------
 *     5 8  10 2  0 3  7 ?        a = q + k mod 11, k drawn for each sequence
 *
 * Questions are the tokens 0 .. 10, answers 11 .. 21. One example tells k: the best possible accuracy is 1/11
 * without a shot, and 1 from the first shot on. */
enum { MODULUS = 11 };

static int shift_sequence(const Task *t, const Draw *draw, Batch *batch, int b)
{
    (void)t;
    const int length = draw->length;
    int token[2 * SHOTS_LONGEST + 2];
    do {
        const int k = rng_below(draw->rng, MODULUS);
        for (int i = 0; i <= length; i++) {
            token[2 * i] = rng_below(draw->rng, MODULUS);
            token[2 * i + 1] = MODULUS + (token[2 * i] + k) % MODULUS;
        }
    } while (split_of(token, 2 * length + 1) != draw->split);
    return put(token, length, batch, b);
}

static void shift_score(const Task *t, const Batch *batch, int b, const real *logits, Score *s)
{
    const double nats[SHOTS_LONGEST + 1] = {log(MODULUS)};
    score_shots(t, batch, b, logits, nats, s);
}

Task task_shift(int length)
{
    Task t = in_context(length, 2 * MODULUS, MODULUS, 600);
    t.about = "find a shift from examples in the context and apply it";
    t.loss_perfect = log(MODULUS) / (length + 1);
    t.metric_perfect = (1. / MODULUS + length) / (length + 1);
    t.draw = shift_sequence;
    t.score = shift_score;
    return t;
}

/* --- labels -------------------------------------------------------------------------------------------
 *     w3 C  w17 A  w11 C  w4 B  w25 ?      the label of a word's category
 *
 * 32 words, the tokens 0 .. 31, belong to 4 categories, word mod 4, which are the same in every sequence and must
 * be learnt by training. Which label, 32 .. 35, stands for which category is drawn for each sequence. If the
 * category of a question was seen, its label is known; otherwise the labels that were not seen are equally
 * likely. */
enum { WORDS = 32, CATEGORIES = 4 };

static int labels_sequence(const Task *t, const Draw *draw, Batch *batch, int b)
{
    (void)t;
    const int length = draw->length;
    int token[2 * SHOTS_LONGEST + 2], label[CATEGORIES] = {0};
    do {
        for (int i = 0; i < CATEGORIES; i++) { /* Fisher & Yates, from the front */
            const int j = rng_below(draw->rng, i + 1);
            label[i] = label[j];
            label[j] = WORDS + i;
        }
        for (int i = 0; i <= length; i++) {
            token[2 * i] = rng_below(draw->rng, WORDS);
            token[2 * i + 1] = label[token[2 * i] % CATEGORIES];
        }
    } while (split_of(token, 2 * length + 1) != draw->split);
    return put(token, length, batch, b);
}

static void labels_score(const Task *t, const Batch *batch, int b, const real *logits, Score *s)
{
    double nats[SHOTS_LONGEST + 1] = {0};
    bool seen[CATEGORIES] = {false};
    for (int i = 0, unseen = CATEGORIES; 2 * i < batch->T; i++) {
        bool *category = &seen[batch->x[batch_at(batch, 2 * i, b)] % CATEGORIES];
        if (*category) continue;
        nats[i] = log(unseen--);
        *category = true;
    }
    score_shots(t, batch, b, logits, nats, s);
}

/* Computes the expected best loss and accuracy, means over 0 .. length shots. p[k] is the probability that the
 * shots have shown k categories; a question then has an unseen one with probability 1 - k / 4, and each of the
 * 4 - k labels is right with probability 1 / (4 - k). */
static void labels_levels(int length, double *loss, double *accuracy)
{
    double p[CATEGORIES + 1] = {1};
    *loss = *accuracy = 0;
    for (int shots = 0; shots <= length; shots++) {
        for (int k = 0; k <= CATEGORIES; k++) {
            const double known = (double)k / CATEGORIES;
            *accuracy += p[k] * (k < CATEGORIES ? known + 1. / CATEGORIES : 1) / (length + 1);
            if (k < CATEGORIES) *loss += p[k] * (1 - known) * log(CATEGORIES - k) / (length + 1);
        }
        for (int k = CATEGORIES; k > 0; k--)
            p[k] = p[k] * k / CATEGORIES + p[k - 1] * (CATEGORIES - k + 1) / CATEGORIES;
        p[0] = 0;
    }
}

Task task_labels(int length)
{
    Task t = in_context(length, WORDS + CATEGORIES, CATEGORIES, 3000);
    t.about = "find from examples in the context which label each category has";
    labels_levels(length, &t.loss_perfect, &t.metric_perfect);
    t.draw = labels_sequence;
    t.score = labels_score;
    return t;
}
