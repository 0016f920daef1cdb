/* The recurrent cells of lessons 09, 11 and 12 behind one contract, for networks in which a cell is a
 * part: encoders and decoders.
 *
 *   rnn    h' = tanh(z + h U)                                             (Elman 1990)
 *   lstm   [i f o g] = z + h U,  c' = f c + i g,  h' = o tanh(c')         (Gers et al. 2000)
 *   gru    [r z n] as in lesson 12, the reset after the product           (Cho et al. 2014, version 1)
 *
 * with z = x W + b of all steps at once. Columns stand in the order above. */
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

/* W normal 1/sqrt(C), U orthogonal block by block, b 0 but 1 for the LSTM's forget gate. Named
 * prefix + name.w, .b, .u. */
Cell cell_init(Params *ps, CellKind kind, int C, int H, const char *name);
CellState cell_zeros(Tape *tp, const Cell *cell, int B);

/* x (T,B,C) -> z (T,B,N) */
Tensor *cell_inputs(Tape *tp, const Cell *cell, Tensor *x);

/* The same of words ids (T,B), the rows of embed (V,C), dropped with probability p. A row of the embedding
 * times W is a row of (embedding times W): without dropout, and where there are no fewer tokens than words, it
 * is cheaper to multiply the table once and to look the products up. */
SequenceInput cell_inputs_of_words(Tape *tp, const Cell *cell, Tensor *embed, const int *ids, int T,
                                   int B, real p, Rng *dropout);

/* All steps of z (T,B,N), from state *s on: returns all h, (T,B,H), and in *s the state after each
 * sequence's last true step, len[b] of them (1 .. T; NULL: T). */
Tensor *cell_run(Tape *tp, const Cell *cell, SequenceInput z, CellState *s, const int *len);

#endif
