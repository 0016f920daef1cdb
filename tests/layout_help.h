/* Changes of layout: the suites write their ids time-major, a Transformer reads and writes batch-major. */
#ifndef LAYOUT_HELP_H
#define LAYOUT_HELP_H

#include <stdlib.h>
#include <string.h>

#include "tasks/batch.h"

/* Returns a transposed copy: (rows,columns,n) as (columns,rows,n); NULL for NULL. */
static inline void *transposed(const void *from, size_t size, int rows, int columns)
{
    if (!from) return NULL;
    const char *bytes = from;
    char *to = xmalloc((size_t)rows * columns * size);
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++)
            memcpy(to + ((size_t)j * rows + i) * size, bytes + ((size_t)i * columns + j) * size,
                   size);
    return to;
}

/* Returns a batch-major copy of a time-major batch; batch_free it. */
static inline Batch batch_major(const Batch *b)
{
    Batch m = {.layout = BATCH_MAJOR, .T = b->T, .B = b->B, .S = b->S};
    m.x = transposed(b->x, sizeof *b->x, b->T, b->B);
    m.y = transposed(b->y, sizeof *b->y, b->T, b->B);
    m.s = transposed(b->s, sizeof *b->s, b->S, b->B);
    m.s_len = transposed(b->s_len, sizeof *b->s_len, 1, b->B);
    return m;
}

/* Writes logits (B,T,V) as (T,B,V). */
static inline void time_major_logits(const real *z, int T, int B, int V, real *out)
{
    real *copy = transposed(z, (size_t)V * sizeof *z, B, T);
    memcpy(out, copy, (size_t)T * B * V * sizeof *out);
    free(copy);
}

#endif
