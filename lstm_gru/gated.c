/* A recurrent network with gates: the network of rnn/rnn.c with another cell.
 *
 *   embedding, layers of LSTM (lstm.c) or GRU cells (gru.c), logits y_t = h_t W_y + c
 *
 * What differs from the Elman network is the cell alone: what it carries is changed by gates, which
 * the network computes from what it reads. The LSTM carries two vectors, h and c, the GRU one.
 *
 * Shapes: B sequences, T steps (time is the first axis), C channels, H hidden, V vocabulary. */
#include "lstm_gru/gated.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

GatedConfig gated_defaults(void)
{
    return (GatedConfig){.cell = GATED_LSTM,
                         .layers = 1,
                         .channels = 64,
                         .hidden = 256,
                         .forget_gate = true,
                         .forget_bias = 1,
                         .reset = RESET_AFTER};
}

bool gated_check(const GatedConfig *config, Error *err)
{
    return !config->inner_bias || config->reset == RESET_AFTER ||
           error_set(err, "--inner-bias: a bias inside the reset needs --reset after");
}

Gated gated_init(Params *ps, const GatedConfig *config, const Task *task)
{
    Gated m = {.config = *config, .is_lstm = config->cell == GATED_LSTM};
    CHECK(config->layers <= GATED_MAX_LAYERS, "gated: %d layers; at most %d", config->layers,
          GATED_MAX_LAYERS);
    int C = task->vocab ? config->channels : task->inputs;
    const int H = config->hidden;
    if (task->vocab) m.embed = param(ps, SHAPE(task->vocab, C), 1, "embed");
    for (int i = 0; i < config->layers; i++) {
        params_push(ps, "l%d", i);
        if (m.is_lstm)
            m.lstm[i] = lstm_init(ps, C, H, config->forget_gate, config->forget_bias);
        else
            m.gru[i] = gru_init(ps, C, H, config->reset == RESET_AFTER, config->inner_bias);
        params_pop(ps);
        C = H;
    }
    m.head = linear_init(ps, H, task->outputs ? task->outputs : 1, "head");
    return m;
}

/* Returns a layer's weights of the input: w (C,4H), b (4H); for a GRU 3H. */
static Linear input_weights(const Gated *m, int layer)
{
    return m->is_lstm ? (Linear){m->lstm[layer].w, m->lstm[layer].b}
                      : (Linear){m->gru[layer].w, m->gru[layer].b};
}

/* Returns the input of the first layer: embeddings, or the task's real numbers. */
static Tensor *inputs(Tape *tp, const Gated *m, const Batch *batch)
{
    const int T = batch->T, B = batch->B;
    if (m->embed) return op_embed(tp, m->embed, batch->x, SHAPE(T, B)); /* (T,B,C) */
    Tensor *x = tape_tensor(tp, SHAPE(T, B, input_weights(m, 0).w->shape.d[0]));
    memcpy(x->data, batch->u, (size_t)x->len * sizeof *x->data);
    return x;
}

/* Computes x_t W + b of the first layer for all steps. If the batch has more tokens than the vocabulary, it
 * multiplies the embedding table once and looks the products up, which costs less. */
static SequenceInput first_products(Tape *tp, const Gated *m, const Batch *batch)
{
    const Linear in = input_weights(m, 0);
    if (!m->embed || m->embed->shape.d[0] > batch->T * batch->B)
        return sequence_of(linear(tp, &in, inputs(tp, m, batch)));
    Tensor *table = linear(tp, &in, m->embed); /* (V,4H) */
    return sequence_of_ids(table, batch->x, batch->T, batch->B);
}

/* Returns a state (B,H) of one layer: zeros, or the state that the previous batch left. */
static Tensor *initial_state(Tape *tp, int B, int H, const real *carried)
{
    Tensor *s = tape_zeros(tp, SHAPE(B, H));
    if (carried) memcpy(s->data, carried, (size_t)s->len * sizeof *carried);
    return s;
}

static void carry(real *carried, const Tensor *s)
{
    if (carried) memcpy(carried, s->data, (size_t)s->len * sizeof *carried);
}

/* Runs one layer over all steps, z (T,B,4H) -> (T,B,H). carried: its h and, for an LSTM, its c. */
static Tensor *layer(Tape *tp, const Gated *m, int i, SequenceInput z, real *carried)
{
    const int B = z.B, H = m->config.hidden;
    real *carried_c = carried ? carried + (size_t)B * H : NULL;
    if (!m->is_lstm) {
        GruState s = {.h = initial_state(tp, B, H, carried)};
        Tensor *h = gru_layer(tp, &m->gru[i], z, &s); /* (T,B,H) */
        carry(carried, s.h);
        return h;
    }
    LstmState s = {.h = initial_state(tp, B, H, carried), .c = initial_state(tp, B, H, carried_c)};
    Tensor *h = lstm_layer(tp, &m->lstm[i], z, &s); /* (T,B,H) */
    carry(carried, s.h);
    carry(carried_c, s.c);
    return h;
}

static Tensor *head(Tape *tp, const Gated *m, const Batch *batch, Tensor *h)
{
    if (batch->y) return linear(tp, &m->head, h); /* (T,B,V) */
    return linear(tp, &m->head,
                  op_reshape(tp, op_rows(tp, h, batch->T - 1, 1),
                             SHAPE(batch->B, m->config.hidden))); /* (B,1) */
}

static int state_of_layer(const Gated *m)
{
    return (m->is_lstm ? 2 : 1) * m->config.hidden;
}

static Tensor *gated_hidden(Tape *tp, const void *self, const Batch *batch, real *state,
                            Rng *dropout)
{
    const Gated *m = self;
    const real p = dropout ? (real)m->config.dropout : 0;
    Tensor *h = NULL;
    for (int i = 0; i < m->config.layers; i++) {
        real *carried = state ? state + (size_t)i * batch->B * state_of_layer(m) : NULL;
        const Linear in = input_weights(m, i);
        /* Only h U waits for the previous step; x W of all steps is one product. */
        const SequenceInput z =
            i ? sequence_of(linear(tp, &in, h)) : first_products(tp, m, batch); /* (T,B,4H) */
        h = op_dropout(tp, layer(tp, m, i, z, carried), p, dropout);            /* (T,B,H) */
    }
    return h;
}

static Tensor *gated_logits(Tape *tp, const void *self, Tensor *hidden)
{
    return linear(tp, &((const Gated *)self)->head, hidden);
}

static Tensor *gated_forward(Tape *tp, const void *self, const Batch *batch, real *state,
                             Rng *dropout)
{
    return head(tp, self, batch, gated_hidden(tp, self, batch, state, dropout));
}

Model gated_model(const Gated *m)
{
    const char *lstm = m->config.forget_gate ? "i f o g" : "i o g";
    return (Model){.self = m,
                   .name = m->is_lstm ? "lstm" : "gru",
                   .gates = m->is_lstm ? lstm : "r z n",
                   .forward = gated_forward,
                   .hidden = gated_hidden,
                   .logits = gated_logits,
                   .state_size = m->config.layers * state_of_layer(m),
                   .state_blocks = m->config.layers * (m->is_lstm ? 2 : 1)};
}

/* --- looking inside: the same network a step at a time ---------------------------------------------- */

typedef struct {
    Tensor **h;       /* T states (B,H) */
    Tensor **c;       /* T cell states of an LSTM, else NULL */
    Tensor **gate[3]; /* i f o, or r z; NULL where there is none */
} StepTrace;

static StepTrace step_trace_new(Tape *tp, int T)
{
    Tensor **all = tape_save(tp, 5 * (size_t)T * sizeof *all);
    return (StepTrace){.h = all, .c = all + T, .gate = {all + 2 * T, all + 3 * T, all + 4 * T}};
}

/* Runs one layer step by step, x (T,B,C) -> (T,B,H), and keeps every state and gate in *s. */
static Tensor *layer_steps(Tape *tp, const Gated *m, int i, Tensor *x, StepTrace *s)
{
    const int T = x->shape.d[0], B = x->shape.d[1], H = m->config.hidden;
    LstmState a = {.h = tape_zeros(tp, SHAPE(B, H)), .c = tape_zeros(tp, SHAPE(B, H))};
    GruState b = {.h = a.h};
    for (int t = 0; t < T; t++) {
        Tensor *xt = op_rows(tp, x, t, 1); /* (B,C) */
        if (m->is_lstm) {
            a = lstm_step(tp, &m->lstm[i], xt, a);
            s->h[t] = a.h, s->c[t] = a.c;
            s->gate[0][t] = a.i, s->gate[1][t] = a.f, s->gate[2][t] = a.o;
        } else {
            b = gru_step(tp, &m->gru[i], xt, b);
            s->h[t] = b.h, s->c[t] = NULL;
            s->gate[0][t] = b.r, s->gate[1][t] = b.z, s->gate[2][t] = NULL;
        }
    }
    return op_stack(tp, s->h, T); /* (T,B,H) */
}

static Tensor *all_steps(Tape *tp, const Gated *m, const Batch *batch, StepTrace *last)
{
    Tensor *x = inputs(tp, m, batch);
    *last = step_trace_new(tp, batch->T);
    for (int i = 0; i < m->config.layers; i++) x = layer_steps(tp, m, i, x, last);
    return x;
}

LagTrace gated_trace_lags(const Gated *m, const Batch *batch)
{
    const int T = batch->T;
    Tape tp = {.keep_grads = true};
    StepTrace s;
    Tensor *out = head(&tp, m, batch, all_steps(&tp, m, batch, &s));
    const int *y = batch->y ? trace_last_targets(&tp, batch) : NULL;
    tape_backward(&tp, y ? op_cross_entropy(&tp, out, y) : op_mse(&tp, out, batch->v));
    LagTrace trace = trace_lags_new(T, m->is_lstm);
    trace_lag_norms(batch, s.h, trace.h);
    if (trace.c) trace_lag_norms(batch, s.c, trace.c);
    tape_free(&tp);
    return trace;
}

GateTrace gated_trace_gates(const Gated *m, const int *ids, int T)
{
    static const char *const names[2][3] = {{"reset", "update"}, {"input", "forget", "output"}};
    const int H = m->config.hidden;
    Tape tp = {.frozen = true};
    StepTrace s;
    all_steps(&tp, m, &(Batch){.T = T, .B = 1, .x = (int *)ids}, &s);
    GateTrace trace = {.T = T, .H = H};
    for (int k = 0; k < 3; k++) {
        if (!s.gate[k][0]) continue; /* no forget gate, no third of a GRU */
        real *value = xmalloc((size_t)T * H * sizeof *value);
        for (int t = 0; t < T; t++)
            memcpy(value + (size_t)t * H, s.gate[k][t]->data, (size_t)H * sizeof *value);
        trace.name[trace.gates] = names[m->is_lstm][k];
        trace.value[trace.gates++] = value;
    }
    tape_free(&tp);
    return trace;
}
