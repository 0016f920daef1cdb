#include "models/generate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/model_decoder.h"
#include "system/stop.h"
#include "system/utf8.h"
#include "tokens/detokenizer.h"

/* The first input of a model. */
typedef struct {
    int *ids, n;
    int before;      /* tokens before the prompt: 1 newline, or 0 */
    int64_t unknown; /* of the prompt only: a vocabulary need not have the newline */
} Beginning;

/* Returns a newline, because every line (and by convention every text) follows one, then the prompt; with
 * `bare` the prompt alone, unless it is empty. */
static Beginning starting_tokens(const Tokenizer *v, const char *prompt, bool bare)
{
    const Encoding e = tokenizer_encode(v, prompt, strlen(prompt));
    Beginning s = {.before = !bare || e.n == 0, .unknown = e.unknown};
    s.n = s.before + e.n;
    s.ids = xmalloc(((size_t)e.n + 1) * sizeof *s.ids);
    s.ids[0] = tokenizer_id(v, "\n");
    memcpy(s.ids + s.before, e.ids, (size_t)e.n * sizeof *s.ids);
    free(e.ids);
    return s;
}

/* --- printing --- */
typedef struct {
    Detokenizer text;
    Utf8Printer printer;
    FILE *f;
} Output;

/* Prints the first `len` bytes decoded but not yet printed, as far as their characters are complete. */
static void print(Output *o, size_t len)
{
    utf8_print(&o->printer, o->text.text, len, o->f);
    o->text.len -= len;
    if (o->text.len) memmove(o->text.text, o->text.text + len, o->text.len);
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
    print(o, o->text.len);
}

/* Finds in text[0 .. len-1] the first place from which on one of the stop strings begins, even if its end
 * is still missing. Returns len if there is none; *whole: is the stop string complete? */
static size_t find_stop(const char *stop, const char *text, size_t len, bool *whole)
{
    *whole = false;
    for (size_t at = 0; at < len; at++)
        for (const char *s = stop; *s; s += strspn(s, "|")) {
            const size_t n = strcspn(s, "|"), left = len - at;
            *whole = n > 0 && n <= left && memcmp(text + at, s, n) == 0;
            if (*whole || (left < n && memcmp(text + at, s, left) == 0)) return at;
            s += n;
        }
    return len;
}

/* Prints what was decoded, up to a stop string. What may be the beginning of one is held back. Returns true
 * if there is one: the text ends before it. */
static bool print_until(Output *o, const char *stop)
{
    bool whole = false;
    const size_t len = stop ? find_stop(stop, o->text.text, o->text.len, &whole) : o->text.len;
    print(o, len);
    if (whole) o->text.len = 0;
    return whole;
}

/* --- several samples at a time --- */
typedef struct {
    Output out;
    Rng rng;
    int *ids, n; /* all tokens so far, those of the start included */
    int row;     /* its row in the logits */
    bool done;
} Sample;

/* Draws the next token among those that a text can contain, or returns -1 if no logit of them is
 * finite. */
static int draw_token(const Tokenizer *v, const Sampling *s, Sample *sample, real *logits)
{
    const int never[] = {v->unk, v->pad, v->bos};
    for (int i = 0; i < LEN(never); i++)
        if (never[i] >= 0) logits[never[i]] = -INFINITY;
    sample_penalise(logits, v->size, sample->ids, sample->n, s->repetition);
    const int id = sample_token(logits, v->size, s, &sample->rng);
    return isfinite(logits[id]) ? id : -1;
}

/* Draws a token, prints it and returns it. It ends the sample if the text ends here. */
static int extend(Sample *s, const Tokenizer *v, const Generation *g, real *logits)
{
    const int id = draw_token(v, &g->sampling, s, logits);
    s->done = id < 0 || (g->line && id == tokenizer_id(v, "\n"));
    if (s->done) return id;
    s->ids[s->n++] = id;
    detokenizer_put(&s->out.text, id);
    s->done = print_until(&s->out, g->stop);
    return id;
}

static Sample sample_begin(const Tokenizer *v, const Generation *g, Rng rng, FILE *f,
                           const Beginning *start)
{
    const int n = start->n, before = start->before;
    Sample s = {.out = {.text = detokenizer_new(v), .f = f}, .rng = rng, .n = n};
    s.ids = xmalloc(((size_t)n + (size_t)g->length) * sizeof *s.ids);
    memcpy(s.ids, start->ids, (size_t)n * sizeof *s.ids);
    print_prompt(&s.out, g->prompt ? g->prompt : "", start->ids + before, n - before,
                 start->unknown == 0);
    return s;
}

static void sample_end(Sample *s, const Generation *g)
{
    detokenizer_end(&s->out.text);
    print_until(&s->out, g->stop);
    print(&s->out, s->out.text.len); /* the beginning of a stop string without its end */
    utf8_flush(&s->out.printer, s->out.f);
    fputc('\n', s->out.f);
    detokenizer_free(&s->out.text);
    free(s->ids);
}

/* Extends all samples token by token. `fed` tokens were read. Returns false if no logit was finite. */
static bool extend_all(const Decoder *d, const Tokenizer *v, const Generation *g, Sample *sample,
                       int n, int fed, real *logits)
{
    const size_t V = (size_t)v->size;
    real *own = xmalloc(V * sizeof *own);
    int *parent = xmalloc(2 * (size_t)n * sizeof *parent), *token = parent + n, active = n;
    bool finite = true;
    for (int i = 0; i < g->length && active && !stop_requested(); i++) {
        active = 0;
        for (Sample *s = sample; s < sample + n; s++) {
            if (s->done) continue;
            memcpy(own, logits + (size_t)s->row * V, V * sizeof *own);
            const int id = extend(s, v, g, own);
            finite = finite && id >= 0;
            s->done = s->done || (d->longest && fed + i >= d->longest);
            if (s->done) continue;
            parent[active] = s->row, token[active] = id;
            s->row = active++;
        }
        if (active) d->step(d->self, active, parent, token, logits);
    }
    free(own), free(parent);
    return finite;
}

int generate_many(const Model *m, const Tokenizer *v, const Generation *g, uint64_t seed, int first,
                  int n, FILE *const *f)
{
    const Decoder d = model_decoder(m, v->size);
    real *logits = xmalloc((size_t)n * v->size * sizeof *logits);
    Sample *sample = xmalloc((size_t)n * sizeof *sample);
    const Beginning start = starting_tokens(v, g->prompt ? g->prompt : "", g->bare);
    for (int i = 0; i < n; i++)
        sample[i] =
            sample_begin(v, g, rng_make(seed, RNG_SAMPLE, (uint32_t)(first + i)), f[i], &start);
    const int len = start.n; /* of a longer prompt the end */
    const int fed = d.longest && len > d.longest ? d.longest : len;
    d.start(d.self, fed, start.ids + len - fed, logits);
    const bool finite = extend_all(&d, v, g, sample, n, fed, logits);
    for (int i = 0; i < n; i++) sample_end(&sample[i], g);
    d.close(d.self);
    free(start.ids), free(logits), free(sample);
    return finite ? (int)start.unknown : -1;
}

int generate(const Model *m, const Tokenizer *v, const Generation *g, uint64_t seed, int index,
             FILE *f)
{
    return generate_many(m, v, g, seed, index, 1, &f);
}
