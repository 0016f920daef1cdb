/* Ways to give a Transformer the positions of its steps: see positions.c. */
#ifndef POSITIONS_H
#define POSITIONS_H

#include "ops/ops.h"

typedef enum { SINUSOID, LEARNED, ROTARY, ALIBI, NO_POSITIONS } Positions;
#define POSITIONS_CHOICES "sinusoid|learned|rotary|alibi|none" /* in the order of Positions */
extern const char *const positions_names[];

enum { NOWHERE = -1 }; /* the position of a step in cross-attention, where positions do not apply */

/* PE(pos,2i) = sin(pos / 10000^(2i/C)), PE(pos,2i+1) = cos of it (Vaswani et al. 2017, section 3.5). */
void positions_sinusoid(int pos, int C, real *pe);

/* Returns the vectors (T,C) to add to the embeddings of steps first .. first+T-1, or NULL. learned: the table
 * (longest,C), or NULL. */
Tensor *positions_added(Tape *tp, Positions how, int C, Tensor *learned, int first, int T);

/* Rotates queries or keys x (B,T,C) of steps first .. if positions are rotary; otherwise returns x. */
Tensor *positions_rotate(Tape *tp, Positions how, Tensor *x, int heads, int first);

/* Returns the slopes (2,heads) for AttentionMask, of each head for earlier and for later steps; NULL unless
 * alibi. */
const real *positions_slopes(Tape *tp, Positions how, int heads, bool both_ways);

#endif
