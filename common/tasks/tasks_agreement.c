/* The agreement grammar (agreement.h) as a task: predict the next word of running sentences. The
 * metric asks, at each verb, whether the right form gets a higher probability than the wrong one
 * (Linzen, Dupoux & Goldberg 2016). */
#include <math.h>

#include "tasks/agreement.h"
#include "tasks/tasks.h"

static int agreement_sequence(const Task *t, const Draw *draw, Batch *batch, int b)
{
    (void)t;
    const int length = draw->length;
    int word[TASK_LONGEST + 1], state[TASK_LONGEST + 1];
    do agreement_draw(draw->rng, length + 1, word, state);
    while (split_of(word, length) != draw->split);
    for (int i = 0; i < length; i++) {
        batch->x[batch_at(batch, i, b)] = word[i];
        batch->y[batch_at(batch, i, b)] = word[i + 1];
        batch->aux[batch_at(batch, i, b)] = agreement_attractors(word, state, i + 1);
    }
    return length;
}

/* Counts a hit if the right form beats the wrong one. A tie is half a hit, so that a model that
 * ignores number is at chance level. Subclasses are the number of attractors: 0, 1, 2, 3 or
 * more. */
static void agreement_score(const Task *t, const Batch *batch, int b, const real *logits, Score *s)
{
    int word[TASK_LONGEST + 1] = {batch->x[batch_at(batch, 0, b)]}, n = 1;
    double nats[TASK_LONGEST + 1];
    for (int i = 0; i < batch->T && batch->y[batch_at(batch, i, b)] >= 0; i++) {
        const size_t at = batch_at(batch, i, b);
        const int y = batch->y[at];
        word[n++] = y;
        const int other = agreement_other_verb(y);
        if (other < 0) continue;
        const real *z = logits + at * t->outputs;
        const double hit = z[y] > z[other] ? 1 : z[y] < z[other] ? 0 : .5;
        const int kind = batch->aux[at] < 3 ? batch->aux[at] : 3;
        s->hits += hit;
        s->asked++;
        score_class(s, kind, hit);
    }
    agreement_bayes(word, n, nats);
    for (int i = 1; i < n; i++) s->bayes += nats[i];
}

Task task_agreement(int length)
{
    return (Task){
        .about = "predict the next word where verbs agree with a distant subject",
        .vocab = AGREEMENT_WORDS,
        .outputs = AGREEMENT_WORDS,
        .length = length,
        .steps = 1500,
        .batch = 32,
        .lr = 3e-3,
        .metric = "agreement",
        .class_name = "distractor",
        .loss_chance = log(AGREEMENT_WORDS),
        .loss_perfect = agreement_entropy_rate(length + 1),
        .metric_chance = .5,
        .metric_perfect = 1,
        .lengths = {length},
        .n_lengths = 1,
        .draw = agreement_sequence,
        .score = agreement_score,
    };
}
