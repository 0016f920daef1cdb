/* Every op's backward pass against central differences: one table of all ops, each with shapes that
 * include axes of size 1.
 *
 * The loss is the output projected on a random vector: a plain sum is blind to softmax and layer
 * norm, whose rows sum to a constant. */
#include "gradcheck.h"

enum { MAX_INPUTS = 5 };

/* Builds y from the inputs x[0 .. n-1] and what numbers the op takes besides. */
typedef Tensor *Build(Tape *tp, Tensor **x, int n, const int *arg);

#define BUILD(name, call)                                                                          \
    static Tensor *name(Tape *tp, Tensor **x, int n, const int *arg)                               \
    {                                                                                              \
        (void)n, (void)arg;                                                                        \
        return call;                                                                               \
    }

BUILD(matmul, op_matmul(tp, x[0], x[1]))
BUILD(matmul_t, op_matmul_t(tp, x[0], x[1]))
BUILD(linear_relu, op_linear_relu(tp, x[0], x[1], x[2]))
BUILD(linear_, op_linear(tp, x[0], x[1], x[2]))
BUILD(linear_add, op_linear_add(tp, x[0], x[1], x[2], x[3]))
BUILD(bmm, op_bmm(tp, x[0], x[1], arg[0], arg[1]))
BUILD(add, op_add(tp, x[0], x[1]))
BUILD(mul, op_mul(tp, x[0], x[1]))
BUILD(bias, op_bias(tp, x[0], x[1]))
BUILD(gain, op_gain(tp, x[0], x[1]))
BUILD(scale, op_scale(tp, x[0], arg[0] / 10.))
BUILD(tanh_, op_tanh(tp, x[0]))
BUILD(sigmoid, op_sigmoid(tp, x[0]))
BUILD(relu, op_relu(tp, x[0]))
BUILD(gelu, op_gelu(tp, x[0]))
BUILD(gelu_tanh, op_gelu_tanh(tp, x[0]))
BUILD(softmax, op_softmax(tp, x[0]))
BUILD(layernorm, op_layernorm(tp, x[0], x[1], x[2]))
BUILD(rows, op_rows(tp, x[0], arg[0], arg[1]))
BUILD(reshape, op_reshape(tp, x[0], SHAPE(x[0]->len / arg[0], arg[0])))
BUILD(cols, op_cols(tp, x[0], arg[0], arg[1]))
BUILD(stack, op_stack(tp, x, n))
BUILD(concat, op_concat(tp, x[0], x[1]))
BUILD(transpose, op_transpose(tp, x[0]))
BUILD(swap, op_swap(tp, x[0]))
BUILD(split_heads, op_split_heads(tp, x[0], arg[0], arg[1], arg[2]))
BUILD(merge_heads, op_merge_heads(tp, x[0], arg[0]))
BUILD(rotary, op_rotary(tp, x[0], arg[0], arg[1]))
BUILD(rnn, op_rnn(tp, sequence_of(x[0]), x[1], x[2]))
BUILD(lstm, op_lstm(tp, sequence_of(x[0]), x[1], x[2], x[3]))
BUILD(gru_after, op_gru_after(tp, sequence_of(x[0]), x[1], x[2], n > 3 ? x[3] : NULL))
BUILD(gru_before, op_gru_before(tp, sequence_of(x[0]), x[1], x[2]))

/* Lengths of the sequences of a batch: S, S-1, ... down to 0, and round again. */
static const int *lengths(Tape *tp, int S, int B)
{
    int *len = tape_save(tp, (size_t)B * sizeof *len);
    for (int b = 0; b < B; b++) len[b] = S - b % (S + 1);
    return len;
}

static const int *last_steps(Tape *tp, int T, int B)
{
    int *t = tape_save(tp, (size_t)B * sizeof *t);
    for (int b = 0; b < B; b++) t[b] = (b + 1) % T;
    return t;
}
BUILD(pick, op_pick(tp, x[0], last_steps(tp, x[0]->shape.d[0], x[0]->shape.d[1])))
BUILD(reverse, op_reverse(tp, x[0], lengths(tp, x[0]->shape.d[0], x[0]->shape.d[1])))
BUILD(attend_dot,
      op_attend_dot(tp, x[0], x[1], x[2], lengths(tp, x[1]->shape.d[0], x[1]->shape.d[1]), NULL))
BUILD(attend_additive, op_attend_additive(tp, x[0], x[1], x[3], x[2],
                                          lengths(tp, x[1]->shape.d[0], x[1]->shape.d[1]), NULL))

/* In heads of arg[0]; arg[1] a sum of what hides keys: 1 causal, 2 lengths, 4 one by one, and all
 * of the second step. */
static Tensor *attention(Tape *tp, Tensor **x, int n, const int *arg)
{
    (void)n;
    const int B = x[1]->shape.d[0], T = x[0]->shape.d[1], S = x[1]->shape.d[1];
    unsigned char *allowed = tape_save(tp, (size_t)T * S);
    for (int i = 0; i < T * S; i++) allowed[i] = i / S != 1 && i % 3 != 1;
    const AttentionMask m = {.causal = arg[1] & 1,
                             .len = arg[1] & 2 ? lengths(tp, S, B) : NULL,
                             .allowed = arg[1] & 4 ? allowed : NULL};
    return op_attention(tp, x[0], x[1], x[2], arg[0], &m, NULL);
}

/* The same with a slope for each head and way; the first head looks ahead alone. */
static Tensor *attention_leaning(Tape *tp, Tensor **x, int n, const int *arg)
{
    (void)n;
    const int heads = arg[0], B = x[1]->shape.d[0], S = x[1]->shape.d[1];
    real *slope = tape_save(tp, (size_t)2 * heads * sizeof *slope);
    for (int i = 0; i < 2 * heads; i++) slope[i] = i ? .3 / i : INFINITY;
    const AttentionMask m = {
        .causal = arg[1] & 1, .len = arg[1] & 2 ? lengths(tp, S, B) : NULL, .slope = slope};
    return op_attention(tp, x[0], x[1], x[2], heads, &m, NULL);
}

static Tensor *dropout(Tape *tp, Tensor **x, int n, const int *arg)
{
    (void)n;
    Rng rng = rng_make(4, RNG_TEST, 0);
    return op_dropout(tp, x[0], arg[0] / 10., &rng);
}

/* Ids of rows of w; some come twice, some never. */
static const int *some_ids(Tape *tp, const Tensor *w, int len)
{
    int *ids = tape_save(tp, (size_t)len * sizeof *ids);
    for (int i = 0; i < len; i++) ids[i] = (i * i + 1) % w->shape.d[0];
    return ids;
}

/* arg[0] * arg[1] of them. */
static Tensor *embed(Tape *tp, Tensor **x, int n, const int *arg)
{
    (void)n;
    return op_embed(tp, x[0], some_ids(tp, x[0], arg[0] * arg[1]), SHAPE(arg[0], arg[1]));
}

/* arg[0] sequences of as many steps as the table of places, the last input of n, has rows; or of 2. */
static EmbedSum *words_at(Tape *tp, Tensor *word, Tensor *place, Tensor *segment, const int *arg)
{
    const int B = arg[0], T = place ? place->shape.d[0] : 2;
    EmbedSum *e = tape_save(tp, sizeof *e);
    *e = (EmbedSum){.word = word,
                    .ids = some_ids(tp, word, B * T),
                    .scale = arg[1] / 10.,
                    .place = place,
                    .segment = segment,
                    .segments = segment ? some_ids(tp, segment, B * T) : NULL,
                    .shape = SHAPE(B, T)};
    return e;
}

BUILD(embed_sum,
      op_embed_sum(tp, words_at(tp, x[0], n > 1 ? x[1] : NULL, n > 2 ? x[2] : NULL, arg)))
BUILD(embed_segments, op_embed_sum(tp, words_at(tp, x[0], NULL, x[1], arg)))

/* x[1] and x[2] are the weight and the bias, x[0] words, x[3] places and x[4] segments. */
BUILD(embed_linear,
      op_embed_linear(tp, words_at(tp, x[0], n > 3 ? x[3] : NULL, n > 4 ? x[4] : NULL, arg), x[1],
                      x[2]))
BUILD(embed_linear_segments, op_embed_linear(tp, words_at(tp, x[0], NULL, x[3], arg), x[1], x[2]))

/* T = arg[0] steps of B sequences, rows of the table x[0]; h0 is x[1]. */
static SequenceInput looked_up(Tape *tp, Tensor **x, const int *arg)
{
    const int T = arg[0], B = x[1]->shape.d[0];
    return sequence_of_ids(x[0], some_ids(tp, x[0], T * B), T, B);
}

BUILD(sequence_of_table,
      sequence_tensor(tp, sequence_of_ids(x[0], some_ids(tp, x[0], arg[0]), arg[0], 1)))
BUILD(rnn_lookup, op_rnn(tp, looked_up(tp, x, arg), x[1], x[2]))
BUILD(lstm_lookup, op_lstm(tp, looked_up(tp, x, arg), x[1], x[2], x[3]))
BUILD(gru_after_lookup, op_gru_after(tp, looked_up(tp, x, arg), x[1], x[2], n > 3 ? x[3] : NULL))
BUILD(gru_before_lookup, op_gru_before(tp, looked_up(tp, x, arg), x[1], x[2]))

/* Row arg[0] is not scored. */
static Tensor *cross_entropy(Tape *tp, Tensor **x, int n, const int *arg)
{
    (void)n;
    const int V = shape_last(x[0]->shape), rows = x[0]->len / V;
    int *target = tape_save(tp, (size_t)rows * sizeof *target);
    for (int i = 0; i < rows; i++) target[i] = i == arg[0] ? -1 : (2 * i + 1) % V;
    return op_cross_entropy(tp, x[0], target);
}

static Tensor *cross_entropy_smoothed(Tape *tp, Tensor **x, int n, const int *arg)
{
    (void)n;
    const int V = shape_last(x[0]->shape), rows = x[0]->len / V;
    int *target = tape_save(tp, (size_t)rows * sizeof *target);
    for (int i = 0; i < rows; i++) target[i] = i == arg[0] ? -1 : (2 * i + 1) % V;
    return op_cross_entropy_smoothed(tp, x[0], target, arg[1] / 10.);
}

static real *random_reals(Tape *tp, int len)
{
    Rng rng = rng_make(5, RNG_TEST, 0);
    real *r = tape_save(tp, (size_t)len * sizeof *r);
    for (int i = 0; i < len; i++) r[i] = rng_normal(&rng);
    return r;
}
BUILD(mse, op_mse(tp, x[0], random_reals(tp, x[0]->len)))
BUILD(dot, op_dot(tp, x[0], random_reals(tp, x[0]->len)))

#define POINTWISE_SHAPES "2,3,4", "1", "7,1", "2,1,2,3"

/* Fewer steps than keys, as many, more; each axis of size 1. */
#define ATTENTION_SHAPES                                                                           \
    {                                                                                              \
        "2,3,6 2,4,6 2,4,6", "2,4,4 2,4,4 2,4,4", "1,1,2 1,1,2 1,1,2", "3,1,2 3,5,2 3,5,2",        \
            "2,5,2 2,3,2 2,3,2"                                                                    \
    }

static const struct Row {
    const char *op;
    Build *build;
    int arg[3];           /* what the op takes besides its inputs */
    const char *cases[6]; /* the shapes of the inputs */
} table[] = {
    {"op_matmul", matmul, {0}, {"2,3 3,4", "1,1 1,1", "3,2,4 4,1", "2,1,2,3 3,2", "3,3 3,3"}},
    {"op_matmul_t", matmul_t, {0}, {"2,3 4,3", "1,1 1,1", "3,2,4 1,4", "3,3 3,3"}},
    {"op_linear_relu",
     linear_relu,
     {0},
     {"2,3 3,4 4", "1,1 1,1 1", "3,2,4 4,1 1", "2,1 1,130 130"}},
    {"op_linear", linear_, {0}, {"2,3 3,4 4", "1,1 1,1 1", "3,2,4 4,1 1", "2,1,2,3 3,2 2"}},
    {"op_linear_add",
     linear_add,
     {0},
     {"2,4 2,3 3,4 4", "1,1 1,1 1,1 1", "3,2,1 3,2,4 4,1 1", "2,1,2,2 2,1,2,3 3,2 2"}},
    {"op_bmm", bmm, {0, 0}, {"2,3,4 2,4,5", "1,1,1 1,1,1", "3,1,4 3,4,1", "2,3,3 2,3,3"}},
    {"op_bmm", bmm, {0, 1}, {"2,3,4 2,5,4", "1,1,1 1,1,1", "3,4,1 3,2,1", "2,3,4 2,3,4"}},
    {"op_bmm", bmm, {1, 0}, {"2,4,3 2,4,5", "1,1,1 1,1,1", "3,1,4 3,1,2", "2,3,4 2,3,4"}},
    {"op_bmm", bmm, {1, 1}, {"2,4,3 2,5,4", "1,1,1 1,1,1", "3,1,4 3,2,1", "2,3,3 2,3,3"}},
    {"op_add", add, {0}, {"2,3,4 2,3,4", "1 1", "7,1 7,1", "2,1,2,3 2,1,2,3"}},
    {"op_mul", mul, {0}, {"2,3,4 2,3,4", "1 1", "7,1 7,1", "2,1,2,3 2,1,2,3"}},
    {"op_bias", bias, {0}, {"2,3,4 4", "1 1", "7,1 1", "1,5 5", "6 6"}},
    {"op_gain", gain, {0}, {"2,3,4 4", "1 1", "7,1 1", "1,5 5", "6 6"}},
    {"op_scale", scale, {-17}, {POINTWISE_SHAPES}},
    {"op_tanh", tanh_, {0}, {POINTWISE_SHAPES}},
    {"op_sigmoid", sigmoid, {0}, {POINTWISE_SHAPES}},
    {"op_relu", relu, {0}, {POINTWISE_SHAPES}},
    {"op_gelu", gelu, {0}, {POINTWISE_SHAPES}},
    {"op_gelu_tanh", gelu_tanh, {0}, {POINTWISE_SHAPES}},
    {"op_dropout", dropout, {4}, {POINTWISE_SHAPES}},
    {"op_dropout", dropout, {0}, {POINTWISE_SHAPES}},
    {"op_softmax", softmax, {0}, {"2,3,4", "1", "7,1", "1,9", "5"}},
    {"op_layernorm", layernorm, {0}, {"2,3,4 4 4", "1 1 1", "5,1 1 1", "1,9 9 9", "5 5 5"}},
    {"op_embed", embed, {2, 3}, {"4,3", "1,1", "9,1", "1,4"}},
    {"op_embed_sum", embed_sum, {3, 15}, {"4,3", "1,1", "4,3 2,3", "5,1 3,1", "3,3 3,3"}},
    {"op_embed_sum",
     embed_sum,
     {3, -7},
     {"4,3 2,3 3,3", "1,1 1,1 1,1", "2,2 2,2 2,2", "5,1 3,1 1,1"}},
    {"op_embed_sum", embed_segments, {2, 3}, {"4,3 3,3", "1,1 1,1", "2,2 2,2"}},
    {"op_embed_linear", embed_linear, {6, 15}, {"4,3 3,2 2", "1,1 1,1 1", "5,2 2,2 2"}},
    {"op_embed_linear", embed_linear, {1, 7}, {"9,3 3,2 2", "4,2 2,2 2"}},
    {"op_embed_linear",
     embed_linear,
     {9, -20},
     {"4,3 3,2 2 3,3", "1,1 1,1 1 1,1", "3,2 2,2 2 3,2", "2,1 1,3 3 1,1"}},
    {"op_embed_linear",
     embed_linear,
     {3, 12},
     {"4,3 3,2 2 3,3 2,3", "1,1 1,1 1 1,1 1,1", "2,2 2,2 2 2,2 2,2"}},
    {"op_embed_linear", embed_linear_segments, {3, 5}, {"4,3 3,2 2 3,3", "1,1 1,1 1 1,1"}},
    {"op_rows", rows, {1, 1}, {"3,4", "2,1", "4,2,3", "3", "2,1,2,3"}},
    {"op_rows", rows, {1, 2}, {"4,3", "3,1", "3,2,2", "5", "3,2,1,2"}},
    {"op_reshape", reshape, {2}, {"3,4", "2", "1,2,1,3", "2,3,2"}},
    {"op_cols", cols, {1, 2}, {"3,4", "1,3", "2,2,5", "3", "2,1,2,4"}},
    {"op_cols", cols, {0, 1}, {"3,1", "1", "2,3"}},
    {"op_stack", stack, {0}, {"2,2", "2,3 2,3", "2,1,3 2,1,3", "1 1 1", "4 4 4"}},
    {"op_concat", concat, {0}, {"2,3 2,4", "1 1", "2,1,3 2,1,1", "4,2 4,2", "3 2"}},
    {"op_transpose", transpose, {0}, {"3,4", "1,1", "5,1", "2,3,4", "2,3,1,2"}},
    {"op_swap", swap, {0}, {"3,4", "1,1", "5,1", "2,3,4", "2,3,1,2", "3,3"}},
    {"op_split_heads", split_heads, {2, 1, 3}, {"2,3,12", "1,1,6", "2,1,18"}},
    {"op_split_heads", split_heads, {1, 0, 1}, {"2,3,4", "1,1,1"}},
    {"op_merge_heads", merge_heads, {2}, {"4,3,2", "2,1,1", "6,2,3"}},
    {"op_cross_entropy", cross_entropy, {1}, {"3,5", "2,2,3", "4,1", "2,7"}},
    {"op_cross_entropy", cross_entropy, {-1}, {"5", "1,4", "2,1,2,3"}},
    {"op_cross_entropy_smoothed", cross_entropy_smoothed, {1, 1}, {"3,5", "2,2,3", "2,7"}},
    {"op_cross_entropy_smoothed", cross_entropy_smoothed, {-1, 6}, {"5", "1,4", "2,1,2,3"}},
    {"op_mse", mse, {0}, {POINTWISE_SHAPES}},
    {"op_dot", dot, {0}, {POINTWISE_SHAPES}},
    {"op_rnn", rnn, {0}, {"3,2,4 2,4 4,4", "1,1,1 1,1 1,1", "4,1,2 1,2 2,2", "2,19,2 19,2 2,2"}},
    {"op_lstm",
     lstm,
     {0},
     {"3,2,12 2,3 2,3 3,12", "1,1,4 1,1 1,1 1,4", "3,1,8 1,2 1,2 2,8", "2,18,4 18,1 18,1 1,4"}},
    {"op_lstm", lstm, {0}, {"3,2,9 2,3 2,3 3,9", "1,1,3 1,1 1,1 1,3", "2,18,3 18,1 18,1 1,3"}},
    {"op_gru_after", gru_after, {0}, {"3,2,9 2,3 3,9", "1,1,3 1,1 1,3", "2,18,3 18,1 1,3"}},
    {"op_gru_after", gru_after, {0}, {"3,2,9 2,3 3,9 3", "1,1,3 1,1 1,3 1", "2,18,3 18,1 1,3 1"}},
    {"op_gru_before", gru_before, {0}, {"3,2,9 2,3 3,9", "1,1,3 1,1 1,3", "2,18,3 18,1 1,3"}},
    {"sequence_tensor", sequence_of_table, {3}, {"5,4", "1,1"}},
    {"sequence_of_ids", rnn_lookup, {3}, {"5,4 2,4 4,4", "1,1 1,1 1,1", "2,2 19,2 2,2"}},
    {"sequence_of_ids",
     lstm_lookup,
     {3},
     {"5,12 2,3 2,3 3,12", "1,3 1,1 1,1 1,3", "4,8 18,2 18,2 2,8"}},
    {"sequence_of_ids", gru_after_lookup, {3}, {"5,9 2,3 3,9", "2,3 18,1 1,3"}},
    {"sequence_of_ids", gru_after_lookup, {3}, {"5,9 2,3 3,9 3", "2,3 18,1 1,3 1"}},
    {"sequence_of_ids", gru_before_lookup, {3}, {"5,9 2,3 3,9", "2,3 18,1 1,3"}},
    {"op_pick", pick, {0}, {"3,2,4", "1,1,1", "2,5,1"}},
    {"op_reverse", reverse, {0}, {"3,2,4", "1,1,1", "4,6,1"}},
    {"op_attend_dot",
     attend_dot,
     {0},
     {"2,3,4 3,3,4 3,3,2", "1,1,1 1,1,1 1,1,1", "1,2,3 4,2,3 4,2,1", "3,2,2 3,2,2 3,2,2"}},
    {"op_attend_additive",
     attend_additive,
     {0},
     {"2,3,4 3,3,4 3,3,2 4", "1,1,1 1,1,1 1,1,1 1", "1,2,3 4,2,3 4,2,1 3"}},
    {"op_attention", attention, {2, 0}, ATTENTION_SHAPES},
    {"op_attention", attention, {2, 1}, ATTENTION_SHAPES},
    {"op_attention", attention, {2, 2}, ATTENTION_SHAPES},
    {"op_attention", attention, {2, 3}, ATTENTION_SHAPES},
    {"op_attention", attention, {2, 4}, ATTENTION_SHAPES},
    {"op_attention", attention, {2, 7}, ATTENTION_SHAPES},
    {"op_attention",
     attention,
     {1, 3},
     {"1,66,1 1,66,1 1,66,1", "1,1,1 1,1,1 1,1,1", "1,2,19 1,3,19 1,3,19"}},
    {"op_attention", attention_leaning, {2, 0}, ATTENTION_SHAPES},
    {"op_attention", attention_leaning, {2, 3}, ATTENTION_SHAPES},
    {"op_rotary", rotary, {1, 0}, {"2,3,4", "1,1,2", "3,1,6", "1,40,2"}},
    {"op_rotary", rotary, {2, 7}, {"2,3,4", "1,1,8", "3,1,12"}},
};

/* --- walking it --------------------------------------------------------------------------------- */

/* How the inputs are used: as they are; all of them the same tensor; the op twice, y = f + f; made by
 * another op, so that their gradients may be set instead of added to; both. */
typedef enum { PLAIN, ALL_THE_SAME, TWICE, MADE, MADE_TWICE, WAYS } Way;

typedef struct {
    const struct Row *row;
    Way way;
    Tensor *x[MAX_INPUTS];
    int n;
} Case;

static Tensor *projected(Tape *tp, void *arg)
{
    Case *c = arg;
    Tensor *x[MAX_INPUTS];
    for (int i = 0; i < c->n; i++) x[i] = c->x[c->way == ALL_THE_SAME ? 0 : i];
    for (int i = 0; i < c->n && c->way >= MADE; i++) x[i] = op_scale(tp, x[i], 1);
    Tensor *y = c->row->build(tp, x, c->n, c->row->arg);
    if (c->way == TWICE || c->way == MADE_TWICE)
        y = op_add(tp, y, c->row->build(tp, x, c->n, c->row->arg));
    Rng rng = rng_make(6, RNG_TEST, 0);
    real *r = tape_save(tp, (size_t)y->len * sizeof *r);
    for (int i = 0; i < y->len; i++) r[i] = rng_normal(&rng);
    return op_dot(tp, y, r);
}

/* "2,3 3,4": a parameter for each shape. All values are at least 0.05 from 0, where relu bends. */
static int make_inputs(Params *ps, const char *shapes, Tensor **x)
{
    int n = 0;
    for (const char *s = shapes; *s; s += *s == ' ') {
        Shape shape = {0};
        do {
            char *end;
            shape.d[shape.n++] = (int)strtol(s + (*s == ','), &end, 10);
            s = end;
        } while (*s == ',');
        x[n] = param(ps, shape, 1, "x%d", n);
        for (int i = 0; i < x[n]->len; i++) x[n]->data[i] += copysign(.05, x[n]->data[i]);
        n++;
    }
    return n;
}

/* One row and shape in one way; constant: the input that wants no gradient, or -1. */
static void check_case(const struct Row *row, const char *shapes, Way way, int constant,
                       double *largest)
{
    static const char *const ways[] = {"", ", all inputs the same", ", used twice", ", made",
                                       ", made, used twice"};
    Params ps = params_init(7);
    Case c = {.row = row, .way = way};
    c.n = make_inputs(&ps, shapes, c.x);
    bool same = c.n > 1;
    for (int i = 0; i < c.n; i++) same = same && shape_equal(c.x[i]->shape, c.x[0]->shape);
    if (way == ALL_THE_SAME && !same) goto out;

    real *grad = NULL;
    if (constant >= 0) {
        c.x[constant]->requires_grad = false;
        grad = c.x[constant]->grad;
        c.x[constant]->grad = NULL;
    }
    char what[128];
    snprintf(what, sizeof what, "%s %s (%d,%d,%d)%s%s", row->op, shapes, row->arg[0], row->arg[1],
             row->arg[2], ways[way], constant >= 0 ? ", one constant" : "");
    check_gradients(what, &ps, projected, &c, largest);
    if (grad) c.x[constant]->grad = grad;
out:
    params_free(&ps);
}

static int inputs_of(const char *shapes)
{
    int n = 1;
    for (const char *s = shapes; *s; s++) n += *s == ' ';
    return n;
}

START_TEST(every_op)
{
    for (int i = 0; i < LEN(table); i++) {
        double largest[MAX_INPUTS] = {0};
        int inputs = 0;
        for (int k = 0; k < LEN(table[i].cases) && table[i].cases[k]; k++) {
            const char *shapes = table[i].cases[k];
            inputs = inputs_of(shapes);
            for (Way way = PLAIN; way < WAYS; way++)
                check_case(&table[i], shapes, way, -1, way == PLAIN ? largest : NULL);
            for (int j = 0; j < inputs && inputs > 1; j++)
                check_case(&table[i], shapes, PLAIN, j, NULL);
        }
        for (int j = 0; j < inputs; j++) /* else 0 = 0 was all that was seen */
            ck_assert_msg(largest[j] > .01, "%s: no gradient reached input %d", table[i].op, j);
    }
}
END_TEST

/* common/ops/ops.h is read for its `Tensor *op_...(`, so that no op can be forgotten. */
START_TEST(no_op_is_missing)
{
    FILE *f = fopen("common/ops/ops.h", "r");
    ck_assert_msg(f != NULL, "no common/ops/ops.h: tests run from the repository's root");
    char line[256], op[64];
    int declared = 0;
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, "Tensor *%63[a-z0-9_](", op) != 1) continue;
        bool found = false;
        for (int i = 0; i < LEN(table); i++) found = found || strcmp(table[i].op, op) == 0;
        ck_assert_msg(found, "%s has no row in the table of all ops", op);
        declared++;
    }
    fclose(f);
    ck_assert_int_ge(declared, 20);
}
END_TEST

SUITE("gradients", TESTS(every_op, no_op_is_missing), NO_ABORTS)
