/* The LSTM cell: see lstm.c. */
#ifndef LSTM_H
#define LSTM_H

#include "nn/layers.h"

typedef struct {
    Tensor *w, *u, *b; /* (C,4H) (H,4H) (4H): columns i f o g; without a forget gate 3H, i o g */
    Tensor *p;         /* (3,H) peepholes i f o, or NULL; only lstm_step supports them */
    int H;
    bool forget; /* is there a forget gate? */
} LstmLayer;

typedef struct {
    Tensor *h, *c;         /* (B,H) the state */
    Tensor *i, *f, *o, *g; /* (B,H) the gates of the last step, for inspection; f may be NULL */
} LstmState;

LstmLayer lstm_init(Params *ps, int C, int H, bool forget, double forget_bias);

/* Computes one step from x (B,C), as in the papers. */
LstmState lstm_step(Tape *tp, const LstmLayer *l, Tensor *x, LstmState s);

/* Computes a whole sequence from z (T,B,4H), all x_t W + b. Returns all h_t (T,B,H) and stores the last state
 * in *s. The result equals T calls of lstm_step. */
Tensor *lstm_layer(Tape *tp, const LstmLayer *l, SequenceInput z, LstmState *s);

#endif
