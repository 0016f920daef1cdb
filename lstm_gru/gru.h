/* The GRU cell: see gru.c. */
#ifndef GRU_H
#define GRU_H

#include "nn/layers.h"

typedef struct {
    Tensor *w, *u, *b; /* (C,3H) (H,3H) (3H): columns r z n */
    Tensor *k;         /* (H) bias inside the reset, as in PyTorch; NULL: none */
    int H;
    bool after; /* reset gate after the product h U, else before it */
} GruLayer;

typedef struct {
    Tensor *h;         /* (B,H) the state */
    Tensor *r, *z, *n; /* (B,H) the gates of the last step, for inspection */
} GruState;

/* inner_bias adds the bias k, initially 0; it needs `after`. */
GruLayer gru_init(Params *ps, int C, int H, bool after, bool inner_bias);

/* Computes one step from x (B,C), as in the papers. */
GruState gru_step(Tape *tp, const GruLayer *l, Tensor *x, GruState s);

/* Computes a whole sequence from a (T,B,3H), all x_t W + b. Returns all h_t (T,B,H) and stores the last state
 * in *s. The result equals T calls of gru_step. */
Tensor *gru_layer(Tape *tp, const GruLayer *l, SequenceInput a, GruState *s);

#endif
