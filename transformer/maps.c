#include "transformer/maps.h"

#include <stdio.h>

/* Returns the strings of n ids; tokens NULL: of a task whose tokens have no names. */
static const char *const *tokens_of(Tape *tp, const Tokenizer *tokens, const int *id, int n)
{
    enum { DIGITS = 12 };
    const char **token = tape_save(tp, (size_t)n * sizeof *token);
    for (int i = 0; i < n; i++) {
        char *number = tape_save(tp, DIGITS);
        snprintf(number, DIGITS, "%d", id[i]);
        token[i] = number;
        if (tokens) token[i] = tokenizer_name(tokens, id[i], number);
    }
    return token;
}

static HeadMap map_of(const char *name, const Transformer *m, const real *const *weight)
{
    return (HeadMap){
        .name = name, .layers = m->config.layers, .heads = m->config.heads, .weight = weight};
}

static HeadMap encoder_of(TransformerMaps *r, const Transformer *m, const Data *d)
{
    HeadMap map = map_of("encoder", m, r->weights.encoder);
    map.about = "Encoder: each source token attends to the whole source";
    map.query_label = "source token";
    map.key_label = "source token attended to";
    map.T = map.S = r->batch.S;
    map.row = map.column = tokens_of(&r->tp, &d->pairs.source, r->batch.s, map.S);
    return map;
}

static HeadMap decoder_of(TransformerMaps *r, const Transformer *m, const Data *d)
{
    HeadMap map = map_of("decoder", m, r->weights.decoder);
    map.about = "Decoder: each token attends to itself and to earlier tokens";
    map.query_label = "token read";
    map.key_label = "token attended to";
    map.causal = true;
    map.T = map.S = r->batch.T;
    map.row = map.column =
        tokens_of(&r->tp, d->is_pairs ? &d->pairs.target : NULL, r->batch.x, map.T);
    return map;
}

static HeadMap cross_of(TransformerMaps *r, const Transformer *m, const Data *d)
{
    HeadMap map = map_of("cross", m, r->weights.cross);
    map.about = "Cross-attention: each target token attends to the source";
    map.query_label = "target token";
    map.key_label = "source token attended to";
    map.T = r->batch.T, map.S = r->batch.S;
    map.row = tokens_of(&r->tp, &d->pairs.target, r->batch.y, map.T);
    map.column = tokens_of(&r->tp, &d->pairs.source, r->batch.s, map.S);
    return map;
}

void transformer_maps_open(TransformerMaps *r, const Data *d, const Transformer *m, int i, int most)
{
    *r = (TransformerMaps){.tp = {.frozen = true}, .batch = batch_new_as(BATCH_MAJOR)};
    task_heldout(&d->task, SPLIT_TEST, 0, i, 1, &r->batch);
    if (!d->is_pairs && r->batch.T > most) r->batch.T = most;
    r->weights = transformer_attention_weights(&r->tp, m, &r->batch);
    if (d->is_pairs) r->part[r->parts++] = encoder_of(r, m, d);
    r->part[r->parts++] = decoder_of(r, m, d);
    if (d->is_pairs) r->part[r->parts++] = cross_of(r, m, d);
}

void transformer_maps_close(TransformerMaps *r)
{
    batch_free(&r->batch);
    tape_free(&r->tp);
}
