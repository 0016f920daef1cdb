/* The encoder runs once a source. What the decoder carries, its cells' states and what it feeds back,
 * is kept outside the tape between two steps, a row a hypothesis, so that a hypothesis goes on from
 * whichever row is its parent's and every step's tape can be reset. */
#include "search.h"

#include "lexicon.h"

#include <stdlib.h>
#include <string.h>

Search search_init(const Seq2seq *m)
{
    const Tape frozen = {.frozen = true};
    Search s = {
        .m = m, .vocab = m->head.b->len, .always = frozen, .source = frozen, .step = frozen};
    s.words = seq2seq_words(&s.always, m);
    return s;
}

void search_free(Search *s)
{
    tape_free(&s->always);
    tape_free(&s->source);
    tape_free(&s->step);
    free(s->kept);
    *s = (Search){0};
}

/* --- what is carried ------------------------------------------------------------------------------ */

enum { MAX_SLOTS = 2 * SEQ2SEQ_MAX_LAYERS + 1 };

/* The carried tensors, (n,H) each; returns how many there are. */
static int slots_of(const Seq2seq *m, DecoderState *d, Tensor ***slot)
{
    int n = 0;
    for (int i = 0; i < m->config.layers; i++) {
        slot[n++] = &d->cell[i].h;
        if (m->decoder[i].kind == CELL_LSTM) slot[n++] = &d->cell[i].c;
    }
    if (m->config.feed) slot[n++] = &d->fed;
    return n;
}

static void keep(Search *s, DecoderState *d, int n)
{
    Tensor **slot[MAX_SLOTS];
    const int slots = slots_of(s->m, d, slot), H = s->m->config.hidden;
    if (n > s->cap) {
        s->cap = n;
        s->kept = xrealloc(s->kept, (size_t)slots * n * H * sizeof *s->kept);
    }
    s->n = n;
    for (int i = 0; i < slots; i++)
        memcpy(s->kept + (size_t)i * n * H, (*slot[i])->data, (size_t)n * H * sizeof *s->kept);
}

static DecoderState restore(Search *s, int n, const int *parent)
{
    DecoderState d = {0};
    Tensor **slot[MAX_SLOTS];
    const int slots = slots_of(s->m, &d, slot), H = s->m->config.hidden;
    for (int i = 0; i < slots; i++) {
        *slot[i] = tape_tensor(&s->step, SHAPE(n, H));
        for (int k = 0; k < n; k++)
            memcpy((*slot[i])->data + (size_t)k * H, s->kept + ((size_t)i * s->n + parent[k]) * H,
                   (size_t)H * sizeof(real));
    }
    return d;
}

/* --- reading, and a step ---------------------------------------------------------------------------- */

static void read_source(void *self, const int *source, int S)
{
    Search *s = self;
    tape_reset(&s->source);
    tape_reset(&s->step);
    s->len = S;
    s->memory = seq2seq_encode(&s->source, s->m, source, &s->len, S, 1, NULL);
    s->memory.words = s->words;
    DecoderState d = seq2seq_start(&s->source, s->m, &s->memory);
    keep(s, &d, 1);
}

/* x (S,1,H) n times side by side: (S,n,H). */
static Tensor *repeated(Tape *tp, const Tensor *x, int n)
{
    const int S = x->shape.d[0], H = x->shape.d[2];
    Tensor *y = tape_tensor(tp, SHAPE(S, n, H));
    for (int i = 0; i < S * n; i++)
        memcpy(y->data + (size_t)i * H, x->data + (size_t)(i / n) * H, (size_t)H * sizeof(real));
    return y;
}

static Memory memory_for(Search *s, int n)
{
    Memory memory = s->memory;
    if (n == 1 || s->m->attention.kind == NO_ATTENTION) {
        memory.B = n;
        return memory;
    }
    int *len = tape_save(&s->step, (size_t)n * sizeof *len);
    for (int i = 0; i < n; i++) len[i] = s->len;
    return (Memory){.S = memory.S,
                    .B = n,
                    .len = len,
                    .state = repeated(&s->step, memory.state, n),
                    .key = repeated(&s->step, memory.key, n),
                    .words = memory.words};
}

static void step(void *self, int n, const int *parent, const int *token, real *logits)
{
    Search *s = self;
    tape_reset(&s->step);
    const Memory memory = memory_for(s, n);
    DecoderState d = restore(s, n, parent);
    const Tensor *z = seq2seq_step(&s->step, s->m, &memory, token, &d);
    memcpy(logits, z->data, (size_t)z->len * sizeof *logits);
    keep(s, &d, n);
}

/* The source is fed as it is: what a reversed one looks at is turned round. */
static void align(void *self, const int *source, int S, const int *output, int T, real *weight)
{
    Search *s = self;
    int before = BOS;
    read_source(self, source, S);
    for (int t = 0; t < T; t++) {
        tape_reset(&s->step);
        DecoderState d = restore(s, 1, &(int){0});
        seq2seq_step(&s->step, s->m, &s->memory, &before, &d);
        for (int i = 0; i < S; i++)
            weight[(size_t)t * S + i] = d.weights[s->m->config.reverse ? S - 1 - i : i];
        keep(s, &d, 1);
        before = output[t];
    }
}

Translator search_translator(Search *s)
{
    return (Translator){
        .self = s,
        .decoder = {.self = s, .vocab = s->vocab, .bos = BOS, .eos = EOS, .pad = PAD, .step = step},
        .read = read_source,
        .align = s->m->attention.kind == NO_ATTENTION ? NULL : align};
}
