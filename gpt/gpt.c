/* GPT: a decoder-only Transformer that predicts the next token (Radford et al. 2018, 2019; Brown et al. 2020).
 *
 *   x <- word[id_t] + position[t]
 *   x <- x + W_out attention(LN(x) W_q, LN(x) W_k, LN(x) W_v)     every step attends to itself and to earlier steps
 *   x <- x + W_down gelu(LN(x) W_up)                              4 C units
 *   logits = LN(x) word^T                                         the output layer is the word embedding
 *
 * The middle two lines are a block; GPT-2 has 12 to 48 of them. LN is LayerNorm before the sublayer, so that
 * the residual stream x is only ever added to. GPT-1 normalises the sum instead, x <- LN(x + ...), and has no
 * LayerNorm after the last block (--norm post).
 *
 * What differs from transformer/: there is no encoder, so a block has two sublayers and not three. The same
 * sequence is input and target: each of its T steps predicts the next one, T training examples in one pass.
 * Positions are learned and embeddings are not multiplied by sqrt(C). The weights start from N(0, std), with
 * std = 0.02 in the published models; those of the layers that add to the residual stream from
 * N(0, std / sqrt(2 L)), because the variance of x grows with each of the 2 L sums (Radford et al. 2019, s2.3).
 * Dropout also falls on the attention weights.
 *
 * Shapes: B sequences, T steps, C channels, H heads, L layers, V vocabulary. Everything is batch-major. */
#include "gpt/gpt.h"

#include <math.h>

/* --- a forward pass ----------------------------------------------------------------------------------- */

typedef struct {
    Tape *tp;
    const Gpt *m;
    Rng *dropout;    /* NULL when not training */
    GptCache *cache; /* decoding: keys and values of earlier steps; or NULL */
} Pass;

static real dropout_rate(const Pass *p)
{
    return p->dropout ? (real)p->m->config.dropout : 0;
}

/* Normalises the input of a sublayer (GPT-2) or its sum with the residual stream (GPT-1). */
static Tensor *norm_if(const Pass *p, GptNorm place, const Norm *n, Tensor *x)
{
    return p->m->config.norm == place ? norm(p->tp, n, x) : x;
}

/* Residual connection: x + dropout(last(y)), where last is the sublayer's last linear layer. */
static Tensor *residual(const Pass *p, const Norm *n, Tensor *x, const Linear *last, Tensor *y)
{
    Tensor *sum = linear_add(p->tp, x, last, y, dropout_rate(p), p->dropout);
    return norm_if(p, GPT_POST_NORM, n, sum);
}

/* Causal self-attention with H heads: x (B,T,C) -> (B,T,C). */
static Tensor *attention(const Pass *p, const GptBlock *b, Tensor *x, int layer)
{
    Tensor *y = norm_if(p, GPT_PRE_NORM, &b->norm1, x); /* (B,T,C) */
    Tensor *q = linear(p->tp, &b->q, y);                /* (B,T,C) */
    Tensor *k = linear(p->tp, &b->k, y);                /* (B,T,C) */
    Tensor *v = linear(p->tp, &b->v, y);                /* (B,T,C) */
    AttentionMask mask = {.causal = true};
    if (p->cache) mask = gpt_cache_append(p->tp, p->cache, layer, &k, &v); /* k, v: (B,S,C) */
    const AttentionOptions o = {
        .heads = p->m->config.heads, .mask = &mask, .dropout = dropout_rate(p), .rng = p->dropout};
    Tensor *a = op_attention_with(p->tp, q, k, v, &o); /* (B,T,C) */
    return residual(p, &b->norm1, x, &b->out, a);      /* (B,T,C) */
}

/* The MLP: one hidden layer of 4 C units at every step, x (B,T,C) -> (B,T,C). */
static Tensor *mlp(const Pass *p, const GptBlock *b, Tensor *x)
{
    Tensor *y = norm_if(p, GPT_PRE_NORM, &b->norm2, x); /* (B,T,C) */
    Tensor *h = p->m->config.gelu == GPT_ERF
                    ? op_linear_gelu(p->tp, y, b->up.w, b->up.b)
                    : op_linear_gelu_tanh(p->tp, y, b->up.w, b->up.b); /* (B,T,4C) */
    return residual(p, &b->norm2, x, &b->down, h);                     /* (B,T,C) */
}

/* Embeds ids (B,T), which are steps first .. first+T-1 of their sequences: (B,T,C). */
static Tensor *embed(const Pass *p, const int *ids, int first, int B, int T)
{
    const int C = p->m->config.channels, context = p->m->config.context;
    CHECK(first + T <= context, "gpt: %d steps, but a context of %d", first + T, context);
    Tensor *positions = tape_view(p->tp, p->m->position, SHAPE(T, C), first * C); /* (T,C) */
    const EmbedSum sum = {
        .word = p->m->word, .ids = ids, .scale = 1, .position = positions, .shape = SHAPE(B, T)};
    Tensor *x = op_embed_sum(p->tp, &sum); /* (B,T,C) */
    return op_dropout(p->tp, x, dropout_rate(p), p->dropout);
}

/* Runs all blocks: ids (B,T) -> (B,T,C). */
static Tensor *blocks(const Pass *p, const int *ids, int first, int B, int T)
{
    Tensor *x = embed(p, ids, first, B, T); /* (B,T,C) */
    for (int i = 0; i < p->m->config.layers; i++) {
        x = attention(p, &p->m->block[i], x, i); /* (B,T,C) */
        x = mlp(p, &p->m->block[i], x);          /* (B,T,C) */
    }
    return norm_if(p, GPT_PRE_NORM, &p->m->norm, x);
}

/* --- the contract of a model ------------------------------------------------------------------------------ */

static Tensor *gpt_hidden(Tape *tp, const void *self, const Batch *batch, real *state, Rng *dropout)
{
    const Pass p = {.tp = tp, .m = self, .dropout = dropout};
    CHECK(!state, "gpt: it carries no state");
    CHECK(batch_is(batch, BATCH_MAJOR), "gpt: a batch that is time-major");
    CHECK(batch->S == 0, "gpt: a batch with a source, and there is no encoder");
    return blocks(&p, batch->x, 0, batch->B, batch->T); /* (B,T,C) */
}

static Tensor *gpt_logits(Tape *tp, const void *self, Tensor *hidden)
{
    return op_matmul_t(tp, hidden, ((const Gpt *)self)->head); /* (...,V) */
}

static Tensor *gpt_forward(Tape *tp, const void *self, const Batch *batch, real *state,
                           Rng *dropout)
{
    Tensor *hidden = gpt_hidden(tp, self, batch, state, dropout); /* (B,T,C) */
    return gpt_logits(tp, self, hidden);                          /* (B,T,V) */
}

Tensor *gpt_step(Tape *tp, const Gpt *m, GptCache *cache, const int *ids, int B, int T)
{
    const Pass p = {.tp = tp, .m = m, .cache = cache};
    const int C = m->config.channels;
    CHECK(tp->frozen, "gpt_step: the tape must be frozen, because the cache has no gradients");
    CHECK(B == 1 || T == 1, "gpt_step: %d steps of %d sequences; one of both must be 1", T, B);
    Tensor *x = blocks(&p, ids, cache->steps, B, T);                        /* (B,T,C) */
    Tensor *last = tape_view(tp, x, SHAPE(B, C), B == 1 ? (T - 1) * C : 0); /* (B,C) */
    return gpt_logits(tp, m, last);                                         /* (B,V) */
}

Model gpt_model(const Gpt *m)
{
    return (Model){.self = m,
                   .name = "gpt",
                   .layout = BATCH_MAJOR,
                   .context = m->config.context,
                   .forward = gpt_forward,
                   .hidden = gpt_hidden,
                   .logits = gpt_logits,
                   .decoder = gpt_decoder};
}

/* --- parameters --------------------------------------------------------------------------------------- */

static Linear linear_of(Params *ps, int C, int N, double std, const char *name)
{
    Linear l;
    l.w = param(ps, SHAPE(C, N), std, "%s.w", name);
    l.b = param(ps, SHAPE(N), 0, "%s.b", name);
    return l;
}

static GptBlock block_init(Params *ps, const GptConfig *c, int layer)
{
    const int C = c->channels;
    const double std = c->init_std, last = c->scaled ? std / sqrt(2 * c->layers) : std;
    GptBlock b;
    params_push(ps, "block%d", layer);
    b.norm1 = norm_init(ps, C, "norm1");
    b.q = linear_of(ps, C, C, std, "q");
    b.k = linear_of(ps, C, C, std, "k");
    b.v = linear_of(ps, C, C, std, "v");
    b.out = linear_of(ps, C, C, last, "out");
    b.norm2 = norm_init(ps, C, "norm2");
    b.up = linear_of(ps, C, 4 * C, std, "up");
    b.down = linear_of(ps, 4 * C, C, last, "down");
    params_pop(ps);
    return b;
}

Gpt gpt_init(Params *ps, const GptConfig *config, int V)
{
    Gpt m = {.config = *config};
    const int C = config->channels;
    CHECK(config->layers <= GPT_MAX_LAYERS, "gpt: %d layers; at most %d", config->layers,
          GPT_MAX_LAYERS);
    CHECK(config->context >= 1, "gpt: a context of %d", config->context);
    m.word = param(ps, SHAPE(V, C), config->init_std, "word");
    m.position = param(ps, SHAPE(config->context, C), config->init_std, "position");
    for (int i = 0; i < config->layers; i++) m.block[i] = block_init(ps, config, i);
    if (config->norm == GPT_PRE_NORM) m.norm = norm_init(ps, C, "norm");
    m.head = config->tied ? m.word : param(ps, SHAPE(V, C), config->init_std, "head");
    return m;
}
