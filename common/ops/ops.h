/* Every op, with its formula. Backward passes stand beside the forward passes in ops_*.c.
 *
 * An op takes the tape, returns a new tensor that lives until tape_reset, and aborts with both
 * shapes when they do not fit. (...,C) stands for any leading axes. Arrays that an op is
 * given, of ids, lengths, targets, weights or masks, are copied where the backward pass needs them. */
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
Tensor *op_linear_gelu_tanh(Tape *tp, Tensor *x, Tensor *w, Tensor *b); /* by its tanh form   */
Tensor *op_linear_add(Tape *tp, Tensor *r, Tensor *x, Tensor *w, Tensor *b); /* y = r + x w + b  */
/* --- ops_bmm.c ------------------------------------------------------------------------------ */
/* y[i] = a[i] b[i] for each i of the leading axis, a and b transposed first where asked:
 * (B,M,K) (B,K,N) -> (B,M,N) */
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
Tensor *op_gelu_tanh(Tape *tp, Tensor *x); /* its tanh form, as in GPT-2                  */
Tensor *op_silu(Tape *tp, Tensor *x);      /* y = x sigmoid(x) (Elfwing et al. 2018)      */
Tensor *op_exp(Tape *tp, Tensor *x);
Tensor *op_log_sigmoid(Tape *tp, Tensor *x); /* y = log(1 / (1 + exp(-x)))                */
/* Inverted dropout (Srivastava et al. 2014): y = x m / (1-p), m = 0 with probability p. p = 0
 * returns x itself. The mask of element i depends on *rng and i only; rng moves on by x->len. */
Tensor *op_dropout(Tape *tp, Tensor *x, real p, Rng *rng);

/* --- ops_choose.c --------------------------------------------------------------------------- */
Tensor *op_sub(Tape *tp, Tensor *a, Tensor *b); /* y = a - b, same shape                        */
Tensor *op_min(Tape *tp, Tensor *a, Tensor *b); /* the smaller one; where equal, dy is halved   */
Tensor *op_clamp(Tape *tp, Tensor *x, real lo, real hi); /* y = min(max(x, lo), hi)             */
Tensor *op_detach(Tape *tp, Tensor *x); /* y = x as a constant, free: no gradient flows to x    */

/* --- ops_swiglu.c: y = silu(a) * b (Shazeer 2020) --------------------------------------------- */
Tensor *op_swiglu(Tape *tp, Tensor *a, Tensor *b); /* same shape                                */
Tensor *op_swiglu_halves(Tape *tp, Tensor *x);     /* x = [a b]: (...,2F) -> (...,F)            */

/* --- ops_norm.c, ops_rms.c: over the last axis --------------------------------------------------------- */
Tensor *op_softmax(Tape *tp, Tensor *x);
/* y = g (x - mean) / sqrt(var + eps) + b, (...,C) (C) (C) (Ba, Kiros & Hinton 2016) */
Tensor *op_layernorm(Tape *tp, Tensor *x, Tensor *g, Tensor *b, real eps);
/* y = g x / sqrt(mean(x^2) + eps), (...,C) (C) (Zhang & Sennrich 2019) */
Tensor *op_rmsnorm(Tape *tp, Tensor *x, Tensor *g, real eps);
Tensor *op_l2_normalize(Tape *tp, Tensor *x, real eps); /* y = x / max(|x|, eps), eps > 0        */

/* --- ops_embed.c: rows of tables ------------------------------------------------------------- */
Tensor *op_embed(Tape *tp, Tensor *w, const int *ids, Shape s); /* rows of w (V,C) -> (s...,C)   */
/* n rows of x (...,C) by number, counted over all leading axes -> (n,C); a row may come several times */
Tensor *op_gather(Tape *tp, Tensor *x, const int *rows, int n);
/* What a sum of embeddings is made of. Step t of sequence b gets (Vaswani et al. 2017, s3.4 and 3.5;
 * segments: Devlin et al. 2019, s3)
 *
 *   y[b][t] = scale word[ids[b][t]] + place[t] + segment[segments[b][t]]
 */
typedef struct {
    Tensor *word;        /* (V,C) */
    const int *ids;      /* (B,T) */
    real scale;          /* of the word alone */
    Tensor *place;       /* (T,C), or NULL: none is added */
    Tensor *segment;     /* (G,C), or NULL: none is added */
    const int *segments; /* (B,T), where there is a segment */
    Shape shape;         /* (B,T), or without a place any */
} EmbedSum;
Tensor *op_embed_sum(Tape *tp, const EmbedSum *e); /* -> (B,T,C) */
/* y w + b of that y, w (C,N), b (N) -> (B,T,N). Multiplies the rows of the tables, V + T + G of them, and adds
 * up rows of the products: the same up to rounding, and less work where the tables have fewer rows than y.
 * No gradient of y itself is made: it goes to the tables at once. */
Tensor *op_embed_linear(Tape *tp, const EmbedSum *e, Tensor *w, Tensor *b);
/* Is it worth it? Where the tables have at most half as many rows as y; never with keep_grads, where y's
 * gradient shall be all that flows. */
bool embed_linear_pays(const Tape *tp, const EmbedSum *e);

/* --- ops_shape.c: moving values about ------------------------------------------------------- */
/* x[first .. first+n-1], free; of one row the axis goes: (T,B,C) -> (B,C) */
Tensor *op_rows(Tape *tp, Tensor *x, int first, int n);
Tensor *op_reshape(Tape *tp, Tensor *x, Shape s);       /* same values, another shape, free      */
Tensor *op_cols(Tape *tp, Tensor *x, int first, int n); /* the same of the last axis             */
Tensor *op_stack(Tape *tp, Tensor **x, int n);          /* n of shape (s...) -> (n,s...)         */
Tensor *op_concat(Tape *tp, Tensor *a, Tensor *b);      /* along the last axis                   */
Tensor *op_transpose(Tape *tp, Tensor *x);              /* swaps the last two axes               */
Tensor *op_swap(Tape *tp, Tensor *x); /* swaps the first two: (A,B,...) (B,A,...) */
/* (B,T,n*H*D) -> (B*H,T,D): part `which` of `n` parts of the last axis, cut into H heads. */
Tensor *op_split_heads(Tape *tp, Tensor *x, int heads, int which, int n);
Tensor *op_merge_heads(Tape *tp, Tensor *x, int heads); /* (B*H,T,D) -> (B,T,H*D)                */

/* --- ops_sequence.c: sequences of different lengths, padded at their end --------------------- */
Tensor *op_pick(Tape *tp, Tensor *x, const int *t); /* x[t[b]][b]: (T,B,C) -> (B,C) */
/* y[i][b] = x[len[b]-1-i][b] for i < len[b], the padding after it as it was. (T,B,C) -> (T,B,C) */
Tensor *op_reverse(Tape *tp, Tensor *x, const int *len);

/* --- ops_attention.c -------------------------------------------------------------------------
 * y_t = sum_s p_ts v_s, p_t the softmax over s < len[b] of e_ts = q_t . k_s, or of a . tanh(q_t +
 * k_s). q (T,B,A), k (S,B,A), v (S,B,C), a (A) -> (T,B,C); a length of 0 gives 0. Unless weights is
 * NULL, *weights becomes p (T,B,S), which lives as long as the result. */
Tensor *op_attend_dot(Tape *tp, Tensor *q, Tensor *k, Tensor *v, const int *len,
                      const real **weights);
Tensor *op_attend_additive(Tape *tp, Tensor *q, Tensor *k, Tensor *a, Tensor *v, const int *len,
                           const real **weights);

/* --- ops_heads.c ---------------------------------------------------------------------------- */
/* Which keys s < S a step t < T may look at: those that nothing here hides, {0}: all. */
typedef struct {
    bool causal;                  /* s <= t + (S - T): the last step sees all */
    const int *len;               /* (B) s < len[b], or NULL; what stands beyond may be NaN */
    const unsigned char *allowed; /* (T,S) those that are not 0, or NULL */
    /* (2,heads), or NULL: of each head what a score loses for every step of distance to a key
     * before, then to a key after (ALiBi, Press et al. 2022); INFINITY hides them. Step t stands
     * where key t + (S - T) does. */
    const real *slope;
    int window; /* > 0: those less than so many steps away, |t + (S - T) - s| < window; 0: all */
} AttentionMask;
/* Multi-head scaled dot-product attention (Vaswani et al. 2017, s3.2): for each of `heads` blocks
 * of D = C / heads columns, y_t = sum_s p_ts v_s, p_t the softmax over the keys t may look at of
 * q_t . k_s / sqrt(D). q (B,T,C), k (B,S,C), v (B,S,C) -> (B,T,C); a step that may look at nothing
 * gets 0. mask may be NULL. Memory grows with T + S, not T S (Dao et al. 2022); but unless weights
 * is NULL, *weights becomes p (B,heads,T,S), which lives as long as the result. */
Tensor *op_attention(Tape *tp, Tensor *q, Tensor *k, Tensor *v, int heads,
                     const AttentionMask *mask, const real **weights);
/* The same with fewer heads of keys, and with dropout on the weights p (as reported: before it).
 * q (B,T,C), k and v (B,S,kv_heads D): heads h G .. h G + G - 1 read key head h, G = heads / kv_heads (Shazeer
 * 2019; Ainslie et al. 2023). Weight (b,h,t,s) is dropped or not by *rng and its number among (B,heads,T,S)
 * alone; rng moves on by all of them. */
typedef struct {
    int heads, kv_heads;       /* kv_heads: a divisor of heads; 0: as many */
    const AttentionMask *mask; /* or NULL */
    real dropout;              /* its probability, 0 <= dropout < 1 */
    Rng *rng;                  /* where dropout > 0 */
    const real **weights;      /* or NULL */
} AttentionOptions;
Tensor *op_attention_with(Tape *tp, Tensor *q, Tensor *k, Tensor *v, const AttentionOptions *o);

/* --- ops_rotary.c ---------------------------------------------------------------------------- */
/* Rotary positions (Su et al. 2021): in each of `heads` blocks of D = C / heads columns, D even, pair
 * i, which is columns 2i and 2i+1, is turned by (first + t) / 10000^(2i/D). (B,T,C) -> (B,T,C) */
Tensor *op_rotary(Tape *tp, Tensor *x, int heads, int first);
/* The same as later models have it; {0} changes nothing. With D the columns of a head that turn, pair i turns
 * by (first + t) w_i, w_i = base^(-2i/D). */
typedef struct {
    double base;   /* 0: 10000 */
    double linear; /* w_i / linear: positions interpolated (Chen et al. 2023); 0: as they are */
    double ntk;    /* base ntk^(D/(D-2)): the slowest pair alone is interpolated; 0: as it is */
    bool halves;   /* pair i is columns i and i + D/2, as in Hugging Face's LLaMA */
    int columns;   /* the first columns of a head turn, an even number; 0: all */
    const real
        *turn; /* (T,D/2,2) cosine and sine of each step and pair, instead of all that; or NULL */
} Rotary;
Tensor *op_rotary_with(Tape *tp, Tensor *x, int heads, int first, const Rotary *how);

/* --- ops_loss.c: to a scalar ---------------------------------------------------------------- */
/* Mean over the scored rows of -log softmax(logits)[target], in nats. logits (...,V); one target
 * per row; a target of -1 is not scored. No scored row at all gives 0. */
Tensor *op_cross_entropy(Tape *tp, Tensor *logits, const int *target);
/* The same with smoothed labels (Szegedy et al. 2016, s7; Vaswani et al. 2017, s5.4): the mean of
 * -sum_j t_j log softmax(logits)_j, t_j = (1-e) [j = target] + e/V. 0 <= epsilon < 1. */
Tensor *op_cross_entropy_smoothed(Tape *tp, Tensor *logits, const int *target, real epsilon);
/* sum_r weight[r] L_r / sum_r weight[r], L_r row r's -log softmax(logits)[target]; weights >= 0, those of rows
 * that are not scored do not count. */
Tensor *op_cross_entropy_weighted(Tape *tp, Tensor *logits, const int *target, const real *weight);
/* log softmax(logits)[target] of each row: (...,V) -> (...), of one row (1); 0 for a target of -1 */
Tensor *op_log_prob(Tape *tp, Tensor *logits, const int *target);
Tensor *op_mean(Tape *tp, Tensor *x);                    /* of all values of x -> (1)             */
Tensor *op_mse(Tape *tp, Tensor *y, const real *target); /* mean (y - target)^2                  */
Tensor *op_dot(Tape *tp, Tensor *x, const real *r);      /* sum_i r[i] x[i]                      */

/* --- ops_recurrent.c: what a recurrence reads -------------------------------------------------
 * z (T,B,N): a tensor, or rows of a table by their numbers. Rows of a table are read where they stand, which
 * saves a copy and its gradient: a table of products, words times W, has few rows. */
typedef struct {
    Tensor *rows; /* z (T,B,N), or the table (V,N) */
    const int
        *ids; /* (T,B): step t of sequence b reads row ids[t*B+b] of the table; NULL: rows is z */
    int T, B;
} SequenceInput;
SequenceInput sequence_of(Tensor *z);
SequenceInput sequence_of_ids(Tensor *table, const int *ids, int T, int B); /* the op copies ids */
Tensor *sequence_tensor(Tape *tp, SequenceInput z); /* (T,B,N): z, or its rows copied */

/* --- ops_rnn.c, ops_lstm.c, ops_gru.c: whole sequences in one op -------------------------------
 * Each equals the loop of primitive ops over t that the model's folder writes down, and is much
 * faster. h0 (B,H), and c0 (B,H), are the states before the first step. */
/* h_t = tanh(z_t + h_{t-1} u) (Elman 1990). z (T,B,H), u (H,H) -> (T,B,H). */
Tensor *op_rnn(Tape *tp, SequenceInput z, Tensor *h0, Tensor *u);
/* [i f o g] = z_t + h_{t-1} u, c_t = f c_{t-1} + i g, h_t = o tanh(c_t) (Gers et al. 2000).
 * z (T,B,4H), u (H,4H) -> (2,T,B,H): all h_t, then all c_t. With 3H columns [i o g] there is no
 * forget gate: f = 1 (Hochreiter & Schmidhuber 1997). */
Tensor *op_lstm(Tape *tp, SequenceInput z, Tensor *h0, Tensor *c0, Tensor *u);
/* [r z] = sigmoid(a_rz + h_{t-1} u_rz), h_t = z h_{t-1} + (1 - z) n (Cho et al. 2014), with the reset
 * gate after the product, n = tanh(a_n + r (h_{t-1} u_n + k)), or before it, n = tanh(a_n +
 * (r h_{t-1}) u_n). a (T,B,3H), u (H,3H), k (H) or NULL -> (T,B,H). */
Tensor *op_gru_after(Tape *tp, SequenceInput a, Tensor *h0, Tensor *u, Tensor *k);
Tensor *op_gru_before(Tape *tp, SequenceInput a, Tensor *h0, Tensor *u);

#endif
