/* Rows of a table, by number; and products with them, of the table where it has fewer rows. */
#include "ops/ops_embed.h"

#include "math/blas.h"
#include "math/parallel.h"
#include "math/vecmath.h"

#include <string.h>

enum { COLUMNS = 64 }; /* a thread adds up at a time, of all rows in their order */

/* to[ids[r]] += scale dy[r] for r < R, of n columns: to has its rows C apart, dy ld. */
static void add_rows(real *to, int C, const int *ids, int R, real scale, const real *dy, int ld,
                     int n)
{
    PARALLEL_FOR(4.0 * R * n, at, n, COLUMNS, {
        const int width = n - at < COLUMNS ? n - at : COLUMNS;
        for (int r = 0; r < R; r++)
            add_scaled(to + (size_t)ids[r] * C + at, dy + (size_t)r * ld + at, scale, width);
    });
}

void embed_gradient(const Tensor *w, const int *ids, int rows, const real *dy, int ld, int first,
                    int n)
{
    if (w->grad) add_rows(w->grad + first, w->shape.d[1], ids, rows, 1, dy, ld, n);
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

Tensor *op_lookup(Tape *tp, Tensor *w, const int *ids, Shape s)
{
    Tensor *y = tape_save(tp, sizeof *y);
    Words *words = tape_save(tp, sizeof *words);
    *words = (Words){.table = w, .scale = 1, .T = 1};
    words->ids = checked_ids(tp, "op_lookup", w, ids, shape_len(s));
    *y = (Tensor){.shape = shape_append(s, w->shape.d[1]), .words = words};
    y->len = shape_len(y->shape);
    y->requires_grad = w->requires_grad;
    return y;
}

/* --- rows that are copied ------------------------------------------------------------------------- */

/* y[r] = scale table[ids[r]] + place[steps[r]] for r < R, all of N numbers. */
static void put_rows(const Words *w, const real *table, const real *place, int R, int N, real *y)
{
    PARALLEL_FOR(4.0 * R * N, r, R, 1, {
        const real *restrict row = table + (size_t)w->ids[r] * N;
        const real *restrict at = place ? place + (size_t)w->steps[r] * N : NULL;
        real *restrict to = y + (size_t)r * N;
        for (int j = 0; j < N; j++) to[j] = w->scale * row[j];
        if (at) add_to(to, at, N);
    });
}

/* dtable[ids[r]] += scale dy[r]        dplace[steps[r]] += dy[r] */
static void embed_backward(Node *nd)
{
    const Words *w = nd->saved;
    const int C = w->table->shape.d[1], R = nd->out->len / C;
    const real *dy = nd->out->grad;
    if (w->table->grad) add_rows(w->table->grad, C, w->ids, R, w->scale, dy, C, C);
    if (w->place && w->place->grad) add_rows(w->place->grad, C, w->steps, R, 1, dy, C, C);
}

Tensor *op_embed_at(Tape *tp, Tensor *w, const int *ids, real scale, Tensor *place, Shape s)
{
    const int R = shape_len(s), C = shape_last(w->shape), T = place ? place->shape.d[0] : 1;
    Words *words = tape_save(tp, sizeof *words);
    *words = (Words){.table = w, .place = place, .scale = scale, .T = T};
    words->ids = checked_ids(tp, "op_embed", w, ids, R);
    CHECK(!place || (place->shape.n == 2 && place->shape.d[1] == C && shape_last(s) == T),
          "op_embed_at: %s rows of %s, places %s", shape_text(s).text, shape_text(w->shape).text,
          shape_text(place->shape).text);
    int *steps = tape_save(tp, (size_t)R * sizeof *steps);
    for (int r = 0; r < R; r++) steps[r] = r % T;
    words->steps = steps;
    Node *nd = tape_node_of(tp, "embed", embed_backward, shape_append(s, C), place ? 2 : 1,
                            (Tensor *[]){w, place}, NULL);
    nd->saved = words;
    put_rows(words, w->data, place ? place->data : NULL, R, C, nd->out->data);
    nd->out->words = words;
    return nd->out;
}

Tensor *op_embed(Tape *tp, Tensor *w, const int *ids, Shape s)
{
    return op_embed_at(tp, w, ids, 1, NULL, s);
}

/* --- a product with them ---------------------------------------------------------------------------- */

/* y = x w + b for x[r] = scale table[ids[r]] + place[steps[r]]: of the table's V rows and the T places
 * there are products, of the R rows only sums.
 *
 *   y[r] = scale (table w)[ids[r]] + (place w + b)[steps[r]]
 *
 *   dword[ids[r]] += scale dy[r]        dw += table^T dword        dtable += dword w^T
 *   dstep[steps[r]] += dy[r]            dw += place^T dstep        dplace += dstep w^T
 *   db += column sums of dstep
 */
typedef struct {
    const Words *words;
    real *word, *step; /* (V,N) (T,N): table w and place w + b, then their gradients */
} Products;

static void product_gradients(const Tensor *x, const Tensor *w, int rows, const real *dy)
{
    const int C = w->shape.d[0], N = w->shape.d[1];
    if (w->grad) gemm(TN, C, N, rows, x->data, dy, 1, w->grad);
    if (x->grad) gemm(NT, rows, C, N, dy, w->data, 1, x->grad);
}

static void embed_linear_backward(Node *nd)
{
    const Products *p = nd->saved;
    const Words *words = p->words;
    const Tensor *table = nd->in[0], *w = nd->in[1], *b = nd->in[2];
    const int V = table->shape.d[0], N = b->len, R = nd->out->len / N;
    const real *dy = nd->out->grad;
    memset(p->word, 0, (size_t)V * N * sizeof *p->word);
    memset(p->step, 0, (size_t)words->T * N * sizeof *p->step);
    add_rows(p->word, N, words->ids, R, words->scale, dy, N, N);
    add_rows(p->step, N, words->steps, R, 1, dy, N, N);
    product_gradients(table, w, V, p->word);
    if (words->place) product_gradients(words->place, w, words->T, p->step);
    for (int t = 0; t < words->T && b->grad; t++) add_to(b->grad, p->step + (size_t)t * N, N);
}

bool embed_is_less_work(const Tape *tp, const Tensor *x)
{
    if (!x->words || !x->data) return false;
    if (tp->keep_grads) return false; /* x's gradient would not be all that flows */
    const int V = x->words->table->shape.d[0], C = shape_last(x->shape);
    return 2 * (V + x->words->T) <= x->len / C;
}

Tensor *embed_linear(Tape *tp, const Tensor *x, Tensor *w, Tensor *b)
{
    const Words *words = x->words;
    const int C = w->shape.d[0], N = w->shape.d[1], R = x->len / C;
    const int V = words->table->shape.d[0], T = words->T;
    Node *nd =
        tape_node_of(tp, "embed_linear", embed_linear_backward, shape_with_last(x->shape, N),
                     words->place ? 4 : 3, (Tensor *[]){words->table, w, b, words->place}, NULL);
    Products *p = nd->saved = tape_save(tp, sizeof *p);
    *p = (Products){words, tape_save(tp, (size_t)V * N * sizeof(real)),
                    tape_save(tp, (size_t)T * N * sizeof(real))};
    gemm(NN, V, N, C, words->table->data, w->data, 0, p->word);
    for (int t = 0; t < T; t++) memcpy(p->step + (size_t)t * N, b->data, (size_t)N * sizeof(real));
    if (words->place) gemm(NN, T, N, C, words->place->data, w->data, 1, p->step);
    put_rows(words, p->word, p->step, R, N, nd->out->data);
    return nd->out;
}
