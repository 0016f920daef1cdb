/* The gated recurrent network, with LSTM or GRU layers: see gated.c. */
#ifndef GATED_H
#define GATED_H

#include "system/args.h"
#include "lstm_gru/gru.h"
#include "lstm_gru/lstm.h"
#include "models/model.h"
#include "models/trace.h"

enum { GATED_MAX_LAYERS = 64 };

typedef enum { GATED_LSTM, GATED_GRU } GatedCell;
typedef enum { RESET_AFTER, RESET_BEFORE } GruReset; /* before or after the product h U */

typedef struct {
    GatedCell cell;
    int layers;   /* L */
    int channels; /* C, of the embedding */
    int hidden;   /* H, of each layer */
    double dropout;
    bool forget_gate;   /* LSTM: off is the cell of 1997 */
    double forget_bias; /* LSTM: its initial value */
    GruReset reset;     /* GRU */
    bool inner_bias;    /* GRU: a bias inside the reset, as in imported weights */
} GatedConfig;

GatedConfig gated_defaults(void);

#define GATED_OPTIONS(c)                                                                           \
    OPTION_GROUP("Model"), OPTION_CHOICE("cell", &(c)->cell, "lstm|gru", "kind of the layers"),    \
        OPTION("layers", &(c)->layers, 1, GATED_MAX_LAYERS, "layers"),                             \
        OPTION("channels", &(c)->channels, 1, 65536, "size of a token's embedding"),               \
        OPTION("hidden", &(c)->hidden, 1, 65536, "units of a layer"),                              \
        OPTION("dropout", &(c)->dropout, 0, 0.95, "dropout rate of each layer's outputs"),         \
        OPTION_FLAG("forget-gate", &(c)->forget_gate, "LSTM: off (--no-forget-gate) as in 1997"),  \
        OPTION("forget-bias", &(c)->forget_bias, -30, 30,                                          \
               "LSTM: initial bias of the forget gate"),                                           \
        OPTION_CHOICE("reset", &(c)->reset, "after|before",                                        \
                      "GRU: reset gate after or before the product"),                              \
        OPTION_FLAG("inner-bias", &(c)->inner_bias, "GRU: a bias inside the reset, as in PyTorch")

typedef struct {
    GatedConfig config;
    bool is_lstm;
    Tensor *embed; /* (V,C); NULL: the task's inputs are real numbers */
    LstmLayer lstm[GATED_MAX_LAYERS];
    GruLayer gru[GATED_MAX_LAYERS]; /* only one of the two is used */
    Linear head;                    /* (H,outputs) */
} Gated;

/* Fails if options of the command line or a config.json contradict each other. */
bool gated_check(const GatedConfig *config, Error *err);

Gated gated_init(Params *ps, const GatedConfig *config, const Task *task);
Model gated_model(const Gated *m);

/* Measures how far back the gradient reaches (lesson 10): |dL/dh|, and |dL/dc| of an LSTM, of the last
 * layer's state k steps before each sequence's last scored step. */
LagTrace gated_trace_lags(const Gated *m, const Batch *batch);

/* Returns the gates of the last layer over T tokens, from a zero state. */
GateTrace gated_trace_gates(const Gated *m, const int *ids, int T);

#endif
