/* Sequence to sequence: one recurrent network reads, another writes (Sutskever, Vinyals & Le 2014;
 * Cho et al. 2014).
 *
 *   encoder   embedding, L layers of cells (common/nn/cell.h), one way or both
 *   decoder   embedding, L layers of cells that start from the encoder's last state, logits
 *
 * What differs from the earlier networks: input and output have different lengths. Without attention the
 * decoder gets one vector per layer, however long the source is. Attention (Bahdanau, Cho & Bengio 2014;
 * Luong, Pham & Manning 2015) gives every step of the decoder a context vector c: the average of all encoder
 * outputs h_s, weighted by a softmax over scores,
 *
 *   additive   a . tanh(s W + h_s U)      s is the decoder's state before the step (Bahdanau)
 *   dot        s . h_s                    s is the state after it (Luong; also the next two)
 *   general    s W . h_s
 *   concat     a . tanh(s W + h_s U)
 *
 * In additive attention c is part of the step's input. In Luong's it is not: the logits follow from the
 * attentional vector tanh([c; s] W_c), which is part of the next step's input with input feeding.
 *
 * Not as published: a bidirectional encoder has H/2 units in each direction, so that its last state can
 * start the decoder (Bahdanau has H, and starts with tanh of the backward state). Additive attention uses
 * Luong's attentional vector, not maxout.
 *
 * Shapes: B sequences, S source and T target steps (time is the first axis), C channels, H hidden,
 * N columns of a cell's gates, V target vocabulary. */
#include "seq2seq_attention/seq2seq.h"

#include <math.h>
#include <string.h>

const char *const seq2seq_attention_names[] = {"none", "additive", "dot", "general", "concat"};

Seq2seqConfig seq2seq_defaults(void)
{
    return (Seq2seqConfig){.cell = CELL_GRU,
                           .attention = ADDITIVE,
                           .layers = 1,
                           .channels = 64,
                           .hidden = 128,
                           .bidirectional = true};
}

bool seq2seq_check(const Seq2seqConfig *c, Error *err)
{
    const AttentionKind kind = c->attention;
    if (c->feed && (kind == NO_ATTENTION || kind == ADDITIVE))
        return error_set(err, "--feed: input feeding is for --attention dot, general and concat%s",
                         kind == ADDITIVE ? "; additive attention feeds its context anyway" : "");
    if (c->bidirectional && c->hidden % 2)
        return error_set(
            err, "--hidden %d: must be even, half for each direction (or --no-bidirectional)",
            c->hidden);
    return true;
}

/* --- parameters -------------------------------------------------------------------------------------- */

static bool feeds_back(const Seq2seq *m)
{
    return m->attention.kind == ADDITIVE || m->config.feed;
}

static AttentionLayer attention_init(Params *ps, AttentionKind kind, int H)
{
    AttentionLayer a = {.kind = kind};
    if (kind == NO_ATTENTION) return a;
    if (kind == ADDITIVE || kind == CONCAT) {
        a.query = param(ps, SHAPE(H, H), 1 / sqrt(H), "attention.query");
        a.score = param(ps, SHAPE(H), 1 / sqrt(H), "attention.score");
    }
    if (kind != DOT) a.key = param(ps, SHAPE(H, H), 1 / sqrt(H), "attention.key");
    a.out = linear_init(ps, 2 * H, H, "attention.out");
    return a;
}

Seq2seq seq2seq_init(Params *ps, const Seq2seqConfig *config, const Task *task)
{
    Seq2seq m = {.config = *config};
    CHECK(config->layers <= SEQ2SEQ_MAX_LAYERS, "seq2seq: %d layers; at most %d", config->layers,
          SEQ2SEQ_MAX_LAYERS);
    const CellKind kind = config->cell;
    const int C = config->channels, H = config->hidden;
    const int width = config->bidirectional ? H / 2 : H; /* of one direction of the encoder */
    m.source_embed = param(ps, SHAPE(task->source_vocab, C), 1, "source.embed");
    m.target_embed = param(ps, SHAPE(task->vocab, C), 1, "target.embed");
    for (int i = 0; i < config->layers; i++) {
        params_push(ps, "encoder%d", i);
        m.forward[i] = cell_init(ps, kind, i ? H : C, width, "forward");
        if (config->bidirectional)
            m.backward[i] = cell_init(ps, kind, i ? H : C, width, "backward");
        params_pop(ps);
    }
    for (int i = 0; i < config->layers; i++) {
        params_push(ps, "decoder%d", i);
        m.decoder[i] = cell_init(ps, kind, i ? H : C, H, "cell");
        params_pop(ps);
    }
    m.attention = attention_init(ps, config->attention, H);
    if (feeds_back(&m))
        m.context =
            param(ps, SHAPE(H, m.decoder[0].u->shape.d[1]), 1 / sqrt(H), "decoder0.context");
    m.head = linear_init(ps, H, task->outputs, "head");
    return m;
}

/* --- encoder ----------------------------------------------------------------------------------------- */

static real dropout_of(const Seq2seq *m, const Rng *dropout)
{
    return dropout ? (real)m->config.dropout : 0;
}

/* Returns the sources with the true tokens of each in reverse order. */
static const int *reversed(Tape *tp, const int *s, const int *len, int S, int B)
{
    int *back = tape_save(tp, (size_t)S * B * sizeof *back);
    for (int i = 0; i < S; i++)
        for (int b = 0; b < B; b++) back[i * B + b] = s[(i < len[b] ? len[b] - 1 - i : i) * B + b];
    return back;
}

/* Runs one layer on its inputs z (S,B,N) of each direction -> (S,B,H). z_back starts at each source's
 * end. *last becomes the state after the last step read; in the backward direction that is the source's
 * first. */
static Tensor *encoder_layer(Tape *tp, const Seq2seq *m, int i, SequenceInput z,
                             const SequenceInput *z_back, const int *len, CellState *last)
{
    const int B = z.B;
    *last = cell_zeros(tp, &m->forward[i], B);
    Tensor *h = cell_run(tp, &m->forward[i], z, last, len); /* eq 13.1 */
    if (!z_back) return h;
    CellState first = cell_zeros(tp, &m->backward[i], B);
    Tensor *g = cell_run(tp, &m->backward[i], *z_back, &first, len); /* (S,B,H/2) */
    last->h = op_concat(tp, last->h, first.h);                       /* (B,H) */
    if (last->c) last->c = op_concat(tp, last->c, first.c);
    return op_concat(tp, h, op_reverse(tp, g, len)); /* (S,B,H) */
}

/* Returns the keys (S,B,H), the part of the scores that does not depend on the query. */
static Tensor *keys(Tape *tp, const AttentionLayer *a, Tensor *state)
{
    return a->kind == NO_ATTENTION || a->kind == DOT ? state : op_matmul(tp, state, a->key);
}

Memory seq2seq_encode(Tape *tp, const Seq2seq *m, const int *s, const int *len, int S, int B,
                      Rng *dropout)
{
    const bool both = m->config.bidirectional;
    const real p = dropout_of(m, dropout);
    const int *back = both || m->config.reverse ? reversed(tp, s, len, S, B) : NULL;
    if (m->config.reverse) { /* the two directions change places */
        const int *there = s;
        s = back, back = there;
    }
    Memory memory = {.S = S, .B = B, .len = len};
    Tensor *h = NULL;
    SequenceInput z, z_back = {0};
    for (int i = 0; i < m->config.layers; i++) {
        const Cell *f = &m->forward[i], *b = &m->backward[i];
        h = i ? op_dropout(tp, h, p, dropout) : NULL;
        z = i ? sequence_of(cell_inputs(tp, f, h))
              : cell_inputs_of_words(tp, f, m->source_embed, s, S, B, p, dropout);
        if (both && i)
            z_back = sequence_of(cell_inputs(tp, b, op_reverse(tp, h, len)));
        else if (both)
            z_back = cell_inputs_of_words(tp, b, m->source_embed, back, S, B, p, dropout);
        h = encoder_layer(tp, m, i, z, both ? &z_back : NULL, len, &memory.last[i]); /* (S,B,H) */
    }
    memory.state = h;
    memory.key = keys(tp, &m->attention, h);
    return memory;
}

/* --- decoder ----------------------------------------------------------------------------------------- */

/* Returns the context vectors (T,B,H) of the decoder's states h (T,B,H). */
static Tensor *attend(Tape *tp, const AttentionLayer *a, const Memory *memory, Tensor *h,
                      const real **weights)
{
    if (!a->score) return op_attend_dot(tp, h, memory->key, memory->state, memory->len, weights);
    Tensor *query = op_matmul(tp, h, a->query); /* (T,B,H) */
    return op_attend_additive(tp, query, memory->key, a->score, memory->state, memory->len,
                              weights);
}

DecoderState seq2seq_start(Tape *tp, const Seq2seq *m, const Memory *memory)
{
    DecoderState s = {.fed = tape_zeros(tp, SHAPE(memory->B, m->config.hidden))};
    memcpy(s.cell, memory->last, sizeof s.cell); /* eq 14.1 */
    return s;
}

/* Returns the attentional vectors tanh([c; h] W), or without attention h itself: (T,B,H). */
static Tensor *readout(Tape *tp, const AttentionLayer *a, Tensor *context, Tensor *h)
{
    if (a->kind == NO_ATTENTION) return h;
    return op_tanh(tp, linear(tp, &a->out, op_concat(tp, context, h))); /* eq 15.5 */
}

/* Returns the vector fed into a step, (1,B,H): the context of additive attention, or with input feeding the
 * previous attentional vector; otherwise NULL. */
static Tensor *fed_back(Tape *tp, const Seq2seq *m, const Memory *memory, DecoderState *s)
{
    const Shape one = SHAPE(1, memory->B, m->config.hidden);
    Tensor *before = s->cell[m->config.layers - 1].h; /* (B,H) */
    if (m->config.feed) return op_reshape(tp, s->fed, one);
    if (m->attention.kind != ADDITIVE) return NULL;
    return attend(tp, &m->attention, memory, op_reshape(tp, before, one), &s->weights);
}

/* Runs T steps on the inputs z = y W + b (T,B,N); T is 1 if a vector is fed from step to step. Returns the
 * states h (T,B,H) of the last layer and their *context. */
static Tensor *decoder_run(Tape *tp, const Seq2seq *m, const Memory *memory, SequenceInput z,
                           DecoderState *s, Tensor **context, Rng *dropout)
{
    const real p = dropout_of(m, dropout);
    Tensor *fed = fed_back(tp, m, memory, s); /* (1,B,H) */
    if (fed) z = sequence_of(op_add(tp, sequence_tensor(tp, z), op_matmul(tp, fed, m->context)));
    Tensor *h = cell_run(tp, &m->decoder[0], z, &s->cell[0], NULL); /* (T,B,H), eq 13.2 */
    for (int i = 1; i < m->config.layers; i++) {
        z = sequence_of(cell_inputs(tp, &m->decoder[i], op_dropout(tp, h, p, dropout)));
        h = cell_run(tp, &m->decoder[i], z, &s->cell[i], NULL);
    }
    *context = fed; /* additive */
    if (m->attention.kind > ADDITIVE) *context = attend(tp, &m->attention, memory, h, &s->weights);
    if (m->config.feed)
        s->fed = op_reshape(tp, readout(tp, &m->attention, *context, h), s->fed->shape);
    return h;
}

Tensor *seq2seq_words(Tape *tp, const Seq2seq *m)
{
    return cell_inputs(tp, &m->decoder[0], m->target_embed);
}

Tensor *seq2seq_step(Tape *tp, const Seq2seq *m, const Memory *memory, const int *y,
                     DecoderState *s)
{
    const int B = memory->B;
    const SequenceInput z = memory->words
                                ? sequence_of_ids(memory->words, y, 1, B)
                                : cell_inputs_of_words(tp, &m->decoder[0], m->target_embed, y, 1, B,
                                                       0, NULL);            /* (1,B,N) */
    Tensor *context, *h = decoder_run(tp, m, memory, z, s, &context, NULL); /* (1,B,H) */
    Tensor *out = m->config.feed ? op_reshape(tp, s->fed, h->shape)
                                 : readout(tp, &m->attention, context, h); /* (1,B,H) */
    return linear(tp, &m->head, out);                                      /* (1,B,V) */
}

/* Runs the decoder step by step and returns the attentional vectors (T,B,H). Only input feeding needs each
 * vector at once; otherwise all of them are one product at the end. */
static Tensor *decoder_loop(Tape *tp, const Seq2seq *m, const Memory *memory, Tensor *z,
                            DecoderState *s, Rng *dropout)
{
    const int T = z->shape.d[0], B = memory->B, N = z->shape.d[2];
    const Shape row = SHAPE(B, m->config.hidden);
    Tensor **h = tape_save(tp, 2 * (size_t)T * sizeof *h), **context = h + T;
    for (int t = 0; t < T; t++) {
        Tensor *zt = op_reshape(tp, op_rows(tp, z, t, 1), SHAPE(1, B, N));
        h[t] = decoder_run(tp, m, memory, sequence_of(zt), s, &context[t], dropout); /* (1,B,H) */
        h[t] = m->config.feed ? s->fed : op_reshape(tp, h[t], row);                  /* (B,H) */
        context[t] = op_reshape(tp, context[t], row);
    }
    Tensor *all = op_stack(tp, h, T); /* (T,B,H) */
    return m->config.feed ? all : readout(tp, &m->attention, op_stack(tp, context, T), all);
}

/* Teacher forcing: every step reads the true previous token, not its own output (Williams & Zipser 1989). */
static Tensor *seq2seq_hidden(Tape *tp, const void *self, const Batch *batch, real *state,
                              Rng *dropout)
{
    const Seq2seq *m = self;
    const int T = batch->T, B = batch->B;
    CHECK(batch->S > 0 && !state, "seq2seq: a batch of pairs, without a state");
    const Memory memory = seq2seq_encode(tp, m, batch->s, batch->s_len, batch->S, B, dropout);
    DecoderState s = seq2seq_start(tp, m, &memory);
    const SequenceInput z = cell_inputs_of_words(tp, &m->decoder[0], m->target_embed, batch->x, T,
                                                 B, dropout_of(m, dropout), dropout); /* (T,B,N) */
    Tensor *context, *out;
    if (feeds_back(m)) {
        out = decoder_loop(tp, m, &memory, sequence_tensor(tp, z), &s, dropout); /* (T,B,H) */
    } else {
        Tensor *h = decoder_run(tp, m, &memory, z, &s, &context, dropout);
        out = readout(tp, &m->attention, context, h);
    }
    return op_dropout(tp, out, dropout_of(m, dropout), dropout); /* (T,B,H) */
}

static Tensor *seq2seq_logits(Tape *tp, const void *self, Tensor *hidden)
{
    return linear(tp, &((const Seq2seq *)self)->head, hidden);
}

static Tensor *seq2seq_forward(Tape *tp, const void *self, const Batch *batch, real *state,
                               Rng *dropout)
{
    return seq2seq_logits(tp, self, seq2seq_hidden(tp, self, batch, state, dropout)); /* (T,B,V) */
}

Model seq2seq_model(const Seq2seq *m)
{
    static const char *const gates[] = {
        [CELL_RNN] = NULL, [CELL_LSTM] = "i f o g", [CELL_GRU] = "r z n"};
    static const char *const names[] = {[NO_ATTENTION] = "seq2seq",
                                        [ADDITIVE] = "seq2seq+additive",
                                        [DOT] = "seq2seq+dot",
                                        [GENERAL] = "seq2seq+general",
                                        [CONCAT] = "seq2seq+concat"};
    return (Model){.self = m,
                   .name = names[m->attention.kind],
                   .gates = gates[m->config.cell],
                   .forward = seq2seq_forward,
                   .hidden = seq2seq_hidden,
                   .logits = seq2seq_logits};
}
