/* Matrix products and their gradients. */
#include "math/blas.h"
#include "ops/ops.h"
#include "math/parallel.h"
#include "math/vecmath.h"

#include <string.h>

enum { COLUMNS = 64 }; /* a thread adds up at a time, of all rows in their order */

/* db[j] += the sum of dy[r][j] over r < R, for n <= COLUMNS columns of dy with its rows N apart. Of a relu's
 * y (NULL: it is none) dy first becomes 0 where y is 0. */
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

/* y = x w             x is (R,C) after folding the leading axes, w (C,N)
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

/* y = x w + b, b (N): the same, and db += column sums of dy. */
static void linear_backward(Node *nd)
{
    bias_gradient(nd->in[2], nd->out->grad, NULL, nd->out->len / nd->in[2]->len);
    product_backward(nd, 0);
}

/* y = max(x w + b, 0): the same with dy = 0 where y is 0. It is changed in place, since no other node reads
 * it any more: where gradients are kept, what is kept is that of x w + b. */
static void linear_relu_backward(Node *nd)
{
    bias_gradient(nd->in[2], nd->out->grad, nd->out->data, nd->out->len / nd->in[2]->len);
    product_backward(nd, 0);
}

/* y = r + x w + b, inputs r, x, w, b: the same, and dr += dy, or dy becomes dr. */
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

/* What becomes of the product x w, row by row and while it is still in the cache. */
typedef enum { PLUS_BIAS, PLUS_BIAS_RELU, PLUS_BIAS_AND_R } Ending;

static void finish_row(Ending ending, real *y, const real *b, const real *r, int n)
{
    if (ending == PLUS_BIAS_RELU)
        relu_of_sum(y, b, n);
    else
        add_to(y, b, n);
    if (ending == PLUS_BIAS_AND_R) add_to(y, r, n);
}

/* Rows first .. first+n-1 of y. */
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
    for (int i = 0; i < n; i++, y += N, r += N) finish_row(ending, y, b->data, r, N);
}

static Tensor *linear(Tape *tp, const char *name, Tensor *r, Tensor *x, Tensor *w, Tensor *b,
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
                                   [PLUS_BIAS_AND_R] = linear_add_backward};
    Tensor *in[] = {r, x, w, b};
    Node *nd = tape_node_of(tp, name, backwards[ending], s, r ? 4 : 3, r ? in : in + 1, NULL);
    nd->may_overwrite = r ? 3 : 1, nd->may_share_gradient = r;
    const int share = gemm_share(R, N, C);
    if (share == R) /* the product itself may be cut, by columns */
        linear_rows(nd, ending, 0, R);
    else
        PARALLEL_FOR(2.0 * R * N * C, i, R, share,
                     linear_rows(nd, ending, i, R - i < share ? R - i : share));
    return nd->out;
}

Tensor *op_linear(Tape *tp, Tensor *x, Tensor *w, Tensor *b)
{
    return linear(tp, "linear", NULL, x, w, b, PLUS_BIAS);
}

Tensor *op_linear_relu(Tape *tp, Tensor *x, Tensor *w, Tensor *b)
{
    return linear(tp, "linear_relu", NULL, x, w, b, PLUS_BIAS_RELU);
}

Tensor *op_linear_add(Tape *tp, Tensor *r, Tensor *x, Tensor *w, Tensor *b)
{
    return linear(tp, "linear_add", r, x, w, b, PLUS_BIAS_AND_R);
}

/* y[i] = A[i] B[i],  A = a or a^T, B = b or b^T; per i:
 *
 *   dA += dy B^T   dB += A^T dy,   each written the other way round where it is stored transposed:
 *   da += B dy^T   db += dy^T A
 */
typedef struct {
    bool ta, tb;
    int B, M, N, K;
} BmmSize;

/* c += op(a) op(b) with both transposes, which gemm_serial has no form for: c = (b a)^T. */
static void add_both_transposed(int M, int N, int K, const real *a, const real *b, real *c)
{
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++) {
            real s = 0;
            for (int k = 0; k < K; k++) s += a[(size_t)k * M + i] * b[(size_t)j * K + k];
            c[(size_t)i * N + j] += s;
        }
}

/* c (M,N) += op(a) op(b), the operands stored transposed where told. */
static void add_product(bool ta, bool tb, int M, int N, int K, const real *a, const real *b,
                        real *c)
{
    if (ta && tb)
        add_both_transposed(M, N, K, a, b, c);
    else
        gemm_serial(ta ? TN : tb ? NT : NN, M, N, K, a, ta ? M : K, b, tb ? K : N, 1, c, N);
}

static void bmm_backward(Node *nd)
{
    const BmmSize *s = nd->saved;
    const int B = s->B, M = s->M, N = s->N, K = s->K;
    Tensor *ta = nd->in[0], *tb = nd->in[1];
#pragma omp parallel for num_threads(parallel_threads(4.0 * B * M * N * K)) schedule(static)
    for (int i = 0; i < B; i++) {
        const size_t at_a = (size_t)i * M * K, at_b = (size_t)i * K * N;
        const real *a = ta->data + at_a, *b = tb->data + at_b;
        const real *dy = nd->out->grad + (size_t)i * M * N;
        if (ta->grad && !s->ta) add_product(false, !s->tb, M, K, N, dy, b, ta->grad + at_a);
        if (ta->grad && s->ta) add_product(s->tb, true, K, M, N, b, dy, ta->grad + at_a);
        if (tb->grad && !s->tb) add_product(!s->ta, false, K, N, M, a, dy, tb->grad + at_b);
        if (tb->grad && s->tb) add_product(true, s->ta, N, K, M, dy, a, tb->grad + at_b);
    }
}

Tensor *op_bmm(Tape *tp, Tensor *a, Tensor *b, bool ta, bool tb)
{
    CHECK(a->shape.n == 3 && b->shape.n == 3, "op_bmm: a %s, b %s; both need three axes",
          shape_text(a->shape).text, shape_text(b->shape).text);
    const int *da = a->shape.d, *db = b->shape.d;
    const BmmSize s = {.ta = ta,
                       .tb = tb,
                       .B = da[0],
                       .M = da[ta ? 2 : 1],
                       .K = da[ta ? 1 : 2],
                       .N = db[tb ? 1 : 2]};
    CHECK(db[0] == s.B && db[tb ? 2 : 1] == s.K, "op_bmm: a %s%s, b %s%s do not fit",
          shape_text(a->shape).text, ta ? "^T" : "", shape_text(b->shape).text, tb ? "^T" : "");
    Node *nd = tape_node(tp, "bmm", bmm_backward, SHAPE(s.B, s.M, s.N), a, b);
    nd->saved = memcpy(tape_save(tp, sizeof s), &s, sizeof s);
    const size_t MK = (size_t)s.M * s.K, KN = (size_t)s.K * s.N, MN = (size_t)s.M * s.N;
    memset(nd->out->data, 0, (size_t)nd->out->len * sizeof(real));
#pragma omp parallel for num_threads(parallel_threads(2.0 * s.B * s.M * s.N * s.K)) schedule(static)
    for (int i = 0; i < s.B; i++)
        add_product(ta, tb, s.M, s.N, s.K, a->data + MK * i, b->data + KN * i,
                    nd->out->data + MN * i);
    return nd->out;
}
