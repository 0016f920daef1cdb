/* Encoder and decoder, with or without attention: see seq2seq.c. */
#ifndef SEQ2SEQ_H
#define SEQ2SEQ_H

#include "system/args.h"
#include "nn/cell.h"
#include "models/model.h"

enum { SEQ2SEQ_MAX_LAYERS = 32 };

typedef enum { NO_ATTENTION, ADDITIVE, DOT, GENERAL, CONCAT } AttentionKind;
#define ATTENTION_CHOICES "none|additive|dot|general|concat" /* in the order of AttentionKind */
extern const char *const seq2seq_attention_names[];

typedef struct {
    CellKind cell;
    AttentionKind attention;
    int layers;   /* L, of the encoder and of the decoder */
    int channels; /* C, of the embeddings */
    int hidden;   /* H, of each layer; of a bidirectional encoder H/2 a direction */
    double dropout;
    bool bidirectional; /* encoder: reads both ways */
    bool feed;          /* input feeding: the decoder reads its previous attentional vector */
    bool reverse;       /* the encoder reads the source from its end (Sutskever et al. 2014) */
} Seq2seqConfig;

Seq2seqConfig seq2seq_defaults(void);

#define SEQ2SEQ_OPTIONS(c)                                                                         \
    OPTION_GROUP("Model"),                                                                         \
        OPTION_CHOICE("attention", &(c)->attention, ATTENTION_CHOICES,                             \
                      "how the decoder attends to the source"),                                    \
        OPTION_CHOICE("cell", &(c)->cell, CELL_CHOICES, "kind of the layers"),                     \
        OPTION("layers", &(c)->layers, 1, SEQ2SEQ_MAX_LAYERS,                                      \
               "layers of the encoder and of the decoder"),                                        \
        OPTION("channels", &(c)->channels, 1, 65536, "size of a token's embedding"),               \
        OPTION("hidden", &(c)->hidden, 1, 65536,                                                   \
               "units of a layer; a bidirectional encoder has half in each direction"),            \
        OPTION("dropout", &(c)->dropout, 0, 0.95,                                                  \
               "dropout rate of embeddings and layers' outputs"),                                  \
        OPTION_FLAG("bidirectional", &(c)->bidirectional, "the encoder reads in both directions"), \
        OPTION_FLAG("feed", &(c)->feed,                                                            \
                    "input feeding: the attentional vector is part of the next input"),            \
        OPTION_FLAG("reverse-source", &(c)->reverse, "read the source from its end")

typedef struct {
    AttentionKind kind;
    Tensor *query; /* (H,H) W_a: additive and concat */
    Tensor *key;   /* (H,H) U_a: additive and concat; W_a^T: general */
    Tensor *score; /* (H) a: additive and concat */
    Linear out;    /* (2H,H): [c; h] -> the attentional vector, from which the logits follow */
} AttentionLayer;

typedef struct {
    Seq2seqConfig config;
    Tensor *source_embed, *target_embed; /* (V,C) */
    Cell forward[SEQ2SEQ_MAX_LAYERS];    /* encoder */
    Cell backward[SEQ2SEQ_MAX_LAYERS];   /* its other direction, if bidirectional */
    Cell decoder[SEQ2SEQ_MAX_LAYERS];
    Tensor *context; /* (H,N): weights of the vector fed into the decoder's first layer, or NULL */
    AttentionLayer attention;
    Linear head; /* (H,V) */
} Seq2seq;

/* Fails if options of the command line or a config.json contradict each other. */
bool seq2seq_check(const Seq2seqConfig *config, Error *err);

Seq2seq seq2seq_init(Params *ps, const Seq2seqConfig *config, const Task *task);
Model seq2seq_model(const Seq2seq *m);

/* --- decoding, a step at a time ----------------------------------------------------------------- */

/* The encoder's result for S steps of B sources. */
typedef struct {
    int S, B;
    const int *len;      /* (B) */
    Tensor *state, *key; /* (S,B,H) the outputs; the keys that attention compares with queries */
    CellState last[SEQ2SEQ_MAX_LAYERS]; /* (B,H) after the last true step */
    Tensor *words; /* (V,N) from seq2seq_words, if many steps share the weights; or NULL */
} Memory;

/* The decoder's state between two steps. */
typedef struct {
    CellState cell[SEQ2SEQ_MAX_LAYERS]; /* (B,H) */
    Tensor *fed;                        /* (B,H): the previous attentional vector */
    const real *weights;                /* (T,B,S) of the last call, or NULL without attention */
} DecoderState;

/* Encodes ids s (S,B), of which sequence b has len[b], then PAD. dropout: NULL when not training. */
Memory seq2seq_encode(Tape *tp, const Seq2seq *m, const int *s, const int *len, int S, int B,
                      Rng *dropout);
/* Returns the decoder's first-layer inputs y W + b of the whole target vocabulary, (V,N). */
Tensor *seq2seq_words(Tape *tp, const Seq2seq *m);
DecoderState seq2seq_start(Tape *tp, const Seq2seq *m, const Memory *memory);

/* Feeds the ids y (B) and returns the logits (1,B,V) of the next token. */
Tensor *seq2seq_step(Tape *tp, const Seq2seq *m, const Memory *memory, const int *y,
                     DecoderState *s);

#endif
