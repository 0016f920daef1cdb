/* Rows of a table, by number. */
#include "ops_embed.h"

#include "parallel.h"
#include "vecmath.h"

#include <string.h>

enum { COLUMNS = 64 }; /* a thread adds up at a time, of all rows in their order */

void embed_gradient(const Tensor *w, const int *ids, int rows, const real *dy, int ld, int first,
                    int n)
{
    const int C = w->shape.d[1];
    if (!w->grad) return;
#pragma omp parallel for num_threads(parallel_threads(2.0 * rows * n)) schedule(static)
    for (int at = 0; at < n; at += COLUMNS) {
        const int width = n - at < COLUMNS ? n - at : COLUMNS;
        for (int r = 0; r < rows; r++)
            add_to(w->grad + (size_t)ids[r] * C + first + at, dy + (size_t)r * ld + at, width);
    }
}

/* A copy of ids, for as long as the step lives. */
static int *checked_ids(Tape *tp, const char *op, const Tensor *w, const int *ids, int rows)
{
    CHECK(w->shape.n == 2, "%s: w %s; must be (V,C)", op, shape_text(w->shape).text);
    const int V = w->shape.d[0];
    for (int r = 0; r < rows; r++)
        CHECK(ids[r] >= 0 && ids[r] < V, "%s: id %d at %d; the vocabulary is %d", op, ids[r], r, V);
    return memcpy(tape_save(tp, (size_t)rows * sizeof *ids), ids, (size_t)rows * sizeof *ids);
}

/* y[i] = w[ids[i]]        dw[ids[i]] += dy[i] */
static void embed_backward(Node *nd)
{
    const int C = nd->in[0]->shape.d[1];
    embed_gradient(nd->in[0], nd->saved, nd->out->len / C, nd->out->grad, C, 0, C);
}

Tensor *op_embed(Tape *tp, Tensor *w, const int *ids, Shape s)
{
    const int R = shape_len(s), C = shape_last(w->shape);
    int *saved = checked_ids(tp, "op_embed", w, ids, R);
    Node *nd = tape_node(tp, "embed", embed_backward, shape_append(s, C), w);
    nd->saved = saved;
    PARALLEL_FOR(1.0 * R * C, r, R, 1,
                 memcpy(nd->out->data + (size_t)r * C, w->data + (size_t)ids[r] * C,
                        (size_t)C * sizeof(real)));
    return nd->out;
}

Tensor *op_lookup(Tape *tp, Tensor *w, const int *ids, Shape s)
{
    Tensor *y = tape_save(tp, sizeof *y);
    const int *saved = checked_ids(tp, "op_lookup", w, ids, shape_len(s));
    *y = (Tensor){.shape = shape_append(s, w->shape.d[1]), .table = w, .ids = saved};
    y->len = shape_len(y->shape);
    y->requires_grad = w->requires_grad;
    return y;
}
