/* Two hash tables with open addressing hold the n-grams and their contexts. A slot does not store its
 * n-gram but its first position in the training text. So a slot takes 12 bytes for any n and any
 * vocabulary, and n-grams with equal hashes are compared by their tokens. */
#include "measure/ngram.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    uint32_t hash;
    int at;    /* index in token[] of the first token */
    int count; /* 0: the slot is free */
} Slot;

typedef struct {
    Slot *slot;
    size_t slots; /* a power of two, at least twice the used ones */
    int64_t used;
    int n; /* tokens of a key */
} Counts;

struct NgramTable {
    int *token; /* the training text, behind n-1 pads */
    Counts context, gram;
};

/* --- counts ----------------------------------------------------------------------------------- */

/* Hashes a token at a time by multiplying and mixing, with xxHash's primes. */
static uint32_t hash_of(const int *key, int n)
{
    uint64_t h = 0x27D4EB2F165667C5;
    for (int i = 0; i < n; i++) {
        h = (h ^ (uint32_t)key[i]) * 0x9E3779B185EBCA87;
        h ^= h >> 32;
    }
    return (uint32_t)h;
}

static Counts counts_new(int n)
{
    enum { FIRST_SLOTS = 1 << 10 };
    return (Counts){xcalloc(FIRST_SLOTS, sizeof(Slot)), FIRST_SLOTS, 0, n};
}

/* Returns the slot of the key, or the free slot where it belongs. */
static Slot *counts_find(const Counts *c, const int *token, const int *key, uint32_t hash)
{
    const size_t bytes = (size_t)c->n * sizeof *key;
    for (size_t i = hash;; i++) {
        Slot *s = &c->slot[i & (c->slots - 1)];
        if (s->count == 0) return s;
        if (s->hash == hash && memcmp(token + s->at, key, bytes) == 0) return s;
    }
}

static int counts_get(const Counts *c, const int *token, const int *key)
{
    return counts_find(c, token, key, hash_of(key, c->n))->count;
}

static void counts_grow(Counts *c)
{
    const Counts old = *c;
    c->slots *= 2;
    c->slot = xcalloc(c->slots, sizeof *c->slot);
    for (size_t i = 0; i < old.slots; i++) {
        if (old.slot[i].count == 0) continue;
        size_t j = old.slot[i].hash;
        while (c->slot[j & (c->slots - 1)].count) j++; /* no two keys are equal */
        c->slot[j & (c->slots - 1)] = old.slot[i];
    }
    free(old.slot);
}

static void counts_add(Counts *c, const int *token, int at)
{
    const uint32_t hash = hash_of(token + at, c->n);
    Slot *s = counts_find(c, token, token + at, hash);
    if (s->count++ > 0) return;
    s->hash = hash;
    s->at = at;
    if (2 * ++c->used > (int64_t)c->slots) counts_grow(c);
}

/* --- training --------------------------------------------------------------------------------- */
static bool is_outcome(const Ngram *m, int id)
{
    return id >= m->first && id < m->first + m->V;
}

Ngram ngram_train(int n, int first, int V, double smoothing, const int *ids, int len, int pad)
{
    CHECK(n >= 1 && n <= NGRAM_MAX && V >= 1, "ngram_train: n %d (1 to %d), V %d", n, NGRAM_MAX, V);
    CHECK(smoothing >= 0 && isfinite(smoothing), "ngram_train: smoothing %g", smoothing);
    CHECK(len >= 0 && len < INT_MAX - NGRAM_MAX, "ngram_train: %d tokens", len);
    struct NgramTable *t = xmalloc(sizeof *t);
    const Ngram m = {.n = n, .first = first, .V = V, .smoothing = smoothing, .table = t};
    t->token = xmalloc(((size_t)len + n) * sizeof *t->token);
    t->context = counts_new(n - 1);
    t->gram = counts_new(n);
    for (int i = 0; i < n - 1; i++) t->token[i] = pad;
    for (int i = 0; i < len; i++) {
        CHECK(is_outcome(&m, ids[i]), "ngram_train: token %d is %d, none of %d .. %d", i, ids[i],
              first, first + V - 1);
        t->token[n - 1 + i] = ids[i];
    }
    /* The n-gram that ends with ids[i] begins at token[i]. */
    for (int i = pad == NGRAM_UNPADDED ? n - 1 : 0; i < len; i++) {
        counts_add(&t->context, t->token, i);
        counts_add(&t->gram, t->token, i);
    }
    return m;
}

void ngram_free(Ngram *m)
{
    if (m->table) {
        free(m->table->context.slot), free(m->table->gram.slot);
        free(m->table->token);
        free(m->table);
    }
    *m = (Ngram){0};
}

int64_t ngram_contexts(const Ngram *m)
{
    return m->table->context.used;
}

/* --- probabilities ---------------------------------------------------------------------------- */

/* Copies ids[t-n+1 .. t-1] into context[n-1], with pads before the start. */
static void context_of(int n, const int *ids, int t, int pad, int *context)
{
    for (int i = 0, at = t - n + 1; i < n - 1; i++, at++) context[i] = at < 0 ? pad : ids[at];
}

static double probability(const Ngram *m, int count, int total)
{
    const double denominator = total + m->smoothing * m->V;
    return denominator > 0 ? (count + m->smoothing) / denominator : 1.0 / m->V; /* eq 3.1 */
}

double ngram_logp(const Ngram *m, const int *ids, int t, int pad)
{
    const struct NgramTable *table = m->table;
    int key[NGRAM_MAX];
    context_of(m->n, ids, t, pad, key);
    CHECK(is_outcome(m, ids[t]), "ngram_logp: token %d is %d, none of %d .. %d", t, ids[t],
          m->first, m->first + m->V - 1);
    key[m->n - 1] = ids[t];
    const int total = counts_get(&table->context, table->token, key);
    const int count = total ? counts_get(&table->gram, table->token, key) : 0;
    return log(probability(m, count, total));
}

double ngram_loss(const Ngram *m, const int *ids, int len, int pad)
{
    const int first = pad == NGRAM_UNPADDED ? m->n - 1 : 0;
    double sum = 0;
    for (int t = first; t < len; t++) sum -= ngram_logp(m, ids, t, pad);
    return len > first ? sum / (len - first) : NAN; /* eq 3.2 */
}

void ngram_next(const Ngram *m, const int *ids, int t, int pad, double *p)
{
    const struct NgramTable *table = m->table;
    int key[NGRAM_MAX];
    context_of(m->n, ids, t, pad, key);
    const int total = counts_get(&table->context, table->token, key);
    for (int k = 0; k < m->V; k++) {
        key[m->n - 1] = m->first + k;
        const int count = total ? counts_get(&table->gram, table->token, key) : 0;
        p[k] = probability(m, count, total);
    }
}
