/* Helpers of the tests of encoder-decoder networks: small networks of every kind, and numbered
 * pairs that can be in any batch. */
#ifndef SEQ2SEQ_HELP_H
#define SEQ2SEQ_HELP_H

#include "models/model.h"
#include "data/pairs_drawn.h"
#include "math/parallel.h"
#include "suite.h"

#include "seq2seq_attention/seq2seq.h"

enum { LONGEST_SOURCE = 6, LONGEST_TARGET = 5 }; /* steps of a numbered pair */

/* Must not be moved: the model points to the network. */
typedef struct {
    Params ps;
    Seq2seq net;
    Model model;
} Network;

static inline Network *network_new(const Seq2seqConfig *c, int source_vocab, int vocab)
{
    const Task task = {.source_vocab = source_vocab, .vocab = vocab, .outputs = vocab};
    Network *n = xmalloc(sizeof *n);
    parallel_init(1);
    n->ps = params_init(1);
    n->net = seq2seq_init(&n->ps, c, &task);
    n->model = seq2seq_model(&n->net);
    return n;
}

static inline void network_free(Network *n)
{
    params_free(&n->ps);
    free(n);
}

/* Makes network number i of all kinds; returns false if its options contradict each other. */
enum { KINDS = 5 * 3 * 2 * 2 * 2 };

static inline bool kind_of_network(int i, Seq2seqConfig *c)
{
    static const AttentionKind attention[] = {NO_ATTENTION, ADDITIVE, DOT, GENERAL, CONCAT};
    static const CellKind cell[] = {CELL_RNN, CELL_LSTM, CELL_GRU};
    Error err;
    *c = (Seq2seqConfig){.attention = attention[i % 5],
                         .cell = cell[i / 5 % 3],
                         .bidirectional = i / 15 % 2,
                         .reverse = i / 30 % 2,
                         .feed = i / 60 % 2,
                         .layers = 2,
                         .channels = 5,
                         .hidden = 12};
    return seq2seq_check(c, &err);
}

static inline const char *words_of(const Seq2seqConfig *c)
{
    static char text[128];
    snprintf(text, sizeof text, "%s, %s, %d layers, %s%s%s", seq2seq_attention_names[c->attention],
             cell_names[c->cell], c->layers, c->bidirectional ? "both ways" : "one way",
             c->reverse ? ", reversed" : "", c->feed ? ", fed" : "");
    return text;
}

/* --- pairs ---------------------------------------------------------------------------------------- */

typedef struct {
    int S, T; /* T: without EOS */
    int source[LONGEST_SOURCE], target[LONGEST_TARGET];
} Numbered;

static inline Numbered numbered(int k, int source_vocab, int vocab)
{
    Rng rng = rng_make(5, RNG_TEST, (uint32_t)k);
    Numbered p = {.S = 1 + rng_below(&rng, LONGEST_SOURCE),
                  .T = 1 + rng_below(&rng, LONGEST_TARGET)};
    for (int i = 0; i < p.S; i++) p.source[i] = UNK + rng_below(&rng, source_vocab - UNK);
    for (int i = 0; i < p.T; i++) p.target[i] = UNK + rng_below(&rng, vocab - UNK);
    return p;
}

/* Makes room for B pairs of up to S and T steps. */
static inline Batch batch_of(int S, int T, int B)
{
    const Task task = {.outputs = 1};
    Batch b = batch_new();
    batch_resize(&b, &task, T, B);
    batch_source(&b, S);
    return b;
}

static inline void put(Batch *batch, int b, const Numbered *p)
{
    pair_put(p->source, p->S, p->target, p->T, batch, b);
}

/* Makes a batch of the pairs first .. first+B-1, with additional steps of padding. */
static inline Batch batch_numbered(const Network *n, int first, int B, int more_S, int more_T)
{
    Batch batch = batch_of(LONGEST_SOURCE + more_S, LONGEST_TARGET + 1 + more_T, B);
    for (int b = 0; b < B; b++) {
        const Numbered p = numbered(first + b, n->net.source_embed->shape.d[0], n->net.head.b->len);
        put(&batch, b, &p);
    }
    return batch;
}

/* Returns logits (T,B,V) in a new array; the caller frees it. */
static inline real *logits_of(const Network *n, const Batch *batch)
{
    Tape tp = {.frozen = true};
    const Tensor *z = n->model.forward(&tp, n->model.self, batch, NULL, NULL);
    real *logits = xmalloc((size_t)z->len * sizeof *logits);
    memcpy(logits, z->data, (size_t)z->len * sizeof *logits);
    tape_free(&tp);
    return logits;
}

static inline int targets_of(const Batch *batch, int b) /* EOS included */
{
    int n = 0;
    while (n < batch->T && batch->y[n * batch->B + b] >= 0) n++;
    return n;
}

/* Compares the logits of two columns of two batches, without padding, bit for bit. */
static inline void ck_same(const Seq2seqConfig *c, const char *what, int vocab, const Batch *one,
                           const real *logits, int column, const Batch *other, const real *others,
                           int other_column)
{
    const int steps = targets_of(one, column);
    ck_assert_int_eq(targets_of(other, other_column), steps);
    for (int t = 0; t < steps; t++)
        ck_assert_msg(!memcmp(logits + (size_t)(t * one->B + column) * vocab,
                              others + (size_t)(t * other->B + other_column) * vocab,
                              (size_t)vocab * sizeof(real)),
                      "%s: %s, sequence %d, step %d", words_of(c), what, column, t);
}

#endif
