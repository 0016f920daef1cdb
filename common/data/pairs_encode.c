#include "data/pairs_encode.h"

#include <stdlib.h>
#include <string.h>

Tokenizer pairs_learn(const Items *s, int side, const TokenKind *unit, int least, int limit)
{
    TokenLearner l = learner_new(unit, TOKENS_FRAMED);
    for (int i = 0; i < s->n; i++) {
        const char *text = s->item[i].text[side];
        if (s->item[i].split == SPLIT_TRAIN) learner_add(&l, text, strlen(text));
    }
    return learner_end(&l, least, limit);
}

/* --- ids and texts, in two blocks that pair[] points into ------------------------------------- */
typedef struct {
    size_t n, room;
} Block;

/* Encodes one side of a pair, appends its ids to the block and returns their number. */
static int put_ids(Pairs *p, Block *b, const Tokenizer *t, const char *text, double *unknown)
{
    const Encoding e = tokenizer_encode(t, text, strlen(text));
    if (b->n + (size_t)e.n + 1 > b->room) {
        b->room = 2 * (b->n + (size_t)e.n) + 1024;
        p->ids = xrealloc(p->ids, b->room * sizeof *p->ids);
    }
    memcpy(p->ids + b->n, e.ids, (size_t)e.n * sizeof *e.ids);
    b->n += (size_t)e.n;
    *unknown = (double)e.unknown;
    free(e.ids);
    return e.n;
}

static const char *put_text(char **to, const char *text)
{
    const size_t size = strlen(text) + 1;
    char *at = memcpy(*to, text, size);
    *to += size;
    return at;
}

static void allocate(Pairs *p, const Items *s)
{
    size_t bytes = 1;
    for (int i = 0; i < s->n; i++) {
        const Item *item = &s->item[i];
        bytes += strlen(item->text[0]) + strlen(item->text[1]) + item->pieces[1].len + 3;
        p->n[item->split]++;
    }
    p->ids = xmalloc(sizeof *p->ids);
    p->bytes = xmalloc(bytes);
    for (int k = 0; k < 3; k++) p->pair[k] = xcalloc((size_t)p->n[k] + 1, sizeof *p->pair[k]);
}

/* Sets the pointers to ids of all pairs, after the block of ids has stopped moving. */
static void set_ids(Pairs *p, const Items *s)
{
    const int *id = p->ids;
    int next[3] = {0};
    for (int i = 0; i < s->n; i++) {
        const Split split = s->item[i].split;
        Pair *pair = &p->pair[split][next[split]++];
        pair->source = id;
        pair->target = id + pair->n_source;
        id = pair->target + pair->n_target;
    }
}

void pairs_fill(Pairs *p, const Items *s)
{
    Block ids = {0};
    int next[3] = {0};
    double asked[2] = {0}, unknown[2] = {0};
    allocate(p, s);
    char *byte = p->bytes;
    for (int i = 0; i < s->n; i++) {
        const Item *item = &s->item[i];
        int n[2];
        for (int side = 0; side < 2; side++) {
            double missing;
            n[side] = put_ids(p, &ids, side ? &p->target : &p->source, item->text[side], &missing);
            if (item->split != SPLIT_TEST) continue;
            unknown[side] += missing;
            asked[side] += n[side];
        }
        char *tokens = pieces_join(p->target.kind, &item->pieces[1], true);
        p->pair[item->split][next[item->split]++] =
            (Pair){.n_source = n[0],
                   .n_target = n[1],
                   .source_text = put_text(&byte, item->text[0]),
                   .target_text = put_text(&byte, item->text[1]),
                   .target_tokens = put_text(&byte, tokens)};
        free(tokens);
    }
    set_ids(p, s);
    for (int side = 0; side < 2; side++) p->unknown[side] = unknown[side] / asked[side];
}

/* --- a text from the user --------------------------------------------------------------------- */

int *pairs_encode_source(const Pairs *p, const char *text, int *n, char **unknown)
{
    char *copy = xstrdup(text);
    for (char *c = copy; p->is_spelled && *c; c++)
        if (*c == '-') *c = ' ';
    const Encoding e = tokenizer_encode(&p->source, copy, strlen(copy));
    *n = e.n;
    *unknown = e.unknown ? tokenizer_unknown(&p->source, copy, strlen(copy)) : NULL;
    free(copy);
    return e.ids;
}
