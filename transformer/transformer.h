/* The Transformer: see transformer.c. */
#ifndef TRANSFORMER_H
#define TRANSFORMER_H

#include "system/args.h"
#include "models/model.h"
#include "nn/layers.h"
#include "nn/positions.h"

enum { TRANSFORMER_MAX_LAYERS = 128 };

typedef enum { NO_PRESET, PRESET_TINY, PRESET_BASE, PRESET_BIG } TransformerPreset;
typedef enum { POST_NORM, PRE_NORM, NO_NORM } NormPlace; /* after the sum, as published; before */

typedef struct {
    TransformerPreset preset; /* sets the five sizes that follow */
    int layers;               /* L, N in the paper: of the encoder, and of the decoder */
    int channels;             /* C, d_model in the paper */
    int heads;                /* H */
    int ffn;                  /* F, d_ff in the paper; 0: no feed-forward layers */
    double dropout;           /* rate, for embeddings and outputs of sublayers */
    Positions positions;
    NormPlace norm;
    bool residual;    /* sublayers add their output to their input */
    bool tied;        /* the output layer uses the target's embedding */
    double smoothing; /* label smoothing */
    int longest;      /* number of learned positions */
} TransformerConfig;

TransformerConfig transformer_defaults(void);

#define TRANSFORMER_OPTIONS(c)                                                                     \
    OPTION_GROUP("Model"),                                                                         \
        OPTION_CHOICE("preset", &(c)->preset, "none|tiny|base|big",                                \
                      "sets all sizes: those of the paper, or tiny"),                              \
        OPTION("layers", &(c)->layers, 1, TRANSFORMER_MAX_LAYERS,                                  \
               "layers of the encoder and of the decoder"),                                        \
        OPTION("channels", &(c)->channels, 1, 65536, "size of embeddings and states (d_model)"),   \
        OPTION("heads", &(c)->heads, 1, 1024, "attention heads"),                                  \
        OPTION("ffn", &(c)->ffn, 0, 1000000, "units of the feed-forward layers (0: none)"),        \
        OPTION("dropout", &(c)->dropout, 0, 0.95, "dropout rate of embeddings and sublayers"),     \
        OPTION_CHOICE("positions", &(c)->positions, POSITIONS_CHOICES,                             \
                      "how positions are encoded"),                                                \
        OPTION_CHOICE("norm", &(c)->norm, "post|pre|none",                                         \
                      "LayerNorm after the sum or before the sublayer"),                           \
        OPTION_FLAG("residual", &(c)->residual, "residual connections"),                           \
        OPTION_FLAG("tied", &(c)->tied, "the output layer uses the target's embedding"),           \
        OPTION("label-smoothing", &(c)->smoothing, 0, 0.99,                                        \
               "share of the target probability spread over all tokens (also in the logged "       \
               "training loss)"),                                                                  \
        OPTION("longest", &(c)->longest, 1, 65536, "number of learned positions")

typedef struct {
    Linear q, k, v, out; /* (C,C) each */
} MultiHead;

typedef struct {
    Norm norm_self, norm_cross, norm_ffn;
    MultiHead self, cross; /* cross: only in a decoder with an encoder */
    Linear up, down;       /* (C,F) (F,C) */
} Block;

typedef struct {
    TransformerConfig config;
    bool has_encoder;                          /* false: a decoder alone, for one sequence */
    Tensor *source_embed, *target_embed;       /* (V_s,C), or NULL; (V,C): separate vocabularies */
    Tensor *source_position, *target_position; /* (longest,C) learned positions, or NULL */
    Block encoder[TRANSFORMER_MAX_LAYERS], decoder[TRANSFORMER_MAX_LAYERS]; /* L in use */
    Norm encoder_norm, decoder_norm; /* pre-norm: after the last layer */
    Linear head;                     /* (C,V), unless tied */
} Transformer;

/* Sets the preset's sizes. Fails if options of the command line or a config.json contradict each other
 * or the task. */
bool transformer_check(TransformerConfig *config, const Task *task, Error *err);

/* Creates the parameters in ps, with which they live. */
Transformer transformer_init(Params *ps, const TransformerConfig *config, const Task *task);
Model transformer_model(const Transformer *m); /* borrows m, which must not move */

/* Returns a decoder with a key/value cache (cache.c) for a model without an encoder. self: the Transformer. */
Decoder transformer_decoder(const void *self, int vocab);

/* --- decoding, a step at a time ---------------------------------------------------------------------- */

/* The keys and values of every layer of the decoder (the key/value cache): (B,S,C) each of a source, or
 * (B,t,C) each of the t steps so far; NULL before the first. With rotary positions the keys are already
 * rotated. */
typedef struct {
    Tensor *k[TRANSFORMER_MAX_LAYERS], *v[TRANSFORMER_MAX_LAYERS];
} KeyValues;

/* Encodes the ids s (B,S), of which sequence b has len[b] true ones, 1 .. S, and returns the keys and values
 * for cross-attention. They live on tp until its reset; so must len, unless tp is frozen. */
KeyValues transformer_read(Tape *tp, const Transformer *m, const int *s, const int *len, int S,
                           int B);

/* Feeds the ids y (B) as step t (from 0) and returns the logits (B,1,V) of the next token. *cache holds
 * the keys and values of the earlier steps, (B,t,C) each, on any tape; {0} for t = 0. On return it holds
 * those of step t too, (B,t+1,C), copied to tp. They and the logits live until the reset of tp, which
 * must be frozen. source and len (B) are those of transformer_read; NULL for a decoder alone. */
Tensor *transformer_step(Tape *tp, const Transformer *m, const KeyValues *source, const int *len,
                         const int *y, int B, int t, KeyValues *cache);

/* --- attention weights ------------------------------------------------------------------------------- */

/* The attention weights of each layer; each row sums to 1. encoder (B,H,S,S), decoder (B,H,T,T), cross
 * (B,H,T,S). Without an encoder only those of the decoder are set. */
typedef struct {
    const real *encoder[TRANSFORMER_MAX_LAYERS], *decoder[TRANSFORMER_MAX_LAYERS],
        *cross[TRANSFORMER_MAX_LAYERS];
} AttentionWeights;

/* Runs a batch (its x; s and s_len with an encoder) and returns all weights, which live on tp until its
 * reset. */
AttentionWeights transformer_attention_weights(Tape *tp, const Transformer *m, const Batch *batch);

#endif
