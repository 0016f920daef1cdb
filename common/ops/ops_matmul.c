/* Matrix products and their gradients. */
#include "math/blas.h"
#include "ops/activations.h"
#include "ops/ops.h"
#include "math/parallel.h"
#include "math/vecmath.h"

#include <string.h>

enum { COLUMNS = 64 }; /* a thread sums so many columns, over all rows in their order */

/* db[j] += sum over r < R of dy[r][j], for n <= COLUMNS columns; rows of dy are N apart. After a
 * relu, y is its output and dy is first set to 0 where y is 0; otherwise y is NULL. */
static inline void bias_columns(real *db, real *dy, const real *y, int R, int N, int n)
{
    real sum[COLUMNS] = {0};
    for (int r = 0; r < R; r++)
        for (int j = 0; j < n; j++) {
            const size_t at = (size_t)r * N + j;
            if (y) dy[at] = y[at] > 0 ? dy[at] : 0;
            sum[j] += dy[at];
        }
    if (db) add_to(db, sum, n);
}

static void bias_gradient(Tensor *b, real *dy, const real *y, int R)
{
    const int N = b->len;
    real *db = b->grad;
    if (!db && !y) return;
    PARALLEL_FOR(4.0 * R * N, j, N, COLUMNS, {
        const int n = N - j < COLUMNS ? N - j : COLUMNS;
        real *sum = db ? db + j : NULL;
        if (n == COLUMNS && y) /* the size is a constant: sums stay in registers */
            bias_columns(sum, dy + j, y + j, R, N, COLUMNS);
        else if (n == COLUMNS)
            bias_columns(sum, dy + j, NULL, R, N, COLUMNS);
        else
            bias_columns(sum, dy + j, y ? y + j : NULL, R, N, n);
    });
}

/* y = x w             x is (R,C) once its leading axes are merged, w (C,N)
 *
 *   dx += dy w^T      dw += x^T dy
 *
 * x is input j of the node, w the next one.
 */
static void product_backward(const Node *nd, int j)
{
    Tensor *x = nd->in[j], *w = nd->in[j + 1];
    const int C = w->shape.d[0], N = w->shape.d[1], R = x->len / C;
    const real *dy = nd->out->grad;
    if (x->grad) gemm(NT, R, C, N, dy, w->data, gradient_beta(nd, j), x->grad);
    if (w->grad) gemm(TN, C, N, R, x->data, dy, 1, w->grad);
}

static void matmul_backward(Node *nd)
{
    product_backward(nd, 0);
}

/* y = x w + b, b (N): the gradients of the product, and db += column sums of dy. */
static void linear_backward(Node *nd)
{
    bias_gradient(nd->in[2], nd->out->grad, NULL, nd->out->len / nd->in[2]->len);
    product_backward(nd, 0);
}

/* y = max(x w + b, 0): as linear_backward, with dy = 0 where y is 0. Changes dy in place, because
 * no later node reads it: with keep_grads the gradient that is kept is that of x w + b. */
static void linear_relu_backward(Node *nd)
{
    bias_gradient(nd->in[2], nd->out->grad, nd->out->data, nd->out->len / nd->in[2]->len);
    product_backward(nd, 0);
}

/* y = gelu(z), z = x w + b: as linear_backward with dz = dy gelu'(z), in place; z was saved. */
static void slope_of_gelu(real *restrict dy, const real *restrict z, bool by_tanh, int n)
{
    if (by_tanh) {
#pragma omp simd
        for (int i = 0; i < n; i++) dy[i] *= gelu_tanh_slope(z[i]);
    } else {
#pragma omp simd
        for (int i = 0; i < n; i++) dy[i] *= gelu_slope(z[i]);
    }
}

static void gelu_backward(Node *nd, bool by_tanh)
{
    enum { CHUNK = 4096 };
    const int n = nd->out->len;
    const real *z = nd->saved;
    real *dy = nd->out->grad;
    PARALLEL_FOR(40.0 * n, i, n, CHUNK,
                 slope_of_gelu(dy + i, z + i, by_tanh, n - i < CHUNK ? n - i : CHUNK));
    bias_gradient(nd->in[2], dy, NULL, n / nd->in[2]->len);
    product_backward(nd, 0);
}

static void linear_gelu_backward(Node *nd)
{
    gelu_backward(nd, false);
}

static void linear_gelu_tanh_backward(Node *nd)
{
    gelu_backward(nd, true);
}

/* y = r + x w + b, inputs r, x, w, b: as linear_backward, and dr += dy, or dr is dy's own
 * buffer. */
static void linear_add_backward(Node *nd)
{
    enum { CHUNK = 4096 };
    const int n = nd->out->len;
    real *dy = nd->out->grad;
    PARALLEL_FOR(1.0 * n, i, n, CHUNK,
                 gradient_write(nd, 0, i, dy + i, n - i < CHUNK ? n - i : CHUNK));
    bias_gradient(nd->in[3], dy, NULL, n / nd->in[3]->len);
    product_backward(nd, 1);
}

Tensor *op_matmul(Tape *tp, Tensor *x, Tensor *w)
{
    const int C = shape_last(x->shape), N = shape_last(w->shape);
    CHECK(w->shape.n == 2 && w->shape.d[0] == C, "op_matmul: x %s, w %s; w must be (%d,N)",
          shape_text(x->shape).text, shape_text(w->shape).text, C);
    Node *nd = tape_node(tp, "matmul", matmul_backward, shape_with_last(x->shape, N), x, w);
    nd->may_overwrite = 1;
    gemm(NN, x->len / C, N, C, x->data, w->data, 0, nd->out->data);
    return nd->out;
}

/* y = x w^T, w (N,C)      dx += dy w      dw += dy^T x */
static void matmul_t_backward(Node *nd)
{
    Tensor *x = nd->in[0], *w = nd->in[1];
    const int N = w->shape.d[0], C = w->shape.d[1], R = x->len / C;
    const real *dy = nd->out->grad;
    if (x->grad) gemm(NN, R, C, N, dy, w->data, gradient_beta(nd, 0), x->grad);
    if (w->grad) gemm(TN, N, C, R, dy, x->data, 1, w->grad);
}

Tensor *op_matmul_t(Tape *tp, Tensor *x, Tensor *w)
{
    const int C = shape_last(x->shape), N = w->shape.d[0];
    CHECK(w->shape.n == 2 && w->shape.d[1] == C, "op_matmul_t: x %s, w %s; w must be (N,%d)",
          shape_text(x->shape).text, shape_text(w->shape).text, C);
    Node *nd = tape_node(tp, "matmul_t", matmul_t_backward, shape_with_last(x->shape, N), x, w);
    nd->may_overwrite = 1;
    gemm(NT, x->len / C, N, C, x->data, w->data, 0, nd->out->data);
    return nd->out;
}

/* y = relu(y + b) */
static void relu_of_sum(real *restrict y, const real *restrict b, int n)
{
    for (int i = 0; i < n; i++) {
        const real x = y[i] + b[i];
        y[i] = x < 0 ? 0 : x; /* NaN stays */
    }
}

/* z = y + b, y = gelu(z). z may be NULL if there is no backward pass. */
static void gelu_of_sum(real *restrict y, const real *restrict b, real *restrict z, bool by_tanh,
                        int n)
{
    add_to(y, b, n);
    if (z) memcpy(z, y, (size_t)n * sizeof *z);
    if (by_tanh) {
#pragma omp simd
        for (int i = 0; i < n; i++) y[i] = gelu_tanh(y[i]);
    } else {
#pragma omp simd
        for (int i = 0; i < n; i++) y[i] = gelu(y[i]);
    }
}

/* The operation that each row of x w gets while it is still in the cache. */
typedef enum {
    PLUS_BIAS,
    PLUS_BIAS_RELU,
    PLUS_BIAS_AND_R,
    PLUS_BIAS_GELU,
    PLUS_BIAS_GELU_TANH
} Ending;

static void finish_row(Ending ending, real *y, const real *b, const real *r, real *z, int n)
{
    if (ending == PLUS_BIAS_RELU)
        relu_of_sum(y, b, n);
    else if (ending >= PLUS_BIAS_GELU)
        gelu_of_sum(y, b, z, ending == PLUS_BIAS_GELU_TANH, n);
    else
        add_to(y, b, n);
    if (ending == PLUS_BIAS_AND_R) add_to(y, r, n);
}

/* Computes rows first .. first+n-1 of y. */
static void linear_rows(const Node *nd, Ending ending, int first, int n)
{
    const bool adds = ending == PLUS_BIAS_AND_R;
    const Tensor *x = nd->in[adds], *w = nd->in[adds + 1], *b = nd->in[adds + 2];
    const int C = w->shape.d[0], N = w->shape.d[1];
    const size_t at = (size_t)first * N;
    real *y = nd->out->data + at;
    const real *r = adds ? nd->in[0]->data + at : y;
    (n == nd->out->len / N ? gemm_rows : gemm_serial)(NN, n, N, C, x->data + (size_t)first * C, C,
                                                      w->data, N, 0, y, N);
    real *z = nd->saved ? (real *)nd->saved + at : NULL;
    for (int i = 0; i < n; i++, y += N, r += N)
        finish_row(ending, y, b->data, r, z ? z + (size_t)i * N : NULL, N);
}

/* Records x w + b with an ending: bias, activation, or a sum with r (NULL: none), in one op. */
static Tensor *linear_fused(Tape *tp, const char *name, Tensor *r, Tensor *x, Tensor *w, Tensor *b,
                            Ending ending)
{
    const int C = shape_last(x->shape), N = shape_last(w->shape), R = x->len / C;
    CHECK(w->shape.n == 2 && w->shape.d[0] == C && b->len == N,
          "op_%s: x %s, w %s, b %s; w must be (%d,N) and b (N)", name, shape_text(x->shape).text,
          shape_text(w->shape).text, shape_text(b->shape).text, C);
    const Shape s = shape_with_last(x->shape, N);
    CHECK(!r || shape_equal(r->shape, s), "op_%s: r %s, x w %s", name, shape_text(r->shape).text,
          shape_text(s).text);
    void (*backwards[])(Node *) = {[PLUS_BIAS] = linear_backward,
                                   [PLUS_BIAS_RELU] = linear_relu_backward,
                                   [PLUS_BIAS_AND_R] = linear_add_backward,
                                   [PLUS_BIAS_GELU] = linear_gelu_backward,
                                   [PLUS_BIAS_GELU_TANH] = linear_gelu_tanh_backward};
    Tensor *in[] = {r, x, w, b};
    Node *nd = tape_node_of(tp, name, backwards[ending], s, r ? 4 : 3, r ? in : in + 1, NULL);
    nd->may_overwrite = r ? 3 : 1, nd->may_share_gradient = r;
    if (ending >= PLUS_BIAS_GELU && nd->out->requires_grad)
        nd->saved = tape_save(tp, (size_t)nd->out->len * sizeof(real));
    const int share = gemm_share(R, N, C);
    if (share == R) /* gemm_rows may still divide the product by columns */
        linear_rows(nd, ending, 0, R);
    else
        PARALLEL_FOR(2.0 * R * N * C, i, R, share,
                     linear_rows(nd, ending, i, R - i < share ? R - i : share));
    return nd->out;
}

Tensor *op_linear(Tape *tp, Tensor *x, Tensor *w, Tensor *b)
{
    return linear_fused(tp, "linear", NULL, x, w, b, PLUS_BIAS);
}

Tensor *op_linear_relu(Tape *tp, Tensor *x, Tensor *w, Tensor *b)
{
    return linear_fused(tp, "linear_relu", NULL, x, w, b, PLUS_BIAS_RELU);
}

Tensor *op_linear_gelu(Tape *tp, Tensor *x, Tensor *w, Tensor *b)
{
    return linear_fused(tp, "linear_gelu", NULL, x, w, b, PLUS_BIAS_GELU);
}

Tensor *op_linear_gelu_tanh(Tape *tp, Tensor *x, Tensor *w, Tensor *b)
{
    return linear_fused(tp, "linear_gelu_tanh", NULL, x, w, b, PLUS_BIAS_GELU_TANH);
}

Tensor *op_linear_add(Tape *tp, Tensor *r, Tensor *x, Tensor *w, Tensor *b)
{
    return linear_fused(tp, "linear_add", r, x, w, b, PLUS_BIAS_AND_R);
}
