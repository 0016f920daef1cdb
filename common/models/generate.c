#include "models/generate.h"

#include <stdlib.h>
#include <string.h>

#include "system/stop.h"
#include "system/utf8.h"

/* Feeds n tokens and returns the logits after the last; they live until the tape is reset. */
static const real *feed(const Model *m, Tape *tp, int *ids, int n, int outputs, real *state)
{
    int *none = tape_save(tp, (size_t)n * sizeof *none);
    for (int i = 0; i < n; i++) none[i] = -1;
    const Batch batch = {.T = n, .B = 1, .x = ids, .y = none};
    const Tensor *logits = m->forward(tp, m->self, &batch, state, NULL);
    return logits->data + (size_t)(n - 1) * outputs;
}

/* The newline that every line and, by custom, every text starts after, then the prompt. Only what is
 * unknown of the prompt is counted: a vocabulary need not have the newline. */
static int *starting_tokens(const Vocab *v, const char *prompt, int *n, int64_t *unknown)
{
    if (!prompt) prompt = "";
    int *ids = vocab_encode(v, prompt, strlen(prompt), n, unknown, NULL);
    ids = xrealloc(ids, ((size_t)*n + 1) * sizeof *ids);
    memmove(ids + 1, ids, (size_t)*n * sizeof *ids);
    ids[0] = vocab_id(v, '\n');
    ++*n;
    return ids;
}

int generate(const Model *m, const Vocab *v, const Generation *g, uint64_t seed, int index, FILE *f)
{
    CHECK(m->state_size > 0, "generate: the model carries no state");
    real *state = xcalloc((size_t)m->state_size, sizeof *state);
    Tape tp = {.frozen = true};
    Utf8Printer printer = {0};
    Rng rng = rng_make(seed, RNG_SAMPLE, (uint32_t)index);
    const int newline = vocab_id(v, '\n');
    int64_t unknown;
    int n, id;
    int *start = starting_tokens(v, g->prompt, &n, &unknown);
    if (g->prompt) utf8_print(&printer, g->prompt, strlen(g->prompt), f);

    const real *logits = feed(m, &tp, start, n, v->size, state);
    for (int i = 0; i < g->length && !stop_requested(); i++) {
        id = sample_token(logits, v->size, &g->sampling, &rng);
        if (g->line && id == newline) break;
        char bytes[4];
        utf8_print(&printer, bytes, (size_t)vocab_decode(v, id, bytes), f);
        tape_reset(&tp);
        logits = feed(m, &tp, &id, 1, v->size, state);
    }
    utf8_flush(&printer, f);
    fputc('\n', f);
    tape_free(&tp);
    free(start), free(state);
    return (int)unknown;
}
