#include "decoding/sample.h"

#include "math/vecmath.h"

#include <math.h>
#include <stdlib.h>

typedef struct {
    double weight;
    int id;
} Candidate;

static int by_likelihood(const void *a, const void *b)
{
    const Candidate *x = a, *y = b;
    if (x->weight != y->weight) return x->weight > y->weight ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* Sets to 0 the weights outside the top k, then those outside the top p of the remaining
 * weights. */
static void cut(double *weight, int V, int top_k, double top_p)
{
    Candidate *c = xmalloc(V * sizeof *c);
    for (int i = 0; i < V; i++) c[i] = (Candidate){weight[i], i};
    qsort(c, (size_t)V, sizeof *c, by_likelihood);

    const int most = top_k > 0 && top_k < V ? top_k : V;
    double total = 0, sum = 0;
    for (int i = 0; i < most; i++) total += c[i].weight;
    int kept = 0;
    do sum += c[kept++].weight;
    while (kept < most && (sum < top_p * total || top_p >= 1));
    for (int i = kept; i < V; i++) weight[c[i].id] = 0;
    free(c);
}

/* Returns i with probability weight[i] / sum; never an i whose weight is 0. */
static int draw(const double *weight, int V, double u)
{
    double sum = 0;
    int last = 0;
    for (int i = 0; i < V; i++) sum += weight[i];
    u *= sum;
    for (int i = 0; i < V; i++) {
        if (weight[i] == 0) continue;
        if (u < weight[i]) return i;
        u -= weight[i];
        last = i;
    }
    return last; /* u is close to the sum, and rounding kept it above the last weight */
}

void sample_penalise(real *logits, int V, const int *ids, int n, double penalty)
{
    if (penalty == 0 || penalty == 1) return;
    CHECK(penalty > 0, "sample_penalise: penalty %g; must be above 0", penalty);
    bool *done = xcalloc((size_t)V, sizeof *done);
    for (int i = 0; i < n; i++) {
        real *z = &logits[ids[i]];
        if (!done[ids[i]]) *z = *z > 0 ? *z / (real)penalty : *z * (real)penalty;
        done[ids[i]] = true;
    }
    free(done);
}

int sample_token(const real *logits, int V, const Sampling *s, Rng *rng)
{
    CHECK(V >= 1 && s->temperature >= 0, "sample_token: V %d, temperature %g", V, s->temperature);
    const double u = rng_uniform(rng);
    const int best = argmax(logits, V);
    const double max = (double)logits[best];
    if (s->temperature == 0 || !isfinite(max)) return best;

    double *weight = xmalloc(V * sizeof *weight);
    for (int i = 0; i < V; i++)
        weight[i] = isnan(logits[i]) ? 0 : exp(((double)logits[i] - max) / s->temperature);
    if ((s->top_k > 0 && s->top_k < V) || s->top_p < 1) cut(weight, V, s->top_k, s->top_p);
    for (int i = 0; i < V; i++) /* the largest weight is 1 */
        if (weight[i] < s->min_p) weight[i] = 0;
    const int id = draw(weight, V, u);
    free(weight);
    return id;
}
