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
        OPTION("dropout", &(c)->dropout, 0, 0.95, "dropout rate of each layer's outputs")

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

/* Runs one layer step by step, as in the paper: x (T,B,C) and h0 (B,H) -> (T,B,H). h[0 .. T-1] receive the
 * states. The model uses op_rnn, which gives the same result faster. */
Tensor *rnn_layer_steps(Tape *tp, const RnnLayer *l, Tensor *x, Tensor *h0, Tensor **h);

/* Measures how far back the gradient reaches (lesson 10): norm[k], k = 0 .. T-1, becomes |dL/dh| of the last
 * layer's state k steps before each sequence's last scored step. */
void rnn_trace(const Rnn *m, const Batch *batch, double *norm);

#endif
