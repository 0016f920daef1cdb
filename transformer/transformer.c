/* The Transformer (Vaswani et al. 2017, "Attention Is All You Need"): encoder and decoder without
 * recurrence.
 *
 *   MultiHead(x, m) = concat(head_1 .. head_H) W_o,  head_h = softmax(q k^T / sqrt(D)) v
 *                     with q = x W_q, k = m W_k, v = m W_v, D = C/H columns a head
 *   FFN(x)          = relu(x W_1 + b_1) W_2 + b_2
 *   encoder layer   x = N(x + MultiHead(x, x))               self-attention, over all true steps
 *                   x = N(x + FFN(x))
 *   decoder layer   x = N(x + MultiHead(x, x))               masked: no step sees a later one
 *                   x = N(x + MultiHead(x, memory))          cross-attention to the encoder's output
 *                   x = N(x + FFN(x))
 *
 * N is LayerNorm after the sum ("post", as published); "pre" is x + F(N(x)), with one more N at the end
 * (Xiong et al. 2020). Since attention knows no order, each step's embedding, times sqrt(C), has its
 * position added to it; positions.c has this and other ways. Dropout stands where the paper has it: on
 * that sum, and on what each sublayer adds.
 *
 * What differs from seq2seq_attention/: no state goes from step to step, so that all steps are computed
 * at once; the three uses of one attention are all there is between them.
 *
 * Not as published: source and target have vocabularies of their own here, so that the target's
 * embedding is tied to the output and the source's is not.
 *
 * Shapes: B sequences, T target and S source steps, C channels, H heads, L layers, F units of a
 * feed-forward layer, V vocabulary. Everything is batch-major: ids (B,T), tensors (B,T,C), logits (B,T,V). */
#include "transformer/transformer.h"

#include <math.h>
#include <string.h>

TransformerConfig transformer_defaults(void)
{
    return (TransformerConfig){.preset = NO_PRESET,
                               .layers = 2,
                               .channels = 128,
                               .heads = 4,
                               .ffn = 512,
                               .positions = SINUSOID,
                               .norm = POST_NORM,
                               .residual = true,
                               .tied = true,
                               .longest = 256};
}

/* Sets the sizes of a preset: tiny, or those of the paper (Table 3). */
static void apply_preset(TransformerConfig *c)
{
    static const struct {
        int layers, channels, heads, ffn;
        double dropout;
    } presets[] = {[PRESET_TINY] = {2, 64, 4, 256, 0},
                   [PRESET_BASE] = {6, 512, 8, 2048, 0.1},
                   [PRESET_BIG] = {6, 1024, 16, 4096, 0.3}};
    if (c->preset == NO_PRESET) return;
    c->layers = presets[c->preset].layers, c->channels = presets[c->preset].channels;
    c->heads = presets[c->preset].heads, c->ffn = presets[c->preset].ffn;
    c->dropout = presets[c->preset].dropout;
}

bool transformer_check(TransformerConfig *c, const Task *task, Error *err)
{
    apply_preset(c);
    int steps = task->length; /* of the longest sequence of training or eval */
    for (int i = 0; i < task->n_lengths; i++)
        if (task->lengths[i] > steps) steps = task->lengths[i];
    steps += task->extra;
    if (c->channels % c->heads)
        return error_set(err, "--channels %d: must be a multiple of --heads %d", c->channels,
                         c->heads);
    if (c->positions == ROTARY && c->channels / c->heads % 2)
        return error_set(err, "--positions rotary turns pairs: --channels %d / --heads %d is odd",
                         c->channels, c->heads);
    if (!task->outputs)
        return error_set(err, "task %s: its inputs are real numbers, and a Transformer reads words",
                         task->name);
    if (c->positions == LEARNED && steps > c->longest)
        return error_set(err, "--longest %d: the task has up to %d steps", c->longest, steps);
    return true;
}

/* --- parameters -------------------------------------------------------------------------------------- */

static MultiHead heads_init(Params *ps, int C, const char *name)
{
    MultiHead a;
    params_push(ps, "%s", name);
    a.q = linear_init(ps, C, C, "q");
    a.k = linear_init(ps, C, C, "k");
    a.v = linear_init(ps, C, C, "v");
    a.out = linear_init(ps, C, C, "out");
    params_pop(ps);
    return a;
}

static Norm norm_of(Params *ps, const TransformerConfig *c, const char *name)
{
    if (c->norm == NO_NORM) return (Norm){0};
    return norm_init(ps, c->channels, name);
}

static Block block_init(Params *ps, const TransformerConfig *c, bool has_cross, const char *name,
                        int layer)
{
    const int C = c->channels;
    Block b = {0};
    params_push(ps, "%s%d", name, layer);
    b.self = heads_init(ps, C, "self");
    b.norm_self = norm_of(ps, c, "norm_self");
    if (has_cross) {
        b.cross = heads_init(ps, C, "cross");
        b.norm_cross = norm_of(ps, c, "norm_cross");
    }
    if (c->ffn) {
        b.up = linear_init(ps, C, c->ffn, "up");
        b.down = linear_init(ps, c->ffn, C, "down");
        b.norm_ffn = norm_of(ps, c, "norm_ffn");
    }
    params_pop(ps);
    return b;
}

Transformer transformer_init(Params *ps, const TransformerConfig *config, const Task *task)
{
    Transformer m = {.config = *config, .has_encoder = task->source_vocab > 0};
    const int C = config->channels;
    const bool learned = config->positions == LEARNED;
    CHECK(config->layers <= TRANSFORMER_MAX_LAYERS, "transformer: %d layers; at most %d",
          config->layers, TRANSFORMER_MAX_LAYERS);
    if (m.has_encoder) {
        m.source_embed = param(ps, SHAPE(task->source_vocab, C), 1 / sqrt(C), "source.embed");
        if (learned) m.source_place = param(ps, SHAPE(config->longest, C), 0.1, "source.place");
        for (int i = 0; i < config->layers; i++)
            m.encoder[i] = block_init(ps, config, false, "encoder", i);
        if (config->norm == PRE_NORM) m.encoder_norm = norm_init(ps, C, "encoder.norm");
    }
    m.target_embed = param(ps, SHAPE(task->vocab, C), 1 / sqrt(C), "target.embed");
    if (learned) m.target_place = param(ps, SHAPE(config->longest, C), 0.1, "target.place");
    for (int i = 0; i < config->layers; i++)
        m.decoder[i] = block_init(ps, config, m.has_encoder, "decoder", i);
    if (config->norm == PRE_NORM) m.decoder_norm = norm_init(ps, C, "decoder.norm");
    if (!config->tied) m.head = linear_init(ps, C, task->outputs, "head");
    return m;
}

/* --- layers ------------------------------------------------------------------------------------------- */

/* What all functions of one forward pass need. */
typedef struct {
    Tape *tp;
    const Transformer *m;
    Rng *dropout; /* NULL when not training */
    Looks *looks; /* filled in, unless it is NULL */
} Pass;

static real dropout_of(const Pass *p)
{
    return p->dropout ? (real)p->m->config.dropout : 0;
}

static Tensor *dropped(const Pass *p, Tensor *x)
{
    return op_dropout(p->tp, x, dropout_of(p), p->dropout);
}

/* What a sublayer reads: x, or with pre-norm N(x). */
static Tensor *entering(const Pass *p, const Norm *n, Tensor *x)
{
    return p->m->config.norm == PRE_NORM ? norm(p->tp, n, x) : x; /* eq 20.4 */
}

/* x and what the sublayer adds to it, its last layer of y; with post-norm N of the sum. */
static Tensor *leaving(const Pass *p, const Norm *n, Tensor *x, const Linear *last, Tensor *y)
{
    Tensor *sum = p->m->config.residual ? linear_add(p->tp, x, last, y, dropout_of(p), p->dropout)
                                        : dropped(p, linear(p->tp, last, y));
    return p->m->config.norm == POST_NORM ? norm(p->tp, n, sum) : sum; /* eq 20.3 */
}

/* Whom the steps of x see, and where they stand. */
typedef struct {
    AttentionMask mask;
    int first; /* place of the first; NOWHERE: among the steps of another sequence */
    const EmbedSum
        *words;         /* the embeddings that layer 0's input is the sum of; NULL: changed since */
    const real **looks; /* (L) where they look is put here, layer by layer; or NULL */
} Steps;

/* Queries or keys as their places turn them. */
static Tensor *turned(const Pass *p, Tensor *x, const Steps *steps)
{
    return positions_turned(p->tp, p->m->config.positions, x, p->m->config.heads, steps->first);
}

/* x w + b. If x is the sum of the embeddings `words` (NULL: it is not), their tables are multiplied instead
 * of x where they have few rows. */
static Tensor *project(const Pass *p, const Linear *l, Tensor *x, const EmbedSum *words)
{
    if (words && embed_linear_pays(p->tp, words)) return op_embed_linear(p->tp, words, l->w, l->b);
    return linear(p->tp, l, x);
}

typedef struct {
    Tensor *k, *v; /* (B,S,C) */
} KeyValue;

static KeyValue key_value(const Pass *p, const MultiHead *a, Tensor *x, const EmbedSum *words)
{
    KeyValue kv;
    kv.k = project(p, &a->k, x, words);
    kv.v = project(p, &a->v, x, words);
    return kv;
}

/* What the heads of x (B,T,C) see of what kv was made of, in layer i, side by side: (B,T,C). */
static Tensor *multi_head(const Pass *p, const MultiHead *a, Tensor *x, const EmbedSum *words,
                          KeyValue kv, const Steps *steps, int i)
{
    const real **looks = steps->looks ? &steps->looks[i] : NULL;
    Tensor *q = turned(p, project(p, &a->q, x, words), steps); /* (B,T,C) */
    return op_attention(p->tp, q, kv.k, kv.v, p->m->config.heads, &steps->mask, looks);
}

/* a (B,S,C), or NULL, and then b (B,T,C): (B,S+T,C). */
static Tensor *joined(Tape *tp, const Tensor *a, Tensor *b)
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

/* past: layer i's keys and values of the steps before, which those of x join; NULL: there are none. */
static Tensor *self_attention(const Pass *p, const Block *b, Tensor *x, const Steps *steps,
                              KeyValues *past, int i)
{
    Tensor *y = entering(p, &b->norm_self, x);
    const EmbedSum *words = i == 0 && p->m->config.norm != PRE_NORM ? steps->words : NULL;
    KeyValue kv = key_value(p, &b->self, y, words);
    kv.k = turned(p, kv.k, steps);
    if (past) {
        kv.k = past->k[i] = joined(p->tp, past->k[i], kv.k);
        kv.v = past->v[i] = joined(p->tp, past->v[i], kv.v);
    }
    return leaving(p, &b->norm_self, x, &b->self.out,
                   multi_head(p, &b->self, y, words, kv, steps, i));
}

static Tensor *cross_attention(const Pass *p, const Block *b, Tensor *x, KeyValue source,
                               const Steps *steps, int i)
{
    Tensor *y = entering(p, &b->norm_cross, x);
    y = multi_head(p, &b->cross, y, NULL, source, steps, i);
    return leaving(p, &b->norm_cross, x, &b->cross.out, y);
}

static Tensor *feed_forward(const Pass *p, const Block *b, Tensor *x)
{
    if (!b->up.w) return x;
    Tensor *y = linear_relu(p->tp, &b->up, entering(p, &b->norm_ffn, x)); /* (B,T,F) */
    return leaving(p, &b->norm_ffn, x, &b->down, y);                      /* (B,T,C), eq 20.2 */
}

/* --- embeddings --------------------------------------------------------------------------------------- */

/* The ids (B,T) of steps first .. first+T-1, and their positions. */
static EmbedSum words_of(const Pass *p, Tensor *table, Tensor *learned, const int *ids, int first,
                         int T, int B)
{
    const int C = p->m->config.channels;
    Tensor *place =
        positions_added(p->tp, p->m->config.positions, C, learned, first, T); /* (T,C) */
    return (EmbedSum){.word = table,
                      .ids = ids,
                      .scale = (real)sqrt(C),
                      .place = place,
                      .shape = SHAPE(B, T)}; /* eq 19.2 */
}

/* --- encoder, decoder ----------------------------------------------------------------------------------- */

static const real *slopes(const Pass *p, bool both_ways)
{
    return positions_slopes(p->tp, p->m->config.positions, p->m->config.heads, both_ways);
}

static Tensor *encoder(const Pass *p, const int *s, const int *len, int S, int B)
{
    const Transformer *m = p->m;
    const EmbedSum words = words_of(p, m->source_embed, m->source_place, s, 0, S, B);
    const Steps steps = {.mask = {.len = len, .slope = slopes(p, true)},
                         .words = dropout_of(p) == 0 ? &words : NULL,
                         .looks = p->looks ? p->looks->encoder : NULL};
    Tensor *x = dropped(p, op_embed_sum(p->tp, &words)); /* (B,S,C) */
    for (int i = 0; i < m->config.layers; i++) {
        x = self_attention(p, &m->encoder[i], x, &steps, NULL, i);
        x = feed_forward(p, &m->encoder[i], x);
    }
    return m->config.norm == PRE_NORM ? norm(p->tp, &m->encoder_norm, x) : x;
}

/* What cross-attention looks at: the keys and values of the encoder's output, layer by layer. */
static KeyValues cross_keys_values(const Pass *p, Tensor *memory)
{
    KeyValues source = {0};
    for (int i = 0; i < p->m->config.layers; i++) {
        const KeyValue kv = key_value(p, &p->m->decoder[i].cross, memory, NULL);
        source.k[i] = kv.k, source.v[i] = kv.v;
    }
    return source;
}

/* The ids (B,T) of steps first .. first+T-1, each of which sees itself and those before it, and
 * source (NULL: there is none). (B,T,C) */
static Tensor *decoder(const Pass *p, const int *ids, int first, int T, int B,
                       const KeyValues *source, const int *len, KeyValues *past)
{
    const Transformer *m = p->m;
    const EmbedSum words = words_of(p, m->target_embed, m->target_place, ids, first, T, B);
    const Steps steps = {.mask = {.causal = true, .slope = slopes(p, false)},
                         .first = first,
                         .words = dropout_of(p) == 0 ? &words : NULL,
                         .looks = p->looks ? p->looks->decoder : NULL};
    const Steps across = {
        .mask = {.len = len}, .first = NOWHERE, .looks = p->looks ? p->looks->cross : NULL};
    Tensor *x = dropped(p, op_embed_sum(p->tp, &words)); /* (B,T,C) */
    for (int i = 0; i < m->config.layers; i++) {
        x = self_attention(p, &m->decoder[i], x, &steps, past, i);
        if (source) {
            const KeyValue kv = {source->k[i], source->v[i]};
            x = cross_attention(p, &m->decoder[i], x, kv, &across, i);
        }
        x = feed_forward(p, &m->decoder[i], x);
    }
    return m->config.norm == PRE_NORM ? norm(p->tp, &m->decoder_norm, x) : x;
}

/* Logits (...,V). */
static Tensor *words_out(const Pass *p, Tensor *x)
{
    const Transformer *m = p->m;
    if (m->head.w) return linear(p->tp, &m->head, x);
    return op_matmul_t(p->tp, x, m->target_embed);
}

/* What is known after each step of a batch: (B,T,C). */
static Tensor *forward(const Pass *p, const Batch *batch)
{
    const int T = batch->T, S = batch->S, B = batch->B;
    CHECK((S > 0) == p->m->has_encoder, "transformer: a batch of another kind");
    CHECK(batch_is(batch, BATCH_MAJOR), "transformer: a batch that is time-major");
    if (S == 0) return decoder(p, batch->x, 0, T, B, NULL, NULL, NULL);
    const KeyValues source = cross_keys_values(p, encoder(p, batch->s, batch->s_len, S, B));
    return decoder(p, batch->x, 0, T, B, &source, batch->s_len, NULL);
}

static Tensor *transformer_hidden(Tape *tp, const void *self, const Batch *batch, real *state,
                                  Rng *dropout)
{
    const Pass p = {.tp = tp, .m = self, .dropout = dropout};
    CHECK(!state, "transformer: it carries no state");
    return forward(&p, batch); /* (B,T,C) */
}

static Tensor *transformer_logits(Tape *tp, const void *self, Tensor *hidden)
{
    return words_out(&(Pass){.tp = tp, .m = self}, hidden);
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
    Tensor *logits = transformer_forward(tp, m, batch, state, dropout); /* (B,T,V) */
    const real smoothing = (real)m->config.smoothing;
    return (Loss){.mean = op_cross_entropy_smoothed(tp, logits, batch->y, smoothing),
                  .scored = batch_scored(batch)};
}

KeyValues transformer_read(Tape *tp, const Transformer *m, const int *s, const int *len, int S,
                           int B)
{
    const Pass p = {.tp = tp, .m = m};
    return cross_keys_values(&p, encoder(&p, s, len, S, B));
}

Tensor *transformer_step(Tape *tp, const Transformer *m, const KeyValues *source, const int *len,
                         const int *y, int B, int t, KeyValues *past)
{
    const Pass p = {.tp = tp, .m = m};
    const Tensor *before = past->k[0];
    CHECK(tp->frozen, "transformer_step: what is past has no gradients");
    CHECK(before ? before->shape.d[0] == B && before->shape.d[1] == t : t == 0,
          "transformer_step: step %d of %d sequences, but past has %d steps of %d", t, B,
          before ? before->shape.d[1] : 0, before ? before->shape.d[0] : 0);
    return words_out(&p, decoder(&p, y, t, 1, B, source, len, past)); /* (B,1,V) */
}

Looks transformer_looks(Tape *tp, const Transformer *m, const Batch *batch)
{
    Looks looks = {0};
    forward(&(Pass){.tp = tp, .m = m, .looks = &looks}, batch);
    return looks;
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
