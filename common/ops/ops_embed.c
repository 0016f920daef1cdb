/* Embeddings: rows of tables by id, sums of them, and their product with a weight. */
#include "ops/ops_embed.h"

#include "math/blas.h"
#include "math/parallel.h"
#include "math/vecmath.h"

#include <string.h>

enum { COLUMNS = 64 }; /* a thread sums so many columns, over all rows in their order */

/* to[ids[r]] += scale dy[r] for r < R, n columns; rows of `to` are C apart, those of dy ld. */
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

/* Checks that ids are rows of w; returns a copy of them that lives until tape_reset. */
static int *checked_ids(Tape *tp, const char *op, const Tensor *w, const int *ids, int rows)
{
    CHECK(w->shape.n == 2, "%s: w %s; must be (V,C)", op, shape_text(w->shape).text);
    const int V = w->shape.d[0];
    for (int r = 0; r < rows; r++)
        CHECK(ids[r] >= 0 && ids[r] < V, "%s: id %d at %d; the vocabulary is %d", op, ids[r], r, V);
    return memcpy(tape_save(tp, (size_t)rows * sizeof *ids), ids, (size_t)rows * sizeof *ids);
}

/* --- sums of embeddings ----------------------------------------------------------------------- */

/* One table of a sum: adds scale table[ids[r]] to row r. */
typedef struct {
    Tensor *table; /* (V,C), an input of the node */
    const int *ids;
    real scale;
} Term;

enum { PARTS = 3 }; /* word, position, segment */

typedef struct {
    Term part[PARTS];
    int n;
} Parts;

/* y[r] = the sum of scale tables[i][ids[r]] over the parts i, for r < R; every row has N
 * numbers. */
static void put_rows(const Parts *p, real *const *tables, int R, int N, real *y)
{
    PARALLEL_FOR(4.0 * R * N * p->n, r, R, 1, {
        const real *restrict row = tables[0] + (size_t)p->part[0].ids[r] * N;
        real *restrict to = y + (size_t)r * N;
        for (int j = 0; j < N; j++) to[j] = p->part[0].scale * row[j];
        for (int i = 1; i < p->n; i++) add_to(to, tables[i] + (size_t)p->part[i].ids[r] * N, N);
    });
}

/* dtable[ids[r]] += scale dy[r], for each table */
static void embed_backward(Node *nd)
{
    const Parts *p = nd->saved;
    const int C = shape_last(nd->out->shape), R = nd->out->len / C;
    for (int i = 0; i < p->n; i++)
        if (nd->in[i]->grad)
            add_rows(nd->in[i]->grad, C, p->part[i].ids, R, p->part[i].scale, nd->out->grad, C, C);
}

/* Returns the position of each of the R rows of (B,T): 0, 1, .. T-1, 0, 1, .. */
static int *steps_of(Tape *tp, int R, int T)
{
    int *steps = tape_save(tp, (size_t)R * sizeof *steps);
    for (int r = 0; r < R; r += T)
        for (int t = 0; t < T; t++) steps[r + t] = t;
    return steps;
}

static Parts *parts_of(Tape *tp, const char *op, const EmbedSum *e)
{
    const int R = shape_len(e->shape), C = shape_last(e->word->shape);
    Parts *p = tape_save(tp, sizeof *p);
    *p = (Parts){.n = 1};
    p->part[0] = (Term){e->word, checked_ids(tp, op, e->word, e->ids, R), e->scale};
    if (e->position) {
        const Tensor *position = e->position;
        CHECK(position->shape.n == 2 && position->shape.d[1] == C &&
                  shape_last(e->shape) == position->shape.d[0],
              "%s: ids %s, words %s, positions %s; positions must be (%d,%d)", op,
              shape_text(e->shape).text, shape_text(e->word->shape).text,
              shape_text(position->shape).text, shape_last(e->shape), C);
        p->part[p->n++] = (Term){e->position, steps_of(tp, R, position->shape.d[0]), 1};
    }
    if (e->segment) {
        const int *ids = checked_ids(tp, op, e->segment, e->segments, R);
        CHECK(shape_last(e->segment->shape) == C, "%s: words %s, segments %s", op,
              shape_text(e->word->shape).text, shape_text(e->segment->shape).text);
        p->part[p->n++] = (Term){e->segment, ids, 1};
    }
    return p;
}

static Tensor *embed_sum(Tape *tp, const char *name, const EmbedSum *e)
{
    Parts *p = parts_of(tp, name, e);
    Tensor *in[PARTS];
    real *tables[PARTS];
    for (int i = 0; i < p->n; i++) in[i] = p->part[i].table, tables[i] = in[i]->data;
    const int R = shape_len(e->shape), C = shape_last(e->word->shape);
    Node *nd = tape_node_of(tp, name + strlen("op_"), embed_backward, shape_append(e->shape, C),
                            p->n, in, NULL);
    nd->saved = p;
    put_rows(p, tables, R, C, nd->out->data);
    return nd->out;
}

Tensor *op_embed_sum(Tape *tp, const EmbedSum *e)
{
    return embed_sum(tp, "op_embed_sum", e);
}

Tensor *op_embed(Tape *tp, Tensor *w, const int *ids, Shape s)
{
    return embed_sum(tp, "op_embed", &(EmbedSum){.word = w, .ids = ids, .scale = 1, .shape = s});
}

Tensor *op_gather(Tape *tp, Tensor *x, const int *rows, int n)
{
    const int C = shape_last(x->shape);
    Tensor *table = op_reshape(tp, x, SHAPE(x->len / C, C));
    const EmbedSum e = {.word = table, .ids = rows, .scale = 1, .shape = SHAPE(n)};
    return embed_sum(tp, "op_gather", &e);
}

/* --- the product of a sum of embeddings and a weight ------------------------------------------ */

/* y = x w + b for x[r] = scale word[ids[r]] + position[t] + segment[segments[r]]. Only the tables are
 * multiplied by w; the R rows of y are sums of rows of the products.
 *
 *   y[r] = scale (word w)[ids[r]] + (position w + b)[t] + (segment w)[segments[r]]
 *
 *   dproduct[ids[r]] += scale dy[r]        dw += table^T dproduct        dtable += dproduct w^T
 *   db += column sums of the gradient of position w + b
 *
 * for each table. Without positions, position w + b is one row, b. */
typedef struct {
    Parts parts;          /* the second part: the positions, or b alone if its table is NULL */
    real *product[PARTS]; /* (V,N) table w, in the second part + b; then its gradient */
    int rows[PARTS];
} Products;

static void embed_linear_backward(Node *nd)
{
    const Products *p = nd->saved;
    const Tensor *w = nd->in[0], *b = nd->in[1];
    const int C = w->shape.d[0], N = b->len, R = nd->out->len / N;
    for (int i = 0; i < p->parts.n; i++) {
        const Term *part = &p->parts.part[i];
        const Tensor *x = p->parts.part[i].table;
        const int rows = p->rows[i];
        real *d = p->product[i];
        memset(d, 0, (size_t)rows * N * sizeof *d);
        add_rows(d, N, part->ids, R, part->scale, nd->out->grad, N, N);
        if (x && w->grad) gemm(TN, C, N, rows, x->data, d, 1, w->grad);
        if (x && x->grad) gemm(NT, rows, C, N, d, w->data, 1, x->grad);
    }
    for (int t = 0; t < p->rows[1] && b->grad; t++)
        add_to(b->grad, p->product[1] + (size_t)t * N, N);
}

/* Returns the parts of e. Without positions, the second part stands for the row b. */
static Parts parts_with_bias(Tape *tp, const EmbedSum *e)
{
    const Parts *given = parts_of(tp, "op_embed_linear", e);
    if (e->position) return *given;
    const int R = shape_len(e->shape);
    Parts p = {.n = given->n + 1, .part = {given->part[0], {NULL, steps_of(tp, R, 1), 1}}};
    if (e->segment) p.part[2] = given->part[1];
    return p;
}

bool embed_linear_pays(const Tape *tp, const EmbedSum *e)
{
    if (tp->keep_grads) return false;
    const int V = e->word->shape.d[0], T = e->position ? e->position->shape.d[0] : 1;
    const int G = e->segment ? e->segment->shape.d[0] : 0;
    return 2 * (V + T + G) <= shape_len(e->shape);
}

Tensor *op_embed_linear(Tape *tp, const EmbedSum *e, Tensor *w, Tensor *b)
{
    const int R = shape_len(e->shape), C = shape_last(e->word->shape), N = shape_last(w->shape);
    CHECK(w->shape.n == 2 && w->shape.d[0] == C && b->len == N,
          "op_embed_linear: words %s, w %s, b %s; w must be (%d,N) and b (N)",
          shape_text(e->word->shape).text, shape_text(w->shape).text, shape_text(b->shape).text, C);
    Products *p = tape_save(tp, sizeof *p);
    *p = (Products){.parts = parts_with_bias(tp, e)};
    Tensor *in[2 + PARTS] = {w, b};
    int inputs = 2;
    for (int i = 0; i < p->parts.n; i++) {
        Tensor *x = p->parts.part[i].table;
        const int rows = p->rows[i] = x ? x->shape.d[0] : 1;
        real *y = p->product[i] = tape_save(tp, (size_t)rows * N * sizeof *y);
        if (x) in[inputs++] = x;
        for (int t = 0; t < rows && i == 1; t++)
            memcpy(y + (size_t)t * N, b->data, (size_t)N * sizeof *y);
        if (x) gemm(NN, rows, N, C, x->data, w->data, i == 1 ? 1 : 0, y);
    }
    Node *nd = tape_node_of(tp, "embed_linear", embed_linear_backward, shape_append(e->shape, N),
                            inputs, in, NULL);
    nd->saved = p;
    put_rows(&p->parts, p->product, R, N, nd->out->data);
    return nd->out;
}
