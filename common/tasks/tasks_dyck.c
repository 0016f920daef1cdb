/* Dyck-2: a language model predicts well-nested brackets of two kinds, ([])[()], at most 8 deep. To
 * predict the kind of a closing bracket, a model must remember the opening one: it needs a stack.
 *
 *     x   .  (  [  ]  )        y   (  [  ]  )  .        token 0, here ".", starts and ends
 *
 * A training sequence has n brackets, n uniform on 2, 4 .. length. If both are possible, a bracket
 * opens or closes with probability 1/2. Closing is impossible at depth 0; opening is impossible at
 * depth 8, and when all remaining brackets must close. An opening bracket is of either kind with
 * probability 1/2.
 *
 * There are too few short sequences (2, 8, 40, 224 for n = 2, 4, 6, 8) to be split by their hash.
 * All of them are for training, and held-out sequences have exactly the n asked for, >= 10.
 *
 * The best possible loss: the last token tells n, so a sequence x has probability p(n) p(x | n). By
 * the chain rule, the loss of a model that has learned the training distribution, summed over the n
 * + 1 tokens of x, is
 *
 *     -log p(n) - log p(x | n)           p(n) = 2 / length
 *
 * nats. Its expected mean per token, for the n of the held-out sets, is
 *
 *     (log(length / 2) + h(0, n)) / (n + 1)
 *
 * where h(d, r) is the entropy of the r remaining brackets at depth d; bracket_entropy has its
 * recurrence. For an n that does not occur in training the best loss is undefined. */
#include <math.h>

#include "tasks/tasks.h"

enum { BOUNDARY, ROUND, SQUARE, ROUND_CLOSE, SQUARE_CLOSE, SYMBOLS };
enum { DEPTH = 8, ALL_IN_TRAINING = 8 };

static bool may_open(int depth, int left)
{
    return depth < DEPTH && depth < left; /* left - depth is even, so at least 2 */
}

static bool may_close(int depth)
{
    return depth > 0;
}

static void draw_brackets(Rng *rng, int n, int *bracket)
{
    int open[DEPTH], depth = 0;
    for (int i = 0; i < n; i++) {
        const bool both = may_open(depth, n - i) && may_close(depth);
        if (both ? rng_below(rng, 2) == 1 : may_open(depth, n - i))
            bracket[i] = open[depth++] = ROUND + rng_below(rng, 2);
        else
            bracket[i] = open[--depth] - ROUND + ROUND_CLOSE;
    }
}

static int dyck_sequence(const Task *t, const Draw *draw, Batch *batch, int b)
{
    (void)t;
    Rng *rng = draw->rng;
    const int most = draw->length / 2,
              n = 2 * (draw->split == SPLIT_TRAIN ? 1 + rng_below(rng, most) : most);
    int token[TASK_LONGEST + 2] = {BOUNDARY};
    do draw_brackets(rng, n, token + 1);
    while (n > ALL_IN_TRAINING && split_of(token, n + 1) != draw->split);
    token[n + 1] = BOUNDARY;
    for (int i = 0; i <= n; i++) {
        batch->x[batch_at(batch, i, b)] = token[i];
        batch->y[batch_at(batch, i, b)] = token[i + 1];
    }
    return n + 1;
}

/* Returns h(0,n), from h(0,0) = 0 and
 *
 *          log 2 + (log 2 + h(d+1, r-1) + h(d-1, r-1)) / 2     if both are possible
 * h(d,r) =         log 2 + h(d+1, r-1)                         if only opening is possible
 *                                         h(d-1, r-1)          if only closing is possible */
static double bracket_entropy(int n)
{
    double h[DEPTH + 2] = {0}, before[DEPTH + 2];
    for (int left = 1; left <= n; left++) {
        for (int d = 0; d <= DEPTH; d++) before[d] = h[d];
        for (int d = 0; d <= DEPTH; d++) {
            const double opening = may_open(d, left) ? log(2) + before[d + 1] : 0;
            const double closing = may_close(d) ? before[d - 1] : 0;
            const bool both = may_open(d, left) && may_close(d);
            h[d] = both ? log(2) + (opening + closing) / 2 : opening + closing;
        }
    }
    return h[0];
}

/* Counts a hit for each closing bracket whose kind gets the higher probability; a tie is half a
 * hit. */
static void dyck_score(const Task *t, const Batch *batch, int b, const real *logits, Score *s)
{
    int n = 0;
    while (n < batch->T && batch->y[batch_at(batch, n, b)] > BOUNDARY) n++;
    double nats = log(t->length / 2); /* -log p(n) */
    for (int i = 0, depth = 0; i < n; i++) {
        const size_t at = batch_at(batch, i, b);
        const int y = batch->y[at];
        if (may_open(depth, n - i) && may_close(depth)) nats += log(2);
        if (y < ROUND_CLOSE) {
            nats += log(2);
            depth++;
            continue;
        }
        const real *z = logits + at * t->outputs, right = z[y];
        const real wrong = z[ROUND_CLOSE + SQUARE_CLOSE - y];
        s->hits += right > wrong ? 1 : right < wrong ? 0 : .5;
        s->asked++;
        depth--;
    }
    s->bayes += n <= t->length ? nats : (double)NAN;
}

Task task_dyck(int length)
{
    const int n = length / 2 * 2;
    return (Task){
        .about = "predict well-nested brackets of two kinds",
        .vocab = SYMBOLS,
        .outputs = SYMBOLS,
        .length = length,
        .extra = 1,
        .steps = 1500,
        .batch = 32,
        .lr = 3e-3,
        .metric = "closing accuracy",
        .loss_chance = log(SYMBOLS),
        .loss_perfect = (log(n / 2) + bracket_entropy(n)) / (n + 1),
        .metric_chance = .5,
        .metric_perfect = 1,
        .lengths = {length, 2 * length, 4 * length, 8 * length},
        .n_lengths = length <= TASK_LONGEST / 8 ? 4 : 1,
        .draw = dyck_sequence,
        .score = dyck_score,
    };
}
