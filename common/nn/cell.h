/* The recurrent cells of lessons 09, 11 and 12 behind one interface, for networks that contain a
 * cell: encoders and decoders.
 *
 *   rnn    h' = tanh(z + h U)                                             (Elman 1990)
 *   lstm   [i f o g] = z + h U,  c' = f c + i g,  h' = o tanh(c')         (Gers et al. 2000)
 *   gru    [r z n] as in lesson 12, reset after the product               (Cho et al. 2014, version 1)
 *
 * where z = x W + b is computed for all steps at once. The columns of W, U and b have the order
 * above. */
#ifndef CELL_H
#define CELL_H

#include "nn/layers.h"

typedef enum { CELL_RNN, CELL_LSTM, CELL_GRU } CellKind;
#define CELL_CHOICES "rnn|lstm|gru" /* in the order of CellKind */
extern const char *const cell_names[];

typedef struct {
    CellKind kind;
    int H;
    Linear in; /* w (C,N), b (N); N = H, 4H or 3H */
    Tensor *u; /* (H,N) */
} Cell;

typedef struct {
    Tensor *h, *c; /* (B,H) both; c is an LSTM's, else NULL */
} CellState;

/* Declares the parameters prefix + name.w, .b and .u. W is normal with deviation 1/sqrt(C), each
 * (H,H) block of U is orthogonal, b is 0 (1 for the LSTM's forget gate). */
Cell cell_init(Params *ps, CellKind kind, int C, int H, const char *name);
CellState cell_zeros(Tape *tp, const Cell *cell, int B); /* the state 0 before the first step */

/* x (T,B,C) -> z (T,B,N) */
Tensor *cell_inputs(Tape *tp, const Cell *cell, Tensor *x);

/* Returns z for the tokens ids (T,B), which are rows of embed (V,C), with dropout p on the
 * embeddings. A row of embed times W is a row of (embed W). So without dropout, and with at least V
 * tokens in the batch, it multiplies the table once and looks up the products, which is cheaper. */
SequenceInput cell_inputs_of_words(Tape *tp, const Cell *cell, Tensor *embed, const int *ids, int T,
                                   int B, real p, Rng *dropout);

/* Runs the cell over all steps of z (T,B,N), starting from state *s. Returns all h (T,B,H). Sets *s
 * to the state after the last true step of each sequence, len[b] of 1 .. T; NULL means T for
 * all. */
Tensor *cell_run(Tape *tp, const Cell *cell, SequenceInput z, CellState *s, const int *len);

#endif
