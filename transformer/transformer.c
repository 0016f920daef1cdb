/* The Transformer (Vaswani et al. 2017, "Attention Is All You Need"): encoder and decoder without
 * recurrence.
 *
 *   MultiHead(x, m) = concat(head_1 .. head_H) W_o,  head_h = softmax(q k^T / sqrt(D)) v
 *                     with q = x W_q, k = m W_k, v = m W_v, D = C/H columns a head
 *   FFN(x)          = relu(x W_1 + b_1) W_2 + b_2
 *   encoder layer   x = N(x + MultiHead(x, x))               self-attention to all source steps
 *                   x = N(x + FFN(x))
 *   decoder layer   x = N(x + MultiHead(x, x))               masked: no step attends to a later one
 *                   x = N(x + MultiHead(x, memory))          cross-attention to the encoder's output
 *                   x = N(x + FFN(x))
 *
 * N is LayerNorm after the sum (post-norm), as published. Pre-norm is x + F(N(x)), with one more N after the
 * last layer (Xiong et al. 2020). Attention ignores order, so each step's position is added to its embedding
 * times sqrt(C); positions.c has this and other ways. Dropout is applied to that sum and to the output of
 * each sublayer, as in the paper.
 *
 * What differs from seq2seq_attention/: no state passes from step to step, so all steps are computed at once;
 * only attention connects them. Not as published: source and target have separate vocabularies, so only the
 * target's embedding is tied to the output.
 *
 * Shapes: B sequences, T target and S source steps, C channels, H heads, L layers, F units of a feed-forward
 * layer, V vocabulary. Everything is batch-major: ids (B,T), tensors (B,T,C), logits (B,T,V). */
#include "transformer/transformer.h"

#include <math.h>
#include <string.h>

/* --- a forward pass ----------------------------------------------------------------------------------- */

typedef struct {
    Tape *tp;
    const Transformer *m;
    Rng *dropout;              /* NULL when not training */
    AttentionWeights *weights; /* receives the weights of all layers; or NULL */
} Pass;

/* The steps that a stack of layers computes, and what they attend to. */
typedef struct {
    AttentionMask mask;
    int first;             /* position of the first step */
    const EmbedSum *words; /* embeddings, if layer 0 reads exactly their sum; or NULL */
    KeyValues *cache;      /* decoding: keys and values of earlier steps; or NULL */
    const real **weights;  /* (L) receives each layer's attention weights; or NULL */
} Stack;

static real dropout_rate(const Pass *p)
{
    return p->dropout ? (real)p->m->config.dropout : 0;
}

/* Pre-norm: normalises the input of a sublayer, or the output of the last one. */
static Tensor *pre_norm(const Pass *p, const Norm *n, Tensor *x)
{
    return p->m->config.norm == PRE_NORM ? norm(p->tp, n, x) : x; /* eq 20.4 */
}

/* Residual connection: x + dropout(last(y)), where last is the sublayer's last linear layer. With post-norm
 * the sum is normalised. */
static Tensor *residual(const Pass *p, const Norm *n, Tensor *x, const Linear *last, Tensor *y)
{
    const real rate = dropout_rate(p);
    Tensor *sum = p->m->config.residual
                      ? linear_add(p->tp, x, last, y, rate, p->dropout)
                      : op_dropout(p->tp, linear(p->tp, last, y), rate, p->dropout);
    return p->m->config.norm == POST_NORM ? norm(p->tp, n, sum) : sum; /* eq 20.3 */
}

/* Rotates queries or keys (B,T,C) by their positions if positions are rotary; otherwise returns x. */
static Tensor *rotate(const Pass *p, Tensor *x, int first)
{
    return positions_rotate(p->tp, p->m->config.positions, x, p->m->config.heads, first);
}

/* Appends the new keys or values b (B,T,C) to the cached ones a (B,S,C), or NULL: (B,S+T,C). */
static Tensor *append(Tape *tp, const Tensor *a, Tensor *b)
{
    if (!a) return b;
    const int B = b->shape.d[0], S = a->shape.d[1], T = b->shape.d[1], C = b->shape.d[2];
    Tensor *y = tape_tensor(tp, SHAPE(B, S + T, C));
    for (int i = 0; i < B; i++) {
        real *to = y->data + (size_t)i * (S + T) * C;
        memcpy(to, a->data + (size_t)i * S * C, (size_t)S * C * sizeof *to);
        memcpy(to + (size_t)S * C, b->data + (size_t)i * T * C, (size_t)T * C * sizeof *to);
    }
    return y;
}

/* Returns x w + b. If x is the sum of the embeddings `words`, and their tables have few rows, it multiplies
 * the tables instead, which costs less. */
static Tensor *project(const Pass *p, const Linear *l, Tensor *x, const EmbedSum *words)
{
    if (words && embed_linear_pays(p->tp, words)) return op_embed_linear(p->tp, words, l->w, l->b);
    return linear(p->tp, l, x);
}

/* --- the three sublayers ------------------------------------------------------------------------------ */

/* Self-attention of layer i: x (B,T,C) attends to itself and to the cached steps -> (B,T,C). */
static Tensor *self_attention(const Pass *p, const Block *b, Tensor *x, const Stack *s, int i)
{
    const EmbedSum *words = i == 0 ? s->words : NULL;
    Tensor *y = pre_norm(p, &b->norm_self, x);                         /* (B,T,C) */
    Tensor *k = rotate(p, project(p, &b->self.k, y, words), s->first); /* (B,T,C) */
    Tensor *v = project(p, &b->self.v, y, words);                      /* (B,T,C) */
    Tensor *q = rotate(p, project(p, &b->self.q, y, words), s->first); /* (B,T,C) */
    if (s->cache) {
        k = s->cache->k[i] = append(p->tp, s->cache->k[i], k); /* (B,t+T,C) */
        v = s->cache->v[i] = append(p->tp, s->cache->v[i], v); /* (B,t+T,C) */
    }
    Tensor *a = op_attention(p->tp, q, k, v, p->m->config.heads, &s->mask,
                             s->weights ? &s->weights[i] : NULL); /* (B,T,C) */
    return residual(p, &b->norm_self, x, &b->self.out, a);        /* (B,T,C) */
}

/* Cross-attention of layer i: x (B,T,C) attends to the keys and values of the source (B,S,C), of which
 * sequence b has len[b] steps -> (B,T,C). */
static Tensor *cross_attention(const Pass *p, const Block *b, Tensor *x, const KeyValues *source,
                               const int *len, int i)
{
    const AttentionMask mask = {.len = len};
    Tensor *y = pre_norm(p, &b->norm_cross, x); /* (B,T,C) */
    Tensor *q = linear(p->tp, &b->cross.q, y);  /* (B,T,C) */
    Tensor *a = op_attention(p->tp, q, source->k[i], source->v[i], p->m->config.heads, &mask,
                             p->weights ? &p->weights->cross[i] : NULL); /* (B,T,C) */
    return residual(p, &b->norm_cross, x, &b->cross.out, a);             /* (B,T,C) */
}

static Tensor *feed_forward(const Pass *p, const Block *b, Tensor *x)
{
    if (!b->up.w) return x;
    Tensor *y = pre_norm(p, &b->norm_ffn, x);         /* (B,T,C) */
    Tensor *h = linear_relu(p->tp, &b->up, y);        /* (B,T,F) */
    return residual(p, &b->norm_ffn, x, &b->down, h); /* (B,T,C), eq 20.2 */
}

/* --- encoder and decoder ------------------------------------------------------------------------------ */

/* Describes the embeddings of ids (B,T), steps first .. first+T-1, times sqrt(C), plus their positions. */
static EmbedSum embeddings(const Pass *p, Tensor *table, Tensor *learned, const int *ids, int first,
                           int B, int T)
{
    const TransformerConfig *c = &p->m->config;
    EmbedSum sum = {.word = table, .ids = ids, .shape = SHAPE(B, T)};
    sum.scale = (real)sqrt(c->channels); /* eq 19.2 */
    sum.position = positions_added(p->tp, c->positions, c->channels, learned, first, T); /* (T,C) */
    return sum;
}

/* Returns words if layer 0 projects exactly their sum, without dropout or a norm in between. */
static const EmbedSum *read_by_layer_0(const Pass *p, const EmbedSum *words)
{
    return dropout_rate(p) == 0 && p->m->config.norm != PRE_NORM ? words : NULL;
}

static const real *slopes(const Pass *p, bool both_ways)
{
    return positions_slopes(p->tp, p->m->config.positions, p->m->config.heads, both_ways);
}

/* Encodes the source s (B,S), of which sequence b has len[b] steps: (B,S,C). */
static Tensor *encoder(const Pass *p, const int *s, const int *len, int B, int S)
{
    const Transformer *m = p->m;
    const EmbedSum words = embeddings(p, m->source_embed, m->source_position, s, 0, B, S);
    const Stack stack = {.mask = {.len = len, .slope = slopes(p, true)},
                         .words = read_by_layer_0(p, &words),
                         .weights = p->weights ? p->weights->encoder : NULL};
    Tensor *x = op_embed_sum(p->tp, &words); /* (B,S,C) */
    x = op_dropout(p->tp, x, dropout_rate(p), p->dropout);
    for (int i = 0; i < m->config.layers; i++) {
        x = self_attention(p, &m->encoder[i], x, &stack, i); /* (B,S,C) */
        x = feed_forward(p, &m->encoder[i], x);              /* (B,S,C) */
    }
    return pre_norm(p, &m->encoder_norm, x);
}

/* Returns the keys and values of the encoder's output (B,S,C) in every layer of the decoder. */
static KeyValues project_memory(const Pass *p, Tensor *memory)
{
    KeyValues source = {0};
    for (int i = 0; i < p->m->config.layers; i++) {
        const MultiHead *cross = &p->m->decoder[i].cross;
        source.k[i] = linear(p->tp, &cross->k, memory); /* (B,S,C) */
        source.v[i] = linear(p->tp, &cross->v, memory); /* (B,S,C) */
    }
    return source;
}

/* Decodes ids (B,T), steps first .. first+T-1: (B,T,C). Each step attends to itself, to earlier steps, and to
 * the source; source NULL: a decoder alone. */
static Tensor *decoder(const Pass *p, const int *ids, int first, int B, int T,
                       const KeyValues *source, const int *len, KeyValues *cache)
{
    const Transformer *m = p->m;
    const EmbedSum words = embeddings(p, m->target_embed, m->target_position, ids, first, B, T);
    const Stack stack = {.mask = {.causal = true, .slope = slopes(p, false)},
                         .first = first,
                         .words = read_by_layer_0(p, &words),
                         .cache = cache,
                         .weights = p->weights ? p->weights->decoder : NULL};
    Tensor *x = op_embed_sum(p->tp, &words); /* (B,T,C) */
    x = op_dropout(p->tp, x, dropout_rate(p), p->dropout);
    for (int i = 0; i < m->config.layers; i++) {
        x = self_attention(p, &m->decoder[i], x, &stack, i);                   /* (B,T,C) */
        if (source) x = cross_attention(p, &m->decoder[i], x, source, len, i); /* (B,T,C) */
        x = feed_forward(p, &m->decoder[i], x);                                /* (B,T,C) */
    }
    return pre_norm(p, &m->decoder_norm, x);
}

/* Returns logits (B,T,V) of the decoder's output x (B,T,C). */
static Tensor *logits(const Pass *p, Tensor *x)
{
    const Transformer *m = p->m;
    if (m->head.w) return linear(p->tp, &m->head, x);
    return op_matmul_t(p->tp, x, m->target_embed); /* tied */
}

/* Returns the decoder's output (B,T,C) for a batch. */
static Tensor *forward(const Pass *p, const Batch *batch)
{
    const int T = batch->T, S = batch->S, B = batch->B;
    CHECK((S > 0) == p->m->has_encoder,
          "transformer: either the model or the batch lacks a source");
    CHECK(batch_is(batch, BATCH_MAJOR), "transformer: a batch that is time-major");
    if (S == 0) return decoder(p, batch->x, 0, B, T, NULL, NULL, NULL);
    const KeyValues source = project_memory(p, encoder(p, batch->s, batch->s_len, B, S));
    return decoder(p, batch->x, 0, B, T, &source, batch->s_len, NULL);
}

/* --- the contracts ------------------------------------------------------------------------------------ */

static Tensor *transformer_hidden(Tape *tp, const void *self, const Batch *batch, real *state,
                                  Rng *dropout)
{
    const Pass p = {.tp = tp, .m = self, .dropout = dropout};
    CHECK(!state, "transformer: it carries no state");
    return forward(&p, batch); /* (B,T,C) */
}

static Tensor *transformer_logits(Tape *tp, const void *self, Tensor *hidden)
{
    return logits(&(Pass){.tp = tp, .m = self}, hidden);
}

static Tensor *transformer_forward(Tape *tp, const void *self, const Batch *batch, real *state,
                                   Rng *dropout)
{
    Tensor *hidden = transformer_hidden(tp, self, batch, state, dropout); /* (B,T,C) */
    return transformer_logits(tp, self, hidden);                          /* (B,T,V) */
}

static Loss transformer_loss(Tape *tp, const void *self, const Batch *batch, real *state,
                             Rng *dropout)
{
    const Transformer *m = self;
    Tensor *z = transformer_forward(tp, m, batch, state, dropout); /* (B,T,V) */
    const real smoothing = (real)m->config.smoothing;
    if (batch->weights && smoothing == 0) return loss_of_logits(tp, z, batch);
    CHECK(!batch->weights,
          "transformer: weights of targets and --label-smoothing exclude each other");
    return (Loss){.mean = op_cross_entropy_smoothed(tp, z, batch->y, smoothing),
                  .scored = batch_scored(batch)};
}

KeyValues transformer_read(Tape *tp, const Transformer *m, const int *s, const int *len, int S,
                           int B)
{
    const Pass p = {.tp = tp, .m = m};
    return project_memory(&p, encoder(&p, s, len, B, S));
}

Tensor *transformer_step(Tape *tp, const Transformer *m, const KeyValues *source, const int *len,
                         const int *y, int B, int t, KeyValues *cache)
{
    const Pass p = {.tp = tp, .m = m};
    const Tensor *before = cache->k[0];
    CHECK(tp->frozen,
          "transformer_step: the tape must be frozen, because the cache has no gradients");
    CHECK(before ? before->shape.d[0] == B && before->shape.d[1] == t : t == 0,
          "transformer_step: step %d of %d sequences, but the cache has %d steps of %d", t, B,
          before ? before->shape.d[1] : 0, before ? before->shape.d[0] : 0);
    return logits(&p, decoder(&p, y, t, B, 1, source, len, cache)); /* (B,1,V) */
}

AttentionWeights transformer_attention_weights(Tape *tp, const Transformer *m, const Batch *batch)
{
    AttentionWeights weights = {0};
    forward(&(Pass){.tp = tp, .m = m, .weights = &weights}, batch);
    return weights;
}

Model transformer_model(const Transformer *m)
{
    return (Model){.self = m,
                   .name = "transformer",
                   .layout = BATCH_MAJOR,
                   .forward = transformer_forward,
                   .hidden = transformer_hidden,
                   .logits = transformer_logits,
                   .loss = transformer_loss,
                   .decoder = m->has_encoder ? NULL : transformer_decoder};
}
