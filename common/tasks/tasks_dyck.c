/* Dyck-2: well-nested brackets of two kinds, ([])[()], at most 8 deep, as a language model's task.
 * To know the kind of a closing bracket a model must remember its opening one: a stack.
 *
 *     x   .  (  [  ]  )        y   (  [  ]  )  .        token 0, here ".", starts and ends
 *
 * A training sequence has n brackets, n uniform on 2, 4 .. length. Each opens or closes with
 * probability 1/2 where both are possible: not closing at depth 0, not opening at depth 8 or when
 * the brackets left are all needed to close. An opening one is of either kind with probability 1/2.
 *
 * There are few short sequences (2, 8, 40, 224 of n = 2, 4, 6, 8), too few to be split by their
 * hash: they are all for training, and held-out sequences have exactly the n asked for, >= 10.
 *
 * The best possible loss. The closing token tells n, so a sequence x has probability p(n) p(x | n),
 * and by the chain rule a model that has learnt the training distribution loses, in all,
 *
 *     -log p(n) - log p(x | n)           p(n) = 2 / length
 *
 * nats over the n + 1 tokens of x. In expectation, for the n of the held-out sets:
 *
 *     (log(length / 2) + h(0, n)) / (n + 1)
 *
 * where h(d, r), the entropy of the r brackets left at depth d, has the recurrence of
 * bracket_entropy below. Of n that training never shows the best loss is undefined. */
#include <math.h>

#include "tasks/tasks.h"

enum { BOUNDARY, ROUND, SQUARE, ROUND_CLOSE, SQUARE_CLOSE, SYMBOLS };
enum { DEPTH = 8, ALL_IN_TRAINING = 8 };

static bool may_open(int depth, int left)
{
    return depth < DEPTH && depth < left; /* left - depth is even: there is room for two */
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

/*          log 2 + (log 2 + h(d+1, r-1) + h(d-1, r-1)) / 2     where both are possible
 * h(d,r) =         log 2 + h(d+1, r-1)                         where only opening is
 *                                         h(d-1, r-1)          where only closing is;  h(0,0) = 0 */
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

/* hits: of each closing bracket, is its kind the likelier of the two? A tie is half a hit. */
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
