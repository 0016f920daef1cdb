/* The texts that an eval program samples: from --prompt, or from each line of standard input (--interactive). */
#include "programs/evaluator.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "data/input.h"
#include "models/model_decoder.h"
#include "system/stop.h"

/* Returns the first parameter with a value that is not finite, or NULL. */
static const Tensor *not_finite(const Params *ps)
{
    for (int i = 0; i < ps->n; i++)
        for (int k = 0; k < ps->tensor[i]->len; k++)
            if (!isfinite(ps->tensor[i]->data[k])) return ps->tensor[i];
    return NULL;
}

void evaluator_fail_numeric(Evaluator *e, const Params *ps, const char *what)
{
    const Tensor *t = not_finite(ps);
    char *why = t ? xformat("parameter %s is not finite", t->name)
                  : xstrdup("all parameters are finite, but some are too large");
    char *message = xformat("%s: %s is not finite: %s; use another checkpoint, "
                            "or train again with a smaller --lr",
                            e->dir ? e->dir : e->config->import, what, why);
    evaluator_fail(e, EXIT_NUMERIC, message);
    free(why), free(message);
}

static Generation generation_of(const Evaluator *e, const char *prompt)
{
    const EvalConfig *c = e->config;
    return (Generation){.prompt = prompt,
                        .length = c->sample_len,
                        .bare = c->import && c->open_import,
                        .line = e->data.text.by_line,
                        .stop = c->stop,
                        .sampling = {.temperature = c->temperature,
                                     .top_k = c->top_k,
                                     .top_p = c->top_p,
                                     .min_p = c->min_p,
                                     .repetition = c->repetition}};
}

/* Prints samples first .. first+n-1, which are generated at the same time. Returns as generate_many. */
static int print_many(const Evaluator *e, const Model *m, const Generation *g, int first, int n)
{
    FILE **f = xmalloc((size_t)n * sizeof *f);
    char **text = xcalloc((size_t)n, sizeof *text);
    size_t *len = xcalloc((size_t)n, sizeof *len);
    for (int i = 0; i < n; i++) {
        f[i] = open_memstream(&text[i], &len[i]);
        if (!f[i]) too_large("%d samples at a time: too many; use a smaller --sample-batch", n);
    }
    const int unknown = generate_many(m, &e->data.text.tokens, g, e->config->seed, first, n, f);
    for (int i = 0; i < n; i++) {
        fclose(f[i]);
        if (!g->line) printf("--- %d ---\n", first + i + 1);
        utf8_print(&(Utf8Printer){0}, text[i], len[i], stdout); /* it escapes for a terminal */
        free(text[i]);
    }
    free(f), free(text), free(len);
    return unknown;
}

/* Prints one sample, token by token. */
static int print_one(const Evaluator *e, const Model *m, const Generation *g, int index)
{
    if (!g->line) printf("--- %d ---\n", index + 1);
    return generate(m, &e->data.text.tokens, g, e->config->seed, index, stdout);
}

static void warn_unknown(const Evaluator *e, int unknown)
{
    if (unknown > 0)
        say("%s: warning: %d %s%s of the prompt %s not in the vocabulary\n", e->usage->program,
            unknown, tokenizer_item(&e->data.text.tokens), unknown == 1 ? "" : "s",
            unknown == 1 ? "is" : "are");
}

void evaluator_sample(Evaluator *e, const Model *m, const Params *ps)
{
    const EvalConfig *c = e->config;
    const Generation g = generation_of(e, c->prompt);
    if (c->samples) printf("\nsamples (temperature %g):\n", c->temperature);
    for (int i = 0; i < c->samples && !evaluator_stopped(e); i += c->sample_batch) {
        const int left = c->samples - i, n = left < c->sample_batch ? left : c->sample_batch;
        const int unknown = n == 1 ? print_one(e, m, &g, i) : print_many(e, m, &g, i, n);
        if (unknown < 0) {
            evaluator_fail_numeric(e, ps, "every probability of the next token");
            return;
        }
        if (i == 0) warn_unknown(e, unknown);
    }
}

enum { PROMPT_MOST = 1 << 20 }; /* bytes of a line */

/* Removes the carriage returns at the end of a line. Returns false, with a warning, for a line that is no text. */
static bool is_prompt(const Evaluator *e, InputLine *line)
{
    const char *fault = line->too_long ? "has more than 1048576 bytes; shorten it"
                        : memchr(line->text, 0, line->len)
                            ? "has a 0 byte; convert it to UTF-8 text first"
                            : NULL;
    while (line->len > 0 && line->text[line->len - 1] == '\r') line->text[--line->len] = 0;
    if (fault)
        say("%s: warning: line %lld %s\n", e->usage->program, (long long)line->number, fault);
    return !fault;
}

void evaluator_continue_lines(Evaluator *e, const Model *m, const Params *ps)
{
    InputLine line = {0};
    for (int index = 0; !evaluator_stopped(e) && input_line(stdin, PROMPT_MOST, &line); index++) {
        if (!is_prompt(e, &line)) {
            putchar('\n'); /* a line for each line */
            continue;
        }
        const Generation g = generation_of(e, line.text);
        const int unknown = generate(m, &e->data.text.tokens, &g, e->config->seed, index, stdout);
        if (unknown < 0) evaluator_fail_numeric(e, ps, "every probability of the next token");
        warn_unknown(e, unknown);
        if (unknown < 0 || !evaluator_flush(e)) break;
    }
    if (ferror(stdin)) {
        char *message = xformat("standard input: cannot be read: %s", strerror(errno));
        evaluator_fail(e, EXIT_FAILED, message);
        free(message);
    }
    free(line.text);
}
