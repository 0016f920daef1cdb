/* The key/value cache and the decoder. Without the cache, step t would compute the keys and values of all t
 * earlier steps again; with it a step computes its own only. */
#include "gpt/gpt.h"

#include <stdlib.h>
#include <string.h>

/* --- the cache -------------------------------------------------------------------------------------------- */

GptCache gpt_cache_new(const GptConfig *c, int rows)
{
    GptCache s = {
        .layers = c->layers, .context = c->context, .channels = c->channels, .rows = rows};
    const Shape shape = SHAPE(2 * c->layers, rows, c->context, c->channels);
    s.block = (Tensor){.shape = shape, .len = shape_len(shape), .name = "key/value cache"};
    s.block.data = xmalloc((size_t)s.block.len * sizeof *s.block.data);
    s.len = xmalloc((size_t)rows * sizeof *s.len);
    return s;
}

void gpt_cache_free(GptCache *s)
{
    free(s->block.data), free(s->len);
    *s = (GptCache){0};
}

/* Returns the index in the block of step 0 of a row; which is 0 for keys and 1 for values. */
static int cache_at(const GptCache *s, int layer, int which, int row)
{
    return (((2 * layer + which) * s->rows) + row) * s->context * s->channels;
}

/* Stores x (B,T,C) and returns a view of the cache: (1,steps+T,C), or (B,context,C) for several rows. */
static Tensor *append(Tape *tp, GptCache *s, int layer, int which, const Tensor *x)
{
    const int B = x->shape.d[0], T = x->shape.d[1], C = s->channels;
    const int first = cache_at(s, layer, which, s->row);
    for (int b = 0; b < B; b++)
        memcpy(s->block.data + first + ((size_t)b * s->context + s->steps) * C,
               x->data + (size_t)b * T * C, (size_t)T * C * sizeof(real));
    return tape_view(tp, &s->block, SHAPE(B, B == 1 ? s->steps + T : s->context, C), first);
}

AttentionMask gpt_cache_append(Tape *tp, GptCache *s, int layer, Tensor **k, Tensor **v)
{
    const int B = (*k)->shape.d[0], T = (*k)->shape.d[1];
    CHECK((B == 1 || T == 1) && s->row + B <= s->rows && s->steps + T <= s->context,
          "gpt_cache_append: %d steps of %d rows after %d steps; there is room for %d of %d", T, B,
          s->steps, s->context, s->rows - s->row);
    *k = append(tp, s, layer, 0, *k);
    *v = append(tp, s, layer, 1, *v);
    if (B == 1) return (AttentionMask){.causal = true};
    for (int b = 0; b < B; b++) s->len[b] = s->steps + 1; /* hides the rest of each row */
    return (AttentionMask){.len = s->len};
}

/* --- the decoder -------------------------------------------------------------------------------------------- */

typedef struct {
    const Gpt *m;
    int vocab;
    Tape tp;
    GptCache cache;
    int n;      /* hypotheses of the last call */
    int *token; /* (rows,context) the tokens in the cache */
} GptDecoder;

/* Makes room for n hypotheses; keeps those that are there. */
static void make_room(GptDecoder *s, int n)
{
    const int before = s->cache.rows, context = s->m->config.context;
    if (n <= before) return;
    GptCache cache = gpt_cache_new(&s->m->config, n);
    const size_t kept = (size_t)before * context * s->cache.channels * sizeof(real);
    for (int i = 0; i < 2 * s->cache.layers && before; i++)
        memcpy(cache.block.data + cache_at(&cache, i / 2, i % 2, 0),
               s->cache.block.data + cache_at(&s->cache, i / 2, i % 2, 0), kept);
    cache.steps = s->cache.steps;
    gpt_cache_free(&s->cache);
    s->cache = cache;
    s->token = xrealloc(s->token, (size_t)n * context * sizeof *s->token);
}

/* Makes row i of rows (n,size) a copy of row parent[i] of before, in its first `used` bytes. */
static void take_rows(char *rows, const char *before, int n, const int *parent, size_t size,
                      size_t used)
{
    for (int i = 0; i < n; i++) memcpy(rows + i * size, before + parent[i] * size, used);
}

/* Makes hypothesis i a copy of hypothesis parent[i]. */
static void follow_parents(GptDecoder *s, int n, const int *parent)
{
    const int context = s->m->config.context, C = s->cache.channels, steps = s->cache.steps;
    bool same = n <= s->n;
    for (int i = 0; i < n; i++) {
        CHECK(parent[i] >= 0 && parent[i] < s->n, "gpt: parent %d of %d", parent[i], s->n);
        same = same && parent[i] == i;
    }
    const int old = s->n;
    s->n = n;
    if (same) return;
    make_room(s, n);
    const size_t row = (size_t)context * C * sizeof(real);
    char *before = xmalloc((size_t)old * row);
    for (int i = 0; i < 2 * s->cache.layers; i++) {
        char *rows = (char *)(s->cache.block.data + cache_at(&s->cache, i / 2, i % 2, 0));
        for (int j = 0; j < old; j++)
            memcpy(before + j * row, rows + j * row, (size_t)steps * C * sizeof(real));
        take_rows(rows, before, n, parent, row, (size_t)steps * C * sizeof(real));
    }
    const size_t ids = (size_t)context * sizeof *s->token;
    before = xrealloc(before, (size_t)old * (row > ids ? row : ids));
    memcpy(before, s->token, (size_t)old * ids);
    take_rows((char *)s->token, before, n, parent, ids, (size_t)steps * sizeof *s->token);
    free(before);
}

/* Feeds T tokens of n hypotheses (n,T), from cache row `row` on, and writes the logits (n,V) if they are not
 * NULL. */
static void feed(GptDecoder *s, int row, int n, const int *token, int T, real *logits)
{
    const int context = s->m->config.context;
    tape_reset(&s->tp);
    s->tp.frozen = true;
    s->cache.row = row;
    for (int i = 0; i < n; i++)
        memcpy(s->token + (size_t)(row + i) * context + s->cache.steps, token + (size_t)i * T,
               (size_t)T * sizeof *token);
    const Tensor *z = gpt_step(&s->tp, s->m, &s->cache, token, n, T);
    if (logits) memcpy(logits, z->data, (size_t)z->len * sizeof *logits);
}

/* Drops the older half of the tokens, because the context is full, and reads the rest again. */
static void drop_half(GptDecoder *s)
{
    const int context = s->m->config.context, keep = context / 2;
    int *kept = xmalloc(((size_t)keep + 1) * sizeof *kept);
    s->cache.steps = 0;
    for (int i = 0; i < s->n && keep; i++) {
        memcpy(kept, s->token + (size_t)i * context + context - keep, (size_t)keep * sizeof *kept);
        feed(s, i, 1, kept, keep, NULL);
    }
    s->cache.steps = keep;
    free(kept);
}

static void start(void *self, int n, const int *token, real *logits)
{
    GptDecoder *s = self;
    const int context = s->m->config.context, fed = n < context ? n : context;
    CHECK(n >= 1, "gpt: %d tokens to start with", n);
    make_room(s, 1);
    s->n = 1;
    s->cache.steps = 0;
    feed(s, 0, 1, token + n - fed, fed, logits);
    s->cache.steps = fed;
}

static void step(void *self, int n, const int *parent, const int *token, real *logits)
{
    GptDecoder *s = self;
    follow_parents(s, n, parent);
    if (s->cache.steps == s->m->config.context) drop_half(s);
    feed(s, 0, n, token, 1, logits);
    s->cache.steps++;
}

static void close_decoder(void *self)
{
    GptDecoder *s = self;
    tape_free(&s->tp);
    gpt_cache_free(&s->cache);
    free(s->token), free(s);
}

Decoder gpt_decoder(const void *self, int vocab)
{
    GptDecoder *s = xcalloc(1, sizeof *s);
    s->m = self;
    s->vocab = vocab;
    s->cache = (GptCache){.layers = s->m->config.layers,
                          .context = s->m->config.context,
                          .channels = s->m->config.channels};
    return (Decoder){.self = s,
                     .vocab = vocab,
                     .bos = -1,
                     .eos = -1,
                     .pad = -1,
                     .step = step,
                     .start = start,
                     .close = close_decoder};
}
