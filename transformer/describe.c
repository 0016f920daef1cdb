#include "transformer/describe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAPER_WORDS = 37000 }; /* the shared vocabulary of English and German (section 5.1) */

/* --- parameters -------------------------------------------------------------------------------------- */

static size_t of_norm(const TransformerConfig *c)
{
    return strcmp(c->norm, "none") == 0 ? 0 : 2 * (size_t)c->channels;
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
    const size_t learned = strcmp(c->positions, "learned") == 0 ? c->longest * C : 0;
    const size_t last = strcmp(c->norm, "pre") == 0 ? of_norm(c) : 0;
    size_t n = vocab * C + learned + L * of_layer(c, source_vocab > 0) + last;
    if (source_vocab) n += source_vocab * C + learned + L * of_layer(c, false) + last;
    return c->tied ? n : n + vocab * (C + 1);
}

/* --- costs of a layer ---------------------------------------------------------------------------------- */

const char *const describe_layer_names[COSTS] = {"rnn", "gru", "lstm", "self-attention",
                                                 "feed-forward"};

/* q k^T and p v of all heads: two products of (T,D) and (D,T), of (T,T) and (T,D) a head. */
static double scores(const TransformerConfig *c, int T)
{
    return 2.0 * T * T * c->channels;
}

/* A cell of `blocks` weights (C,C) for the input and as many for the state; kept: rows of C a step. */
static LayerCost recurrent_cost(int blocks, int kept, int carried, double C, int T)
{
    return (LayerCost){.waits = T,
                       .products = 2.0 * blocks * T * C * C, /* eq 21.2 */
                       .kept = kept * T * C,
                       .carried = carried * C};
}

LayerCost describe_layer_cost(LayerKind kind, const TransformerConfig *c, int T)
{
    const double C = c->channels, F = c->ffn;
    switch (kind) {
    case COST_RNN: return recurrent_cost(1, 1, 1, C, T);  /* h */
    case COST_GRU: return recurrent_cost(3, 5, 1, C, T);  /* r z n, h' U_n, h */
    case COST_LSTM: return recurrent_cost(4, 6, 2, C, T); /* i f o g, c, h */
    case COST_ATTENTION:
        return (LayerCost){.waits = 1,
                           .products = 4 * T * C * C + scores(c, T), /* eq 21.3 */
                           .kept = 4 * T * C + 2.0 * T * c->heads, /* eq 21.4: q k v, y; softmax */
                           .carried = 2 * T * C};                  /* k v */
    default: return (LayerCost){.waits = 1, .products = 2 * T * C * F, .kept = T * F};
    }
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

typedef double Quantity(const TransformerConfig *c, LayerKind kind, int T);

static void print_row(const TransformerConfig *c, const char *name, LayerKind kind, int digits,
                      Quantity *of)
{
    printf("  %-30s", name);
    for (int i = 0; i < LEN(lengths); i++) printf("%9.*f", digits, of(c, kind, lengths[i]));
    printf("\n");
}

static void print_rows(const TransformerConfig *c, const char *title, int digits, Quantity *of)
{
    printf("\n%s\n", title);
    for (LayerKind kind = 0; kind < COSTS; kind++)
        if (kind != COST_FEED_FORWARD || c->ffn)
            print_row(c, describe_layer_names[kind], kind, digits, of);
}

static double waits(const TransformerConfig *c, LayerKind kind, int T)
{
    return describe_layer_cost(kind, c, T).waits;
}

static double millions(const TransformerConfig *c, LayerKind kind, int T)
{
    return describe_layer_cost(kind, c, T).products / 1e6;
}

static double scores_share(const TransformerConfig *c, LayerKind kind, int T)
{
    return 100 * scores(c, T) / describe_layer_cost(kind, c, T).products;
}

static double kept(const TransformerConfig *c, LayerKind kind, int T)
{
    return describe_layer_cost(kind, c, T).kept * sizeof(real) / 1024;
}

static double all_weights(const TransformerConfig *c, LayerKind kind, int T)
{
    (void)kind;
    return (double)T * T * c->heads * sizeof(real) / 1024;
}

static double carried(const TransformerConfig *c, LayerKind kind, int T)
{
    return describe_layer_cost(kind, c, T).carried * sizeof(real) / 1024;
}

static void print_costs(const TransformerConfig *c)
{
    printf("\nOne layer of %d channels over T steps of one sequence:\n\n  %-30s", c->channels, "T");
    for (int i = 0; i < LEN(lengths); i++) printf("%9d", lengths[i]);
    printf("\n");
    print_rows(c, "steps that wait for one another", 0, waits);
    print_rows(c, "millions of multiply-adds in a forward pass", 1, millions);
    print_rows(c, "KB kept for the backward pass", 0, kept);
    printf("\nwhat grows as T^2 in self-attention\n");
    print_row(c, "% of its multiply-adds", COST_ATTENTION, 0, scores_share);
    print_row(c, "KB of softmax, were it kept", COST_ATTENTION, 0, all_weights);
    print_rows(c, "KB carried from step to step when steps are written one by one", 1, carried);
    printf("\nWhere T = 2 C = %d, half of attention's multiply-adds grow as T^2. A mask\n"
           "that hides what follows halves that part; here it is counted without a mask.\n"
           "Norms and sums are left out.\n",
           2 * c->channels);
}

void transformer_describe(const TransformerConfig *c, const Task *task)
{
    const bool encoder = task->source_vocab > 0;
    printf("%s-norm, %s positions, %d heads of %d channels, %d feed-forward units\n\n", c->norm,
           c->positions, c->heads, c->channels / c->heads, c->ffn);
    printf("  %-15s %62s\n", c->layers > 1 ? "layers" : "layer",
           c->layers > 1 ? "parameters of each" : "parameters");
    if (encoder) print_stack(c, "encoder", false, false);
    print_stack(c, "decoder", encoder, true);
    printf("\nparameters: %zu with ", transformer_count(c, task->source_vocab, task->vocab));
    if (encoder)
        printf("vocabularies of %d and %d\n", task->source_vocab, task->vocab);
    else
        printf("a vocabulary of %d\n", task->vocab);
    if (encoder && c->tied && strcmp(c->preset, "none") != 0)
        printf("            %zu with the paper's %d words; it says 65 million (big: 213)\n",
               transformer_count(c, 1, PAPER_WORDS) - c->channels, PAPER_WORDS);
    print_costs(c);
}
