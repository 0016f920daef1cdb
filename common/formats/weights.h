/* Other people's trained recurrent networks: embedding, layers of one cell, logits.
 *
 *   FILE.safetensors   PyTorch's nn.RNN, nn.LSTM, nn.GRU, under any prefix: PREFIX.weight_ih_l0 and so
 *                      on, an embedding NAME.weight (V,C) and an nn.Linear NAME.weight (V,H), NAME.bias
 *   DIRECTORY          manifest.json and raw float32 files of a TensorFlow BasicLSTMCell, as
 *                      deeplearn.js and ml5 have them
 *
 * The vocabulary is vocab.json beside them, {"a": 4, "b": 22, ...}, or for 256 rows the bytes. */
#ifndef WEIGHTS_H
#define WEIGHTS_H

#include "nn/layers.h"
#include "tokens/tokenizer.h"

enum { WEIGHTS_MAX_LAYERS = 16 };

/* Everything in our orientation (a row of x times w), gates in the order of their maker. */
typedef struct {
    Tensor *w, *u;   /* (C,gH) (H,gH) */
    Tensor *bx, *bh; /* (gH): biases of both products; bh may be NULL */
} WeightsLayer;

typedef struct {
    const char *cell;   /* "rnn", "lstm", "gru" */
    const char *gates;  /* their order: "h", "i f g o", "r z n" */
    double forget_bias; /* what the maker's code adds to the forget gate besides */
    int layers, V, C, H;
    Tensor *embed; /* (V,C), rows in the maker's order */
    WeightsLayer layer[WEIGHTS_MAX_LAYERS];
    Linear head;      /* (H,V) (V) */
    Tokenizer tokens; /* ours */
    int *row;         /* of each of our ids, the maker's id; -1 for the unknown character */
    Params theirs;    /* owns the tensors, */
    Tape memory;      /* and this their parts */
} Weights;

/* vocab: the vocabulary's file, or NULL: vocab.json in or beside path. Errors: what is missing, of an
 * unexpected shape, of a kind that is none of the above (two directions, projections), a tensor that has no
 * place, an embedding that cannot be told from the head, a vocabulary
 * that does not fit, a vocabulary that was named and is not there. Then there is nothing to close. */
bool weights_open(Weights *f, const char *path, const char *vocab, Error *err);
void weights_close(Weights *f);

/* Copies a layer into ours, w (C,gH), u (H,gH), b (gH), with the gates in the order given. Both biases
 * are added up in b; but with k (H), a GRU's, bh of gate n goes there. */
void weights_layer(const Weights *f, int layer, const char *gates, Tensor *w, Tensor *u, Tensor *b,
                   Tensor *k);
/* Embedding (V+1,C) and head (H,V+1), (V+1) by our ids. The unknown character has an embedding of
 * zeros and is never predicted. */
void weights_ends(const Weights *f, Tensor *embed, const Linear *head);

/* --- shared by weights*.c --------------------------------------------------------------------- */
bool weights_read_torch(Weights *f, const char *path, Error *err);
bool weights_read_tensorflow(Weights *f, const char *dir, Error *err);

#endif
