/* --dry-run: what a GPT consists of, counted from the parameters that gpt_init declares. */
#include "gpt/gpt.h"

#include <stdio.h>
#include <string.h>

/* Declares the parameters without memory for their values. */
static Params declare(const GptConfig *config, int V)
{
    Params ps = params_declare(0);
    gpt_init(&ps, config, V);
    return ps;
}

size_t gpt_count(const GptConfig *config, int V)
{
    Params ps = declare(config, V);
    const size_t count = ps.count;
    params_free(&ps);
    return count;
}

static size_t count_of(const Params *ps, const char *prefix)
{
    size_t n = 0;
    for (int i = 0; i < ps->n; i++)
        if (strncmp(ps->tensor[i]->name, prefix, strlen(prefix)) == 0)
            n += (size_t)ps->tensor[i]->len;
    return n;
}

static void print_row(const char *part, const char *shape, size_t values)
{
    printf("  %-24s %-24s %13zu\n", part, shape, values);
}

static void print_parts(const GptConfig *c, const Params *ps, int V)
{
    char shape[64], layers[32];
    printf("  %-24s %-24s %13s\n", "part", "shape", "parameters");
    snprintf(shape, sizeof shape, "(%d,%d)", V, c->channels);
    print_row("word embedding", shape, count_of(ps, "word"));
    snprintf(shape, sizeof shape, "(%d,%d)", c->context, c->channels);
    print_row("learned positions", shape, count_of(ps, "position"));
    snprintf(layers, sizeof layers, c->layers > 1 ? "blocks 1 .. %d, each" : "block %d", c->layers);
    print_row(layers, "self-attention, MLP", count_of(ps, "block0."));
    if (c->norm == GPT_PRE_NORM) print_row("last LayerNorm", "", count_of(ps, "norm."));
    snprintf(shape, sizeof shape, c->tied ? "the word embedding" : "(%d,%d)", V, c->channels);
    print_row("output layer", shape, count_of(ps, "head"));
}

void gpt_describe(const GptConfig *c, const Task *task)
{
    const int V = task->vocab, published = gpt_published_vocab(c->preset);
    Params ps = declare(c, V);
    printf("%s-norm, %d layers, %d heads of %d channels, %s GELU, dropout %g\n\n",
           c->norm == GPT_PRE_NORM ? "pre" : "post", c->layers, c->heads, c->channels / c->heads,
           c->gelu == GPT_ERF ? "erf" : "tanh", c->dropout);
    print_parts(c, &ps, V);
    printf("\nparameters: %zu with this vocabulary of %d\n", ps.count, V);
    if (published)
        printf("            %zu with the published vocabulary of %d\n", gpt_count(c, published),
               published);
    const double mb = 1e-6 * sizeof(real), values = (double)ps.len * mb;
    printf("memory: %.1f MB parameters, %.1f MB gradients, %.1f MB moments\n", values, values,
           2 * values);
    printf("key/value cache of a full context: %.1f MB\n",
           2.0 * c->layers * c->context * c->channels * mb);
    params_free(&ps);
}
