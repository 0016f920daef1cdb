/* How the Transformer tells one step from another: see positions.c. */
#ifndef POSITIONS_H
#define POSITIONS_H

#include "ops/ops.h"

typedef enum { SINUSOID, LEARNED, ROTARY, ALIBI, NO_POSITIONS } Positions;
#define POSITIONS_CHOICES "sinusoid|learned|rotary|alibi|none" /* in the order of Positions */
extern const char *const positions_names[];

enum { NOWHERE = -1 }; /* the place of a step among those of another sequence */

/* PE(pos,2i) = sin(pos / 10000^(2i/C)), PE(pos,2i+1) = cos of it (Vaswani et al. 2017, section 3.5). */
void positions_sinusoid(int pos, int C, real *pe);

/* What is added to the embeddings of steps first .. first+T-1, (T,C); NULL: nothing is. learned: the table
 * (longest,C), or NULL. */
Tensor *positions_added(Tape *tp, Positions how, int C, Tensor *learned, int first, int T);

/* Queries or keys x (B,T,C) of these steps, turned or as they are. */
Tensor *positions_turned(Tape *tp, Positions how, Tensor *x, int heads, int first);

/* For AttentionMask: (2,heads), each head's slope before and after; NULL: there are none. */
const real *positions_slopes(Tape *tp, Positions how, int heads, bool both_ways);

#endif
