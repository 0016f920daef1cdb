/* What attention's two files share: the op with its passes (ops_attention.c), and the scores of a tile with all
 * that hides keys (ops_attention_scores.c). */
#ifndef OPS_ATTENTION_H
#define OPS_ATTENTION_H

#include "ops/ops.h"

enum {
    TILE = 32,        /* steps whose scores exist at a time: 16, 64 and 128 were no faster */
    WORTH_A_COPY = 4, /* steps, for which keys are transposed */
    LANES = 16
};

static inline int round_up(int n)
{
    return (n + LANES - 1) & -LANES;
}

/* p = exp((e - max) / sqrt(D)) norm, the same bits in both passes; norm = 0 where a step may look
 * at nothing. e is q . k here: the scale is put on with the exponential. */
typedef struct {
    real max, norm;
} Softmax;

typedef struct {
    AttentionMask mask;        /* its arrays: copies, where there will be a backward pass */
    int heads, group, workers; /* group: heads that share one key head */
    int tile, row;    /* steps whose scores exist at a time; numbers from one's to the next one's */
    real scale;       /* 1 / sqrt(D) */
    Softmax *softmax; /* (B,heads,T) */
    real *weights;    /* (B,heads,T,S), or NULL: nobody asks */
    real dropout;     /* probability; 0: none */
    Rng rng;          /* as it was before the first of (B,heads,T,S) numbers */
    real *scratch;    /* see Head; `size` numbers for each worker */
    size_t size;
    double flops;
} Attention;

/* One head of one sequence. */
typedef struct {
    int T, S, D, keys;  /* keys: that are no padding */
    int C, Ck;          /* columns of q and y, of k and v */
    bool first;         /* of the heads that share its keys */
    size_t q, k;        /* where it starts in q, y and in k, v */
    size_t step;        /* its first step among those of (B,heads,T) */
    real before, after; /* slopes, as e has them: before 1 / sqrt(D) is put on */
    real *p, *de;       /* (tile,row) scratch; de for the backward pass alone */
    real *kt, *vt;      /* (D,row) k and v transposed; vt likewise for the backward pass */
    real *drop;         /* (row) m of the step at hand */
} Head;

/* One tile of it: steps t .. t+steps-1, which see none but the n keys from `from` on, a multiple of LANES. */
typedef struct {
    int t, steps, from, n;
    size_t q;
} Tile;

Tile attention_tile(const Attention *a, const Head *z, int t);

/* (steps,n) products of a tile's rows x and a head's rows y, which stand transposed in yt. */
void attention_products(const Attention *a, const Head *z, const Tile *i, const real *x,
                        const real *y, const real *yt, real *out);
bool attention_transposes(const Attention *a); /* is yt there? */

/* e = q . k of a tile, into z->p, those hidden -inf. i->n may not be 0. */
void attention_scores(const Node *nd, const Head *z, const Tile *i);

/* e becomes exp(scale (e - max)), of n keys. */
Softmax attention_exponentials(real *e, int n, real scale);

#endif
