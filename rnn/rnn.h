/* The Elman network: see rnn.c. */
#ifndef RNN_H
#define RNN_H

#include "system/args.h"
#include "models/model.h"
#include "nn/layers.h"

enum { RNN_MAX_LAYERS = 64 };

typedef struct {
    int layers;   /* L */
    int channels; /* C, of the embedding */
    int hidden;   /* H, of each layer */
    double dropout;
} RnnConfig;

RnnConfig rnn_defaults(void);

#define RNN_OPTIONS(c)                                                                             \
    OPTION_GROUP("Model"), OPTION("layers", &(c)->layers, 1, RNN_MAX_LAYERS, "layers"),            \
        OPTION("channels", &(c)->channels, 1, 65536, "size of a token's embedding"),               \
        OPTION("hidden", &(c)->hidden, 1, 65536, "units of a layer"),                              \
        OPTION("dropout", &(c)->dropout, 0, 0.95,                                                  \
               "part of each layer's outputs left out in "                                         \
               "training")

typedef struct {
    Tensor *w, *u, *b; /* (C,H) (H,H) (H); C is H from the second layer on */
} RnnLayer;

typedef struct {
    RnnConfig config;
    Tensor *embed; /* (V,C); NULL: the task's inputs are real numbers */
    RnnLayer layer[RNN_MAX_LAYERS];
    Linear head; /* (H,outputs) */
} Rnn;

Rnn rnn_init(Params *ps, const RnnConfig *config, const Task *task);
Model rnn_model(const Rnn *m);

/* One layer over a sequence, x (T,B,C) and h0 (B,H) to (T,B,H), as the paper writes it: a step at a
 * time. h[t] (T of them) are the states. The model uses the faster op_rnn, which is equal. */
Tensor *rnn_layer_steps(Tape *tp, const RnnLayer *l, Tensor *x, Tensor *h0, Tensor **h);

/* norm[k] = |dL/dh|, the gradient of the loss at each sequence's last scored step with respect to the
 * last layer's state k steps before: how far back the network can feel (lesson 10). T values. */
void rnn_trace(const Rnn *m, const Batch *batch, double *norm);

#endif
