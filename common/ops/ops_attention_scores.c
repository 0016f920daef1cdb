/* The scores of attention: which keys a tile of queries sees, the products q . k, the mask and the
 * slopes. */
#include "ops/ops_attention.h"

#include "math/blas.h"
#include "math/blas_small.h"
#include "math/vecmath.h"

/* Returns the position of query t among the keys: the last query stands at the last key. */
static int place_of(const Head *z, int t)
{
    return t + z->S - z->T;
}

/* Returns the end of the keys that query t sees: causal, window and length hide all later keys. */
static int keys_seen(const Attention *a, const Head *z, int t)
{
    int past = a->mask.causal ? place_of(z, t) + 1 : z->S;
    if (a->mask.window && past > place_of(z, t) + a->mask.window)
        past = place_of(z, t) + a->mask.window;
    return past < 0 ? 0 : past < z->keys ? past : z->keys;
}

/* Returns the first key in the window of query t: the window hides all earlier keys. */
static int first_seen(const Attention *a, const Head *z, int t)
{
    const int first = a->mask.window ? place_of(z, t) - a->mask.window + 1 : 0;
    return first < 0 ? 0 : first;
}

Tile attention_tile(const Attention *a, const Head *z, int t)
{
    const int steps = z->T - t < a->tile ? z->T - t : a->tile;
    const int end = keys_seen(a, z, t + steps - 1), first = first_seen(a, z, t);
    const int from = first < end ? first & -LANES : end;
    return (Tile){
        .t = t, .steps = steps, .from = from, .n = end - from, .q = z->q + (size_t)t * z->C};
}

bool attention_transposes(const Attention *a)
{
    return a->tile >= WORTH_A_COPY;
}

void attention_products(const Attention *a, const Head *z, const Tile *i, const real *x,
                        const real *y, const real *yt, real *out)
{
    if (attention_transposes(a))
        gemm_small(NN, i->steps, round_up(i->n), z->D, x, z->C, yt + i->from, a->row, 0, out,
                   a->row);
    else
        gemm_serial(NT, i->steps, i->n, z->D, x, z->C, y + (size_t)i->from * z->Ck, z->Ck, 0, out,
                    a->row);
}

/* Subtracts the ALiBi terms from the scores e of a query at position `here`, for keys < `seen`. */
static void lean(const Head *z, int here, int seen, real *restrict e)
{
    for (int s = 0; s < here && s < seen; s++) e[s] -= z->before * (real)(here - s); /* eq 19.4 */
    for (int s = here < 0 ? 0 : here + 1; s < seen; s++) e[s] -= z->after * (real)(s - here);
}

/* Here keys count from the tile's first key, i->from; no query's window ends before it. */
void attention_scores(const Node *nd, const Head *z, const Tile *i)
{
    const Attention *a = nd->saved;
    attention_products(a, z, i, nd->in[0]->data + i->q, nd->in[1]->data + z->k, z->kt, z->p);
    for (int j = 0; j < i->steps; j++) {
        const int t = i->t + j, here = place_of(z, t) - i->from;
        const int first = first_seen(a, z, t) - i->from, seen = keys_seen(a, z, t) - i->from;
        const unsigned char *allowed =
            a->mask.allowed ? a->mask.allowed + (size_t)t * z->S + i->from : NULL;
        real *e = z->p + (size_t)j * a->row;
        if (a->mask.slope) lean(z, here, seen, e);
        for (int s = 0; s < first && s < i->n; s++) e[s] = -INFINITY;
        for (int s = 0; s < seen && allowed; s++) e[s] = allowed[s] ? e[s] : -INFINITY;
        for (int s = seen; s < round_up(i->n); s++) e[s] = -INFINITY;
    }
}

Softmax attention_exponentials(real *restrict e, int keys, real scale)
{
    const int n = round_up(keys); /* whole vectors: the scores after the last key are -inf too */
    real max = -INFINITY, sum = 0;
#pragma omp simd reduction(max : max)
    for (int s = 0; s < n; s++) max = e[s] > max ? e[s] : max;
    if (max == -INFINITY) max = 0; /* all hidden: each exponential is 0 */
#pragma omp simd reduction(+ : sum)
    for (int s = 0; s < n; s++) {
        e[s] = real_exp((e[s] - max) * scale);
        sum += e[s];
    }
    return (Softmax){max, sum == 0 ? 0 : 1 / sum};
}
