/* Two tasks in which a model must find an earlier token of the same sequence and predict the token
 * that followed it: recall looks up pairs, induction continues a segment that repeats. The
 * parameters cannot store the answers, because every sequence has different pairs or a different
 * segment. */
#include <math.h>

#include "tasks/tasks.h"

/* --- recall: multi-query associative recall (Arora et al. 2023, "Zoology") ----------------------
 *     x   k1 v1 k2 v2 .. kn vn   k3 k1 .. k2        keys 0 .. K-1, values K .. 2K-1, K = 4 n
 *     y                          v3 v1 .. v2        only the queries are scored
 *
 * The length is the number n of pairs; it is the same in training. The keys of a sequence are
 * distinct, and so are its values, as in Zoology. Each key is queried once, in random order.
 *
 * The chance level is that of a model that knows the n values but not which value belongs to which
 * key: log n nats and accuracy 1/n. (If values were drawn with replacement, it could always answer
 * the most frequent one and be right more often: .20 instead of .125 for 8 pairs.) The chance
 * level, the vocabulary and the difficulty all depend on n, so eval reports no other length.
 *
 * Zoology spreads the queries over a longer text, more of them near their pair (power_a), with
 * other tokens in between (random_non_queries); here the queries follow one another. */
enum { KEYS_A_PAIR = 4 };

/* Draws n distinct numbers of 0 .. of-1, in random order. */
static void draw_distinct(Rng *rng, int n, int of, int *out)
{
    int left[KEYS_A_PAIR * RECALL_LONGEST];
    for (int i = 0; i < of; i++) left[i] = i;
    for (int i = 0; i < n; i++) { /* the first n steps of Fisher & Yates */
        const int j = i + rng_below(rng, of - i);
        out[i] = left[j];
        left[j] = left[i];
    }
}

static int recall_sequence(const Task *t, const Draw *draw, Batch *batch, int b)
{
    Rng *rng = draw->rng;
    const int n = draw->length, K = t->vocab / 2;
    int key[RECALL_LONGEST], value[RECALL_LONGEST], asked[RECALL_LONGEST];
    int token[3 * RECALL_LONGEST];
    do {
        draw_distinct(rng, n, K, key);
        draw_distinct(rng, n, K, value);
        draw_distinct(rng, n, n, asked);
        for (int i = 0; i < n; i++) {
            token[2 * i] = key[i];
            token[2 * i + 1] = K + value[i];
            token[2 * n + i] = key[asked[i]];
        }
    } while (split_of(token, 3 * n) != draw->split);
    for (int i = 0; i < 3 * n; i++) batch->x[batch_at(batch, i, b)] = token[i];
    for (int i = 0; i < n; i++) batch->y[batch_at(batch, 2 * n + i, b)] = K + value[asked[i]];
    return 3 * n;
}

Task task_recall(int length)
{
    return (Task){
        .about = "look up the values of keys among pairs read before",
        .vocab = 2 * KEYS_A_PAIR * length,
        .outputs = 2 * KEYS_A_PAIR * length,
        .length = length,
        .extra = 2 * length,
        .longest = length,
        .steps = 2000,
        .batch = 64,
        .lr = 1e-3,
        .metric = "accuracy",
        .loss_chance = log(length),
        .loss_perfect = 0,
        .metric_chance = 1. / length,
        .metric_perfect = 1,
        .lengths = {length},
        .n_lengths = 1,
        .draw = recall_sequence,
    };
}

/* --- induction (Olsson et al. 2022) -------------------------------------------------------------
 *     x   a b .. z a b .. z a b ..        a segment of p random symbols, repeated
 *     y            b c .. a b c ..        the next symbol, from the second period on
 *
 * The period p is uniform on 12 .. 24: with a fixed p, attending to one fixed distance would be
 * enough. After p symbols a model cannot know that the segment starts again. The first symbol that
 * it can know is the second of the second period, so scoring starts there.
 *
 * The chance level is 1 / 32, but a model that always answers the most frequent symbol so far has
 * accuracy .11.
 *
 * A symbol may occur twice in a segment, so the current symbol does not always determine the next
 * one. Measured accuracies at 48 steps: .76 for a uniform choice among all symbols that followed
 * the current one; .992 for a choice among the symbols that followed the longest match of the text
 * just read, which is the bar for an induction head; .9999 (and .0002 nats) for a model that weighs
 * all p by how well they explain the sequence. The last is the best possible; this task rounds it
 * to 1 and 0. */
enum { SYMBOLS = 32, PERIOD_LEAST = 12, PERIOD_MOST = 24 };

static int induction_sequence(const Task *t, const Draw *draw, Batch *batch, int b)
{
    (void)t;
    const int length = draw->length;
    Rng *rng = draw->rng;
    int token[TASK_LONGEST + 1], period;
    do {
        period = PERIOD_LEAST + rng_below(rng, PERIOD_MOST - PERIOD_LEAST + 1);
        for (int i = 0; i <= length; i++)
            token[i] = i < period ? rng_below(rng, SYMBOLS) : token[i - period];
    } while (split_of(token, length) != draw->split);
    for (int i = 0; i < length; i++) {
        batch->x[batch_at(batch, i, b)] = token[i];
        if (i >= period) batch->y[batch_at(batch, i, b)] = token[i + 1];
    }
    return length;
}

Task task_induction(int length)
{
    return (Task){
        .about = "continue a random segment that repeats",
        .vocab = SYMBOLS,
        .outputs = SYMBOLS,
        .length = length,
        .steps = 2000,
        .batch = 64,
        .lr = 1e-3,
        .metric = "accuracy",
        .loss_chance = log(SYMBOLS),
        .loss_perfect = 0,
        .metric_chance = 1. / SYMBOLS,
        .metric_perfect = 1,
        .lengths = {length, 2 * length, 4 * length},
        .n_lengths = length <= TASK_LONGEST / 4 ? 3 : 1,
        .draw = induction_sequence,
    };
}
