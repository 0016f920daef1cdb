#include "data/fingerprint.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Adds x to a 64-bit hash: multiplies by an odd number and folds the high bits into the low
 * bits. */
static uint64_t mixed(uint64_t hash, uint64_t x)
{
    hash = (hash ^ x) * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 32;
}

static uint64_t of_ids(uint64_t hash, const int *ids, int n)
{
    hash = mixed(hash, (uint64_t)n);
    for (int i = 0; i < n; i++) hash = mixed(hash, (uint64_t)ids[i]);
    return hash;
}

static uint64_t of_text(uint64_t hash, const Text *t)
{
    for (int k = 0; k < LEN(t->ids); k++) {
        hash = of_ids(hash, t->ids[k], t->n[k]);
        if (t->by_line) hash = mixed(hash, (uint64_t)t->lines[k]);
    }
    return hash;
}

static uint64_t of_pairs(uint64_t hash, const Pairs *p)
{
    for (int k = 0; k < LEN(p->n); k++) {
        hash = mixed(hash, (uint64_t)p->n[k]);
        for (int i = 0; i < p->n[k]; i++) {
            hash = of_ids(hash, p->pair[k][i].source, p->pair[k][i].n_source);
            hash = of_ids(hash, p->pair[k][i].target, p->pair[k][i].n_target);
        }
    }
    return hash;
}

Fingerprint data_fingerprint(const Data *d)
{
    uint64_t hash = 1;
    for (const char *c = d->task.name; *c; c++) hash = mixed(hash, (unsigned char)*c);
    if (d->is_text) hash = of_text(hash, &d->text);
    if (d->is_pairs && d->pairs.is_table) hash = of_pairs(hash, &d->pairs);
    Fingerprint f;
    snprintf(f.text, sizeof f.text, "%016" PRIx64, hash);
    return f;
}
