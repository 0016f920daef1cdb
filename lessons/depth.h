/* How long the longest chain of operations on a tape is: each waits for the one before, so no machine,
 * however wide, can take fewer steps. */
#ifndef DEPTH_H
#define DEPTH_H

#include <stdlib.h>

#include "autograd/tape.h"

/* Counts the recorded nodes; views (op_rows, op_reshape) compute nothing and count nothing. */
static inline int tape_depth(const Tape *tp)
{
    int *depth = xcalloc((size_t)tp->n, sizeof *depth), deepest = 0;
    for (int i = 0; i < tp->n; i++) {
        const Node *nd = tp->node[i];
        for (int j = 0; j < nd->inputs; j++) {
            const Tensor *x = nd->in[j]->view_of ? nd->in[j]->view_of : nd->in[j];
            int k = i - 1;
            while (k >= 0 && tp->node[k]->out != x) k--; /* who made it; a parameter: nobody */
            if (k >= 0 && depth[k] > depth[i]) depth[i] = depth[k];
        }
        depth[i]++;
        if (depth[i] > deepest) deepest = depth[i];
    }
    free(depth);
    return deepest;
}

#endif
