#include "programs/translate_output.h"

#include <stdlib.h>
#include <string.h>

#include "system/utf8.h"

/* --- held-out pairs, from a table or drawn ----------------------------------------------------------- */

static Example example_of_pair(const Pairs *pairs, int i)
{
    const Pair *p = pairs_item(pairs, SPLIT_TEST, i);
    Example x = {.S = p->n_source,
                 .source = xmalloc((size_t)p->n_source * sizeof(int)),
                 .text = xstrdup(p->source_text),
                 .target = xstrdup(p->target_text),
                 .tokens = xstrdup(p->target_tokens)};
    memcpy(x.source, p->source, (size_t)p->n_source * sizeof(int));
    return x;
}

static Example example_drawn(const Data *d, int i)
{
    Batch batch = batch_new();
    task_heldout(&d->task, SPLIT_TEST, 0, i, 1, &batch);
    const int S = batch.s_len[0];
    Example x = {.S = S, .source = xmalloc((size_t)S * sizeof(int))};
    memcpy(x.source, batch.s, (size_t)S * sizeof(int));
    x.text = tokenizer_decode(&d->pairs.source, batch.s, S, NULL);
    x.target = tokenizer_decode(&d->pairs.target, batch.y, batch.T, NULL);
    x.tokens = tokenizer_spaced(&d->pairs.target, batch.y, batch.T);
    batch_free(&batch);
    return x;
}

Example example_get(const Data *d, int i)
{
    return d->pairs.is_table ? example_of_pair(&d->pairs, i) : example_drawn(d, i);
}

void example_free(Example *x)
{
    free(x->source), free(x->text), free(x->target), free(x->tokens);
}

int examples_of(const Evaluator *e)
{
    const int there = pairs_items(&e->data.pairs, SPLIT_TEST), asked = e->config->examples;
    return there && there < asked ? there : asked;
}

/* --- decoding ---------------------------------------------------------------------------------------- */

/* Returns the id, or that of the byte 0xFF, which is no UTF-8, for the byte 0, which would end the text. */
static int without_zero(const Tokenizer *t, int id)
{
    const bool bytes = token_kind("byte") == t->kind;
    return bytes && id == tokenizer_id(t, "") ? tokenizer_id(t, "\xFF") : id;
}

Output decode(const Evaluator *e, const Translator *t, const TranslateConfig *c, const int *source,
              int S)
{
    const int wanted = 2 * S + 20;
    const int limit = t->longest && t->longest <= wanted ? t->longest - 1 : wanted;
    Output o = {0};
    t->read(t->self, source, S);
    if (c->beam == 1) {
        o.id = xmalloc((size_t)limit * sizeof *o.id);
        o.len = decode_greedy(&t->decoder, limit, o.id, &o.log_probability);
        o.finished = o.len < limit;
    } else {
        const Beam beam = {.width = c->beam, .alpha = c->alpha};
        const Hypothesis h = decode_beam(&t->decoder, beam, limit);
        o.id = h.token, o.len = h.len, o.log_probability = h.log_probability;
        o.finished = h.finished;
    }
    int *shown = xmalloc(((size_t)o.len + 1) * sizeof *shown);
    for (int i = 0; i < o.len; i++) shown[i] = without_zero(&e->data.pairs.target, o.id[i]);
    o.text = tokenizer_decode(&e->data.pairs.target, shown, o.len, NULL);
    o.tokens = tokenizer_spaced(&e->data.pairs.target, shown, o.len);
    free(shown);
    return o;
}

void output_free(Output *o)
{
    free(o->id), free(o->text), free(o->tokens);
}

void output_print(const Output *o, FILE *f)
{
    char *line = xstrdup(o->text);
    for (char *c = line; *c; c++)
        if (*c == '\n') *c = ' ';
    utf8_show(line, f);
    putc('\n', f);
    free(line);
}

bool output_is_right(const Evaluator *e, const Output *o, const Example *x)
{
    for (int i = 0; i < o->len; i++)
        if (o->id[i] == e->data.pairs.target.unk) return false;
    return o->finished && strcmp(o->tokens, x->tokens) == 0;
}

/* --- alignments ----------------------------------------------------------------------------------------- */

Look look(const Evaluator *e, const Translator *t, const int *source, int S, const Output *o)
{
    const Pairs *p = &e->data.pairs;
    const int T = o->len + 1;
    Look l = {.target = xmalloc((size_t)T * sizeof *l.target),
              .source = xmalloc((size_t)S * sizeof *l.source),
              .byte = xmalloc((size_t)(T + S) * sizeof *l.byte),
              .weight = xmalloc((size_t)T * S * sizeof *l.weight)};
    int *id = xmalloc((size_t)T * sizeof *id);
    memcpy(id, o->id, (size_t)o->len * sizeof *id);
    id[o->len] = EOS;
    t->align(t->self, source, S, id, T, l.weight);
    for (int i = 0; i < T; i++) l.target[i] = tokenizer_name(&p->target, id[i], l.byte[i]);
    for (int i = 0; i < S; i++) l.source[i] = tokenizer_name(&p->source, source[i], l.byte[T + i]);
    l.a = (Alignment){.T = T, .S = S, .target = l.target, .source = l.source, .weight = l.weight};
    free(id);
    return l;
}

void look_free(Look *l)
{
    free(l->target), free(l->source), free(l->byte), free(l->weight);
}
