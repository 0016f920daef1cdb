#include "task.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lexicon.h"
#include "parallel.h"
#include "tasks.h"
#include "vecmath.h"

/* --- the tasks: a new one is a row here, a line in tasks.h and a name in task_names -------------- */
static const struct {
    const char *name;
    Task (*make)(int length);
    int length, shortest, longest; /* its own; the least that leaves enough sequences to split */
} tasks[] = {
    {"adding", task_adding, 100, 2, TASK_LONGEST},           /* steps */
    {"copy-memory", task_copy_memory, 100, 1, TASK_LONGEST}, /* steps of delay */
    {"parity", task_parity, 20, 7, TASK_LONGEST},            /* bits */
    {"dyck", task_dyck, 32, 10, TASK_LONGEST},               /* brackets */
    {"agreement", task_agreement, 32, 8, TASK_LONGEST},      /* words */
    {"recall", task_recall, 8, 2, RECALL_LONGEST},           /* pairs */
    {"induction", task_induction, 48, 25, TASK_LONGEST},     /* steps: one scored of the longest */
};
const char *const task_names = "adding|copy-memory|parity|dyck|agreement|recall|induction";

bool task_open(Task *t, const char *name, int length, Error *err)
{
    for (int i = 0; i < LEN(tasks); i++) {
        if (strcmp(tasks[i].name, name) != 0) continue;
        if (length == 0) length = tasks[i].length;
        if (length < tasks[i].shortest || length > tasks[i].longest)
            return error_set(err, "task %s: length %d, must be %d to %d", name, length,
                             tasks[i].shortest, tasks[i].longest);
        *t = tasks[i].make(length);
        t->name = tasks[i].name;
        t->shortest = tasks[i].shortest;
        if (t->longest == 0) t->longest = tasks[i].longest;
        return true;
    }
    return error_set(err, "there is no task \"%s\": choose one of %s", name, task_names);
}

bool task_exists(const char *name)
{
    for (int i = 0; i < LEN(tasks); i++)
        if (strcmp(tasks[i].name, name) == 0) return true;
    return false;
}

void task_close(Task *t)
{
    if (t->free) t->free(t);
    *t = (Task){0};
}

/* --- splits ------------------------------------------------------------------------------------ */
static uint64_t fnv1a(const int *tokens, int n) /* Fowler, Noll & Vo, 64 bits */
{
    uint64_t h = 0xCBF29CE484222325;
    for (int i = 0; i < n; i++)
        for (int shift = 0; shift < 32; shift += 8) {
            h ^= (uint32_t)tokens[i] >> shift & 0xFF;
            h *= 0x100000001B3;
        }
    return h;
}

static uint64_t splitmix64(uint64_t x) /* Steele, Lea & Flood 2014: mixes the high bits down */
{
    x += 0x9E3779B97F4A7C15;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9;
    x = (x ^ x >> 27) * 0x94D049BB133111EB;
    return x ^ x >> 31;
}

uint64_t content_hash(const int *tokens, int n)
{
    return splitmix64(fnv1a(tokens, n));
}

Split split_of(const int *tokens, int n)
{
    const uint64_t h = content_hash(tokens, n) % 1000;
    return h < 100 ? SPLIT_TEST : h < 200 ? SPLIT_VALID : SPLIT_TRAIN;
}

/* --- batches ----------------------------------------------------------------------------------- */
Batch batch_new(void)
{
    return (Batch){0};
}

void batch_free(Batch *b)
{
    free(b->x), free(b->u), free(b->y), free(b->v), free(b->aux);
    free(b->s), free(b->s_len);
    *b = (Batch){0};
}

static void batch_allocate(Batch *b, const Task *t, size_t steps)
{
    batch_free(b);
    b->cap = steps;
    b->inputs = t->inputs;
    if (t->inputs)
        b->u = xcalloc(steps, t->inputs * sizeof *b->u);
    else
        b->x = xcalloc(steps, sizeof *b->x);
    if (t->outputs)
        b->y = xcalloc(steps, sizeof *b->y);
    else
        b->v = xcalloc(steps, sizeof *b->v); /* more than B, so that cap bounds it too */
    b->aux = xcalloc(steps, sizeof *b->aux);
}

void batch_resize(Batch *b, const Task *t, int T, int B)
{
    int steps, reals;
    CHECK(T >= 1 && B >= 1, "batch_resize: %d steps of %d sequences", T, B);
    if (__builtin_mul_overflow(T, B, &steps) ||
        __builtin_mul_overflow(steps, t->inputs ? t->inputs : 1, &reals))
        too_large("%d steps of %d sequences are too many for one batch", T, B);
    const bool fits = (size_t)steps <= b->cap && b->inputs == t->inputs && !b->y == !t->outputs;
    if (!fits) batch_allocate(b, t, (size_t)steps);
    b->T = T;
    b->B = B;
    if (b->x) memset(b->x, 0, steps * sizeof *b->x);
    if (b->u) memset(b->u, 0, reals * sizeof *b->u);
    if (b->v) memset(b->v, 0, B * sizeof *b->v);
    if (b->y) memset(b->y, 0xFF, steps * sizeof *b->y); /* all bits set is -1 */
    memset(b->aux, 0xFF, steps * sizeof *b->aux);
    b->S = 0;
}

void batch_source(Batch *b, int S)
{
    int steps;
    CHECK(S >= 1 && b->B >= 1 && !__builtin_mul_overflow(S, b->B, &steps),
          "batch_source: %d steps of %d sequences", S, b->B);
    if ((size_t)steps > b->s_cap) {
        free(b->s), free(b->s_len);
        b->s_cap = (size_t)steps;
        b->s = xcalloc(b->s_cap, sizeof *b->s);
        b->s_len =
            xcalloc(b->s_cap, sizeof *b->s_len); /* more than B, so that s_cap bounds it too */
    }
    b->S = S;
    for (int i = 0; i < steps; i++) b->s[i] = PAD;
    memset(b->s_len, 0, b->B * sizeof *b->s_len);
}

static int batch_begin(const Task *t, int length, int B, Batch *out) /* returns the true length */
{
    if (length == 0) length = t->length;
    CHECK(length >= t->shortest && (t->longest == 0 || length <= t->longest),
          "task %s: length %d, must be %d to %d", t->name, length, t->shortest, t->longest);
    batch_resize(out, t, length + t->extra, B);
    if (t->source_vocab) batch_source(out, length);
    return length;
}

/* Time comes first: the steps that no sequence uses are the end of every array. */
static void batch_trim(Batch *b, int longest)
{
    b->T = longest;
    if (b->S == 0) return;
    b->S = 1;
    for (int i = 0; i < b->B; i++)
        if (b->s_len[i] > b->S) b->S = b->s_len[i];
}

void task_batch(const Task *t, Split split, int length, Rng *rng, int B, Batch *out)
{
    int longest = 1;
    length = batch_begin(t, length, B, out);
    for (int b = 0; b < B; b++) {
        const int n = t->draw(t, split, length, rng, out, b);
        if (n > longest) longest = n;
    }
    batch_trim(out, longest);
}

void task_heldout(const Task *t, Split split, int length, int first, int B, Batch *out)
{
    enum { SEED = 12345 };
    int longest = 1;
    length = batch_begin(t, length, B, out);
    for (int b = 0; b < B; b++) {
        Rng rng = rng_make((uint64_t)SEED + split, RNG_TASK, (uint32_t)(first + b));
        const int n = t->draw(t, split, length, &rng, out, b);
        if (n > longest) longest = n;
    }
    batch_trim(out, longest);
}

/* --- scores ------------------------------------------------------------------------------------ */

/* -log softmax(z)[y] in nats; *best becomes the class of the largest z. */
static double row_nats(const real *z, int V, int y, int *best)
{
    CHECK(y < V, "task_score: target %d of %d classes", y, V);
    *best = argmax(z, V);
    const double max = (double)z[*best];
    double sum = exp((double)z[0] - max);
    for (int k = 1; k < V; k++) sum += exp((double)z[k] - max);
    return log(sum) + max - (double)z[y];
}

static void score_classes(const Task *t, const Batch *b, int column, const real *logits, Score *s)
{
    double hits = 0;
    for (int i = 0; i < b->T; i++) {
        const size_t at = (size_t)i * b->B + column;
        if (b->y[at] < 0) continue;
        int best;
        s->loss += row_nats(logits + at * t->outputs, t->outputs, b->y[at], &best);
        s->scored++;
        hits += best == b->y[at];
    }
    s->right = s->scored > 0 && hits == s->scored;
    s->sequences = s->scored > 0;
    if (t->score) {
        t->score(t, b, column, logits, s);
    } else {
        s->hits = hits;
        s->asked = s->scored;
        s->bayes = t->loss_perfect * s->scored;
    }
}

static void score_real(const Task *t, const Batch *b, int column, const real *answer, Score *s)
{
    const double error = (double)answer[column] - (double)b->v[column];
    s->loss = error * error;
    s->scored = 1;
    if (t->score) t->score(t, b, column, answer, s);
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

void task_score(const Task *t, const Batch *b, const real *logits, Score *s)
{
    const double flops = 20.0 * b->T * b->B * t->outputs; /* an exponential is worth about 20 */
    Score *part = xcalloc((size_t)b->B, sizeof *part);
#pragma omp parallel for num_threads(parallel_threads(flops)) schedule(static)
    for (int column = 0; column < b->B; column++) {
        if (t->outputs)
            score_classes(t, b, column, logits, &part[column]);
        else
            score_real(t, b, column, logits, &part[column]);
    }
    for (int column = 0; column < b->B; column++) score_add(s, &part[column]);
    free(part);
}
