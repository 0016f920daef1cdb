/* The LSTM cell: see lstm.c. */
#ifndef LSTM_H
#define LSTM_H

#include "nn/layers.h"

typedef struct {
    Tensor *w, *u, *b; /* (C,4H) (H,4H) (4H): columns i f o g; without a forget gate 3H, i o g */
    Tensor *p;         /* (3,H) peepholes i f o, or NULL; only lstm_step looks through them */
    int H;
    bool forget; /* is there a forget gate? */
} LstmLayer;

typedef struct {
    Tensor *h, *c;         /* (B,H): what is carried on */
    Tensor *i, *f, *o, *g; /* (B,H): the gates that made it, to be looked at; f may be NULL */
} LstmState;

LstmLayer lstm_init(Params *ps, int C, int H, bool forget, double forget_bias);

/* One step, x (B,C), as the papers write it. */
LstmState lstm_step(Tape *tp, const LstmLayer *l, Tensor *x, LstmState s);

/* A whole sequence: z (T,B,4H) are all x_t W + b. Returns all h_t, (T,B,H), and in *s the last
 * state. Equal to T calls of lstm_step and much faster. */
Tensor *lstm_layer(Tape *tp, const LstmLayer *l, SequenceInput z, LstmState *s);

#endif
