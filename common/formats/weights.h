/* Imports recurrent networks that other programs trained: an embedding, layers of one cell, and a
 * head.
 *
 *   FILE.safetensors   PyTorch's nn.RNN, nn.LSTM or nn.GRU, with any prefix (PREFIX.weight_ih_l0),
 *                      an embedding NAME.weight (V,C) and an nn.Linear NAME.weight (V,H), NAME.bias
 *   DIRECTORY          manifest.json and raw float32 files of a TensorFlow BasicLSTMCell, in the
 *                      format of deeplearn.js and ml5
 *
 * The vocabulary is vocab.json in the same directory, {"a": 4, "b": 22, ...} or ["a", "b", ...]. Without it, an
 * embedding with 256 rows is one of bytes. */
#ifndef WEIGHTS_H
#define WEIGHTS_H

#include "nn/layers.h"
#include "tokens/tokenizer.h"

enum { WEIGHTS_MAX_LAYERS = 16 };

/* The matrices are in our orientation (a row of x times w); the gates keep the order of the source
 * file. */
typedef struct {
    Tensor *w, *u;   /* (C,gH) (H,gH) */
    Tensor *bx, *bh; /* (gH): biases of x w and h u; bh may be NULL */
} WeightsLayer;

typedef struct {
    const char *cell;   /* "rnn", "lstm", "gru" */
    const char *gates;  /* the order of the gates: "h", "i f g o", "r z n" */
    double forget_bias; /* a constant that the source program adds to the forget gate at run time */
    int layers, V, C, H;
    Tensor *embed; /* (V,C), rows in the order of the source file */
    WeightsLayer layer[WEIGHTS_MAX_LAYERS];
    Linear head;      /* (H,V) (V) */
    Tokenizer tokens; /* our vocabulary */
    int *row;         /* maps each of our ids to a row of embed; -1 for the unknown character */
    Params theirs;    /* owns the tensors */
    Tape memory;      /* owns the views of parts of the tensors */
} Weights;

/* Opens the weights in `path`. vocab is the path of the vocabulary; NULL means vocab.json in the
 * directory `path`, or in the directory of the file `path`. Errors: a tensor is missing, is unknown
 * or has an unexpected shape; the network is of another kind (bidirectional, projections); the
 * embedding cannot be told from the head; the vocabulary does not fit, or the one that was named
 * does not exist. After an error there is nothing to close. */
bool weights_open(Weights *f, const char *path, const char *vocab, Error *err);
void weights_close(Weights *f);

/* Copies a layer into our parameters w (C,gH), u (H,gH), b (gH), with the gates in the order given.
 * b is the sum of both biases. If k (H) is not NULL, for a GRU, gate n's part of bh goes to k
 * instead. */
void weights_layer(const Weights *f, int layer, const char *gates, Tensor *w, Tensor *u, Tensor *b,
                   Tensor *k);
/* Copies the embedding to embed (V+1,C) and the head to (H,V+1), (V+1), in the order of our ids.
 * The unknown character gets an embedding of zeros and a bias of -1e9, so that it is never
 * predicted. */
void weights_ends(const Weights *f, Tensor *embed, const Linear *head);

/* --- shared by weights*.c --------------------------------------------------------------------- */
bool weights_read_torch(Weights *f, const char *path, Error *err);
bool weights_read_tensorflow(Weights *f, const char *dir, Error *err);

#endif
