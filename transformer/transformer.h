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
    double dropout;           /* on embeddings and on what a sublayer adds */
    Positions positions;
    NormPlace norm;
    bool residual;    /* sublayers add to their input, or take its place */
    bool tied;        /* the target's embedding reads the words off as well */
    double smoothing; /* of labels */
    int longest;      /* steps that learned positions have */
} TransformerConfig;

TransformerConfig transformer_defaults(void);

#define TRANSFORMER_OPTIONS(c)                                                                     \
    OPTION_GROUP("Model"),                                                                         \
        OPTION_CHOICE("preset", &(c)->preset, "none|tiny|base|big",                                \
                      "all sizes at once: of the paper, or tiny"),                                 \
        OPTION("layers", &(c)->layers, 1, TRANSFORMER_MAX_LAYERS,                                  \
               "layers of the encoder, and of the decoder"),                                       \
        OPTION("channels", &(c)->channels, 1, 65536, "size of embeddings and states (d_model)"),   \
        OPTION("heads", &(c)->heads, 1, 1024, "heads of every attention"),                         \
        OPTION("ffn", &(c)->ffn, 0, 1000000, "units of the feed-forward layers (0: none)"),        \
        OPTION("dropout", &(c)->dropout, 0, 0.95, "part left out of what a sublayer adds"),        \
        OPTION_CHOICE("positions", &(c)->positions, POSITIONS_CHOICES, "how steps differ"),        \
        OPTION_CHOICE("norm", &(c)->norm, "post|pre|none", "LayerNorm after the sum, or before"),  \
        OPTION_FLAG("residual", &(c)->residual, "sublayers add to what they read"),                \
        OPTION_FLAG("tied", &(c)->tied, "one table for the target's embedding and the output"),    \
        OPTION("label-smoothing", &(c)->smoothing, 0, 0.99,                                        \
               "share of a target given to all (the training loss logged has it)"),                \
        OPTION("longest", &(c)->longest, 1, 65536, "steps that learned positions have")

typedef struct {
    Linear q, k, v, out; /* (C,C) each */
} MultiHead;

typedef struct {
    Norm norm_self, norm_cross, norm_ffn;
    MultiHead self, cross; /* cross: of a decoder that has an encoder */
    Linear up, down;       /* (C,F) (F,C) */
} Block;

typedef struct {
    TransformerConfig config;
    bool has_encoder;                    /* false: a decoder alone, for one sequence */
    Tensor *source_embed, *target_embed; /* (V_s,C), or NULL; (V,C): vocabularies of their own */
    Tensor *source_place, *target_place; /* (longest,C) learned positions, or NULL */
    Block encoder[TRANSFORMER_MAX_LAYERS], decoder[TRANSFORMER_MAX_LAYERS]; /* L in use */
    Norm encoder_norm, decoder_norm; /* pre-norm: after the last layer */
    Linear head;                     /* (C,V), where it is not tied */
} Transformer;

/* Sets the preset's sizes. False for options that contradict each other or the task, from the command
 * line or a config.json. */
bool transformer_check(TransformerConfig *config, const Task *task, Error *err);

/* Its tensors are registered in ps, and live as long. */
Transformer transformer_init(Params *ps, const TransformerConfig *config, const Task *task);
Model transformer_model(const Transformer *m); /* borrows m, which must not move */

/* Of a decoder alone: a decoder with a key/value cache (cache.c). self: the Transformer. */
Decoder transformer_decoder(const void *self, int vocab);

/* --- a step at a time, as decoding needs it -------------------------------------------------------- */

/* Keys and values of every layer of the decoder, so that no step is computed twice: (B,S,C) of a source,
 * (B,t,C) of the t steps so far; NULL before the first. Keys of steps are as attention compares them: with
 * rotary positions each has been turned by its own place already. */
typedef struct {
    Tensor *k[TRANSFORMER_MAX_LAYERS], *v[TRANSFORMER_MAX_LAYERS];
} KeyValues;

/* Reads the ids s (B,S), of which sequence b has len[b] true ones, 1 .. S. The result lives
 * on tp, until its reset; so must len, unless tp is frozen. */
KeyValues transformer_read(Tape *tp, const Transformer *m, const int *s, const int *len, int S,
                           int B);

/* Logits (B,1,V) of what comes after the ids y (B), which are step t (from 0). *past holds the keys and
 * values of the steps before, (B,t,C) each, on any tape, {0} for t = 0. On return it holds those of step t
 * too, (B,t+1,C), copied to tp; they and the logits live until its reset. source, len (B): of transformer_read; NULL for
 * a decoder alone. tp must be frozen. */
Tensor *transformer_step(Tape *tp, const Transformer *m, const KeyValues *source, const int *len,
                         const int *y, int B, int t, KeyValues *past);

/* --- where it looks --------------------------------------------------------------------------------- */

/* The weights of layer i's attention, each row of which sums to 1: of the encoder's steps (B,H,S,S), the
 * decoder's (B,H,T,T), and the decoder's to the source (B,H,T,S). Without an encoder: NULL but for the
 * decoder's. */
typedef struct {
    const real *encoder[TRANSFORMER_MAX_LAYERS], *decoder[TRANSFORMER_MAX_LAYERS],
        *cross[TRANSFORMER_MAX_LAYERS];
} Looks;

/* Reads a batch, of which it needs x, and s with s_len; the weights live on tp, until its reset. */
Looks transformer_looks(Tape *tp, const Transformer *m, const Batch *batch);

#endif
