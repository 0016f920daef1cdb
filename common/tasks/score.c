#include "tasks/score.h"

#include <math.h>
#include <stdlib.h>

#include "math/parallel.h"
#include "math/vecmath.h"
#include "tasks/task.h"

static double sum_exp(const real *z, int V, double max)
{
    double sum = exp((double)z[0] - max);
    for (int k = 1; k < V; k++) sum += exp((double)z[k] - max);
    return sum;
}

/* Computes the same with vector code, ten times as fast; each term is exact to 2 ulp. */
static double sum_exp_of_many(const real *z, int V, real max)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int k = 0; k < V; k++) sum += (double)real_exp(z[k] - max);
    return sum;
}

enum { MANY = 1024 };

/* Returns -log softmax(z)[y] in nats; *best becomes the class of the largest z. */
static double row_nats(const real *z, int V, int y, int *best)
{
    CHECK(y < V, "task_score: target %d of %d classes", y, V);
    *best = argmax(z, V);
    const double max = (double)z[*best];
    return log(V < MANY ? sum_exp(z, V, max) : sum_exp_of_many(z, V, (real)max)) + max -
           (double)z[y];
}

void task_score_steps(const Task *t, const Batch *b, int first, int n, const real *logits,
                      StepScore *step)
{
    const double flops = 20.0 * n * t->outputs; /* an exponential costs about 20 */
    const int V = t->outputs;
#pragma omp parallel for num_threads(parallel_threads(flops)) schedule(static)
    for (int i = 0; i < n; i++) {
        StepScore *s = &step[first + i];
        const int y = b->y[first + i];
        if (y >= 0) s->nats = row_nats(logits + (size_t)i * V, V, y, &s->best);
    }
}

static void score_classes(const Task *t, const Batch *b, int column, const StepScore *step,
                          Score *s)
{
    double hits = 0;
    bool right = true;
    for (int i = 0; i < b->T; i++) {
        const size_t at = batch_at(b, i, column);
        const double weight = b->weights ? (double)b->weights[at] : 1;
        if (b->y[at] < 0 || weight == 0) continue;
        const bool hit = step[at].best == b->y[at] && !(t->unknown && b->y[at] == t->unknown);
        s->loss += weight * step[at].nats;
        s->scored += weight;
        hits += weight * hit;
        right = right && hit;
    }
    s->sequences = s->scored > 0;
    s->right = s->sequences > 0 && right;
    if (t->score) return;
    s->hits = hits;
    s->asked = s->scored;
    s->bayes = t->loss_perfect * s->scored;
}

static void score_real(const Task *t, const Batch *b, int column, const real *answer, Score *s)
{
    const double error = (double)answer[column] - (double)b->v[column];
    s->loss = error * error;
    s->scored = 1;
    if (t->score) t->score(t, b, column, answer, s);
}

void score_class(Score *s, int class, double hit)
{
    const bool known = class >= 0 && class < SCORE_CLASSES;
    CHECK(known, "score_class: %d of %d", class, SCORE_CLASSES);
    s->split_hits[class] += hit;
    s->split_asked[class]++;
}

static void score_add(Score *sum, const Score *s)
{
    sum->loss += s->loss;
    sum->bayes += s->bayes;
    sum->scored += s->scored;
    sum->hits += s->hits;
    sum->asked += s->asked;
    for (int k = 0; k < LEN(sum->split_hits); k++) {
        sum->split_hits[k] += s->split_hits[k];
        sum->split_asked[k] += s->split_asked[k];
    }
    sum->right += s->right;
    sum->sequences += s->sequences;
}

void task_score_sum(const Task *t, const Batch *b, const StepScore *step, Score *s)
{
    CHECK(t->outputs && !t->score, "task_score_sum: task %s has its own score function", t->name);
    for (int column = 0; column < b->B; column++) {
        Score one = {0};
        score_classes(t, b, column, step, &one);
        score_add(s, &one);
    }
}

void task_score(const Task *t, const Batch *b, const real *logits, Score *s)
{
    const double flops = 20.0 * b->T * b->B * t->outputs;
    const int steps = b->T * b->B;
    StepScore *step = xcalloc((size_t)steps, sizeof *step);
    Score *part = xcalloc((size_t)b->B, sizeof *part);
    if (t->outputs) task_score_steps(t, b, 0, steps, logits, step);
#pragma omp parallel for num_threads(parallel_threads(flops)) schedule(static)
    for (int column = 0; column < b->B; column++) {
        if (!t->outputs) {
            score_real(t, b, column, logits, &part[column]);
            continue;
        }
        score_classes(t, b, column, step, &part[column]);
        if (t->score) t->score(t, b, column, logits, &part[column]);
    }
    for (int column = 0; column < b->B; column++) score_add(s, &part[column]);
    free(part), free(step);
}
