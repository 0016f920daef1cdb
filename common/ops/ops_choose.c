/* Pointwise ops for policy and preference losses: subtraction, minimum, clamp; and op_detach, which
 * stops a gradient. */
#include "ops/ops.h"
#include "math/parallel.h"

#include <math.h>

enum { CHUNK = 4096 }; /* values that a thread takes at a time */

/* Runs work for every chunk first .. end-1 of n values, in parallel. */
#define CHUNKS(n, cost, work)                                                                      \
    {                                                                                              \
        const int count = (n);                                                                     \
        PARALLEL_FOR((double)count *(cost), first, count, CHUNK, {                                 \
            const int end = count - first < CHUNK ? count : first + CHUNK;                         \
            work;                                                                                  \
        });                                                                                        \
    }

/* y = a - b               da += dy        db -= dy */
static void add_times(real *restrict dx, const real *restrict dy, real sign, bool set, int first,
                      int end)
{
    for (int i = first; i < end; i++) dx[i] = (set ? 0 : dx[i]) + sign * dy[i];
}

static void sub_backward(Node *nd)
{
    const real *dy = nd->out->grad;
    real *db = nd->in[1]->grad;
    const bool set = gradient_overwrites(nd, 1);
    if (db) CHUNKS(nd->out->len, 2, add_times(db, dy, -1, set, first, end))
    CHUNKS(nd->out->len, 2,
           gradient_write(nd, 0, first, dy + first, end - first)) /* da may be dy's own buffer */
}

Tensor *op_sub(Tape *tp, Tensor *a, Tensor *b)
{
    CHECK(shape_equal(a->shape, b->shape), "op_sub: a %s, b %s; shapes must be equal",
          shape_text(a->shape).text, shape_text(b->shape).text);
    Node *nd = tape_node(tp, "sub", sub_backward, a->shape, a, b);
    nd->may_overwrite = 3, nd->may_share_gradient = true;
    real *y = nd->out->data;
    CHUNKS(a->len, 2, for (int i = first; i < end; i++) y[i] = a->data[i] - b->data[i])
    return nd->out;
}

/* y = min(a, b)           da += dy if a < b, db += dy if b < a; each gets dy / 2 if they are equal.
 * NaN counts as smaller than every number. */
static real share_of(real mine, real other)
{
    return mine < other || isnan(mine) ? 1 : mine == other ? (real)0.5 : 0;
}

static void min_backward(Node *nd)
{
    const real *dy = nd->out->grad;
    for (int j = 0; j < 2; j++) {
        const real *mine = nd->in[j]->data, *other = nd->in[1 - j]->data;
        real *dx = nd->in[j]->grad;
        if (dx)
            CHUNKS(nd->out->len, 3,
                   for (int i = first; i < end; i++) dx[i] += dy[i] * share_of(mine[i], other[i]))
    }
}

Tensor *op_min(Tape *tp, Tensor *a, Tensor *b)
{
    CHECK(shape_equal(a->shape, b->shape), "op_min: a %s, b %s; shapes must be equal",
          shape_text(a->shape).text, shape_text(b->shape).text);
    Node *nd = tape_node(tp, "min", min_backward, a->shape, a, b);
    real *y = nd->out->data;
    CHUNKS(a->len, 2,
           for (int i = first; i < end; i++) y[i] =
               b->data[i] < a->data[i] || isnan(b->data[i]) ? b->data[i] : a->data[i])
    return nd->out;
}

/* y = min(max(x, lo), hi)        dx += dy where lo <= x <= hi. NaN stays */
typedef struct {
    real lo, hi;
} Bounds;

static void clamp_backward(Node *nd)
{
    const Bounds s = *(const Bounds *)nd->saved;
    const real *x = nd->in[0]->data, *dy = nd->out->grad;
    real *dx = nd->in[0]->grad;
    if (dx)
        CHUNKS(nd->out->len, 2,
               for (int i = first; i < end; i++) dx[i] += x[i] < s.lo || x[i] > s.hi ? 0 : dy[i])
}

Tensor *op_clamp(Tape *tp, Tensor *x, real lo, real hi)
{
    CHECK(lo <= hi, "op_clamp: from %g to %g; must be lo <= hi", (double)lo, (double)hi);
    Node *nd = tape_node(tp, "clamp", clamp_backward, x->shape, x);
    Bounds *s = nd->saved = tape_save(tp, sizeof *s);
    *s = (Bounds){lo, hi};
    real *y = nd->out->data;
    CHUNKS(x->len, 2,
           for (int i = first; i < end; i++) y[i] = x->data[i] < lo   ? lo
                                                    : x->data[i] > hi ? hi
                                                                      : x->data[i])
    return nd->out;
}

Tensor *op_detach(Tape *tp, Tensor *x)
{
    Tensor *y = tape_view(tp, x, x->shape, 0);
    y->requires_grad = false;
    y->view_of = NULL; /* x's gradient is not shared with y */
    return y;
}
