/* Three networks of one layer that lesson 21 compares: an Elman network, a GRU and a Transformer's decoder. */
#ifndef ONE_LAYER_H
#define ONE_LAYER_H

#include "lstm_gru/gated.h"
#include "models/model.h"
#include "nn/optim.h"
#include "rnn/rnn.h"
#include "transformer/transformer.h"

enum { ONE_LAYER_VOCAB = 64 };
typedef enum { RNN, GRU, DECODER, ONE_LAYERS } OneLayerKind;
extern const char *const one_layer_names[ONE_LAYERS];

typedef struct {
    Params ps;
    Rnn rnn; /* one of rnn, gated and decoder is used */
    Gated gated;
    Transformer decoder;
    Model model;
    Optim optim;
    Tape tape;
    Batch batch;
} OneLayer;

/* Returns the sizes of the decoder: one layer, with 4 channels feed-forward units. */
TransformerConfig one_layer_decoder(int channels, int heads);

/* Builds a network; the caller frees it with one_layer_free. Recurrent layers have `channels` hidden units. */
OneLayer *one_layer_new(OneLayerKind kind, int channels, int heads);
void one_layer_free(OneLayer *n);

/* Fills n->batch with B sequences of T random tokens and as many random targets. */
void one_layer_draw(OneLayer *n, int T, int B);

/* Returns the length of the longest chain of operations on the tape over the T steps of n->batch. Recurrent
 * layers run step by step here, because op_rnn and op_gru do all steps in one op. */
int one_layer_depth(const OneLayer *n, OneLayerKind kind, int T);

#endif
