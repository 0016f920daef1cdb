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
 * position added to it. Dropout stands where the paper has it: on that sum, and on what each sublayer
 * adds.
 *
 * What differs from seq2seq_attention/: no state goes from step to step, so that all steps are computed
 * at once; the three uses of one attention are all there is between them.
 *
 * Not as published: source and target have vocabularies of their own here, so that the target's
 * embedding is tied to the output and the source's is not.
 *
 * Shapes: B sequences, T target and S source steps, C channels, H heads, F units of a feed-forward
 * layer, V vocabulary. Tensors are (B,T,C), the batch's ids and the logits time-major. */
#include "transformer.h"

#include <math.h>
#include <string.h>

TransformerConfig transformer_defaults(void)
{
    return (TransformerConfig){.preset = "none",
                               .layers = 2,
                               .channels = 128,
                               .heads = 4,
                               .ffn = 512,
                               .positions = "sinusoid",
                               .norm = "post",
                               .tied = true,
                               .longest = 256};
}

static void apply_preset(TransformerConfig *c)
{
    static const struct {
        const char *name;
        int layers, channels, heads, ffn;
        double dropout;
    } presets[] = {{"tiny", 2, 64, 4, 256, 0},
                   {"base", 6, 512, 8, 2048, 0.1},
                   {"big", 6, 1024, 16, 4096, 0.3}};
    for (int i = 0; i < LEN(presets); i++) {
        if (strcmp(presets[i].name, c->preset) != 0) continue;
        c->layers = presets[i].layers, c->channels = presets[i].channels;
        c->heads = presets[i].heads, c->ffn = presets[i].ffn;
        c->dropout = presets[i].dropout;
    }
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
    if (!task->outputs)
        return error_set(err, "task %s: its inputs are real numbers, and a Transformer reads words",
                         task->name);
    if (strcmp(c->positions, "learned") == 0 && steps > c->longest)
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

static Block block_init(Params *ps, const TransformerConfig *c, bool has_cross, const char *name,
                        int layer)
{
    const int C = c->channels;
    Block b = {0};
    params_push(ps, "%s%d", name, layer);
    b.self = heads_init(ps, C, "self");
    b.norm_self = norm_init(ps, C, "norm_self");
    if (has_cross) {
        b.cross = heads_init(ps, C, "cross");
        b.norm_cross = norm_init(ps, C, "norm_cross");
    }
    if (c->ffn) {
        b.up = linear_init(ps, C, c->ffn, "up");
        b.down = linear_init(ps, c->ffn, C, "down");
        b.norm_ffn = norm_init(ps, C, "norm_ffn");
    }
    params_pop(ps);
    return b;
}

Transformer transformer_init(Params *ps, const TransformerConfig *config, const Task *task)
{
    Transformer m = {.config = *config,
                     .has_encoder = task->source_vocab > 0,
                     .pre = strcmp(config->norm, "pre") == 0};
    const int C = config->channels;
    const bool learned = strcmp(config->positions, "learned") == 0;
    if (m.has_encoder) {
        m.source_embed = param(ps, SHAPE(task->source_vocab, C), 1 / sqrt(C), "source.embed");
        if (learned) m.source_place = param(ps, SHAPE(config->longest, C), 0.1, "source.place");
        for (int i = 0; i < config->layers; i++)
            m.encoder[i] = block_init(ps, config, false, "encoder", i);
        if (m.pre) m.encoder_norm = norm_init(ps, C, "encoder.norm");
    }
    m.target_embed = param(ps, SHAPE(task->vocab, C), 1 / sqrt(C), "target.embed");
    if (learned) m.target_place = param(ps, SHAPE(config->longest, C), 0.1, "target.place");
    for (int i = 0; i < config->layers; i++)
        m.decoder[i] = block_init(ps, config, m.has_encoder, "decoder", i);
    if (m.pre) m.decoder_norm = norm_init(ps, C, "decoder.norm");
    if (!config->tied) m.head = linear_init(ps, C, task->outputs, "head");
    return m;
}

/* --- layers ------------------------------------------------------------------------------------------- */

/* What all functions of one forward pass need. */
typedef struct {
    Tape *tp;
    const Transformer *m;
    Rng *dropout;       /* NULL when not training */
    const real **looks; /* (N) where cross-attention looks is put here, layer by layer; or NULL */
} Pass;

static Tensor *dropped(const Pass *p, Tensor *x)
{
    return op_dropout(p->tp, x, p->dropout ? (real)p->m->config.dropout : 0, p->dropout);
}

/* What a sublayer reads: x, or with pre-norm N(x). */
static Tensor *entering(const Pass *p, const Norm *n, Tensor *x)
{
    return p->m->pre ? norm(p->tp, n, x) : x;
}

/* x and what the sublayer adds to it, with post-norm N of the sum. */
static Tensor *leaving(const Pass *p, const Norm *n, Tensor *x, Tensor *added)
{
    Tensor *sum = op_add(p->tp, x, dropped(p, added));
    return p->m->pre ? sum : norm(p->tp, n, sum);
}

typedef struct {
    Tensor *k, *v; /* (B,S,C) */
} KeyValue;

static KeyValue key_value(const Pass *p, const MultiHead *a, Tensor *x)
{
    KeyValue kv;
    kv.k = linear(p->tp, &a->k, x);
    kv.v = linear(p->tp, &a->v, x);
    return kv;
}

/* x (B,T,C) looks at what kv was made of: (B,T,C). */
static Tensor *multi_head(const Pass *p, const MultiHead *a, Tensor *x, KeyValue kv,
                          const AttentionMask *mask, const real **looks)
{
    Tensor *q = linear(p->tp, &a->q, x); /* (B,T,C) */
    Tensor *y = op_attention(p->tp, q, kv.k, kv.v, p->m->config.heads, mask, looks);
    return linear(p->tp, &a->out, y);
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
static Tensor *self_attention(const Pass *p, const Block *b, Tensor *x, const AttentionMask *mask,
                              KeyValues *past, int i)
{
    Tensor *y = entering(p, &b->norm_self, x);
    KeyValue kv = key_value(p, &b->self, y);
    if (past) {
        kv.k = past->k[i] = joined(p->tp, past->k[i], kv.k);
        kv.v = past->v[i] = joined(p->tp, past->v[i], kv.v);
    }
    return leaving(p, &b->norm_self, x, multi_head(p, &b->self, y, kv, mask, NULL));
}

static Tensor *cross_attention(const Pass *p, const Block *b, Tensor *x, KeyValue source,
                               const AttentionMask *mask, const real **looks)
{
    Tensor *y = entering(p, &b->norm_cross, x);
    return leaving(p, &b->norm_cross, x, multi_head(p, &b->cross, y, source, mask, looks));
}

static Tensor *feed_forward(const Pass *p, const Block *b, Tensor *x)
{
    if (!b->up.w) return x;
    Tensor *y = linear_relu(p->tp, &b->up, entering(p, &b->norm_ffn, x)); /* (B,T,F) */
    return leaving(p, &b->norm_ffn, x, linear(p->tp, &b->down, y));       /* (B,T,C) */
}

/* --- embeddings --------------------------------------------------------------------------------------- */

void transformer_sinusoid(int pos, int C, real *pe)
{
    for (int i = 0; i < C; i++) {
        const double angle = pos / pow(10000, (i - i % 2) / (double)C);
        pe[i] = (real)(i % 2 ? cos(angle) : sin(angle));
    }
}

/* Positions first .. first+T-1 of B sequences: (B,T,C); NULL: there are none. */
static Tensor *places(const Pass *p, Tensor *learned, int first, int B, int T)
{
    const int C = p->m->config.channels;
    if (strcmp(p->m->config.positions, "none") == 0) return NULL;
    if (learned) {
        int *ids = tape_save(p->tp, (size_t)B * T * sizeof *ids);
        CHECK(first + T <= learned->shape.d[0], "transformer: %d steps, positions for %d",
              first + T, learned->shape.d[0]);
        for (int i = 0; i < B * T; i++) ids[i] = first + i % T;
        return op_embed(p->tp, learned, ids, SHAPE(B, T));
    }
    Tensor *pe = tape_tensor(p->tp, SHAPE(B, T, C));
    for (int t = 0; t < T; t++) transformer_sinusoid(first + t, C, pe->data + (size_t)t * C);
    for (int b = 1; b < B; b++)
        memcpy(pe->data + (size_t)b * T * C, pe->data, (size_t)T * C * sizeof *pe->data);
    return pe;
}

/* The ids (T,B) of steps first .. first+T-1, embedded: (B,T,C). */
static Tensor *embedded(const Pass *p, Tensor *table, Tensor *learned, const int *ids, int first,
                        int T, int B)
{
    int *across = tape_save(p->tp, (size_t)T * B * sizeof *across); /* (B,T) */
    for (int t = 0; t < T; t++)
        for (int b = 0; b < B; b++) across[(size_t)b * T + t] = ids[(size_t)t * B + b];
    Tensor *x = op_embed(p->tp, table, across, SHAPE(B, T));
    x = op_scale(p->tp, x, (real)sqrt(p->m->config.channels));
    Tensor *place = places(p, learned, first, B, T);
    return dropped(p, place ? op_add(p->tp, x, place) : x);
}

/* --- encoder, decoder ----------------------------------------------------------------------------------- */

static Tensor *encoder(const Pass *p, const int *s, const int *len, int S, int B)
{
    const Transformer *m = p->m;
    const AttentionMask true_steps = {.len = len};
    Tensor *x = embedded(p, m->source_embed, m->source_place, s, 0, S, B); /* (B,S,C) */
    for (int i = 0; i < m->config.layers; i++) {
        x = self_attention(p, &m->encoder[i], x, &true_steps, NULL, i);
        x = feed_forward(p, &m->encoder[i], x);
    }
    return m->pre ? norm(p->tp, &m->encoder_norm, x) : x;
}

/* What cross-attention looks at: the keys and values of the encoder's output, layer by layer. */
static KeyValues source_of(const Pass *p, Tensor *memory)
{
    KeyValues source = {0};
    for (int i = 0; i < p->m->config.layers; i++) {
        const KeyValue kv = key_value(p, &p->m->decoder[i].cross, memory);
        source.k[i] = kv.k, source.v[i] = kv.v;
    }
    return source;
}

/* The ids (T,B) of steps first .. first+T-1, each of which sees itself and those before it, and
 * source (NULL: there is none). (B,T,C) */
static Tensor *decoder(const Pass *p, const int *ids, int first, int T, int B,
                       const KeyValues *source, const int *len, KeyValues *past)
{
    const Transformer *m = p->m;
    const AttentionMask causal = {.causal = true}, true_steps = {.len = len};
    Tensor *x = embedded(p, m->target_embed, m->target_place, ids, first, T, B);
    for (int i = 0; i < m->config.layers; i++) {
        x = self_attention(p, &m->decoder[i], x, &causal, past, i);
        if (source) {
            const KeyValue kv = {source->k[i], source->v[i]};
            x = cross_attention(p, &m->decoder[i], x, kv, &true_steps,
                                p->looks ? &p->looks[i] : NULL);
        }
        x = feed_forward(p, &m->decoder[i], x);
    }
    return m->pre ? norm(p->tp, &m->decoder_norm, x) : x;
}

/* Logits (...,V). */
static Tensor *words_out(const Pass *p, Tensor *x)
{
    const Transformer *m = p->m;
    if (m->head.w) return linear(p->tp, &m->head, x);
    return op_matmul(p->tp, x, op_transpose(p->tp, m->target_embed));
}

static Tensor *transformer_forward(Tape *tp, const void *self, const Batch *batch, real *state,
                                   Rng *dropout)
{
    const Transformer *m = self;
    const Pass p = {.tp = tp, .m = m, .dropout = dropout};
    const int T = batch->T, S = batch->S, B = batch->B;
    CHECK(!state && (S > 0) == m->has_encoder, "transformer: a batch of another kind");
    KeyValues source = {0};
    if (m->has_encoder) source = source_of(&p, encoder(&p, batch->s, batch->s_len, S, B));
    Tensor *x = decoder(&p, batch->x, 0, T, B, m->has_encoder ? &source : NULL, batch->s_len, NULL);
    return words_out(&p, op_swap(tp, x)); /* (B,T,C) -> (T,B,C) -> (T,B,V) */
}

KeyValues transformer_read(Tape *tp, const Transformer *m, const int *s, const int *len, int S,
                           int B)
{
    const Pass p = {.tp = tp, .m = m};
    return source_of(&p, encoder(&p, s, len, S, B));
}

Tensor *transformer_step(Tape *tp, const Transformer *m, const KeyValues *source, const int *len,
                         const int *y, int B, int t, KeyValues *past)
{
    const Pass p = {.tp = tp, .m = m};
    CHECK(tp->frozen, "transformer_step: what is past has no gradients");
    return words_out(&p, decoder(&p, y, t, 1, B, source, len, past)); /* (B,1,V) */
}

const real *const *transformer_looks(Tape *tp, const Transformer *m, const KeyValues *source,
                                     const int *len, const int *y, int T)
{
    const Pass p = {
        .tp = tp, .m = m, .looks = tape_save(tp, (size_t)m->config.layers * sizeof *p.looks)};
    decoder(&p, y, 0, T, 1, source, len, NULL);
    return p.looks;
}

Model transformer_model(const Transformer *m)
{
    return (Model){.self = m, .name = "transformer", .forward = transformer_forward};
}
