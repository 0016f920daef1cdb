/* Layers, parameters and costs computed from the sizes alone: the output of `--dry-run`. */
#ifndef TRANSFORMER_DESCRIBE_H
#define TRANSFORMER_DESCRIBE_H

#include "transformer/transformer.h"

/* Returns the number of parameters without building the network; source_vocab 0: a decoder alone. */
size_t transformer_count(const TransformerConfig *config, int source_vocab, int vocab);

/* The cost of one layer over a sequence of T steps: Table 1 of the paper, with its constants. Attention is
 * counted without a mask; a causal mask halves the part that grows as T^2. Norms and sums are left out. */
typedef struct {
    double waits;    /* steps that must follow one another */
    double products; /* multiply-adds of a forward pass */
    double kept;     /* reals that the backward pass reads */
    double
        carried; /* reals of the past that the next step needs, when steps are written one by one */
} LayerCost;

LayerCost transformer_attention_cost(const TransformerConfig *config, int T);
LayerCost transformer_feed_forward_cost(const TransformerConfig *config, int T);

/* Prints layers, parameters and costs on stdout, in 80 columns. */
void transformer_describe(const TransformerConfig *config, const Task *task);

#endif
