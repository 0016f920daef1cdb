/* GPT: see gpt.c. */
#ifndef GPT_H
#define GPT_H

#include "models/model.h"
#include "nn/layers.h"
#include "system/args.h"

enum { GPT_MAX_LAYERS = 128 };

typedef enum {
    GPT_NO_PRESET,
    GPT_MICRO,
    GPT_NANO,
    GPT_1,
    GPT_2,
    GPT_MEDIUM,
    GPT_LARGE,
    GPT_XL
} GptPreset;
typedef enum { GPT_PRE_NORM, GPT_POST_NORM } GptNorm; /* GPT-2's, GPT-1's */
typedef enum { GPT_TANH, GPT_ERF } GptGelu;           /* OpenAI's, nanoGPT's */

typedef struct {
    GptPreset preset; /* sets all of the following */
    int layers;       /* L */
    int channels;     /* C, n_embd in GPT-2's code */
    int heads;        /* H */
    int context;      /* number of learned positions; 0: those that the data needs */
    double dropout;   /* rate, for embeddings, attention weights and outputs of sublayers */
    GptNorm norm;
    GptGelu gelu;
    bool tied;       /* the output layer uses the word embedding */
    bool scaled;     /* initialisation: layers that add to the residual stream start smaller */
    double init_std; /* standard deviation of the initial weights; 0: 1 / sqrt(C) */
} GptConfig;

GptConfig gpt_defaults(void);

#define GPT_OPTIONS(c)                                                                             \
    OPTION_GROUP("Model"),                                                                         \
        OPTION_CHOICE("preset", &(c)->preset, "none|microgpt|nano|gpt1|gpt2|medium|large|xl",      \
                      "sets all options of the model"),                                            \
        OPTION("layers", &(c)->layers, 1, GPT_MAX_LAYERS, "layers"),                               \
        OPTION("channels", &(c)->channels, 1, 65536, "size of embeddings and states (n_embd)"),    \
        OPTION("heads", &(c)->heads, 1, 1024, "attention heads"),                                  \
        OPTION("context", &(c)->context, 0, 65536,                                                 \
               "number of learned positions (0: the longest sequence of the data)"),               \
        OPTION("dropout", &(c)->dropout, 0, 0.95,                                                  \
               "dropout rate of embeddings, attention weights and sublayers"),                     \
        OPTION_CHOICE("norm", &(c)->norm, "pre|post",                                              \
                      "LayerNorm before the sublayer (GPT-2) or after the sum (GPT-1)"),           \
        OPTION_CHOICE("gelu", &(c)->gelu, "tanh|erf", "GELU's approximation (GPT) or GELU"),       \
        OPTION_FLAG("tied", &(c)->tied, "the output layer uses the word embedding"),               \
        OPTION_FLAG("scaled-init", &(c)->scaled,                                                   \
                    "residual layers start smaller, by 1 / sqrt(2 layers)"),                       \
        OPTION("init-std", &(c)->init_std, 0, 10,                                                  \
               "standard deviation of the initial weights (0: 1 / sqrt(channels))")

typedef struct {
    Norm norm1, norm2;   /* of attention, of the MLP */
    Linear q, k, v, out; /* (C,C) each */
    Linear up, down;     /* (C,4C) (4C,C) */
} GptBlock;

typedef struct {
    GptConfig config;
    Tensor *word;                   /* (V,C) */
    Tensor *position;               /* (context,C) */
    GptBlock block[GPT_MAX_LAYERS]; /* L in use */
    Norm norm;                      /* pre-norm: after the last block */
    Tensor *head;                   /* (V,C): `word` if tied */
} Gpt;

/* Returns the number of steps of the longest sequence of a task, in training or in eval. */
int gpt_longest(const Task *task);

/* Sets the preset's options, and the context if it is 0. Fails if options of the command line or of a
 * config.json contradict each other or the task. */
bool gpt_check(GptConfig *config, const Task *task, Error *err);

/* Declares the parameters in ps, with which they live, for a vocabulary of V. */
Gpt gpt_init(Params *ps, const GptConfig *config, int V);
Model gpt_model(const Gpt *m); /* borrows m, which must not move */

/* --- the key/value cache (cache.c) --- */

/* The keys and values of all layers for up to `rows` hypotheses and `context` steps, in one block of memory
 * that does not move while steps are added. */
typedef struct {
    int layers, context, channels;
    int rows;  /* hypotheses that there is room for */
    int row;   /* first hypothesis that the next pass computes */
    int steps; /* steps in the cache, of each hypothesis: the position of the next one */
    Tensor
        block; /* (2 layers, rows, context, channels): keys of layer 0, its values, keys of layer 1, .. */
    int *len; /* (rows) for the mask: steps that are in the cache while a pass runs */
} GptCache;

GptCache gpt_cache_new(const GptConfig *config, int rows);
void gpt_cache_free(GptCache *cache);

/* Stores the keys and values (B,T,C) of one layer at steps cache->steps and following of rows cache->row and
 * following. *k and *v become all keys and values so far, as views of the cache. Returns the mask for them.
 * Either B or T must be 1. */
AttentionMask gpt_cache_append(Tape *tp, GptCache *cache, int layer, Tensor **k, Tensor **v);

/* Feeds ids (B,T) after the steps in the cache and returns the logits (B,V) of the token after the last one.
 * They live until the reset of tp, which must be frozen. The caller then adds T to cache->steps. */
Tensor *gpt_step(Tape *tp, const Gpt *m, GptCache *cache, const int *ids, int B, int T);

/* Returns a decoder. It generates beyond the context: when the context is full, it drops the older half of
 * the tokens and reads the rest again, from position 0. self: the Gpt. */
Decoder gpt_decoder(const void *self, int vocab);

/* --- sizes (describe.c) --- */

/* Prints options, parameters and memory on stdout; with a preset also the parameters with the vocabulary of
 * the published model. */
void gpt_describe(const GptConfig *config, const Task *task);
size_t gpt_count(const GptConfig *config, int V); /* the number of parameters */
int gpt_published_vocab(GptPreset preset);        /* 0: none was published */

#endif
