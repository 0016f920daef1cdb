/* Attention is a sum over a set: it knows no order. What brings order in:
 *
 *   sinusoid   sines and cosines of the place are added to the embedding (Vaswani et al. 2017)
 *   learned    a row of a table is added, one for each place
 *   rotary     q and k are turned by angles that grow with the place, so that q . k depends on how far
 *              apart they are (Su et al. 2021)
 *   alibi      a score loses a slope times the distance, a slope for each head (Press et al. 2022)
 *   none       nothing does, but the causal mask
 *
 * Rotary and alibi know distances within one sequence. Between two there are none: cross-attention
 * goes by content alone.
 *
 * Not as published: alibi was made for a causal mask. Where a step sees both ways, a slope that is the
 * same both ways could not tell before from after, so there half of the heads look back and half
 * ahead. */
#include "nn/positions.h"

#include <math.h>

const char *const positions_names[] = {"sinusoid", "learned", "rotary", "alibi", "none"};

/* --- added to embeddings --------------------------------------------------------------------------- */

void positions_sinusoid(int pos, int C, real *pe)
{
    for (int i = 0; i < C; i += 2) {
        const double angle = pos / pow(10000, i / (double)C);
        pe[i] = (real)sin(angle); /* eq 19.1 */
        if (i + 1 < C) pe[i + 1] = (real)cos(angle);
    }
}

Tensor *positions_added(Tape *tp, Positions how, int C, Tensor *learned, int first, int T)
{
    if (how == LEARNED) {
        CHECK(first + T <= learned->shape.d[0], "transformer: %d steps, positions for %d",
              first + T, learned->shape.d[0]);
        return tape_view(tp, learned, SHAPE(T, C), first * C);
    }
    if (how != SINUSOID) return NULL;
    Tensor *pe = tape_tensor(tp, SHAPE(T, C));
    for (int t = 0; t < T; t++) positions_sinusoid(first + t, C, pe->data + (size_t)t * C);
    return pe;
}

/* --- put on queries, keys and scores --------------------------------------------------------------- */

Tensor *positions_turned(Tape *tp, Positions how, Tensor *x, int heads, int first)
{
    return how == ROTARY && first != NOWHERE ? op_rotary(tp, x, heads, first) : x;
}

/* 2^(-8/n), 2^(-16/n) .. 2^-8, where n heads look the same way. */
const real *positions_slopes(Tape *tp, Positions how, int heads, bool both_ways)
{
    if (how != ALIBI) return NULL;
    const bool parted = both_ways && heads > 1;
    const int n = parted ? (heads + 1) / 2 : heads;
    real *before = tape_save(tp, 2 * (size_t)heads * sizeof *before), *after = before + heads;
    for (int h = 0; h < heads; h++) {
        const real slope = (real)pow(2, -8.0 * (1 + (parted ? h / 2 : h)) / n); /* eq 19.5 */
        before[h] = parted && h % 2 ? INFINITY : slope;
        after[h] = parted && h % 2 == 0 ? INFINITY : slope;
    }
    return before;
}
