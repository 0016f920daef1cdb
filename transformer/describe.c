#include "describe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAPER_WORDS = 37000 }; /* the shared vocabulary of English and German (section 5.1) */

/* --- parameters -------------------------------------------------------------------------------------- */

static size_t of_norm(const TransformerConfig *c)
{
    return 2 * (size_t)c->channels;
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

/* --- printing ------------------------------------------------------------------------------------------ */

static void print_stack(const TransformerConfig *c, const char *name, bool has_cross, bool masked)
{
    for (int i = 0; i < c->layers; i++) {
        char *parts = xformat("%sself-attention%s%s", masked ? "masked " : "",
                              has_cross ? ", cross-attention" : "", c->ffn ? ", feed-forward" : "");
        printf("  %s %-2d  %-52s %11zu\n", name, i + 1, parts, of_layer(c, has_cross));
        free(parts);
    }
}

/* Table 1 of the paper in numbers: one layer over one sequence of T steps. Dependent steps are those
 * that must wait for one another. */
static void print_costs(const TransformerConfig *c)
{
    const double C = c->channels, H = c->heads;
    printf(
        "\none layer of %d channels, over T steps of one sequence (multiply-adds in millions):\n\n"
        "  %6s %22s %38s\n  %6s %8s %13s %8s %13s %7s %7s\n",
        c->channels, "", "recurrent (GRU)", "self-attention, feed-forward aside", "T", "waits",
        "multiply-adds", "waits", "multiply-adds", "scores", "stored");
    for (int T = 64; T <= 1024; T *= 2) {
        const double products = 4 * T * C * C, scores = 2.0 * T * T * C;
        printf("  %6d %8d %13.1f %8d %13.1f %6.0f%% %4.0f KB\n", T, T, 6 * T * C * C / 1e6, 1,
               (products + scores) / 1e6, 100 * scores / (products + scores),
               2 * T * H * sizeof(real) / 1024);
    }
    printf("\nscores: the part that grows with T^2; it is half where T = 2 C. Stored for the "
           "backward\n"
           "pass: two numbers a head and step; all scores would be T/2 times as much.\n");
}

void transformer_describe(const TransformerConfig *c, const Task *task)
{
    const bool encoder = task->source_vocab > 0;
    printf("%s-norm, %s positions, %d heads of %d channels, %d units of feed-forward\n\n", c->norm,
           c->positions, c->heads, c->channels / c->heads, c->ffn);
    printf("  %-12s%-52s %11s\n", "layer", "", "parameters");
    if (encoder) print_stack(c, "encoder", false, false);
    print_stack(c, "decoder", encoder, true);
    printf("\nparameters: %zu with vocabularies of %d and %d\n",
           transformer_count(c, task->source_vocab, task->vocab), task->source_vocab, task->vocab);
    if (encoder && c->tied && strcmp(c->preset, "none") != 0)
        printf(
            "            %zu with the paper's %d words for both, in one table (base: 65 million)\n",
            transformer_count(c, 1, PAPER_WORDS) - c->channels, PAPER_WORDS);
    print_costs(c);
}
