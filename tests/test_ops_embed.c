/* Rows of a table: worked by hand, and read by the recurrences where they stand. */
#include "by_hand.h"
#include "math/parallel.h"
#include "nn/params.h"

START_TEST(embed)
{
    Tape tp = {0};
    Tensor *w = GIVEN(&tp, SHAPE(3, 2), 1, 2, 3, 4, 5, 6);
    int ids[] = {2, 0, 2, 2};
    Tensor *y = op_embed(&tp, w, ids, SHAPE(2, 2));
    ids[1] = 1; /* the op has its own copy */
    ck_shape(y, SHAPE(2, 2, 2));
    CK(y->data, 5, 6, 1, 2, 5, 6, 5, 6);
    BACKWARD(&tp, y, 1, 2, 10, 20, 100, 200, 1000, 2000);
    CK(w->grad, 10, 20, 0, 0, 1101, 2202);
    tape_free(&tp);
}
END_TEST

/* Twice row 1 plus the places, then twice rows 0 and 2. */
START_TEST(embed_at)
{
    Tape tp = {0};
    Tensor *w = GIVEN(&tp, SHAPE(3, 2), 1, 2, 3, 4, 5, 6);
    Tensor *place = GIVEN(&tp, SHAPE(2, 2), 10, 20, 30, 40);
    Tensor *y = op_embed_at(&tp, w, (int[]){1, 1, 0, 2}, 2, place, SHAPE(2, 2));
    ck_shape(y, SHAPE(2, 2, 2));
    CK(y->data, 16, 28, 36, 48, 12, 24, 40, 52);
    BACKWARD(&tp, y, 1, 2, 10, 20, 100, 200, 1000, 2000);
    CK(w->grad, 200, 400, 22, 44, 2000, 4000);
    CK(place->grad, 101, 202, 1010, 2020);
    tape_free(&tp);
}
END_TEST

/* --- a product with embedded words ------------------------------------------------------------------ */

typedef struct {
    Params ps;
    Tensor *table, *place, *w, *b;
    int *ids, B, T;
} WordsIn;

/* y = x w + b, in one op of the table and the places or of x, which a view of it hides; its gradients are
 * in ps.grad. */
static Tensor *product(Tape *tp, WordsIn *c, bool by_table)
{
    params_zero_grad(&c->ps);
    Tensor *x = op_embed_at(tp, c->table, c->ids, (real)1.5, c->place, SHAPE(c->B, c->T));
    Tensor *y = op_linear(tp, by_table ? x : op_reshape(tp, x, x->shape), c->w, c->b);
    ck_assert_str_eq(tp->node[tp->n - 1]->name, by_table ? "embed_linear" : "linear");
    const Tensor *r = tape_zeros(tp, y->shape);
    for (int i = 0; i < y->len; i++) r->data[i] = (real)(i % 11 - 5) / (real)y->len;
    tape_backward(tp, op_dot(tp, y, r->data));
    return y;
}

static void check_product(int V, int B, int T, int C, int N, bool placed)
{
    Tape tp = {0};
    WordsIn c = {.ps = params_init(3), .B = B, .T = T};
    Rng rng = rng_make(4, RNG_TEST, 0);
    c.table = param(&c.ps, SHAPE(V, C), 1, "table");
    c.place = placed ? param(&c.ps, SHAPE(T, C), 1, "place") : NULL;
    c.w = param(&c.ps, SHAPE(C, N), 1 / sqrt(C), "w");
    c.b = param(&c.ps, SHAPE(N), 1, "b");
    c.ids = xmalloc((size_t)B * T * sizeof *c.ids);
    for (int i = 0; i < B * T; i++) c.ids[i] = rng_below(&rng, V);
    const size_t bytes = c.ps.len * sizeof(real);
    real *want = xmalloc(bytes), *first = xmalloc(bytes);
    const Tensor *y = product(&tp, &c, false);
    memcpy(want, c.ps.grad, bytes);
    for (int threads = 1; threads <= 3; threads++) {
        parallel_init(threads);
        const Tensor *got = product(&tp, &c, true);
        for (int i = 0; i < y->len; i++) ck_assert_float_eq_tol(got->data[i], y->data[i], 1e-5f);
        for (size_t i = 0; i < c.ps.len; i++) ck_assert_float_eq_tol(c.ps.grad[i], want[i], 2e-6f);
        if (threads == 1) memcpy(first, c.ps.grad, bytes);
        ck_assert_msg(memcmp(first, c.ps.grad, bytes) == 0, "%d threads: other bits", threads);
    }
    ck_assert_double_gt(params_norm(&c.ps), .01);
    free(want), free(first), free(c.ids);
    params_free(&c.ps);
    tape_free(&tp);
}

/* The same as of the rows themselves, up to rounding. */
START_TEST(few_words_are_multiplied_instead)
{
    for (int placed = 0; placed < 2; placed++) {
        check_product(1, 4, 1, 1, 1, placed);
        check_product(7, 6, 5, 3, 17, placed);
        check_product(24, 32, 20, 128, 130, placed);
    }
}
END_TEST

/* Twice the words and places are more than the rows, or somebody wants to see x's gradient. */
START_TEST(rows_are_multiplied)
{
    const int ids[8] = {0};
    for (int keep = 0; keep < 2; keep++)
        for (int V = 2; V <= 3; V++) {
            Tape tp = {.keep_grads = keep};
            Tensor *w = tape_zeros(&tp, SHAPE(V, 2)), *place = tape_zeros(&tp, SHAPE(2, 2));
            w->requires_grad = true;
            Tensor *x = op_embed_at(&tp, w, ids, 1, place, SHAPE(4, 2));
            op_linear(&tp, x, tape_zeros(&tp, SHAPE(2, 2)), tape_zeros(&tp, SHAPE(2)));
            ck_assert_str_eq(tp.node[tp.n - 1]->name, V == 2 && !keep ? "embed_linear" : "linear");
            tape_free(&tp);
        }
}
END_TEST

/* --- a recurrence that reads a lookup ------------------------------------------------------------- */

typedef enum { RNN, LSTM, LSTM_WITHOUT_FORGET, GRU_AFTER, GRU_AFTER_WITH_K, GRU_BEFORE, OPS } Op;
static const int blocks[] = {1, 4, 3, 3, 3, 3}; /* of H columns */

typedef struct {
    Params ps;
    Tensor *table, *h0, *c0, *u, *k;
    const int *ids; /* (T,B) */
    int T, B;
} Case;

static Tensor *recurrence(Tape *tp, const Case *c, Op op, Tensor *z)
{
    switch (op) {
    case RNN: return op_rnn(tp, z, c->h0, c->u);
    case LSTM:
    case LSTM_WITHOUT_FORGET: return op_lstm(tp, z, c->h0, c->c0, c->u);
    case GRU_BEFORE: return op_gru_before(tp, z, c->h0, c->u);
    default: return op_gru_after(tp, z, c->h0, c->u, op == GRU_AFTER_WITH_K ? c->k : NULL);
    }
}

/* A loss of the recurrence and of the table itself, which so has a gradient from elsewhere; returns the
 * states. */
static Tensor *learn(Tape *tp, const Case *c, Op op, bool lookup)
{
    const Shape s = SHAPE(c->T, c->B);
    Tensor *z = (lookup ? op_lookup : op_embed)(tp, c->table, c->ids, s);
    Tensor *h = recurrence(tp, c, op, z), *besides = op_mul(tp, c->table, c->table);
    const Tensor *r = tape_zeros(tp, h->shape);
    for (int i = 0; i < h->len; i++) r->data[i] = (real)(i % 7 - 3) / (real)h->len;
    tape_backward(tp, op_add(tp, op_dot(tp, h, r->data), op_dot(tp, besides, c->table->data)));
    return h;
}

static void check_lookup(Op op, int V, int T, int B, int H)
{
    const int N = blocks[op] * H;
    Tape tp = {0};
    Case c = {.ps = params_init(7), .T = T, .B = B};
    Rng rng = rng_make(8, RNG_TEST, 0);
    int *ids = xmalloc((size_t)T * B * sizeof *ids);
    for (int i = 0; i < T * B; i++) ids[i] = rng_below(&rng, V);
    c.ids = ids;
    c.table = param(&c.ps, SHAPE(V, N), 1, "table");
    c.h0 = param(&c.ps, SHAPE(B, H), .5, "h0");
    c.c0 = param(&c.ps, SHAPE(B, H), .5, "c0");
    c.u = param(&c.ps, SHAPE(H, N), 1 / sqrt(H), "u");
    c.k = param(&c.ps, SHAPE(H), .5, "k");
    const Tensor *want = learn(&tp, &c, op, false);
    real *grad = xmalloc(c.ps.len * sizeof *grad);
    memcpy(grad, c.ps.grad, c.ps.len * sizeof *grad);
    params_zero_grad(&c.ps);
    const Tensor *got = learn(&tp, &c, op, true);
    ck_assert_mem_eq(got->data, want->data, (size_t)got->len * sizeof *got->data);
    ck_assert_msg(memcmp(c.ps.grad, grad, c.ps.len * sizeof *grad) == 0,
                  "op %d, V %d, T %d, B %d, H %d: other gradients than of a copy", op, V, T, B, H);
    ck_assert_double_gt(params_norm(&c.ps), .01);
    free(grad);
    free(ids);
    params_free(&c.ps);
    tape_free(&tp);
}

/* The same bits as with op_embed, on one thread and on two. */
START_TEST(lookup_is_embed_without_the_copy)
{
    for (int threads = 1; threads <= 2; threads++) {
        parallel_init(threads);
        for (Op op = 0; op < OPS; op++) {
            check_lookup(op, 1, 1, 1, 1);
            check_lookup(op, 5, 7, 3, 4);
            check_lookup(op, 30, 6, 40, 33);
            check_lookup(op, 9, 9, 19, 128);
        }
    }
}
END_TEST

SUITE("ops_embed",
      TESTS(embed, embed_at, few_words_are_multiplied_instead, rows_are_multiplied,
            lookup_is_embed_without_the_copy),
      NO_ABORTS)
