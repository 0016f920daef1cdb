/* Ops that move values. The backward pass moves the gradients back and adds them. */
#include "ops/ops.h"
#include "math/parallel.h"
#include "math/vecmath.h"

#include <string.h>

Tensor *op_rows(Tape *tp, Tensor *x, int first, int n)
{
    const int rows = x->shape.d[0], len = x->len / rows;
    CHECK(first >= 0 && n >= 1 && first <= rows - n, "op_rows: rows %d to %d of x %s", first,
          first + n - 1, shape_text(x->shape).text);
    Shape s = x->shape;
    s.d[0] = n;
    if (n == 1 && s.n > 1) { /* one row loses its axis: (T,B,C) -> (B,C) */
        s.n--;
        memmove(s.d, s.d + 1, (size_t)s.n * sizeof *s.d);
    }
    return tape_view(tp, x, s, first * len);
}

Tensor *op_reshape(Tape *tp, Tensor *x, Shape s)
{
    CHECK(shape_len(s) == x->len, "op_reshape: x %s to %s; must have the same number of values",
          shape_text(x->shape).text, shape_text(s).text);
    return tape_view(tp, x, s, 0);
}

/* y = x[..., first .. first+n-1]        dx[..., first .. first+n-1] += dy */
static void cols_backward(Node *nd)
{
    Tensor *x = nd->in[0];
    const int first = *(const int *)nd->saved, C = shape_last(x->shape);
    const int n = shape_last(nd->out->shape), R = x->len / C;
    if (x->grad)
        PARALLEL_ROWS(2.0 * R * n, r, R, n,
                      add_to(x->grad + (size_t)r * C + first, nd->out->grad + (size_t)r * n, n));
}

Tensor *op_cols(Tape *tp, Tensor *x, int first, int n)
{
    const int C = shape_last(x->shape), R = x->len / C;
    CHECK(first >= 0 && n >= 1 && first <= C - n, "op_cols: columns %d to %d of x %s", first,
          first + n - 1, shape_text(x->shape).text);
    Node *nd = tape_node(tp, "cols", cols_backward, shape_with_last(x->shape, n), x);
    int *saved = nd->saved = tape_save(tp, sizeof first);
    *saved = first;
    PARALLEL_ROWS(2.0 * R * n, r, R, n,
                  memcpy(nd->out->data + (size_t)r * n, x->data + (size_t)r * C + first,
                         (size_t)n * sizeof(real)));
    return nd->out;
}

/* y = [x_0; x_1; ...] along a new first axis        dx_i += dy[i]
 *
 * A thread takes the same indices of all tensors, because one tensor may occur several times. */
static void stack_backward(Node *nd)
{
    enum { CHUNK = 1024 };
    const int len = nd->in[0]->len;
    PARALLEL_FOR(2.0 * nd->out->len, at, len, CHUNK, {
        const int n = len - at < CHUNK ? len - at : CHUNK;
        for (int i = 0; i < nd->inputs; i++)
            if (nd->in[i]->grad)
                add_to(nd->in[i]->grad + at, nd->out->grad + (size_t)i * len + at, n);
    });
}

Tensor *op_stack(Tape *tp, Tensor **x, int n)
{
    CHECK(n >= 1, "op_stack: %d tensors; needs at least 1", n);
    Shape s = shape_append(x[0]->shape, 1);
    memmove(s.d + 1, s.d, (size_t)(s.n - 1) * sizeof *s.d);
    s.d[0] = n;
    Node *nd = tape_node_of(tp, "stack", stack_backward, s, n, x, NULL);
    for (int i = 0; i < n; i++)
        CHECK(shape_equal(x[i]->shape, x[0]->shape),
              "op_stack: tensor %d is %s, the first is %s; shapes must be equal", i,
              shape_text(x[i]->shape).text, shape_text(x[0]->shape).text);
    const size_t len = (size_t)x[0]->len;
    PARALLEL_ROWS(2.0 * nd->out->len, i, n, x[0]->len,
                  memcpy(nd->out->data + i * len, x[i]->data, len * sizeof(real)));
    return nd->out;
}

/* y = [a b], row by row        da += the first A columns of dy, db += the last B columns */
static void concat_backward(Node *nd)
{
    Tensor *a = nd->in[0], *b = nd->in[1];
    const int A = shape_last(a->shape), B = shape_last(b->shape), R = a->len / A;
    PARALLEL_ROWS(2.0 * nd->out->len, r, R, A + B, {
        const real *dy = nd->out->grad + (size_t)r * (A + B);
        if (a->grad) add_to(a->grad + (size_t)r * A, dy, A);
        if (b->grad) add_to(b->grad + (size_t)r * B, dy + A, B);
    });
}

Tensor *op_concat(Tape *tp, Tensor *a, Tensor *b)
{
    const int A = shape_last(a->shape), B = shape_last(b->shape), R = a->len / A;
    CHECK(shape_equal(shape_with_last(a->shape, B), b->shape),
          "op_concat: a %s, b %s; all axes but the last must be equal", shape_text(a->shape).text,
          shape_text(b->shape).text);
    Node *nd = tape_node(tp, "concat", concat_backward, shape_with_last(a->shape, A + B), a, b);
    PARALLEL_ROWS(2.0 * nd->out->len, r, R, A + B, {
        real *y = nd->out->data + (size_t)r * (A + B);
        memcpy(y, a->data + (size_t)r * A, (size_t)A * sizeof *y);
        memcpy(y + A, b->data + (size_t)r * B, (size_t)B * sizeof *y);
    });
    return nd->out;
}

/* Transposes n matrices: to (n,N,M) = or += from (n,M,N). A thread takes TILE rows of `to` at a
 * time and fills them column by column, so that it reads TILE neighbours of `from` at once. */
static void transpose(real *restrict to, const real *restrict from, int n, int M, int N, bool adds)
{
    enum { TILE = 32 };
    const int tiles = (N + TILE - 1) / TILE;
    PARALLEL_FOR(4.0 * n * M * N, at, n * tiles, 1, {
        const size_t matrix = (size_t)(at / tiles) * M * N;
        const int first = at % tiles * TILE, end = N - first < TILE ? N : first + TILE;
        for (int i = 0; i < M; i++)
            for (int j = first; j < end; j++) {
                real *y = to + matrix + (size_t)j * M + i;
                const real x = from[matrix + (size_t)i * N + j];
                *y = adds ? *y + x : x;
            }
    });
}

/* y[..., j, i] = x[..., i, j]        dx[..., i, j] += dy[..., j, i] */
static void transpose_backward(Node *nd)
{
    Tensor *x = nd->in[0];
    const int M = x->shape.d[x->shape.n - 2], N = shape_last(x->shape), n = x->len / (M * N);
    if (x->grad) transpose(x->grad, nd->out->grad, n, N, M, true);
}

Tensor *op_transpose(Tape *tp, Tensor *x)
{
    CHECK(x->shape.n >= 2, "op_transpose: x %s; must have two axes or more",
          shape_text(x->shape).text);
    const int M = x->shape.d[x->shape.n - 2], N = shape_last(x->shape), n = x->len / (M * N);
    Shape s = shape_with_last(x->shape, M);
    s.d[s.n - 2] = N;
    Node *nd = tape_node(tp, "transpose", transpose_backward, s, x);
    transpose(nd->out->data, x->data, n, M, N, false);
    return nd->out;
}

/* y[j, i, ...] = x[i, j, ...]        dx[i, j, ...] += dy[j, i, ...] */
static void swap_backward(Node *nd)
{
    Tensor *x = nd->in[0];
    const int A = x->shape.d[0], B = x->shape.d[1], C = x->len / (A * B);
    if (x->grad)
        PARALLEL_ROWS(2.0 * x->len, r, A * B, C, {
            const size_t i = r / B, j = r % B;
            add_to(x->grad + (size_t)r * C, nd->out->grad + (j * A + i) * C, C);
        });
}

Tensor *op_swap(Tape *tp, Tensor *x)
{
    CHECK(x->shape.n >= 2, "op_swap: x %s; must have two axes or more", shape_text(x->shape).text);
    const int A = x->shape.d[0], B = x->shape.d[1], C = x->len / (A * B);
    Shape s = x->shape;
    s.d[0] = B, s.d[1] = A;
    Node *nd = tape_node(tp, "swap", swap_backward, s, x);
    PARALLEL_ROWS(2.0 * x->len, r, A * B, C, {
        const size_t i = r / B, j = r % B;
        memcpy(nd->out->data + (j * A + i) * C, x->data + (size_t)r * C, (size_t)C * sizeof(real));
    });
    return nd->out;
}

/* The D channels of one head at one position are contiguous before and after a split, so both ops
 * move runs of D numbers. The run of sequence b, position t, head h starts at ((b H + h) T + t) D
 * in the split tensor, and at (b T + t) row + (which H + h) D in the joint tensor, row = n H D. */
typedef struct {
    int B, T, H, D, which, row;
} HeadLayout;

static size_t at_split(const HeadLayout *l, int b, int t, int h)
{
    return (((size_t)b * l->H + h) * l->T + t) * l->D;
}

static size_t at_together(const HeadLayout *l, int b, int t, int h)
{
    return ((size_t)b * l->T + t) * l->row + ((size_t)l->which * l->H + h) * l->D;
}

typedef size_t HeadPlace(const HeadLayout *, int b, int t, int h);

/* to[...] += from[...], run by run; clears each run of `to` first if is_new. */
static void move_heads(const HeadLayout *l, real *to, HeadPlace *to_at, const real *from,
                       HeadPlace *from_at, bool is_new)
{
    const int n = l->H * l->D;
    PARALLEL_ROWS(2.0 * l->B * l->T * n, r, l->B * l->T, n, {
        const int b = r / l->T, t = r % l->T;
        for (int h = 0; h < l->H; h++) {
            real *run = to + to_at(l, b, t, h);
            if (is_new) memset(run, 0, (size_t)l->D * sizeof *run);
            add_to(run, from + from_at(l, b, t, h), l->D);
        }
    });
}

static void split_heads_backward(Node *nd)
{
    if (nd->in[0]->grad)
        move_heads(nd->saved, nd->in[0]->grad, at_together, nd->out->grad, at_split, false);
}

Tensor *op_split_heads(Tape *tp, Tensor *x, int heads, int which, int n)
{
    const int *d = x->shape.d;
    CHECK(x->shape.n == 3 && heads >= 1 && n >= 1 && d[2] % (n * heads) == 0 && which >= 0 &&
              which < n,
          "op_split_heads: x %s into part %d of %d, %d heads", shape_text(x->shape).text, which, n,
          heads);
    const HeadLayout l = {
        .B = d[0], .T = d[1], .H = heads, .D = d[2] / (n * heads), .which = which, .row = d[2]};
    Node *nd = tape_node(tp, "split_heads", split_heads_backward, SHAPE(l.B * l.H, l.T, l.D), x);
    nd->saved = memcpy(tape_save(tp, sizeof l), &l, sizeof l);
    move_heads(&l, nd->out->data, at_split, x->data, at_together, true);
    return nd->out;
}

static void merge_heads_backward(Node *nd)
{
    if (nd->in[0]->grad)
        move_heads(nd->saved, nd->in[0]->grad, at_split, nd->out->grad, at_together, false);
}

Tensor *op_merge_heads(Tape *tp, Tensor *x, int heads)
{
    const int *d = x->shape.d;
    CHECK(x->shape.n == 3 && heads > 0 && d[0] % heads == 0, "op_merge_heads: x %s, %d heads",
          shape_text(x->shape).text, heads);
    const HeadLayout l = {.B = d[0] / heads, .T = d[1], .H = heads, .D = d[2], .row = heads * d[2]};
    Node *nd = tape_node(tp, "merge_heads", merge_heads_backward, SHAPE(l.B, l.T, l.row), x);
    nd->saved = memcpy(tape_save(tp, sizeof l), &l, sizeof l);
    move_heads(&l, nd->out->data, at_together, x->data, at_split, true);
    return nd->out;
}
