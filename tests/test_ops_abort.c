/* Checks that every call with operands that do not fit aborts, and that its message names the op
 * and the shapes. */
#include "ops/ops.h"
#include "suite.h"

#include <sys/wait.h>
#include <unistd.h>

#define Z(...) tape_zeros(tp, SHAPE(__VA_ARGS__))
#define MISTAKE(call, text)                                                                        \
    if (n-- == 0) {                                                                                \
        if (make) (void)(call);                                                                    \
        return text;                                                                               \
    }

/* Returns a part of the message of mistake n of matrix products and pointwise ops; NULL after the
 * last. With `make` it also makes the mistake. */
static const char *arithmetic_mistake(int n, bool make)
{
    Tape tape = {0}, *tp = &tape;
    Rng rng = rng_make(1, RNG_TEST, 0);
    MISTAKE(op_matmul(tp, Z(2, 3), Z(2, 3)), "op_matmul: x (2,3), w (2,3)")
    MISTAKE(op_matmul(tp, Z(2, 3), Z(3)), "op_matmul: x (2,3), w (3)")
    MISTAKE(op_matmul(tp, Z(2, 3), Z(3, 4, 1)), "op_matmul: x (2,3), w (3,4,1)")
    MISTAKE(op_linear(tp, Z(2, 3), Z(4, 3), Z(3)), "op_linear: x (2,3), w (4,3), b (3)")
    MISTAKE(op_matmul_t(tp, Z(2, 3), Z(3, 4)), "op_matmul_t: x (2,3), w (3,4); w must be (N,3)")
    MISTAKE(op_linear_relu(tp, Z(2, 3), Z(4, 3), Z(3)), "op_linear_relu: x (2,3), w (4,3), b (3)")
    MISTAKE(op_linear_add(tp, Z(2, 4), Z(2, 3), Z(4, 3), Z(4)), "op_linear_add: x (2,3), w (4,3)")
    MISTAKE(op_linear_add(tp, Z(2, 3), Z(2, 3), Z(3, 4), Z(4)), "op_linear_add: r (2,3), x w (2,4)")
    MISTAKE(op_linear(tp, Z(2, 3), Z(3, 4), Z(3)), "op_linear: x (2,3), w (3,4), b (3)")
    MISTAKE(op_linear(tp, Z(2, 3), Z(3), Z(1)), "op_linear: x (2,3), w (3), b (1)")
    MISTAKE(op_bmm(tp, Z(2, 3), Z(2, 3, 4), 0, 0), "op_bmm: a (2,3), b (2,3,4)")
    MISTAKE(op_bmm(tp, Z(2, 3, 4), Z(2, 3, 4), 0, 0), "op_bmm: a (2,3,4), b (2,3,4)")
    MISTAKE(op_bmm(tp, Z(2, 3, 4), Z(3, 4, 3), 0, 0), "op_bmm: a (2,3,4), b (3,4,3)")
    MISTAKE(op_bmm(tp, Z(2, 3, 4), Z(2, 4, 3), 1, 0), "op_bmm: a (2,3,4)^T, b (2,4,3)")
    MISTAKE(op_bmm(tp, Z(2, 3, 4), Z(2, 4, 3), 0, 1), "op_bmm: a (2,3,4), b (2,4,3)^T")
    MISTAKE(op_bmm(tp, Z(2, 3, 4), Z(2, 3, 4), 1, 1), "op_bmm: a (2,3,4)^T, b (2,3,4)^T")
    MISTAKE(op_add(tp, Z(2, 3), Z(3, 2)), "op_add: a (2,3), b (3,2)")
    MISTAKE(op_add(tp, Z(2, 3), Z(3)), "op_add: a (2,3), b (3)")
    MISTAKE(op_mul(tp, Z(2, 3), Z(6)), "op_mul: a (2,3), b (6)")
    MISTAKE(op_bias(tp, Z(2, 3), Z(2)), "op_bias: x (2,3), b (2)")
    MISTAKE(op_bias(tp, Z(2, 3), Z(1, 3)), "op_bias: x (2,3), b (1,3)")
    MISTAKE(op_gain(tp, Z(2, 3), Z(2)), "op_gain: x (2,3), g (2)")
    MISTAKE(op_gain(tp, Z(2, 3), Z(2, 3)), "op_gain: x (2,3), g (2,3)")
    MISTAKE(op_dropout(tp, Z(2), 1, &rng), "op_dropout: p = 1")
    MISTAKE(op_dropout(tp, Z(2), -0.1f, &rng), "op_dropout: p = -0.1")
    MISTAKE(op_dropout(tp, Z(2), NAN, &rng), "op_dropout: p = nan")
    MISTAKE(op_layernorm(tp, Z(2, 3), Z(2), Z(3), 0), "op_layernorm: x (2,3), gain (2), bias (3)")
    MISTAKE(op_layernorm(tp, Z(2, 3), Z(3), Z(2), 0), "op_layernorm: x (2,3), gain (3), bias (2)")
    MISTAKE(op_sub(tp, Z(2, 3), Z(3, 2)), "op_sub: a (2,3), b (3,2)")
    MISTAKE(op_min(tp, Z(2, 3), Z(6)), "op_min: a (2,3), b (6)")
    MISTAKE(op_clamp(tp, Z(2), 1, 0), "op_clamp: from 1 to 0")
    MISTAKE(op_clamp(tp, Z(2), NAN, 0), "op_clamp: from nan to 0")
    MISTAKE(op_swiglu(tp, Z(2, 3), Z(2, 4)), "op_swiglu: a (2,3), b (2,4)")
    MISTAKE(op_swiglu_halves(tp, Z(2, 3)), "op_swiglu_halves: x (2,3)")
    MISTAKE(op_linear_gelu(tp, Z(2, 3), Z(4, 3), Z(3)), "op_linear_gelu: x (2,3), w (4,3), b (3)")
    MISTAKE(op_linear_gelu_tanh(tp, Z(2, 3), Z(3, 4), Z(3)), "op_linear_gelu_tanh: x (2,3)")
    MISTAKE(op_rmsnorm(tp, Z(2, 3), Z(2), 0), "op_rmsnorm: x (2,3), gain (2)")
    MISTAKE(op_rmsnorm(tp, Z(2, 3), Z(1, 3), 0), "op_rmsnorm: x (2,3), gain (1,3)")
    MISTAKE(op_l2_normalize(tp, Z(2, 3), 0), "op_l2_normalize: eps = 0")
    return NULL;
}

/* arithmetic_mistake, for sequences of different lengths and attention. */
static const char *sequence_mistake(int n, bool make)
{
    Tape tape = {0}, *tp = &tape;
    const int one[] = {1}, four[] = {4}, below[] = {-1};
    MISTAKE(op_pick(tp, Z(3, 2), one), "op_pick: x (3,2)")
    MISTAKE(op_pick(tp, Z(3, 1, 2), four), "op_pick: step 4 of x (3,1,2)")
    MISTAKE(op_pick(tp, Z(3, 1, 2), below), "op_pick: step -1 of x (3,1,2)")
    MISTAKE(op_reverse(tp, Z(3, 2), one), "op_reverse: x (3,2)")
    MISTAKE(op_reverse(tp, Z(3, 1, 2), four), "op_reverse: length 4 of x (3,1,2)")
    MISTAKE(op_attend_dot(tp, Z(1, 1, 2), Z(3, 1, 3), Z(3, 1, 2), one, NULL),
            "op_attend_dot: q (1,1,2), k (3,1,3), v (3,1,2)")
    MISTAKE(op_attend_dot(tp, Z(1, 1, 2), Z(3, 1, 2), Z(2, 1, 2), one, NULL),
            "op_attend_dot: q (1,1,2), k (3,1,2), v (2,1,2)")
    MISTAKE(op_attend_dot(tp, Z(1, 1, 2), Z(3, 1, 2), Z(3, 1, 2), four, NULL),
            "op_attend_dot: length 4 of 3 steps")
    MISTAKE(op_attend_additive(tp, Z(1, 1, 2), Z(3, 1, 2), Z(3), Z(3, 1, 2), one, NULL),
            "op_attend_additive: q (1,1,2), a (3)")
    MISTAKE(op_attention(tp, Z(1, 2, 4), Z(1, 3, 4), Z(1, 2, 4), 1, NULL, NULL),
            "op_attention: q (1,2,4), k (1,3,4), v (1,2,4)")
    MISTAKE(op_attention(tp, Z(2, 2, 4), Z(1, 3, 4), Z(1, 3, 4), 1, NULL, NULL),
            "op_attention: q (2,2,4), k (1,3,4), v (1,3,4)")
    MISTAKE(op_attention(tp, Z(1, 2, 4), Z(1, 3, 2), Z(1, 3, 2), 1, NULL, NULL),
            "op_attention: q (1,2,4), k (1,3,2), v (1,3,2)")
    MISTAKE(op_attention(tp, Z(2, 4), Z(2, 4), Z(2, 4), 1, NULL, NULL),
            "op_attention: q (2,4), k (2,4), v (2,4)")
    MISTAKE(op_attention_with(tp, Z(1, 2, 4), Z(1, 3, 2), Z(1, 3, 2),
                              &(AttentionOptions){.heads = 4, .kv_heads = 1}),
            "op_attention: q (1,2,4), k (1,3,2), v (1,3,2); must be (B,T,C), (B,S,1)")
    MISTAKE(op_attention_with(tp, Z(1, 2, 4), Z(1, 3, 3), Z(1, 3, 3),
                              &(AttentionOptions){.heads = 4, .kv_heads = 3}),
            "op_attention: q (1,2,4) into 4 heads, 3 key heads")
    MISTAKE(op_attention_with(tp, Z(1, 2, 4), Z(1, 3, 4), Z(1, 3, 4),
                              &(AttentionOptions){.heads = 2, .dropout = 1}),
            "op_attention: dropout = 1")
    MISTAKE(op_attention(tp, Z(1, 2, 4), Z(1, 3, 4), Z(1, 3, 4), 2, &(AttentionMask){.window = -1},
                         NULL),
            "op_attention: a window of -1 keys")
    MISTAKE(op_attention(tp, Z(1, 2, 4), Z(1, 3, 4), Z(1, 3, 4), 3, NULL, NULL),
            "op_attention: q (1,2,4) into 3 heads")
    MISTAKE(op_attention(tp, Z(1, 2, 4), Z(1, 3, 4), Z(1, 3, 4), 0, NULL, NULL),
            "op_attention: q (1,2,4) into 0 heads")
    MISTAKE(op_attention(tp, Z(1, 2, 4), Z(1, 3, 4), Z(1, 3, 4), 2, &(AttentionMask){.len = four},
                         NULL),
            "op_attention: length 4 of 3 keys")
    MISTAKE(op_attention(tp, Z(1, 2, 4), Z(1, 3, 4), Z(1, 3, 4), 2, &(AttentionMask){.len = below},
                         NULL),
            "op_attention: length -1 of 3 keys")
    return NULL;
}

/* arithmetic_mistake, for the recurrences over whole sequences. */
static const char *recurrent_mistake(int n, bool make)
{
    Tape tape = {0}, *tp = &tape;
    MISTAKE(op_rnn(tp, sequence_of(Z(2, 3)), Z(3), Z(3, 3)), "op_rnn: z (2,3)")
    MISTAKE(op_rnn(tp, sequence_of(Z(5, 2, 3)), Z(5, 3), Z(3, 3)),
            "op_rnn: z (5,2,3), h0 (5,3), u (3,3)")
    MISTAKE(op_rnn(tp, sequence_of(Z(5, 2, 3)), Z(2, 3), Z(2, 3)),
            "op_rnn: z (5,2,3), h0 (2,3), u (2,3)")
    MISTAKE(op_rnn(tp, sequence_of(Z(5, 2, 3)), Z(2, 3), Z(3, 2)),
            "op_rnn: z (5,2,3), h0 (2,3), u (3,2)")
    MISTAKE(op_rnn(tp, sequence_of(Z(5, 2, 3)), Z(2, 3), Z(9)),
            "op_rnn: z (5,2,3), h0 (2,3), u (9)")
    MISTAKE(op_lstm(tp, sequence_of(Z(2, 8)), Z(2, 2), Z(2, 2), Z(2, 8)),
            "op_lstm: z (2,8); must be (T,B,4H)")
    MISTAKE(op_lstm(tp, sequence_of(Z(5, 2, 8)), Z(2, 2), Z(2, 2), Z(16)),
            "op_lstm: z (5,2,8), u (16)")
    MISTAKE(op_lstm(tp, sequence_of(Z(5, 2, 8)), Z(5, 2), Z(2, 2), Z(2, 8)),
            "op_lstm: z (5,2,8), h0 (5,2), c0 (2,2), u (2,8)")
    MISTAKE(op_lstm(tp, sequence_of(Z(5, 2, 8)), Z(2, 2), Z(2, 4), Z(2, 8)),
            "op_lstm: z (5,2,8), h0 (2,2), c0 (2,4), u (2,8)")
    MISTAKE(op_lstm(tp, sequence_of(Z(5, 2, 8)), Z(2, 2), Z(4), Z(2, 8)),
            "op_lstm: z (5,2,8), h0 (2,2), c0 (4), u (2,8)")
    MISTAKE(op_lstm(tp, sequence_of(Z(5, 2, 8)), Z(2, 2), Z(2, 2), Z(2, 6)),
            "op_lstm: z (5,2,8), h0 (2,2), c0 (2,2), u (2,6)")
    MISTAKE(op_lstm(tp, sequence_of(Z(5, 2, 6)), Z(2, 2), Z(2, 2), Z(2, 8)),
            "op_lstm: z (5,2,6), h0 (2,2), c0 (2,2), u (2,8)")
    MISTAKE(op_lstm(tp, sequence_of(Z(5, 2, 4)), Z(2, 2), Z(2, 2), Z(2, 4)),
            "op_lstm: z (5,2,4), h0 (2,2), c0 (2,2), u (2,4)")
    MISTAKE(op_gru_after(tp, sequence_of(Z(2, 6)), Z(2, 2), Z(2, 6), NULL),
            "op_gru_after: a (2,6); must be (T,B,3H)")
    MISTAKE(op_gru_after(tp, sequence_of(Z(5, 2, 6)), Z(5, 2), Z(2, 6), NULL),
            "op_gru_after: a (5,2,6), h0 (5,2), u (2,6)")
    MISTAKE(op_gru_after(tp, sequence_of(Z(5, 2, 8)), Z(2, 2), Z(2, 8), NULL),
            "op_gru_after: a (5,2,8), h0 (2,2), u (2,8)")
    MISTAKE(op_gru_after(tp, sequence_of(Z(5, 2, 6)), Z(2, 2), Z(2, 8), NULL),
            "op_gru_after: a (5,2,6), h0 (2,2), u (2,8)")
    MISTAKE(op_gru_after(tp, sequence_of(Z(5, 2, 6)), Z(2, 2), Z(2, 6), Z(6)),
            "op_gru_after: u (2,6), k (6)")
    MISTAKE(op_gru_before(tp, sequence_of(Z(5, 2, 6)), Z(2, 2), Z(12)),
            "op_gru_before: a (5,2,6), u (12)")
    MISTAKE(op_gru_before(tp, sequence_of(Z(5, 2, 6)), Z(4), Z(2, 6)),
            "op_gru_before: a (5,2,6), h0 (4), u (2,6)")
    MISTAKE(op_gru_before(tp, sequence_of(Z(5, 2, 3)), Z(2, 2), Z(2, 6)),
            "op_gru_before: a (5,2,3), h0 (2,2), u (2,6)")
    return NULL;
}

#define WORDS(table, ...)                                                                          \
    &(EmbedSum)                                                                                    \
    {                                                                                              \
        .word = table, .ids = ids, .segments = ids, .scale = 1, __VA_ARGS__                        \
    }

/* arithmetic_mistake, for embeddings and other look-ups by ids. */
static const char *lookup_mistake(int n, bool make)
{
    Tape tape = {0}, *tp = &tape;
    const int ids[] = {1, 3}, many[9] = {0}, negative[] = {1, -1};
    MISTAKE(op_embed(tp, Z(3, 2), ids, SHAPE(2)), "op_embed: id 3 at 1; the vocabulary is 3")
    MISTAKE(op_embed(tp, Z(3, 2), negative, SHAPE(2)), "op_embed: id -1 at 1")
    MISTAKE(op_embed(tp, Z(6), ids, SHAPE(1)), "op_embed: w (6)")
    MISTAKE(op_embed_sum(tp, WORDS(Z(4, 2), .position = Z(2, 3), .shape = SHAPE(1, 2))),
            "op_embed_sum: ids (1,2), words (4,2), positions (2,3)")
    MISTAKE(op_embed_sum(tp, WORDS(Z(4, 2), .position = Z(2, 2), .shape = SHAPE(2, 1))),
            "op_embed_sum: ids (2,1), words (4,2), positions (2,2)")
    MISTAKE(op_embed_sum(tp, WORDS(Z(4, 3), .position = Z(3, 2), .shape = SHAPE(1, 2))),
            "op_embed_sum: ids (1,2), words (4,3), positions (3,2)")
    MISTAKE(op_embed_sum(tp, WORDS(Z(4, 3), .position = Z(6), .shape = SHAPE(1, 2))),
            "op_embed_sum: ids (1,2), words (4,3), positions (6)")
    MISTAKE(op_linear(tp, op_embed(tp, Z(1, 2), many, SHAPE(9)), Z(3, 2), Z(2)),
            "op_linear: x (9,2), w (3,2)")
    MISTAKE(op_embed_sum(tp, WORDS(Z(4, 3), .segment = Z(4, 2), .shape = SHAPE(1, 2))),
            "op_embed_sum: words (4,3), segments (4,2)")
    MISTAKE(op_embed_sum(tp, WORDS(Z(4, 3), .segment = Z(2, 3), .shape = SHAPE(1, 2))),
            "op_embed_sum: id 3 at 1; the vocabulary is 2")
    MISTAKE(op_embed_linear(tp, WORDS(Z(4, 3), .shape = SHAPE(1, 2)), Z(2, 3), Z(3)),
            "op_embed_linear: words (4,3), w (2,3), b (3); w must be (3,N) and b (N)")
    MISTAKE(op_embed_linear(tp, WORDS(Z(4, 3), .shape = SHAPE(1, 2)), Z(3, 2), Z(3)),
            "op_embed_linear: words (4,3), w (3,2), b (3)")
    MISTAKE(op_rnn(tp, sequence_of_ids(Z(3, 2), ids, 1, 2), Z(2, 2), Z(2, 2)),
            "op_rnn: id 3 at 1; the table has 3 rows")
    MISTAKE(op_rnn(tp, sequence_of_ids(Z(6), ids, 1, 2), Z(2, 2), Z(2, 2)), "op_rnn: table (6)")
    MISTAKE(op_rnn(tp, sequence_of_ids(Z(4, 3), ids, 1, 2), Z(2, 2), Z(2, 2)),
            "op_rnn: z (1,2,3), h0 (2,2)")
    MISTAKE(op_gather(tp, Z(1, 3, 2), ids, 2), "op_gather: id 3 at 1; the vocabulary is 3")
    MISTAKE(op_gather(tp, Z(1, 3, 2), negative, 2), "op_gather: id -1 at 1")
    MISTAKE(op_embed(tp, Z(6, 2), ids, SHAPE(1, 1, 1, 2)), "shape (1,1,1,2): no room")
    return NULL;
}

/* arithmetic_mistake, for ops that move values. */
static const char *moving_mistake(int n, bool make)
{
    Tape tape = {0}, *tp = &tape;
    MISTAKE(op_rows(tp, Z(4, 2), 3, 2), "op_rows: rows 3 to 4 of x (4,2)")
    MISTAKE(op_rows(tp, Z(4, 2), -1, 2), "op_rows: rows -1 to 0 of x (4,2)")
    MISTAKE(op_rows(tp, Z(4, 2), 0, 0), "op_rows: rows 0 to -1 of x (4,2)")
    MISTAKE(op_reshape(tp, Z(4, 2), SHAPE(7)), "op_reshape: x (4,2) to (7)")
    MISTAKE(op_cols(tp, Z(4, 2), 1, 2), "op_cols: columns 1 to 2 of x (4,2)")
    MISTAKE(op_cols(tp, Z(4, 2), -1, 1), "op_cols: columns -1 to -1 of x (4,2)")
    MISTAKE(op_cols(tp, Z(4, 2), 0, 0), "op_cols: columns 0 to -1 of x (4,2)")
    MISTAKE(op_stack(tp, ((Tensor *[]){Z(2), Z(3)}), 2),
            "op_stack: tensor 1 is (3), the first is (2)")
    MISTAKE(op_stack(tp, NULL, 0), "op_stack: 0 tensors")
    MISTAKE(op_stack(tp, ((Tensor *[]){Z(1, 1, 1, 1)}), 1), "shape (1,1,1,1): no room")
    MISTAKE(op_concat(tp, Z(2, 3), Z(3, 3)), "op_concat: a (2,3), b (3,3)")
    MISTAKE(op_concat(tp, Z(2, 3), Z(3)), "op_concat: a (2,3), b (3)")
    MISTAKE(op_transpose(tp, Z(3)), "op_transpose: x (3)")
    MISTAKE(op_split_heads(tp, Z(2, 12), 2, 0, 3), "op_split_heads: x (2,12)")
    MISTAKE(op_split_heads(tp, Z(1, 1, 10), 2, 0, 3), "op_split_heads: x (1,1,10)")
    MISTAKE(op_split_heads(tp, Z(1, 1, 12), 2, 3, 3), "op_split_heads: x (1,1,12) into part 3 of 3")
    MISTAKE(op_split_heads(tp, Z(1, 1, 12), 0, 0, 3), "op_split_heads: x (1,1,12)")
    MISTAKE(op_merge_heads(tp, Z(3, 2, 2), 2), "op_merge_heads: x (3,2,2), 2 heads")
    MISTAKE(op_merge_heads(tp, Z(4, 2), 2), "op_merge_heads: x (4,2), 2 heads")
    MISTAKE(op_rotary(tp, Z(4, 2), 1, 0), "op_rotary: x (4,2) into 1 heads")
    MISTAKE(op_rotary(tp, Z(1, 4, 6), 2, 0), "op_rotary: x (1,4,6) into 2 heads")
    MISTAKE(op_rotary_with(tp, Z(1, 4, 6), 1, 0, &(Rotary){.columns = 3}),
            "op_rotary: 3 of 6 columns")
    MISTAKE(op_rotary_with(tp, Z(1, 4, 6), 1, 0, &(Rotary){.columns = 8}),
            "op_rotary: 8 of 6 columns")
    MISTAKE(op_rotary(tp, Z(1, 4, 6), 0, 0), "op_rotary: x (1,4,6) into 0 heads")
    MISTAKE(op_swap(tp, Z(3)), "op_swap: x (3)")
    return NULL;
}

/* arithmetic_mistake, for losses. */
static const char *loss_mistake(int n, bool make)
{
    Tape tape = {0}, *tp = &tape;
    const int ids[] = {1, 3}, ignored[] = {0, -2};
    MISTAKE(op_log_prob(tp, Z(2, 3), ids), "op_log_prob: target 3 in row 1; logits (2,3)")
    MISTAKE(op_log_prob(tp, Z(2, 3), ignored), "op_log_prob: target -2 in row 1")
    MISTAKE(op_cross_entropy_weighted(tp, Z(2, 3), ids, (const real[]){1, 1}),
            "op_cross_entropy_weighted: target 3 in row 1")
    MISTAKE(op_cross_entropy_weighted(tp, Z(2, 4), ids, (const real[]){1, -1}),
            "op_cross_entropy_weighted: weight -1 of row 1")
    MISTAKE(op_cross_entropy(tp, Z(2, 3), ids), "op_cross_entropy: target 3 in row 1; logits (2,3)")
    MISTAKE(op_cross_entropy(tp, Z(2, 3), ignored), "op_cross_entropy: target -2 in row 1")
    MISTAKE(op_cross_entropy_smoothed(tp, Z(2, 3), ids, 0.1f),
            "op_cross_entropy_smoothed: target 3 in row 1; logits (2,3)")
    MISTAKE(op_cross_entropy_smoothed(tp, Z(2, 3), ignored, -0.5f),
            "op_cross_entropy_smoothed: epsilon = -0.5")
    MISTAKE(op_cross_entropy_smoothed(tp, Z(2, 3), ignored, 1),
            "op_cross_entropy_smoothed: epsilon = 1")
    MISTAKE(op_cross_entropy_smoothed(tp, Z(2, 3), ignored, NAN),
            "op_cross_entropy_smoothed: epsilon = nan")
    return NULL;
}

/* Makes one mistake in a child process; writes its messages to text. Returns the signal that ended
 * it. */
static int run(const char *mistake(int, bool), int n, char *text, size_t size)
{
    int ends[2], status;
    ck_assert(pipe(ends) == 0);
    const pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        mistake(n, true);
        _exit(0);
    }
    close(ends[1]);
    size_t len = 0;
    for (ssize_t got; (got = read(ends[0], text + len, size - 1 - len)) > 0;) len += (size_t)got;
    text[len] = 0;
    close(ends[0]);
    ck_assert(waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void check_all(const char *mistake(int, bool))
{
    const char *want;
    for (int n = 0; (want = mistake(n, false)) != NULL; n++) {
        char text[1024];
        const int sig = run(mistake, n, text, sizeof text);
        ck_assert_msg(sig == SIGABRT, "no abort with \"%s\"; %s", want, text);
        ck_assert_msg(strstr(text, want) != NULL, "not \"%s\" but %s", want, text);
    }
}

START_TEST(arithmetic)
{
    check_all(arithmetic_mistake);
}
END_TEST

START_TEST(recurrent)
{
    check_all(recurrent_mistake);
}
END_TEST

START_TEST(sequences)
{
    check_all(sequence_mistake);
}
END_TEST

START_TEST(lookups)
{
    check_all(lookup_mistake);
}
END_TEST

START_TEST(losses)
{
    check_all(loss_mistake);
}
END_TEST

START_TEST(moving)
{
    check_all(moving_mistake);
}
END_TEST

SUITE("ops_abort", TESTS(arithmetic, recurrent, sequences, lookups, moving, losses), NO_ABORTS)
