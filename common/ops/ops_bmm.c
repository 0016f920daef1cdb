/* Batched matrix product: one product for each entry of the batch. */
#include "math/blas.h"
#include "ops/ops.h"
#include "math/parallel.h"

#include <string.h>

/* y[i] = A[i] B[i],  A = a or a^T, B = b or b^T; per i:
 *
 *   dA += dy B^T   dB += A^T dy,   and transposed if the operand is stored transposed:
 *   da += B dy^T   db += dy^T A
 */
typedef struct {
    bool ta, tb;
    int B, M, N, K;
} BmmSize;

/* c += a^T b^T, for which gemm_serial has no form. */
static void add_both_transposed(int M, int N, int K, const real *a, const real *b, real *c)
{
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++) {
            real s = 0;
            for (int k = 0; k < K; k++) s += a[(size_t)k * M + i] * b[(size_t)j * K + k];
            c[(size_t)i * N + j] += s;
        }
}

/* c (M,N) += A B, where A = a or a^T (ta) and B = b or b^T (tb). */
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
    CHECK(a->shape.n == 3 && b->shape.n == 3, "op_bmm: a %s, b %s; both must have three axes",
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
