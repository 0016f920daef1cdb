/* Every op as a function of its input tensors and a few numbers, for the table of all ops
 * (table.h). */
#ifndef BUILDERS_H
#define BUILDERS_H

#include "gradcheck.h"

enum { MAX_INPUTS = 5 };

/* Builds y from the inputs x[0 .. n-1] and the op's other arguments, the numbers arg. */
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
BUILD(layernorm, op_layernorm(tp, x[0], x[1], x[2], 1e-5))
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

/* Returns lengths for the sequences of a batch: S, S-1, ... 0, S, ... */
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

/* Attention with arg[0] heads. arg[1] is a sum of masks: 1 causal, 2 lengths, 4 single keys, and
 * all keys of the second query. */
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

/* Attention with a slope for each head and direction; the first head sees later keys only. */
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

/* Attention with arg[0] heads and arg[1] key heads. arg[2] is a sum: 1 causal with a window of 2, 2
 * lengths and a window of 2, 4 dropout. */
static Tensor *attention_with(Tape *tp, Tensor **x, int n, const int *arg)
{
    (void)n;
    const int B = x[1]->shape.d[0], S = x[1]->shape.d[1];
    const AttentionMask m = {.causal = arg[2] & 1,
                             .len = arg[2] & 2 ? lengths(tp, S, B) : NULL,
                             .window = arg[2] & 3 ? 2 : 0};
    Rng rng = rng_make(4, RNG_TEST, 0);
    const AttentionOptions o = {.heads = arg[0],
                                .kv_heads = arg[1],
                                .mask = &m,
                                .dropout = arg[2] & 4 ? .3 : 0,
                                .rng = &rng};
    return op_attention_with(tp, x[0], x[1], x[2], &o);
}

static Tensor *dropout(Tape *tp, Tensor **x, int n, const int *arg)
{
    (void)n;
    Rng rng = rng_make(4, RNG_TEST, 0);
    return op_dropout(tp, x[0], arg[0] / 10., &rng);
}

/* Returns ids of rows of w; some occur twice, some never. */
static const int *some_ids(Tape *tp, const Tensor *w, int len)
{
    int *ids = tape_save(tp, (size_t)len * sizeof *ids);
    for (int i = 0; i < len; i++) ids[i] = (i * i + 1) % w->shape.d[0];
    return ids;
}

/* Looks up arg[0] * arg[1] ids. */
static Tensor *embed(Tape *tp, Tensor **x, int n, const int *arg)
{
    (void)n;
    return op_embed(tp, x[0], some_ids(tp, x[0], arg[0] * arg[1]), SHAPE(arg[0], arg[1]));
}

/* Returns arg[0] sequences with one token per row of the table place, or 2 tokens without this
 * table. */
static EmbedSum *words_at(Tape *tp, Tensor *word, Tensor *place, Tensor *segment, const int *arg)
{
    const int B = arg[0], T = place ? place->shape.d[0] : 2;
    EmbedSum *e = tape_save(tp, sizeof *e);
    *e = (EmbedSum){.word = word,
                    .ids = some_ids(tp, word, B * T),
                    .scale = arg[1] / 10.,
                    .position = place,
                    .segment = segment,
                    .segments = segment ? some_ids(tp, segment, B * T) : NULL,
                    .shape = SHAPE(B, T)};
    return e;
}

BUILD(embed_sum,
      op_embed_sum(tp, words_at(tp, x[0], n > 1 ? x[1] : NULL, n > 2 ? x[2] : NULL, arg)))
BUILD(embed_segments, op_embed_sum(tp, words_at(tp, x[0], NULL, x[1], arg)))

/* x[0] words, x[1] weight, x[2] bias, x[3] positions, x[4] segments. */
BUILD(embed_linear,
      op_embed_linear(tp, words_at(tp, x[0], n > 3 ? x[3] : NULL, n > 4 ? x[4] : NULL, arg), x[1],
                      x[2]))
BUILD(embed_linear_segments, op_embed_linear(tp, words_at(tp, x[0], NULL, x[3], arg), x[1], x[2]))

/* Returns T = arg[0] steps of B sequences as rows of the table x[0]; B is taken from h0, x[1]. */
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

/* Row arg[0] is ignored. */
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

/* --- ops that later models need --------------------------------------------------------------- */

BUILD(silu_, op_silu(tp, x[0]))
BUILD(exp_, op_exp(tp, x[0]))
BUILD(log_sigmoid_, op_log_sigmoid(tp, x[0]))
BUILD(sub, op_sub(tp, x[0], x[1]))
BUILD(min_, op_min(tp, x[0], x[1]))
BUILD(clamp, op_clamp(tp, x[0], arg[0] / 10., arg[1] / 10.))
BUILD(mean_, op_mean(tp, x[0]))
BUILD(swiglu, op_swiglu(tp, x[0], x[1]))
BUILD(swiglu_halves, op_swiglu_halves(tp, x[0]))
BUILD(linear_gelu, op_linear_gelu(tp, x[0], x[1], x[2]))
BUILD(linear_gelu_tanh, op_linear_gelu_tanh(tp, x[0], x[1], x[2]))
BUILD(rmsnorm, op_rmsnorm(tp, x[0], x[1], arg[0] / 100.))
BUILD(l2_normalize, op_l2_normalize(tp, x[0], arg[0] / 10.))
BUILD(gather,
      op_gather(tp, x[0], last_steps(tp, x[0]->len / shape_last(x[0]->shape), arg[0]), arg[0]))

/* x plus 0 times its detached copy, so that the numeric gradient is that of x. test_ops_choose.c
 * checks that a detached tensor passes on no gradient. */
BUILD(detach, op_add(tp, x[0], op_scale(tp, op_detach(tp, x[0]), 0)))

/* arg[0] is a sum: 1 halves, 2 linear scaling, 4 NTK, 8 two columns only; arg[1] is the first
 * position, arg[2] the number of heads. */
static Tensor *rotary_with(Tape *tp, Tensor **x, int n, const int *arg)
{
    (void)n;
    const Rotary how = {.base = 100,
                        .halves = arg[0] & 1,
                        .linear = arg[0] & 2 ? 4 : 0,
                        .ntk = arg[0] & 4 ? 3 : 0,
                        .columns = arg[0] & 8 ? 2 : 0};
    return op_rotary_with(tp, x[0], arg[2], arg[1], &how);
}

static int *some_targets(Tape *tp, const Tensor *logits, int unscored)
{
    const int V = shape_last(logits->shape), rows = logits->len / V;
    int *target = tape_save(tp, (size_t)rows * sizeof *target);
    for (int i = 0; i < rows; i++) target[i] = i == unscored ? -1 : (2 * i + 1) % V;
    return target;
}

BUILD(log_prob, op_log_prob(tp, x[0], some_targets(tp, x[0], arg[0])))

static Tensor *cross_entropy_weighted(Tape *tp, Tensor **x, int n, const int *arg)
{
    (void)n;
    const int rows = x[0]->len / shape_last(x[0]->shape);
    real *weight = tape_save(tp, (size_t)rows * sizeof *weight);
    for (int i = 0; i < rows; i++) weight[i] = .5 + i % 3;
    return op_cross_entropy_weighted(tp, x[0], some_targets(tp, x[0], arg[0]), weight);
}

#endif
