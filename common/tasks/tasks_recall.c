/* Two tasks that ask to find again what stood earlier in the same sequence, and to say what came
 * with it: pairs to be looked up (recall), a segment that repeats (induction). Both are beyond what
 * the weights can hold, since every sequence has its own pairs and its own segment. */
#include <math.h>

#include "tasks/tasks.h"

/* --- recall: multi-query associative recall (Arora et al. 2023, "Zoology") ----------------------
 *     x   k1 v1 k2 v2 .. kn vn   k3 k1 .. k2        keys 0 .. K-1, values K .. 2K-1, K = 4 n
 *     y                          v3 v1 .. v2        only the queries are scored
 *
 * The length is the number n of pairs, the same in training. The keys of a sequence are distinct,
 * and so are its values, as in Zoology; each key is asked for once, in random order.
 *
 * The chance level is that of a model which knows the n values present but not which belongs to
 * which key: log n nats and 1/n right. (Were values drawn with replacement, it could answer the
 * most frequent one and be right more often: .20 instead of .125 for 8 pairs.) Since that level,
 * the vocabulary and the difficulty all follow n, eval reports no other length.
 *
 * Zoology spreads the queries over a longer text, near ones oftener (power_a), with other tokens in
 * between (random_non_queries); here they stand one after the other. */
enum { KEYS_A_PAIR = 4 };

static void draw_distinct(Rng *rng, int n, int of, int *out) /* n of 0 .. of-1, in random order */
{
    int left[KEYS_A_PAIR * RECALL_LONGEST];
    for (int i = 0; i < of; i++) left[i] = i;
    for (int i = 0; i < n; i++) { /* Fisher & Yates, as far as needed */
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
 *     x   a b .. z a b .. z a b ..        a segment of p random symbols, over and over
 *     y            b c .. a b c ..        the next one, once a symbol has come again
 *
 * p is uniform on 12 .. 24: were it always the same, attending to one fixed distance would do. The
 * first symbol that can be known is the second of the second period, so scoring starts there: who
 * has read p symbols cannot tell that the next one is the first again.
 *
 * Chance is 1 / 32; but who always answers the symbol that came most often so far is right at .11.
 *
 * A symbol may stand in a segment twice, so the one before does not always tell what comes next.
 * At 48 steps, measured: an even choice among all that have followed this symbol is right at .76;
 * among what followed the longest match of all that was just read, .992, which is the mark for an
 * induction head; whoever weighs all p by how well they explain the sequence, .9999 and .0002
 * nats. That best possible is taken for 1 and 0 here. */
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
        .about = "go on with a random segment that repeats",
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
