#include "transformer/describe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAPER_WORDS = 37000 }; /* the shared vocabulary of English and German (section 5.1) */

/* --- parameters -------------------------------------------------------------------------------------- */

static size_t of_norm(const TransformerConfig *c)
{
    return c->norm == NO_NORM ? 0 : 2 * (size_t)c->channels;
}

static size_t of_attention(const TransformerConfig *c)
{
    return 4 * (size_t)c->channels * (c->channels + 1);
}

static size_t of_feed_forward(const TransformerConfig *c)
{
    const size_t C = c->channels, F = c->ffn;
    return F ? 2 * C * F + C + F + of_norm(c) : 0;
}

static size_t of_layer(const TransformerConfig *c, bool has_cross)
{
    return (has_cross ? 2 : 1) * (of_attention(c) + of_norm(c)) + of_feed_forward(c);
}

size_t transformer_count(const TransformerConfig *c, int source_vocab, int vocab)
{
    const size_t C = c->channels, L = c->layers;
    const size_t learned = c->positions == LEARNED ? c->longest * C : 0;
    const size_t last = c->norm == PRE_NORM ? of_norm(c) : 0;
    size_t n = vocab * C + learned + L * of_layer(c, source_vocab > 0) + last;
    if (source_vocab) n += source_vocab * C + learned + L * of_layer(c, false) + last;
    return c->tied ? n : n + vocab * (C + 1);
}

/* --- costs of a layer ---------------------------------------------------------------------------------- */

/* Multiply-adds of q k^T and p v over all heads: for each head two products of T T D. */
static double scores(const TransformerConfig *c, int T)
{
    return 2.0 * T * T * c->channels;
}

LayerCost transformer_attention_cost(const TransformerConfig *c, int T)
{
    const double C = c->channels, H = c->heads;
    return (LayerCost){.waits = 1,
                       .products = 4 * T * C * C + scores(c, T), /* eq 21.3 */
                       .kept = 4 * T * C + 2 * T * H,            /* eq 21.4: q k v, y; softmax */
                       .carried = 2 * T * C};                    /* k v */
}

LayerCost transformer_feed_forward_cost(const TransformerConfig *c, int T)
{
    const double C = c->channels, F = c->ffn;
    return (LayerCost){.waits = 1, .products = 2 * T * C * F, .kept = T * F};
}

/* --- printing ------------------------------------------------------------------------------------------ */

static void print_stack(const TransformerConfig *c, const char *name, bool has_cross, bool masked)
{
    char *layers = c->layers > 1 ? xformat("%s 1 .. %d", name, c->layers) : xformat("%s 1", name);
    char *parts = xformat("%sself-attention%s%s", masked ? "masked " : "",
                          has_cross ? ", cross-attention" : "", c->ffn ? ", feed-forward" : "");
    const int rest = 61 - (int)strlen(parts); /* of 80 columns */
    printf("  %-15s %s %*zu\n", layers, parts, rest, of_layer(c, has_cross));
    free(layers), free(parts);
}

static const int lengths[] = {64, 128, 256, 512, 1024};

typedef double Quantity(const TransformerConfig *c, int T);

static void print_row(const TransformerConfig *c, const char *name, int digits, Quantity *of)
{
    printf("  %-30s", name);
    for (int i = 0; i < LEN(lengths); i++) printf("%9.*f", digits, of(c, lengths[i]));
    printf("\n");
}

static double attention_millions(const TransformerConfig *c, int T)
{
    return transformer_attention_cost(c, T).products / 1e6;
}

static double feed_forward_millions(const TransformerConfig *c, int T)
{
    return transformer_feed_forward_cost(c, T).products / 1e6;
}

static double scores_share(const TransformerConfig *c, int T)
{
    return 100 * scores(c, T) / transformer_attention_cost(c, T).products;
}

static double attention_kept(const TransformerConfig *c, int T)
{
    return transformer_attention_cost(c, T).kept * sizeof(real) / 1024;
}

static double feed_forward_kept(const TransformerConfig *c, int T)
{
    return transformer_feed_forward_cost(c, T).kept * sizeof(real) / 1024;
}

static double attention_weights(const TransformerConfig *c, int T)
{
    return (double)T * T * c->heads * sizeof(real) / 1024;
}

static double attention_carried(const TransformerConfig *c, int T)
{
    return transformer_attention_cost(c, T).carried * sizeof(real) / 1024;
}

static void print_costs(const TransformerConfig *c)
{
    printf("\nOne layer of %d channels over T steps of one sequence:\n\n  %-30s", c->channels, "T");
    for (int i = 0; i < LEN(lengths); i++) printf("%9d", lengths[i]);
    printf("\n\nmillions of multiply-adds in a forward pass\n");
    print_row(c, "self-attention", 1, attention_millions);
    if (c->ffn) print_row(c, "feed-forward", 1, feed_forward_millions);
    printf("\nKB kept for the backward pass\n");
    print_row(c, "self-attention", 0, attention_kept);
    if (c->ffn) print_row(c, "feed-forward", 0, feed_forward_kept);
    printf("\nself-attention: the part that grows as T^2\n");
    print_row(c, "% of its multiply-adds", 0, scores_share);
    print_row(c, "KB of its weights, if kept", 0, attention_weights);
    printf("\nKB of keys and values carried along when steps are written one by one\n");
    print_row(c, "self-attention", 1, attention_carried);
    printf("\nWhere T = 2 C = %d, half of attention's multiply-adds grow as T^2. A causal\n"
           "mask halves that part; here it is counted without a mask. Norms and sums are\n"
           "left out.\n",
           2 * c->channels);
}

void transformer_describe(const TransformerConfig *c, const Task *task)
{
    const bool encoder = task->source_vocab > 0;
    static const char *const norms[] = {"post", "pre", "no"};
    printf("%s-norm, %s positions, %d heads of %d channels, %d feed-forward units\n\n",
           norms[c->norm], positions_names[c->positions], c->heads, c->channels / c->heads, c->ffn);
    printf("  %-15s %62s\n", c->layers > 1 ? "layers" : "layer",
           c->layers > 1 ? "parameters of each" : "parameters");
    if (encoder) print_stack(c, "encoder", false, false);
    print_stack(c, "decoder", encoder, true);
    printf("\nparameters: %zu with ", transformer_count(c, task->source_vocab, task->vocab));
    if (encoder)
        printf("vocabularies of %d and %d\n", task->source_vocab, task->vocab);
    else
        printf("a vocabulary of %d\n", task->vocab);
    if (encoder && c->tied && c->preset != NO_PRESET)
        printf("            %zu with the paper's %d words; it says 65 million (big: 213)\n",
               transformer_count(c, 1, PAPER_WORDS) - c->channels, PAPER_WORDS);
    print_costs(c);
}
