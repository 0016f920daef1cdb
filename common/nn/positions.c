/* Attention ignores the order of its keys. These ways add it:
 *
 *   sinusoid   adds sines and cosines of the position to the embedding (Vaswani et al. 2017)
 *   learned    adds a row of a table, one for each position
 *   rotary     rotates q and k by angles that grow with the position, so that q . k depends on the
 *              distance between them (Su et al. 2021)
 *   alibi      subtracts a slope times the distance from each score, a slope for each head (Press et al. 2022)
 *   none       adds nothing; only the causal mask gives an order
 *
 * Rotary and alibi use distances within one sequence. Between two sequences there is no distance, so
 * cross-attention depends on content alone.
 *
 * Not as published: alibi was made for a causal mask. In an encoder, one slope in both directions could not
 * distinguish earlier from later steps, so half of the heads attend back and half ahead. */
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
        CHECK(first + T <= learned->shape.d[0],
              "positions: %d steps, but only %d learned positions", first + T, learned->shape.d[0]);
        return tape_view(tp, learned, SHAPE(T, C), first * C);
    }
    if (how != SINUSOID) return NULL;
    Tensor *pe = tape_tensor(tp, SHAPE(T, C));
    for (int t = 0; t < T; t++) positions_sinusoid(first + t, C, pe->data + (size_t)t * C);
    return pe;
}

/* --- applied to queries, keys and scores --------------------------------------------------------------- */

Tensor *positions_rotate(Tape *tp, Positions how, Tensor *x, int heads, int first)
{
    return how == ROTARY && first != NOWHERE ? op_rotary(tp, x, heads, first) : x;
}

/* Returns slopes 2^(-8/n), 2^(-16/n) .. 2^-8 for the n heads of one direction. */
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
