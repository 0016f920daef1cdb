/* Rows of a table: worked by hand, and read by the recurrences where they stand. */
#include "by_hand.h"
#include "parallel.h"
#include "params.h"

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

SUITE("ops_embed", TESTS(embed, lookup_is_embed_without_the_copy), NO_ABORTS)
