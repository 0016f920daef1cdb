#include "lessons/costs.h"

#include <stdio.h>

const char *const cost_names[COSTS] = {"rnn", "gru", "lstm", "self-attention", "feed-forward"};

/* Returns the cost of a recurrent layer with `weights` matrices (C,C) for the input and as many for the
 * state. `kept` rows (C) of every step are kept for the backward pass, `carried` rows go to the next step. */
static LayerCost recurrent_cost(int weights, int kept, int carried, double C, int T)
{
    return (LayerCost){.waits = T,
                       .products = 2.0 * weights * T * C * C, /* eq 21.2 */
                       .kept = kept * T * C,
                       .carried = carried * C};
}

LayerCost layer_cost(LayerKind kind, const TransformerConfig *c, int T)
{
    const double C = c->channels;
    switch (kind) {
    case COST_RNN: return recurrent_cost(1, 1, 1, C, T);  /* h */
    case COST_GRU: return recurrent_cost(3, 5, 1, C, T);  /* r z n, h' U_n, h */
    case COST_LSTM: return recurrent_cost(4, 6, 2, C, T); /* i f o g, c, h */
    case COST_ATTENTION: return transformer_attention_cost(c, T);
    default: return transformer_feed_forward_cost(c, T);
    }
}

/* --- printing ------------------------------------------------------------------------------------------ */

static double waits(LayerCost cost)
{
    return cost.waits;
}

static double millions(LayerCost cost)
{
    return cost.products / 1e6;
}

static double kept(LayerCost cost)
{
    return cost.kept * sizeof(real) / 1024;
}

static double carried(LayerCost cost)
{
    return cost.carried * sizeof(real) / 1024;
}

void costs_print(const TransformerConfig *c)
{
    static const int lengths[] = {64, 128, 256, 512, 1024};
    static const struct {
        const char *title;
        int digits;
        double (*of)(LayerCost);
    } block[] = {{"steps that wait for one another", 0, waits},
                 {"millions of multiply-adds in a forward pass", 1, millions},
                 {"KB kept for the backward pass", 0, kept},
                 {"KB carried from step to step when steps are written one by one", 1, carried}};
    printf("One layer of %d channels over T steps of one sequence:\n\n  %-30s", c->channels, "T");
    for (int i = 0; i < LEN(lengths); i++) printf("%9d", lengths[i]);
    printf("\n");
    for (int b = 0; b < LEN(block); b++) {
        printf("\n%s\n", block[b].title);
        for (LayerKind kind = 0; kind < COSTS; kind++) {
            printf("  %-30s", cost_names[kind]);
            for (int i = 0; i < LEN(lengths); i++)
                printf("%9.*f", block[b].digits, block[b].of(layer_cost(kind, c, lengths[i])));
            printf("\n");
        }
    }
    printf("\n");
}
