#include "models/generate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/model_decoder.h"
#include "system/stop.h"
#include "system/utf8.h"
#include "tokens/detokenizer.h"

/* Returns the first input: a newline, because every line (and by convention every text) follows
 * one, then the prompt. *unknown counts the unknown tokens of the prompt only: a vocabulary need
 * not have the newline. */
static int *starting_tokens(const Tokenizer *v, const char *prompt, int *n, int64_t *unknown)
{
    if (!prompt) prompt = "";
    const Encoding e = tokenizer_encode(v, prompt, strlen(prompt));
    int *ids = xmalloc(((size_t)e.n + 1) * sizeof *ids);
    ids[0] = tokenizer_id(v, "\n");
    memcpy(ids + 1, e.ids, (size_t)e.n * sizeof *ids);
    free(e.ids);
    *n = e.n + 1;
    *unknown = e.unknown;
    return ids;
}

/* --- printing --- */
typedef struct {
    Detokenizer text;
    Utf8Printer printer;
    FILE *f;
} Output;

/* Prints the complete characters decoded so far. */
static void print(Output *o)
{
    utf8_print(&o->printer, o->text.text, o->text.len, o->f);
    o->text.len = 0;
}

/* Prints the prompt as its tokens decode, or as it was typed if some of its tokens are unknown. */
static void print_prompt(Output *o, const char *prompt, const int *ids, int n, bool known)
{
    for (int i = 0; i < n; i++)
        if (known)
            detokenizer_put(&o->text, ids[i]);
        else
            detokenizer_skip(&o->text, ids[i]);
    size_t len = strlen(prompt);
    while (len && prompt[len - 1] == ' ' && tokenizer_of_words(o->text.t)) len--;
    if (!known) detokenizer_add(&o->text, prompt, len);
    print(o);
}

/* Draws the next token among those that a text can contain, or returns -1 if no logit of them is
 * finite. */
static int draw_token(const Tokenizer *v, const Sampling *s, real *logits, Rng *rng)
{
    const int never[] = {v->unk, v->pad, v->bos};
    for (int i = 0; i < LEN(never); i++)
        if (never[i] >= 0) logits[never[i]] = -INFINITY;
    const int id = sample_token(logits, v->size, s, rng);
    return isfinite(logits[id]) ? id : -1;
}

int generate(const Model *m, const Tokenizer *v, const Generation *g, uint64_t seed, int index,
             FILE *f)
{
    const Decoder d = model_decoder(m, v->size);
    real *logits = xmalloc((size_t)v->size * sizeof *logits);
    Output out = {.text = detokenizer_new(v), .f = f};
    Rng rng = rng_make(seed, RNG_SAMPLE, (uint32_t)index);
    const int newline = tokenizer_id(v, "\n");
    int64_t unknown;
    int n, id = 0;
    int *start = starting_tokens(v, g->prompt, &n, &unknown);
    print_prompt(&out, g->prompt ? g->prompt : "", start + 1, n - 1, unknown == 0);

    const int fed = d.longest && n > d.longest ? d.longest : n; /* the end of a longer prompt */
    d.start(d.self, fed, start + n - fed, logits);
    for (int i = 0; i < g->length && !stop_requested(); i++) {
        id = draw_token(v, &g->sampling, logits, &rng);
        if (id < 0 || (g->line && id == newline)) break;
        detokenizer_put(&out.text, id);
        print(&out);
        if (d.longest && fed + i >= d.longest) break;
        d.step(d.self, 1, &(int){0}, &id, logits);
    }
    detokenizer_end(&out.text);
    print(&out);
    utf8_flush(&out.printer, f);
    fputc('\n', f);
    d.close(d.self);
    detokenizer_free(&out.text);
    free(start), free(logits);
    return id < 0 ? -1 : (int)unknown;
}
