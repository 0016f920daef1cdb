/* A recurrent network (Elman 1990): a state that is carried from token to token.
 *
 *   h_t = tanh(x_t W + h_{t-1} U + b)        the hidden state: a summary of all tokens so far
 *   y_t = h_t W_y + c                        the logits of the next token
 *
 * It is the first model here without a fixed window: in principle h_t depends on every earlier token. It is
 * trained by back-propagation through time (Werbos 1990): the tape records the loop over t and walks it
 * backwards. The gradient stops at the start of the sequence (truncation), because the state from the
 * previous batch is a constant.
 *
 * Elman feeds back the state; Jordan (1986) feeds back the output y. In stacked layers (Graves 2013) the
 * states of one layer are the inputs of the next.
 *
 * Shapes: B sequences, T steps (time is the first axis, so that a step is a slice), C channels,
 * H hidden, V vocabulary. */
#include "rnn/rnn.h"
#include "models/trace.h"

#include <math.h>
#include <string.h>

RnnConfig rnn_defaults(void)
{
    return (RnnConfig){.layers = 1, .channels = 64, .hidden = 256};
}

Rnn rnn_init(Params *ps, const RnnConfig *config, const Task *task)
{
    Rnn m = {.config = *config};
    CHECK(config->layers <= RNN_MAX_LAYERS, "rnn: %d layers; at most %d", config->layers,
          RNN_MAX_LAYERS);
    int C = task->vocab ? config->channels : task->inputs;
    const int H = config->hidden;
    if (task->vocab) m.embed = param(ps, SHAPE(task->vocab, C), 1, "embed");
    for (int i = 0; i < config->layers; i++) {
        RnnLayer *l = &m.layer[i];
        params_push(ps, "l%d", i);
        l->w = param(ps, SHAPE(C, H), 1 / sqrt(C), "w");
        l->u = param(ps, SHAPE(H, H), 0, "u");
        param_orthogonal(ps, l->u, 1); /* preserves the norm of h and of its gradient */
        l->b = param(ps, SHAPE(H), 0, "b");
        params_pop(ps);
        C = H;
    }
    m.head = linear_init(ps, H, task->outputs ? task->outputs : 1, "head");
    return m;
}

Tensor *rnn_layer_steps(Tape *tp, const RnnLayer *l, Tensor *x, Tensor *h0, Tensor **h)
{
    const int T = x->shape.d[0];
    for (int t = 0; t < T; t++) {
        Tensor *before = t ? h[t - 1] : h0; /* (B,H) */
        Tensor *xw = op_matmul(tp, op_rows(tp, x, t, 1), l->w);
        Tensor *hu = op_matmul(tp, before, l->u);
        h[t] = op_tanh(tp, op_bias(tp, op_add(tp, xw, hu), l->b)); /* eq 9.1 */
    }
    return op_stack(tp, h, T); /* (T,B,H) */
}

/* Returns the input of the first layer: embeddings, or the task's real numbers. */
static Tensor *inputs(Tape *tp, const Rnn *m, const Batch *batch)
{
    const int T = batch->T, B = batch->B;
    if (m->embed) return op_embed(tp, m->embed, batch->x, SHAPE(T, B)); /* (T,B,C) */
    Tensor *x = tape_tensor(tp, SHAPE(T, B, m->layer[0].w->shape.d[0]));
    memcpy(x->data, batch->u, (size_t)x->len * sizeof *x->data);
    return x;
}

/* Computes x_t W + b of the first layer for all steps. If the batch has more tokens than the vocabulary, it
 * multiplies the embedding table once and looks the products up, which costs less. */
static SequenceInput first_products(Tape *tp, const Rnn *m, const Batch *batch)
{
    const RnnLayer *l = &m->layer[0];
    if (!m->embed || m->embed->shape.d[0] > batch->T * batch->B)
        return sequence_of(op_linear(tp, inputs(tp, m, batch), l->w, l->b));
    Tensor *table = op_linear(tp, m->embed, l->w, l->b); /* (V,H) */
    return sequence_of_ids(table, batch->x, batch->T, batch->B);
}

/* Returns h0 of one layer: zeros, or the state that the previous batch left. */
static Tensor *initial_state(Tape *tp, int B, int H, const real *state)
{
    Tensor *h0 = tape_zeros(tp, SHAPE(B, H));
    if (state) memcpy(h0->data, state, (size_t)h0->len * sizeof *state);
    return h0;
}

static Tensor *head(Tape *tp, const Rnn *m, const Batch *batch, Tensor *h)
{
    if (batch->y) return linear(tp, &m->head, h); /* (T,B,V) eq 9.2 */
    return linear(tp, &m->head,
                  op_reshape(tp, op_rows(tp, h, batch->T - 1, 1),
                             SHAPE(batch->B, m->config.hidden))); /* (B,1) */
}

static Tensor *rnn_hidden(Tape *tp, const void *self, const Batch *batch, real *state, Rng *dropout)
{
    const Rnn *m = self;
    const int T = batch->T, B = batch->B, H = m->config.hidden;
    const real p = dropout ? (real)m->config.dropout : 0;
    Tensor *h = NULL;
    for (int i = 0; i < m->config.layers; i++) {
        const RnnLayer *l = &m->layer[i];
        real *carried = state ? state + (size_t)i * B * H : NULL;
        /* Only h U waits for the previous step; x W of all steps is one product. */
        const SequenceInput z = i ? sequence_of(op_linear(tp, h, l->w, l->b))
                                  : first_products(tp, m, batch);  /* (T,B,H) */
        h = op_rnn(tp, z, initial_state(tp, B, H, carried), l->u); /* (T,B,H) */
        if (carried)
            memcpy(carried, h->data + (size_t)(T - 1) * B * H, (size_t)B * H * sizeof(real));
        h = op_dropout(tp, h, p, dropout);
    }
    return h;
}

static Tensor *rnn_logits(Tape *tp, const void *self, Tensor *hidden)
{
    return linear(tp, &((const Rnn *)self)->head, hidden);
}

static Tensor *rnn_forward(Tape *tp, const void *self, const Batch *batch, real *state,
                           Rng *dropout)
{
    return head(tp, self, batch, rnn_hidden(tp, self, batch, state, dropout));
}

Model rnn_model(const Rnn *m)
{
    return (Model){.self = m,
                   .name = "rnn",
                   .forward = rnn_forward,
                   .hidden = rnn_hidden,
                   .logits = rnn_logits,
                   .state_size = m->config.layers * m->config.hidden,
                   .state_blocks = m->config.layers};
}

void rnn_trace(const Rnn *m, const Batch *batch, double *norm)
{
    const int T = batch->T, B = batch->B, H = m->config.hidden, last = m->config.layers - 1;
    Tape tp = {.keep_grads = true};
    Tensor *x = inputs(&tp, m, batch), **h = tape_save(&tp, (size_t)T * sizeof *h);
    for (int i = 0; i <= last; i++)
        x = rnn_layer_steps(&tp, &m->layer[i], x, initial_state(&tp, B, H, NULL), h);

    const int *y = batch->y ? trace_last_targets(&tp, batch) : NULL;
    Tensor *out = head(&tp, m, batch, x);
    tape_backward(&tp, y ? op_cross_entropy(&tp, out, y) : op_mse(&tp, out, batch->v));
    trace_lag_norms(batch, h, norm);
    tape_free(&tp);
}
