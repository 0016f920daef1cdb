/* The models of the bench and their sizes, a row each. */
#ifndef ROWS_H
#define ROWS_H

#include "gpt/gpt.h"
#include "lstm_gru/gated.h"
#include "rnn/rnn.h"
#include "seq2seq_attention/seq2seq.h"
#include "transformer/transformer.h"

typedef struct Row Row;
struct Row {
    const char *model, *size;
    Model (*build)(Params *ps, const Row *r); /* model.self: freed with free() */
    int B, T, C, H, V, layers;
    int S;     /* steps of the source; 0: there is none */
    int heads; /* of a Transformer or GPT; 0: another model */
    GatedCell cell;
    AttentionKind attention;
    bool beside;  /* measured beside a busy program too */
    bool decodes; /* T tokens from a source of S, greedily, instead of training */
};

static inline Model build_rnn(Params *ps, const Row *r)
{
    const Task task = {.vocab = r->V, .outputs = r->V};
    const RnnConfig config = {.layers = r->layers, .channels = r->C, .hidden = r->H};
    Rnn *m = xmalloc(sizeof *m);
    *m = rnn_init(ps, &config, &task);
    return rnn_model(m);
}

static inline Model build_gated(Params *ps, const Row *r)
{
    const Task task = {.vocab = r->V, .outputs = r->V};
    GatedConfig config = gated_defaults();
    config.cell = r->cell, config.layers = r->layers, config.channels = r->C, config.hidden = r->H;
    Gated *m = xmalloc(sizeof *m);
    *m = gated_init(ps, &config, &task);
    return gated_model(m);
}

static inline Model build_seq2seq(Params *ps, const Row *r)
{
    const Task task = {.vocab = r->V, .outputs = r->V, .source_vocab = r->V};
    Seq2seqConfig config = seq2seq_defaults();
    config.attention = r->attention, config.layers = r->layers;
    config.channels = r->C, config.hidden = r->H;
    Seq2seq *m = xmalloc(sizeof *m);
    *m = seq2seq_init(ps, &config, &task);
    return seq2seq_model(m);
}

static inline Model build_transformer(Params *ps, const Row *r)
{
    const Task task = {.vocab = r->V, .outputs = r->V, .source_vocab = r->V};
    TransformerConfig config = transformer_defaults();
    config.layers = r->layers, config.channels = r->C, config.heads = r->heads;
    config.ffn = 4 * r->C, config.tied = !r->decodes; /* the head's bias makes EOS unlikely */
    Transformer *m = xmalloc(sizeof *m);
    *m = transformer_init(ps, &config, &task);
    return transformer_model(m);
}

static inline Model build_gpt(Params *ps, const Row *r)
{
    GptConfig config = gpt_defaults();
    config.layers = r->layers, config.channels = r->C, config.heads = r->heads;
    config.context = r->T, config.init_std = 0.02;
    Gpt *m = xmalloc(sizeof *m);
    *m = gpt_init(ps, &config, r->V);
    return gpt_model(m);
}

/* Returns whether a parameter is a table of embeddings, which nothing multiplies. */
static inline bool is_table(const Tensor *w)
{
    return strstr(w->name, "embed") || strcmp(w->name, "word") == 0 ||
           strcmp(w->name, "position") == 0;
}

/* Returns whether a layer with weights w reads the embedded words. In the Transformers of the table positions
 * are added to them, and the norm follows the sum (post-norm). */
static inline bool reads_words(const Row *r, const Tensor *w)
{
    if (!strchr(w->name, '0') || !strstr(w->name, ".w")) return false;
    if (!r->heads) return w->shape.d[0] == r->C;
    return strstr(w->name, "coder0.self.") && !strstr(w->name, "out");
}

/* Returns the FLOP of an update, of the products that are computed: 2 forward and 4 backward for each weight
 * of a matrix and each row that it multiplies. A lookup in the embedding is no product. The first layer
 * multiplies the rows of the embedding if they are fewer than the tokens; in a Transformer it multiplies these
 * and the positions if they are at most half as many. */
static inline double flop_of_update(const Params *ps, const Row *r)
{
    const double tokens = (double)r->T * r->B;
    double flop = 0;
    for (int i = 0; i < ps->n; i++) {
        const Tensor *w = ps->tensor[i];
        if (w->shape.n < 2 || is_table(w)) continue;
        const double words = r->heads ? r->V + r->T : r->V;
        const bool by_table = reads_words(r, w) && (r->heads ? 2 : 1) * words <= tokens;
        flop += 6.0 * w->len * (by_table ? words : tokens);
    }
    if (r->heads) flop += 6.0 * r->V * r->C * tokens; /* the tied head */
    return flop;
}

#define PAIRS  .B = 32, .T = 20, .S = 20, .C = 128, .H = 128, .V = 24, .layers = 1
#define DECODE .B = 1, .T = 20, .S = 20, .C = 128, .H = 128, .V = 24, .layers = 1, .decodes = true

static const Row rows[] = {
    {"rnn", "class", build_rnn, .beside = true, .B = 32, .T = 64, .C = 128, .H = 128, .V = 65,
     .layers = 1},
    {"rnn", "large", build_rnn, .B = 64, .T = 64, .C = 512, .H = 512, .V = 256, .layers = 1},
    {"lstm", "class", build_gated, .beside = true, .B = 32, .T = 64, .C = 128, .H = 128, .V = 65,
     .layers = 1},
    {"lstm", "large", build_gated, .B = 64, .T = 64, .C = 512, .H = 512, .V = 256, .layers = 1},
    {"gru", "class", build_gated, .beside = true, .cell = GATED_GRU, .B = 32, .T = 64, .C = 128,
     .H = 128, .V = 65, .layers = 1},
    {"gru", "large", build_gated, .cell = GATED_GRU, .B = 64, .T = 64, .C = 512, .H = 512, .V = 256,
     .layers = 1},
    {"none", "pairs", build_seq2seq, .attention = NO_ATTENTION, PAIRS},
    {"additive", "pairs", build_seq2seq, .beside = true, .attention = ADDITIVE, PAIRS},
    {"dot", "pairs", build_seq2seq, .attention = DOT, PAIRS},
    {"none", "write", build_seq2seq, .attention = NO_ATTENTION, DECODE},
    {"additive", "write", build_seq2seq, .attention = ADDITIVE, DECODE},
    {"dot", "write", build_seq2seq, .attention = DOT, DECODE},
    {"transf", "pairs", build_transformer, .B = 32, .T = 20, .S = 20, .C = 128, .H = 128, .V = 24,
     .layers = 2, .heads = 4, .beside = true},
    {"transf", "base", build_transformer, .B = 8, .T = 128, .S = 128, .C = 512, .H = 512, .V = 256,
     .layers = 2, .heads = 8, .beside = true},
    {"transf", "write", build_transformer, .B = 1, .T = 20, .S = 20, .C = 128, .H = 128, .V = 24,
     .layers = 2, .heads = 4, .decodes = true},
    {"gpt", "nano", build_gpt, .beside = true, .B = 12, .T = 64, .C = 128, .H = 128, .V = 65,
     .layers = 4, .heads = 4},
    {"gpt", "mid", build_gpt, .B = 8, .T = 256, .C = 384, .H = 384, .V = 65, .layers = 6,
     .heads = 6},
    {"gpt", "124M", build_gpt, .B = 4, .T = 64, .C = 768, .H = 768, .V = 50257, .layers = 12,
     .heads = 12},
};

#endif
