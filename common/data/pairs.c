#include "data/pairs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/pairs_drawn.h"
#include "data/pairs_items.h"

const char *const pairs_tasks = "copy|reverse|sort|dates|numbers|places";
static const char *const PLACES = "common/data/places.tsv";

PairsConfig pairs_defaults(void)
{
    return (PairsConfig){.unit = "auto", .vocab_limit = 10000, .heldout = 0.1};
}

/* --- the kinds of data ---------------------------------------------------------------------------- */
typedef struct {
    const char *name, *about;
    bool (*read)(Table *t, const PairsConfig *c, Error *err); /* NULL: drawn without end */
    PieceUnit unit;                                           /* unless --unit says another */
    bool determined;  /* one target is right, and the source says which */
    int steps, batch; /* of a training run */
    double lr;
} Kind;

static bool read_dates(Table *t, const PairsConfig *c, Error *err)
{
    (void)c, (void)err;
    table_dates(t);
    return true;
}

static bool read_numbers(Table *t, const PairsConfig *c, Error *err)
{
    (void)c, (void)err;
    table_numbers(t);
    return true;
}

static bool read_places(Table *t, const PairsConfig *c, Error *err)
{
    (void)c;
    if (table_read(t, PLACES, err)) return true;
    const Error why = *err;
    return error_set(err, "%s; run from the top of the project", why.text);
}

static bool read_file(Table *t, const PairsConfig *c, Error *err)
{
    return table_read(t, c->file, err);
}

static const Kind kinds[] = {
    {"copy", "write the source once more", NULL, PIECE_WORD, true, 1500, 64, 2e-3},
    {"reverse", "write the source from its end", NULL, PIECE_WORD, true, 1500, 64, 2e-3},
    {"sort", "write the source in order", NULL, PIECE_WORD, true, 1500, 64, 2e-3},
    {"dates", "write a date as in ISO 8601", read_dates, PIECE_CHAR, true, 400, 64, 3e-3},
    {"numbers", "write an English number in Korean", read_numbers, PIECE_WORD, true, 600, 50, 3e-3},
    {"places", "write a place's name in Hangul", read_places, PIECE_CHAR, false, 2000, 64, 2e-3},
    {"pairs", "write what a file has beside the source", read_file, PIECE_WORD, false, 3000, 64,
     2e-3},
};

bool pairs_drawn(const char *task)
{
    for (int i = 0; i < LEN(kinds); i++)
        if (strcmp(kinds[i].name, task) == 0) return !kinds[i].read;
    return false;
}

static const Kind *kind_of(const PairsConfig *c, Error *err)
{
    const Kind *file = &kinds[LEN(kinds) - 1];
    if (c->file && !c->task) return file;
    if (c->file)
        error_set(err, "--task %s and --pairs %s: choose one", c->task, c->file);
    else if (!c->task)
        error_set(err, "no data: give --task %s, or --pairs FILE", pairs_tasks);
    else {
        for (const Kind *k = kinds; k < file; k++)
            if (strcmp(k->name, c->task) == 0) return k;
        error_set(err, "there is no task \"%s\" of pairs: choose one of %s", c->task, pairs_tasks);
    }
    return NULL;
}

static bool length_fits(const PairsConfig *c, const Kind *k, Error *err)
{
    return !k->read || !c->seq_len ||
           error_set(err,
                     "--seq-len %d: %s has sequences as long as they are; leave out the longer "
                     "ones with --max-words",
                     c->seq_len, k->name);
}

static PieceUnit unit_of(const PairsConfig *c, const Kind *k)
{
    PieceUnit unit = k->unit;
    const bool is_auto = strcmp(c->unit, "auto") == 0;
    CHECK(is_auto || piece_unit_find(c->unit, &unit), "pairs: unit \"%s\"", c->unit);
    return unit;
}

/* --- vocabularies and ids ------------------------------------------------------------------------- */

static Lexicon learn(const Items *s, int side, const PairsConfig *c, const Kind *k)
{
    const PieceUnit unit = unit_of(c, k);
    const int least = unit == PIECE_WORD && k->read == read_file ? 2 : 1;
    Pieces *text = xmalloc(((size_t)s->n + 1) * sizeof *text);
    int n = 0;
    for (int i = 0; i < s->n; i++)
        if (s->item[i].split == SPLIT_TRAIN) text[n++] = s->item[i].pieces[side];
    const Lexicon l = lexicon_learn(unit, text, n, least, c->vocab_limit);
    free(text);
    return l;
}

static const char *put_text(char **to, const char *text)
{
    const size_t size = strlen(text) + 1;
    char *at = memcpy(*to, text, size);
    *to += size;
    return at;
}

/* Room for the ids and texts of all pairs, in two blocks which pair[] points into. */
static void allocate(Pairs *p, const Items *s)
{
    size_t ids = 1, bytes = 1;
    for (int i = 0; i < s->n; i++) {
        const Item *item = &s->item[i];
        ids += (size_t)item->pieces[0].n + (size_t)item->pieces[1].n;
        bytes += strlen(item->text[0]) + strlen(item->text[1]) + item->pieces[1].len + 3;
        p->n[item->split]++;
    }
    p->ids = xmalloc(ids * sizeof *p->ids);
    p->bytes = xmalloc(bytes);
    for (int k = 0; k < 3; k++) p->pair[k] = xcalloc((size_t)p->n[k] + 1, sizeof *p->pair[k]);
}

static void fill(Pairs *p, const Items *s)
{
    int *id = p->ids, next[3] = {0};
    char *byte = p->bytes;
    double asked[2] = {0}, unknown[2] = {0};
    for (int i = 0; i < s->n; i++) {
        const Item *item = &s->item[i];
        int *ids[2] = {id, id + item->pieces[0].n};
        for (int side = 0; side < 2; side++) {
            const Lexicon *l = side ? &p->target : &p->source;
            const int missing = lexicon_encode(l, &item->pieces[side], ids[side]);
            if (item->split != SPLIT_TEST) continue;
            unknown[side] += missing;
            asked[side] += item->pieces[side].n;
        }
        char *tokens = pieces_tokens(p->target.unit, &item->pieces[1]);
        p->pair[item->split][next[item->split]++] =
            (Pair){.source = ids[0],
                   .target = ids[1],
                   .n_source = item->pieces[0].n,
                   .n_target = item->pieces[1].n,
                   .source_text = put_text(&byte, item->text[0]),
                   .target_text = put_text(&byte, item->text[1]),
                   .target_tokens = put_text(&byte, tokens)};
        free(tokens);
        id = ids[1] + item->pieces[1].n;
    }
    for (int side = 0; side < 2; side++) p->unknown[side] = unknown[side] / asked[side];
}

/* --- the task ------------------------------------------------------------------------------------- */

static int draw_item(const Task *task, Split split, int length, Rng *rng, Batch *batch, int b)
{
    (void)length;
    const Pairs *p = task->self;
    const uint32_t n = (uint32_t)p->n[split];
    const bool numbered = rng->stream == RNG_TASK; /* task_heldout: the caller's index */
    const int i = numbered ? (int)(rng->step % n) : rng_below(rng, (int)n);
    const Pair *pair = &p->pair[split][i];
    return pair_put(pair->source, pair->n_source, pair->target, pair->n_target, batch, b);
}

static int longest_of(const Pairs *p)
{
    int longest = 1;
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < p->n[k]; i++) {
            const Pair *pair = &p->pair[k][i];
            if (pair->n_source > longest) longest = pair->n_source;
            if (pair->n_target > longest) longest = pair->n_target;
        }
    return longest;
}

static void set_task(Task *t, Pairs *p, const PairsConfig *c, const Kind *k)
{
    const int V = p->target.size;
    const bool determined = k->determined && !(k->read == read_dates && c->swap);
    t->name = k->name;
    t->about = k->about;
    t->vocab = t->outputs = V;
    t->source_vocab = p->source.size;
    t->steps = k->steps;
    t->batch = k->batch;
    t->lr = k->lr;
    t->metric = "token accuracy";
    t->loss_chance = log(V);
    t->metric_chance = 1. / V;
    t->loss_perfect = determined ? 0 : (double)NAN;
    t->metric_perfect = determined ? 1 : (double)NAN;
    t->self = p;
    if (!p->is_table) return;
    t->length = t->shortest = t->longest = t->lengths[0] = longest_of(p);
    t->extra = 1; /* EOS */
    t->n_lengths = 1;
    t->draw = draw_item;
}

/* --- opening -------------------------------------------------------------------------------------- */

static bool enough(const Items *s, const char *name, Error *err)
{
    int n[3] = {0};
    for (int i = 0; i < s->n; i++) n[s->item[i].split]++;
    if (n[SPLIT_TRAIN] && n[SPLIT_VALID] && n[SPLIT_TEST]) return true;
    return error_set(err,
                     "%s: %d pairs to learn from, %d for validation and %d for test (%d too long, "
                     "%d empty, %d repeated, %d left out), at least one of each is needed; give %s",
                     name, n[SPLIT_TRAIN], n[SPLIT_VALID], n[SPLIT_TEST], s->too_long, s->empty,
                     s->repeated, s->left_out,
                     s->too_long > s->n ? "a larger --max-words"
                                        : "more pairs, or another --heldout");
}

static void take(Pairs *p, const Items *s, const PairsConfig *c, const Kind *k,
                 const Lexicon *source, const Lexicon *target)
{
    p->is_table = true;
    p->is_spelled = k->read == read_numbers && !c->swap;
    p->too_long = s->too_long;
    p->empty = s->empty;
    p->repeated = s->repeated;
    p->left_out = s->left_out;
    p->source = source ? lexicon_copy(source) : learn(s, 0, c, k);
    p->target = target ? lexicon_copy(target) : learn(s, 1, c, k);
    allocate(p, s);
    fill(p, s);
}

static bool open_table(Pairs *p, const PairsConfig *c, const Kind *k, const Lexicon *source,
                       const Lexicon *target, Error *err)
{
    const bool is_file = k->read == read_file;
    const int by = k->read == read_dates ? !c->swap : 0; /* all forms of a day on one side */
    Table table = {0};
    Items items = {0};
    bool ok = k->read(&table, c, err);
    if (ok) {
        items = items_cut(&table, unit_of(c, k), c->swap, c->max_words, by);
        items_split(&items, c->heldout, is_file ? c->items : 0, is_file ? 0 : c->items);
        ok = enough(&items, is_file ? c->file : k->name, err);
    }
    if (ok) take(p, &items, c, k, source, target);
    items_free(&items);
    table_free(&table);
    return ok;
}

/* Vocabularies of a run whose config.json was changed by hand. */
static bool lexicons_fit(const PairsConfig *c, const Kind *k, const Lexicon *source,
                         const Lexicon *target, Error *err)
{
    const PieceUnit unit = unit_of(c, k);
    const Lexicon *given[2] = {source, target};
    for (int side = 0; side < 2; side++)
        if (given[side] && given[side]->unit != unit)
            return error_set(err, "%s: the vocabulary's unit is %s, the data's %s", k->name,
                             piece_unit_name(given[side]->unit), piece_unit_name(unit));
    return true;
}

bool pairs_open(Pairs *p, Task *task, const PairsConfig *c, const Lexicon *source,
                const Lexicon *target, Error *err)
{
    CHECK(c->heldout > 0 && c->heldout < 0.5, "pairs_open: heldout %g", c->heldout);
    *p = (Pairs){0};
    *task = (Task){0};
    const Kind *k = kind_of(c, err);
    bool ok = k && length_fits(c, k, err) && lexicons_fit(c, k, source, target, err);
    if (ok && k->read) {
        ok = open_table(p, c, k, source, target, err);
    } else if (ok) {
        p->source = drawn_lexicon();
        p->target = drawn_lexicon();
        ok = drawn_task(task, k->name, c->seq_len, err);
    }
    if (ok)
        set_task(task, p, c, k);
    else
        pairs_close(p);
    return ok;
}

void pairs_close(Pairs *p)
{
    lexicon_free(&p->source), lexicon_free(&p->target);
    for (int k = 0; k < 3; k++) free(p->pair[k]);
    free(p->ids), free(p->bytes);
    *p = (Pairs){0};
}

/* --- access --------------------------------------------------------------------------------------- */
int pairs_items(const Pairs *p, Split split)
{
    return p->n[split];
}

const Pair *pairs_item(const Pairs *p, Split split, int i)
{
    CHECK(i >= 0 && i < p->n[split], "pairs_item: %d of %d", i, p->n[split]);
    const Pair *first = p->pair[split];
    return first + i;
}

int *pairs_encode_source(const Pairs *p, const char *text, int *n, char **unknown)
{
    char *copy = xstrdup(text);
    for (char *c = copy; p->is_spelled && *c; c++)
        if (*c == '-') *c = ' ';
    const Pieces pieces = pieces_cut(p->source.unit, copy, strlen(copy));
    int *ids = xmalloc(((size_t)pieces.n + 1) * sizeof *ids);
    char *missing = xcalloc(pieces.len + 1, 1), *end = missing;
    *n = pieces.n;
    *unknown = NULL;
    if (lexicon_encode(&p->source, &pieces, ids)) *unknown = missing;
    const char *piece = pieces.bytes;
    for (int i = 0; i < pieces.n; i++, piece = piece_next(piece)) {
        if (ids[i] != UNK) continue;
        if (end > missing) *end++ = ' ';
        memcpy(end, piece, strlen(piece));
        end += strlen(piece);
    }
    if (!*unknown) free(missing);
    free(pieces.bytes), free(copy);
    return ids;
}
