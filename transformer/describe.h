/* What `--dry-run` prints: layers, parameters and costs, from the sizes alone. */
#ifndef DESCRIBE_H
#define DESCRIBE_H

#include "transformer/transformer.h"

/* Parameters of such a network, without making one; source_vocab 0: a decoder alone. */
size_t transformer_count(const TransformerConfig *config, int source_vocab, int vocab);

/* What one layer costs over one sequence of T steps: Table 1 of the paper, with its constants. Attention
 * sees all steps; a causal mask halves what grows as T^2. Norms and sums are left out. */
typedef enum { COST_RNN, COST_GRU, COST_LSTM, COST_ATTENTION, COST_FEED_FORWARD, COSTS } LayerKind;
extern const char *const describe_layer_names[COSTS];

typedef struct {
    double waits;    /* steps that must follow one another */
    double products; /* multiply-adds of a forward pass, some of which grow as T^2 */
    double kept;     /* reals that a layer makes and its backward pass reads */
    double carried;  /* reals of the past that the next step needs, when steps are written singly */
} LayerCost;

/* A layer of config->channels, recurrent ones with as many units. */
LayerCost describe_layer_cost(LayerKind kind, const TransformerConfig *config, int T);

/* On stdout, in 80 columns. */
void transformer_describe(const TransformerConfig *config, const Task *task);

#endif
