/* Shared by the two files of op_attention: ops_attention.c (the op, forward and backward) and
 * ops_attention_scores.c (the scores of a tile and the mask). */
#ifndef OPS_ATTENTION_H
#define OPS_ATTENTION_H

#include "ops/ops.h"

enum {
    TILE = 32,        /* queries whose scores exist at a time: 16, 64 and 128 were no faster */
    WORTH_A_COPY = 4, /* from so many queries per tile on, keys are transposed first */
    LANES = 16
};

static inline int round_up(int n)
{
    return (n + LANES - 1) & -LANES;
}

/* p = exp((e - max) / sqrt(D)) norm, the same bits in both passes; norm = 0 if every key is hidden.
 * Here e is q . k: the factor 1 / sqrt(D) is applied inside the exponential. */
typedef struct {
    real max, norm;
} Softmax;

typedef struct {
    AttentionMask mask;        /* its arrays are copies if there will be a backward pass */
    int heads, group, workers; /* group: number of heads that share one key head */
    int tile, row;    /* queries per tile; distance between the rows of two queries' scores */
    real scale;       /* 1 / sqrt(D) */
    Softmax *softmax; /* (B,heads,T) */
    real *weights;    /* (B,heads,T,S), or NULL if the caller does not want them */
    real dropout;     /* probability; 0: none */
    Rng rng;          /* state before the first of the B heads T S numbers */
    real *scratch;    /* see Head; `size` numbers per worker */
    size_t size;
    double flops;
} Attention;

/* One head of one sequence. */
typedef struct {
    int T, S, D, keys;  /* keys: number of keys that are not padding */
    int C, Ck;          /* columns of q and y, of k and v */
    bool first;         /* is it the first of the heads that share its keys? */
    size_t q, k;        /* offset of the head in q and y, in k and v */
    size_t step;        /* index of its first query in (B,heads,T) */
    real before, after; /* slopes divided by 1 / sqrt(D), since e is not scaled yet */
    real *p, *de;       /* (tile,row) scratch; de in the backward pass only */
    real *kt, *vt;      /* (D,row) k and v transposed; vt in the backward pass only */
    real *drop;         /* (row) m of the current query */
} Head;

/* One tile of a head: queries t .. t+steps-1, which see only the n keys that start at `from`, a
 * multiple of LANES unless n is 0. */
typedef struct {
    int t, steps, from, n;
    size_t q;
} Tile;

Tile attention_tile(const Attention *a, const Head *z, int t);

/* Writes the products x y^T (steps,n) to out: x holds a tile's rows, y a head's rows. yt is y
 * transposed; it is used if attention_transposes. */
void attention_products(const Attention *a, const Head *z, const Tile *i, const real *x,
                        const real *y, const real *yt, real *out);
bool attention_transposes(const Attention *a); /* are k and v transposed first? */

/* Writes the scores e = q . k of a tile to z->p; hidden keys get -inf. i->n must not be 0. */
void attention_scores(const Node *nd, const Head *z, const Tile *i);

/* Replaces the n scores e of one query by exp(scale (e - max)); returns max and norm. */
Softmax attention_exponentials(real *e, int n, real scale);

#endif
