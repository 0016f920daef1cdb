/* Every op, with its formula. The backward passes stand beside the forward passes in ops_*.c.
 *
 * An op takes the tape and returns a new tensor that lives until tape_reset. It aborts with the
 * shapes if they do not fit. (...,C) stands for any leading axes. An op copies the ids, lengths,
 * targets, weights and masks that its backward pass needs; the caller may free them at once. */
#ifndef OPS_H
#define OPS_H

#include "base/rng.h"
#include "autograd/tape.h"

/* --- ops_matmul.c: matrix products --------------------------------------------------------- */
Tensor *op_matmul(Tape *tp, Tensor *x, Tensor *w);            /* y = x w      (...,C) (C,N)      */
Tensor *op_matmul_t(Tape *tp, Tensor *x, Tensor *w);          /* y = x w^T    (...,C) (N,C)      */
Tensor *op_linear(Tape *tp, Tensor *x, Tensor *w, Tensor *b); /* y = x w + b  (...,C) (C,N) (N)  */
Tensor *op_linear_relu(Tape *tp, Tensor *x, Tensor *w, Tensor *b); /* y = relu(x w + b)       */
Tensor *op_linear_gelu(Tape *tp, Tensor *x, Tensor *w, Tensor *b); /* y = gelu(x w + b)       */
Tensor *op_linear_gelu_tanh(Tape *tp, Tensor *x, Tensor *w, Tensor *b); /* GELU's tanh form   */
Tensor *op_linear_add(Tape *tp, Tensor *r, Tensor *x, Tensor *w, Tensor *b); /* y = r + x w + b  */
/* --- ops_bmm.c ------------------------------------------------------------------------------ */
/* y[i] = a[i] b[i] for each i of the leading axis: (B,M,K) (B,K,N) -> (B,M,N). With ta, a is
 * stored transposed, (B,K,M); with tb, b is stored transposed, (B,N,K). */
Tensor *op_bmm(Tape *tp, Tensor *a, Tensor *b, bool ta, bool tb);

/* --- ops_pointwise.c ------------------------------------------------------------------------ */
Tensor *op_add(Tape *tp, Tensor *a, Tensor *b);  /* y = a + b, same shape                       */
Tensor *op_mul(Tape *tp, Tensor *a, Tensor *b);  /* y = a * b, same shape                       */
Tensor *op_bias(Tape *tp, Tensor *x, Tensor *b); /* y = x + b, b (C) added to each row of (...,C) */
Tensor *op_gain(Tape *tp, Tensor *x, Tensor *g); /* y = x * g, g (C) times each row of (...,C)  */
Tensor *op_scale(Tape *tp, Tensor *x, real a);   /* y = a x                                     */
Tensor *op_tanh(Tape *tp, Tensor *x);
Tensor *op_sigmoid(Tape *tp, Tensor *x);   /* y = 1 / (1 + exp(-x))                       */
Tensor *op_relu(Tape *tp, Tensor *x);      /* y = max(x, 0)                               */
Tensor *op_gelu(Tape *tp, Tensor *x);      /* y = x Phi(x), by erf (Hendrycks & Gimpel 2016) */
Tensor *op_gelu_tanh(Tape *tp, Tensor *x); /* GELU's tanh form, as in GPT-2               */
Tensor *op_silu(Tape *tp, Tensor *x);      /* y = x sigmoid(x) (Elfwing et al. 2018)      */
Tensor *op_exp(Tape *tp, Tensor *x);
Tensor *op_log_sigmoid(Tape *tp, Tensor *x); /* y = log(1 / (1 + exp(-x)))                */
/* Inverted dropout (Srivastava et al. 2014): y = x m / (1-p), m = 0 with probability p, 0 <= p < 1.
 * p = 0 returns x itself. The mask of element i depends on *rng and i only; *rng advances by
 * x->len numbers. */
Tensor *op_dropout(Tape *tp, Tensor *x, real p, Rng *rng);

/* --- ops_choose.c --------------------------------------------------------------------------- */
Tensor *op_sub(Tape *tp, Tensor *a, Tensor *b); /* y = a - b, same shape                        */
Tensor *op_min(Tape *tp, Tensor *a, Tensor *b); /* y = min(a, b); if equal, each gets dy / 2    */
Tensor *op_clamp(Tape *tp, Tensor *x, real lo, real hi); /* y = min(max(x, lo), hi)             */
Tensor *op_detach(Tape *tp, Tensor *x); /* y = x without a copy; no gradient flows to x         */

/* --- ops_swiglu.c: y = silu(a) * b (Shazeer 2020) --------------------------------------------- */
Tensor *op_swiglu(Tape *tp, Tensor *a, Tensor *b); /* same shape                                */
Tensor *op_swiglu_halves(Tape *tp, Tensor *x);     /* x = [a b]: (...,2F) -> (...,F)            */

/* --- ops_norm.c, ops_rms.c: over the last axis ---------------------------------------------- */
Tensor *op_softmax(Tape *tp, Tensor *x);
/* y = g (x - mean) / sqrt(var + eps) + b, (...,C) (C) (C) (Ba, Kiros & Hinton 2016) */
Tensor *op_layernorm(Tape *tp, Tensor *x, Tensor *g, Tensor *b, real eps);
/* y = g x / sqrt(mean(x^2) + eps), (...,C) (C) (Zhang & Sennrich 2019) */
Tensor *op_rmsnorm(Tape *tp, Tensor *x, Tensor *g, real eps);
Tensor *op_l2_normalize(Tape *tp, Tensor *x, real eps); /* y = x / max(|x|, eps), eps > 0        */

/* --- ops_embed.c: rows of tables ------------------------------------------------------------- */
Tensor *op_embed(Tape *tp, Tensor *w, const int *ids, Shape s); /* rows of w (V,C) -> (s...,C)   */
/* Picks n rows of x (...,C), numbered over all leading axes -> (n,C). A row may occur twice. */
Tensor *op_gather(Tape *tp, Tensor *x, const int *rows, int n);
/* The inputs of op_embed_sum. Position t of sequence b gets (Vaswani et al. 2017, s3.4 and 3.5;
 * segments: Devlin et al. 2019, s3)
 *
 *   y[b][t] = scale word[ids[b][t]] + position[t] + segment[segments[b][t]]
 */
typedef struct {
    Tensor *word;        /* (V,C) */
    const int *ids;      /* (B,T) */
    real scale;          /* multiplies the word embedding only */
    Tensor *position;    /* (T,C) position embeddings, or NULL */
    Tensor *segment;     /* (G,C) segment embeddings, or NULL */
    const int *segments; /* (B,T); ignored if segment is NULL */
    Shape shape;         /* (B,T); any shape if position is NULL */
} EmbedSum;
Tensor *op_embed_sum(Tape *tp, const EmbedSum *e); /* -> (B,T,C) */
/* Returns y w + b (B,T,N) for the y of op_embed_sum, w (C,N), b (N). Multiplies the V + T + G rows
 * of the tables by w and adds rows of the products. The result is the same up to rounding, and the
 * work is less if the tables have fewer rows than y. y has no gradient: the tables receive it
 * directly. */
Tensor *op_embed_linear(Tape *tp, const EmbedSum *e, Tensor *w, Tensor *b);
/* Returns whether op_embed_linear saves work: the tables have at most half as many rows as y.
 * Always false with keep_grads, because the caller wants to read y's complete gradient. */
bool embed_linear_pays(const Tape *tp, const EmbedSum *e);

/* --- ops_shape.c: moving values ------------------------------------------------------------- */
/* x[first .. first+n-1] without a copy. One row loses its axis: (T,B,C) -> (B,C) */
Tensor *op_rows(Tape *tp, Tensor *x, int first, int n);
Tensor *op_reshape(Tape *tp, Tensor *x, Shape s);       /* another shape without a copy          */
Tensor *op_cols(Tape *tp, Tensor *x, int first, int n); /* x[..., first .. first+n-1], a copy    */
Tensor *op_stack(Tape *tp, Tensor **x, int n);          /* n of shape (s...) -> (n,s...)         */
Tensor *op_concat(Tape *tp, Tensor *a, Tensor *b);      /* along the last axis                   */
Tensor *op_transpose(Tape *tp, Tensor *x);              /* swaps the last two axes               */
Tensor *op_swap(Tape *tp, Tensor *x); /* swaps the first two axes: (A,B,...) -> (B,A,...) */
/* (B,T,n*H*D) -> (B*H,T,D): takes part `which` of n equal parts of the last axis and splits it into
 * H heads. */
Tensor *op_split_heads(Tape *tp, Tensor *x, int heads, int which, int n);
Tensor *op_merge_heads(Tape *tp, Tensor *x, int heads); /* (B*H,T,D) -> (B,T,H*D)                */

/* --- ops_sequence.c: sequences of different lengths, padded at the end ----------------------- */
Tensor *op_pick(Tape *tp, Tensor *x, const int *t); /* x[t[b]][b]: (T,B,C) -> (B,C) */
/* y[i][b] = x[len[b]-1-i][b] for i < len[b]; padding stays in place. (T,B,C) -> (T,B,C) */
Tensor *op_reverse(Tape *tp, Tensor *x, const int *len);

/* --- ops_attend.c ----------------------------------------------------------------------------
 * Attention over a padded source: the context vector is y_t = sum_s p_ts v_s. The attention weights
 * p_t are the softmax over s < len[b] of the scores e_ts, which are q_t . k_s (dot) or
 * a . tanh(q_t + k_s) (additive). q (T,B,A), k (S,B,A), v (S,B,C), a (A) -> (T,B,C); a source of
 * length 0 gives 0. If weights is not NULL, sets *weights to p (T,B,S), which lives as long as the
 * result. */
Tensor *op_attend_dot(Tape *tp, Tensor *q, Tensor *k, Tensor *v, const int *len,
                      const real **weights);
Tensor *op_attend_additive(Tape *tp, Tensor *q, Tensor *k, Tensor *a, Tensor *v, const int *len,
                           const real **weights);

/* --- ops_attention.c ------------------------------------------------------------------------ */
/* Which of the S keys each of the T queries attends to. Query t stands at the position of key
 * t + (S - T): the last query at the last key. A key must pass every test below; {0} hides none. */
typedef struct {
    bool causal;                  /* hides later keys, s > t + (S - T) */
    const int *len;               /* (B) hides padding, s >= len[b], which may be NaN; or NULL */
    const unsigned char *allowed; /* (T,S) hides the keys where it is 0; or NULL */
    /* ALiBi (Press et al. 2022): (2,heads) slopes, or NULL. A score loses slope[0][h] for every
     * position between the query and an earlier key, slope[1][h] for a later key. INFINITY hides
     * those keys. */
    const real *slope;
    int window; /* > 0: hides keys that are `window` or more positions away; 0: hides none */
} AttentionMask;
/* Multi-head scaled dot-product attention (Vaswani et al. 2017, s3.2). In each of `heads` blocks of
 * D = C / heads columns y_t = sum_s p_ts v_s; the attention weights p_t are the softmax of
 * q_t . k_s / sqrt(D) over the keys that the mask does not hide. q (B,T,C), k (B,S,C), v (B,S,C) ->
 * (B,T,C); a query with no key gets 0. mask may be NULL. Memory grows with T + S, not T S (Dao et
 * al. 2022), unless weights is not NULL: then *weights is set to p (B,heads,T,S), which lives as
 * long as the result. */
Tensor *op_attention(Tape *tp, Tensor *q, Tensor *k, Tensor *v, int heads,
                     const AttentionMask *mask, const real **weights);
/* op_attention with grouped keys and with dropout on the attention weights. q (B,T,C), k and v
 * (B,S,kv_heads D): heads h G .. h G + G - 1 share key head h, G = heads / kv_heads (Shazeer 2019;
 * Ainslie et al. 2023). Whether weight (b,h,t,s) is dropped depends on *rng and on its index in
 * (B,heads,T,S) only; *rng advances by B heads T S numbers. */
typedef struct {
    int heads, kv_heads;       /* kv_heads divides heads; 0 means kv_heads = heads */
    const AttentionMask *mask; /* or NULL */
    real dropout;              /* probability of dropping a weight, 0 <= dropout < 1 */
    Rng *rng;                  /* used if dropout > 0 */
    const real **weights;      /* set to the weights before dropout; or NULL */
} AttentionOptions;
Tensor *op_attention_with(Tape *tp, Tensor *q, Tensor *k, Tensor *v, const AttentionOptions *o);

/* --- ops_rotary.c ---------------------------------------------------------------------------- */
/* Rotary position embedding (Su et al. 2021). In each of `heads` blocks of D = C / heads columns, D
 * even, rotates pair i (columns 2i and 2i+1) by the angle (first + t) / 10000^(2i/D).
 * (B,T,C) -> (B,T,C) */
Tensor *op_rotary(Tape *tp, Tensor *x, int heads, int first);
/* The variants of later models; {0} is op_rotary. Pair i is rotated by (first + t) w_i with
 * w_i = base^(-2i/D), where D is the number of columns of a head that are rotated. */
typedef struct {
    double base;   /* 0: 10000 */
    double linear; /* divides w_i: position interpolation (Chen et al. 2023); 0: off */
    double ntk;    /* multiplies base by ntk^(D/(D-2)): the slowest pair is interpolated; 0: off */
    bool halves;   /* pair i is columns i and i + D/2, as in Hugging Face's LLaMA */
    int columns;   /* rotates the first `columns` columns of a head, an even number; 0: all */
    const real
        *turn; /* (T,D/2,2) cosine and sine per position and pair, replaces the formula; or NULL */
} Rotary;
Tensor *op_rotary_with(Tape *tp, Tensor *x, int heads, int first, const Rotary *how);

/* --- ops_loss.c: to a scalar ---------------------------------------------------------------- */
/* Mean of -log softmax(logits)[target], in nats, over the rows of logits (...,V). There is one
 * target per row; a row with target -1 is ignored. If every row is ignored, the loss is 0. */
Tensor *op_cross_entropy(Tape *tp, Tensor *logits, const int *target);
/* Cross-entropy with label smoothing (Szegedy et al. 2016, s7; Vaswani et al. 2017, s5.4): the mean
 * of -sum_j t_j log softmax(logits)_j, t_j = (1-e) [j = target] + e/V. 0 <= epsilon < 1. */
Tensor *op_cross_entropy_smoothed(Tape *tp, Tensor *logits, const int *target, real epsilon);
/* Weighted cross-entropy: sum_r weight[r] L_r / sum_r weight[r] over the rows r that are not
 * ignored, L_r = -log softmax(logits)[target] of row r, weight[r] >= 0. */
Tensor *op_cross_entropy_weighted(Tape *tp, Tensor *logits, const int *target, const real *weight);
/* log softmax(logits)[target] of each row: (...,V) -> (...), (V) -> (1); 0 for a target of -1 */
Tensor *op_log_prob(Tape *tp, Tensor *logits, const int *target);
Tensor *op_mean(Tape *tp, Tensor *x);                    /* of all values of x -> (1)             */
Tensor *op_mse(Tape *tp, Tensor *y, const real *target); /* mean (y - target)^2                  */
Tensor *op_dot(Tape *tp, Tensor *x, const real *r);      /* sum_i r[i] x[i]                      */

/* --- ops_recurrent.c: the input of a recurrence -----------------------------------------------
 * z (T,B,N), as a tensor or as ids of rows in a table. The op reads rows of a table in place, which
 * saves a copy of them and its gradient. The table of products word W has only V rows. */
typedef struct {
    Tensor *rows; /* z (T,B,N), or the table (V,N) */
    const int
        *ids; /* (T,B): step t of sequence b reads row ids[t*B+b] of the table; NULL: rows is z */
    int T, B;
} SequenceInput;
SequenceInput sequence_of(Tensor *z);
SequenceInput sequence_of_ids(Tensor *table, const int *ids, int T, int B); /* the op copies ids */
Tensor *sequence_tensor(Tape *tp, SequenceInput z); /* (T,B,N): z itself, or a copy of the rows */

/* --- ops_rnn.c, ops_lstm.c, ops_gru.c: whole sequences in one op -------------------------------
 * Each op computes the same as the loop over t in the model's folder, and is much faster. h0 (B,H)
 * and c0 (B,H) are the states before the first step. */
/* h_t = tanh(z_t + h_{t-1} u) (Elman 1990). z (T,B,H), u (H,H) -> (T,B,H). */
Tensor *op_rnn(Tape *tp, SequenceInput z, Tensor *h0, Tensor *u);
/* [i f o g] = z_t + h_{t-1} u, i, f, o through a sigmoid, g through tanh; c_t = f c_{t-1} + i g,
 * h_t = o tanh(c_t) (Gers et al. 2000). z (T,B,4H), u (H,4H) -> (2,T,B,H): all h_t, then all c_t.
 * With 3H columns [i o g] there is no forget gate: f = 1 (Hochreiter & Schmidhuber 1997). */
Tensor *op_lstm(Tape *tp, SequenceInput z, Tensor *h0, Tensor *c0, Tensor *u);
/* [r z] = sigmoid(a_rz + h_{t-1} u_rz), h_t = z h_{t-1} + (1 - z) n (Cho et al. 2014). The reset
 * gate comes after the product, n = tanh(a_n + r (h_{t-1} u_n + k)), or before it, n = tanh(a_n +
 * (r h_{t-1}) u_n). a (T,B,3H), u (H,3H), k (H) or NULL -> (T,B,H). */
Tensor *op_gru_after(Tape *tp, SequenceInput a, Tensor *h0, Tensor *u, Tensor *k);
Tensor *op_gru_before(Tape *tp, SequenceInput a, Tensor *h0, Tensor *u);

#endif
