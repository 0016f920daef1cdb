/* Helpers of the tests of decoding: a toy model whose logits depend on the whole history. */
#ifndef DECODE_HELP_H
#define DECODE_HELP_H

#include "base/base.h"
#include "decoding/decode.h"
#include "base/rng.h"
#include "suite.h"

enum { PAD, BOS, EOS, A, B, C, V }; /* ids of the toy models; V: their number */
enum { MOST_STEPS = 64, MOST_HYPOTHESES = 1 << 10 };

/* A model whose state is its whole history of tokens. The logits depend on that history, so a
 * hypothesis that continues from another one's state gets different logits. */
typedef struct Toy {
    void (*predict)(const struct Toy *t, const int *history, int len, real *logits);
    uint64_t seed;
    bool ties;                /* logits take few values, so that there are ties */
    int n;                    /* hypotheses of the last call */
    int calls, widest, moved; /* moved: hypotheses whose index differs from their parent's */
    int (*history)[MOST_STEPS], (*before)[MOST_STEPS];
} Toy;

static inline Toy toy_new(void (*predict)(const Toy *, const int *, int, real *), uint64_t seed)
{
    Toy t = {.predict = predict, .seed = seed, .n = 1};
    t.history = xcalloc(MOST_HYPOTHESES, sizeof *t.history);
    t.before = xcalloc(MOST_HYPOTHESES, sizeof *t.before);
    return t;
}

static inline void toy_free(Toy *t)
{
    free(t->history), free(t->before);
}

static inline void toy_step(void *self, int n, const int *parent, const int *token, real *logits)
{
    Toy *t = self;
    ck_assert(n >= 1 && n <= MOST_HYPOTHESES && t->calls < MOST_STEPS);
    if (t->calls == 0) ck_assert(n == 1 && parent[0] == 0 && token[0] == BOS);
    void *swap = t->before;
    t->before = t->history;
    t->history = swap;
    for (int i = 0; i < n; i++) {
        ck_assert(parent[i] >= 0 && parent[i] < t->n);
        if (t->calls > 0)
            ck_assert(token[i] >= A && token[i] < V); /* no PAD, BOS; nothing after EOS */
        memcpy(t->history[i], t->before[parent[i]], sizeof *t->history);
        t->history[i][t->calls] = token[i];
        t->predict(t, t->history[i] + 1, t->calls, logits + (size_t)i * V);
        t->moved += parent[i] != i;
    }
    t->n = n;
    t->calls++;
    if (n > t->widest) t->widest = n;
}

static inline Decoder decoder_of(Toy *t)
{
    t->n = 1;
    t->calls = t->widest = t->moved = 0;
    return (Decoder){.self = t, .vocab = V, .bos = BOS, .eos = EOS, .pad = PAD, .step = toy_step};
}

/* Every history has different logits. */
static inline void predict_at_random(const Toy *t, const int *history, int len, real *logits)
{
    uint32_t place = 0;
    for (int i = 0; i < len; i++) place = place * V + (uint32_t)history[i] + 1;
    Rng rng = rng_make(t->seed, RNG_TEST, place);
    for (int i = 0; i < V; i++) logits[i] = (real)(2 * rng_normal(&rng));
    for (int i = 0; i < V && t->ties; i++) logits[i] = (real)round((double)logits[i] / 2);
}

/* Returns log p of an output, computed as the training loss is. */
static inline double rescored(const Toy *t, const int *token, int len, bool finished)
{
    double sum = 0;
    for (int i = 0; i < len + finished; i++) {
        real logits[V];
        double total = 0;
        t->predict(t, token, i, logits);
        for (int k = 0; k < V; k++) total += exp((double)logits[k]);
        sum += (double)logits[i < len ? token[i] : EOS] - log(total);
    }
    return sum;
}

static inline double score_of(double log_p, int length, double alpha)
{
    return log_p / pow((5. + length) / 6, alpha);
}

#endif
