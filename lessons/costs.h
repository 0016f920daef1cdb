/* The costs of one layer over a sequence of T steps, recurrent layers beside a Transformer's: Table 1 of
 * Vaswani et al. 2017 with its constants, and the output of `21-parallelism --part costs`. */
#ifndef COSTS_H
#define COSTS_H

#include "transformer/describe.h"

typedef enum { COST_RNN, COST_GRU, COST_LSTM, COST_ATTENTION, COST_FEED_FORWARD, COSTS } LayerKind;
extern const char *const cost_names[COSTS];

/* Returns the cost of a layer of config->channels; recurrent layers have as many hidden units. */
LayerCost layer_cost(LayerKind kind, const TransformerConfig *config, int T);

/* Prints the costs of all kinds for five lengths T on stdout, in 80 columns. */
void costs_print(const TransformerConfig *config);

#endif
