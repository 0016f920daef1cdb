/* The GRU cell: see gru.c. */
#ifndef GRU_H
#define GRU_H

#include "nn/layers.h"

typedef struct {
    Tensor *w, *u, *b; /* (C,3H) (H,3H) (3H): columns r z n */
    Tensor *k;         /* (H) bias inside the reset, as PyTorch's has it; NULL: none */
    int H;
    bool after; /* reset gate after the product h U, else before it */
} GruLayer;

typedef struct {
    Tensor *h;         /* (B,H): what is carried on */
    Tensor *r, *z, *n; /* (B,H): the gates that made it, to be looked at */
} GruState;

/* inner_bias: with a bias k, of zeros; needs `after`. */
GruLayer gru_init(Params *ps, int C, int H, bool after, bool inner_bias);

/* One step, x (B,C), as the papers write it. */
GruState gru_step(Tape *tp, const GruLayer *l, Tensor *x, GruState s);

/* A whole sequence: a (T,B,3H) are all x_t W + b. Returns all h_t, (T,B,H), and in *s the last
 * state. Equal to T calls of gru_step and much faster. */
Tensor *gru_layer(Tape *tp, const GruLayer *l, SequenceInput a, GruState *s);

#endif
