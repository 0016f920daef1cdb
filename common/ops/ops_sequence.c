/* Ops for sequences of different lengths in one batch: time-major, padded at the end. */
#include "ops/ops.h"
#include "math/vecmath.h"

#include <string.h>

/* y[b] = x[t[b]][b]        dx[t[b]][b] += dy[b] */
static void pick_backward(Node *nd)
{
    Tensor *x = nd->in[0];
    const int *t = nd->saved, B = x->shape.d[1], C = x->shape.d[2];
    for (int b = 0; b < B && x->grad; b++)
        add_to(x->grad + ((size_t)t[b] * B + b) * C, nd->out->grad + (size_t)b * C, C);
}

static int *copy_of(Tape *tp, const int *from, int n)
{
    int *to = tape_save(tp, (size_t)n * sizeof *to);
    memcpy(to, from, (size_t)n * sizeof *to);
    return to;
}

Tensor *op_pick(Tape *tp, Tensor *x, const int *t)
{
    CHECK(x->shape.n == 3, "op_pick: x %s; must be (T,B,C)", shape_text(x->shape).text);
    const int T = x->shape.d[0], B = x->shape.d[1], C = x->shape.d[2];
    Node *nd = tape_node(tp, "pick", pick_backward, SHAPE(B, C), x);
    nd->saved = copy_of(tp, t, B);
    for (int b = 0; b < B; b++) {
        CHECK(t[b] >= 0 && t[b] < T, "op_pick: step %d of x %s", t[b], shape_text(x->shape).text);
        memcpy(nd->out->data + (size_t)b * C, x->data + ((size_t)t[b] * B + b) * C,
               (size_t)C * sizeof(real));
    }
    return nd->out;
}

/* Returns the step that step i of a sequence swaps places with. */
static int mirrored(int i, int len)
{
    return i < len ? len - 1 - i : i;
}

/* y[i] = x[mirrored(i)]        dx[mirrored(i)] += dy[i] */
static void reverse_backward(Node *nd)
{
    Tensor *x = nd->in[0];
    const int *len = nd->saved, T = x->shape.d[0], B = x->shape.d[1], C = x->shape.d[2];
    for (int i = 0; i < T && x->grad; i++)
        for (int b = 0; b < B; b++)
            add_to(x->grad + ((size_t)mirrored(i, len[b]) * B + b) * C,
                   nd->out->grad + ((size_t)i * B + b) * C, C);
}

Tensor *op_reverse(Tape *tp, Tensor *x, const int *len)
{
    CHECK(x->shape.n == 3, "op_reverse: x %s; must be (T,B,C)", shape_text(x->shape).text);
    const int T = x->shape.d[0], B = x->shape.d[1], C = x->shape.d[2];
    Node *nd = tape_node(tp, "reverse", reverse_backward, x->shape, x);
    nd->saved = copy_of(tp, len, B);
    for (int b = 0; b < B; b++)
        CHECK(len[b] >= 0 && len[b] <= T, "op_reverse: length %d of x %s", len[b],
              shape_text(x->shape).text);
    for (int i = 0; i < T; i++)
        for (int b = 0; b < B; b++)
            memcpy(nd->out->data + ((size_t)i * B + b) * C,
                   x->data + ((size_t)mirrored(i, len[b]) * B + b) * C, (size_t)C * sizeof(real));
    return nd->out;
}
