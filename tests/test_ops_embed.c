/* Embeddings, worked by hand; products with them; recurrences that read rows of a table in
 * place. */
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

/* y = 2 row + place: row 1 at both positions, then rows 0 and 2. */
START_TEST(embed_sum)
{
    Tape tp = {0};
    Tensor *w = GIVEN(&tp, SHAPE(3, 2), 1, 2, 3, 4, 5, 6);
    Tensor *place = GIVEN(&tp, SHAPE(2, 2), 10, 20, 30, 40);
    int ids[] = {1, 1, 0, 2};
    EmbedSum e = {.word = w, .ids = ids, .scale = 2, .position = place, .shape = SHAPE(2, 2)};
    Tensor *y = op_embed_sum(&tp, &e);
    ids[0] = 0; /* the op has its own copy */
    ck_shape(y, SHAPE(2, 2, 2));
    CK(y->data, 16, 28, 36, 48, 12, 24, 40, 52);
    BACKWARD(&tp, y, 1, 2, 10, 20, 100, 200, 1000, 2000);
    CK(w->grad, 200, 400, 22, 44, 2000, 4000);
    CK(place->grad, 101, 202, 1010, 2020);
    tape_free(&tp);
}
END_TEST

/* No positions, and segments 1 0 1 1. */
START_TEST(embed_sum_of_segments)
{
    Tape tp = {0};
    Tensor *w = GIVEN(&tp, SHAPE(2, 1), 1, 2), *segment = GIVEN(&tp, SHAPE(2, 1), 10, 20);
    int segments[] = {1, 0, 1, 1};
    EmbedSum e = {.word = w, .ids = (int[]){0, 1, 1, 1}, .scale = 3, .shape = SHAPE(2, 2)};
    e.segment = segment, e.segments = segments;
    Tensor *y = op_embed_sum(&tp, &e);
    segments[0] = 0;
    ck_shape(y, SHAPE(2, 2, 1));
    CK(y->data, 23, 16, 26, 26);
    BACKWARD(&tp, y, 1, 10, 100, 1000);
    CK(w->grad, 3, 3330);
    CK(segment->grad, 10, 1101);
    tape_free(&tp);
}
END_TEST

/* --- a product with embedded words ------------------------------------------------------------ */

typedef struct {
    Params ps;
    Tensor *table, *place, *segment, *w, *b;
    int *ids, *segments, B, T;
} WordsIn;

/* y = x w + b, in one op of the tables or of x; its gradients are in ps.grad. */
static Tensor *product(Tape *tp, WordsIn *c, bool by_table)
{
    params_zero_grad(&c->ps);
    const EmbedSum e = {.word = c->table,
                        .ids = c->ids,
                        .scale = (real)1.5,
                        .position = c->place,
                        .segment = c->segment,
                        .segments = c->segments,
                        .shape = SHAPE(c->B, c->T)};
    Tensor *y = by_table ? op_embed_linear(tp, &e, c->w, c->b)
                         : op_linear(tp, op_embed_sum(tp, &e), c->w, c->b);
    const Tensor *r = tape_zeros(tp, y->shape);
    for (int i = 0; i < y->len; i++) r->data[i] = (real)(i % 11 - 5) / (real)y->len;
    tape_backward(tp, op_dot(tp, y, r->data));
    return y;
}

static void check_product(int V, int B, int T, int C, int N, bool placed, int segments)
{
    Tape tp = {0};
    WordsIn c = {.ps = params_init(3), .B = B, .T = T};
    Rng rng = rng_make(4, RNG_TEST, 0);
    c.table = param(&c.ps, SHAPE(V, C), 1, "table");
    c.place = placed ? param(&c.ps, SHAPE(T, C), 1, "place") : NULL;
    c.segment = segments ? param(&c.ps, SHAPE(segments, C), 1, "segment") : NULL;
    c.w = param(&c.ps, SHAPE(C, N), 1 / sqrt(C), "w");
    c.b = param(&c.ps, SHAPE(N), 1, "b");
    c.ids = xmalloc((size_t)B * T * sizeof *c.ids);
    c.segments = xcalloc((size_t)B * T, sizeof *c.segments);
    for (int i = 0; i < B * T; i++) c.ids[i] = rng_below(&rng, V);
    for (int i = 0; i < B * T && segments; i++) c.segments[i] = rng_below(&rng, segments);
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
    free(want), free(first), free(c.ids), free(c.segments);
    params_free(&c.ps);
    tape_free(&tp);
}

/* The product by tables equals the product of the rows themselves, up to rounding. */
START_TEST(few_words_are_multiplied_instead)
{
    for (int i = 0; i < 4; i++) {
        const bool placed = i & 1;
        const int segments = i & 2;
        check_product(1, 4, 1, 1, 1, placed, segments);
        check_product(7, 6, 5, 3, 17, placed, segments);
        check_product(24, 32, 20, 128, 130, placed, segments);
    }
}
END_TEST

/* It does not pay if twice the words, positions and segments are more than the rows, nor with
 * keep_grads. */
START_TEST(tables_with_few_rows_pay)
{
    Tape tp = {0}, keeps = {.keep_grads = true};
    for (int V = 1; V <= 4; V++) {
        EmbedSum e = {.word = tape_zeros(&tp, SHAPE(V, 2)), .shape = SHAPE(4, 2)};
        ck_assert_int_eq(embed_linear_pays(&tp, &e), V + 1 <= 4);
        e.position = tape_zeros(&tp, SHAPE(2, 2));
        ck_assert_int_eq(embed_linear_pays(&tp, &e), V + 2 <= 4);
        ck_assert(!embed_linear_pays(&keeps, &e));
        e.segment = tape_zeros(&tp, SHAPE(1, 2));
        ck_assert_int_eq(embed_linear_pays(&tp, &e), V + 2 + 1 <= 4);
    }
    tape_free(&tp);
}
END_TEST

/* --- a recurrence that reads rows of a table -------------------------------------------------- */

typedef enum { RNN, LSTM, LSTM_WITHOUT_FORGET, GRU_AFTER, GRU_AFTER_WITH_K, GRU_BEFORE, OPS } Op;
static const int blocks[] = {1, 4, 3, 3, 3, 3}; /* blocks of H columns in z */

typedef struct {
    Params ps;
    Tensor *table, *h0, *c0, *u, *k;
    const int *ids; /* (T,B) */
    int T, B;
} Case;

static Tensor *recurrence(Tape *tp, const Case *c, Op op, SequenceInput z)
{
    switch (op) {
    case RNN: return op_rnn(tp, z, c->h0, c->u);
    case LSTM:
    case LSTM_WITHOUT_FORGET: return op_lstm(tp, z, c->h0, c->c0, c->u);
    case GRU_BEFORE: return op_gru_before(tp, z, c->h0, c->u);
    default: return op_gru_after(tp, z, c->h0, c->u, op == GRU_AFTER_WITH_K ? c->k : NULL);
    }
}

/* Runs the recurrence and the backward pass; returns the states. The loss also depends on the table
 * directly, so that the table has a gradient from elsewhere. */
static Tensor *learn(Tape *tp, const Case *c, Op op, bool lookup)
{
    SequenceInput z = sequence_of_ids(c->table, c->ids, c->T, c->B);
    if (!lookup) z = sequence_of(sequence_tensor(tp, z));
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

/* Reading rows of the table gives the same bits as op_embed, on one thread and on two. */
START_TEST(ids_read_the_table_without_a_copy)
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
      TESTS(embed, embed_sum, embed_sum_of_segments, few_words_are_multiplied_instead,
            tables_with_few_rows_pay, ids_read_the_table_without_a_copy),
      NO_ABORTS)
