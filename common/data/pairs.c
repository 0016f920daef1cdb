#include "data/pairs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/pairs_drawn.h"
#include "data/pairs_encode.h"
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
    bool (*read)(Table *t, const PairsConfig *c, Error *err); /* NULL: generated without end */
    const char *unit;                                         /* the unit for --unit auto */
    bool determined;  /* the source determines the target: a perfect model has loss 0 */
    int steps, batch; /* defaults of a training run */
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
    {"copy", "copy the source", NULL, "word", true, 1500, 64, 2e-3},
    {"reverse", "write the source backwards", NULL, "word", true, 1500, 64, 2e-3},
    {"sort", "write the source in sorted order", NULL, "word", true, 1500, 64, 2e-3},
    {"dates", "write a date in ISO 8601", read_dates, "char", true, 400, 64, 3e-3},
    {"numbers", "write an English number in Korean", read_numbers, "word", true, 600, 50, 3e-3},
    {"places", "write a place's name in Hangul", read_places, "char", false, 2000, 64, 2e-3},
    {"pairs", "write the target that a file has for the source", read_file, "word", false, 3000, 64,
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

static bool files_fit(const PairsConfig *c, Error *err)
{
    return c->file || (!c->valid && !c->test) ||
           error_set(err, "--%s needs training pairs from a file; give the file with --pairs",
                     c->valid ? "valid" : "test");
}

static bool length_fits(const PairsConfig *c, const Kind *k, Error *err)
{
    return !k->read || !c->seq_len ||
           error_set(err,
                     "--seq-len %d does not apply to %s, whose pairs have fixed lengths; leave out "
                     "long pairs with --max-words",
                     c->seq_len, k->name);
}

static const TokenKind *unit_of(const PairsConfig *c, const Kind *k)
{
    const bool is_auto = strcmp(c->unit, "auto") == 0;
    const TokenKind *unit = token_kind(is_auto ? k->unit : c->unit);
    CHECK(unit, "pairs: unit \"%s\"", c->unit);
    return unit;
}

/* --- the task ------------------------------------------------------------------------------------- */

static int items_of(const Task *task, Split split)
{
    const Pairs *p = task->self;
    return p->n[split];
}

static ItemLength length_of_item(const Task *task, Split split, int i)
{
    const Pairs *p = task->self;
    const Pair *pair = &p->pair[split][i];
    return (ItemLength){.target = pair->n_target + 1, .source = pair->n_source};
}

static int draw_item(const Task *task, const Draw *draw, Batch *batch, int b)
{
    const Pairs *p = task->self;
    const Pair *pair = &p->pair[draw->split][draw_index(draw, p->n[draw->split])];
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
    t->unknown = p->target.unk > 0 ? p->target.unk : 0;
    t->steps = k->steps, t->batch = k->batch;
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
    t->items = items_of;
    t->item_length = length_of_item;
}

/* --- opening -------------------------------------------------------------------------------------- */

static bool enough(const Items *s, const char *name, Error *err)
{
    int n[3] = {0};
    for (int i = 0; i < s->n; i++) n[s->item[i].split]++;
    if (n[SPLIT_TRAIN] && n[SPLIT_VALID] && n[SPLIT_TEST]) return true;
    return error_set(err,
                     "%s: %d training, %d validation and %d test pairs (%d too long, %d empty, %d "
                     "repeated, %d left out); at least one of each is needed; give %s",
                     name, n[SPLIT_TRAIN], n[SPLIT_VALID], n[SPLIT_TEST], s->too_long, s->empty,
                     s->repeated, s->left_out,
                     s->too_long > s->n ? "a larger --max-words"
                                        : "more pairs, or another --heldout");
}

static Tokenizer learn(const Items *s, int side, const PairsConfig *c, const Kind *k)
{
    const TokenKind *unit = unit_of(c, k);
    const int least = unit == token_kind("word") && k->read == read_file ? 2 : 1;
    return pairs_learn(s, side, unit, least, c->vocab_limit);
}

/* table: the training pairs, --valid and --test; their faults go to p. */
static void take(Pairs *p, const Items *s, Table table[3], const PairsConfig *c, const Kind *k,
                 const Tokenizer *source, const Tokenizer *target)
{
    p->is_table = true;
    p->is_spelled = k->read == read_numbers && !c->swap;
    p->too_long = s->too_long;
    p->empty = s->empty;
    p->repeated = s->repeated;
    p->left_out = s->left_out;
    p->further = table[0].further;
    for (int i = 0; i < 3; i++) p->faults[i] = table[i].faults, table[i].faults = (InputFaults){0};
    p->source = source ? tokenizer_copy(source) : learn(s, 0, c, k);
    p->target = target ? tokenizer_copy(target) : learn(s, 1, c, k);
    pairs_fill(p, s);
}

/* Adds the pairs of --valid and --test, and counts those that share a side with a training pair. */
static bool add_given(Pairs *p, Items *items, Table table[3], const PairsConfig *c, const Kind *k,
                      Error *err)
{
    const char *const file[3] = {[SPLIT_VALID] = c->valid, [SPLIT_TEST] = c->test};
    for (int split = SPLIT_VALID; split <= SPLIT_TEST; split++) {
        if (!file[split]) continue;
        const int before = items->n, too_long = items->too_long;
        if (!table_read(&table[split], file[split], err)) return false;
        p->shared[split] = items_add(items, &table[split], unit_of(c, k), c->swap, (Split)split);
        if (!items_fit(items, too_long, file[split], err)) return false;
        if (items->n == before) return error_set(err, "%s: there is no pair in it", file[split]);
    }
    return true;
}

static bool open_table(Pairs *p, const PairsConfig *c, const Kind *k, const Tokenizer *source,
                       const Tokenizer *target, Error *err)
{
    const bool is_file = k->read == read_file;
    const int by = k->read == read_dates ? !c->swap : 0; /* puts all forms of a day in one split */
    const double heldout[3] = {
        [SPLIT_VALID] = c->valid ? 0 : c->heldout, [SPLIT_TEST] = c->test ? 0 : c->heldout};
    Table table[3] = {0}; /* the training pairs, --valid and --test */
    Items items = {0};
    bool ok = k->read(&table[0], c, err);
    if (ok) {
        items = items_cut(&table[0], unit_of(c, k), c->swap, c->max_words, by);
        items_split(&items, heldout, is_file ? c->items : 0, is_file ? 0 : c->items);
        ok = add_given(p, &items, table, c, k, err) &&
             enough(&items, is_file ? c->file : k->name, err);
    }
    if (ok) take(p, &items, table, c, k, source, target);
    items_free(&items);
    for (int i = 0; i < 3; i++) table_free(&table[i]);
    return ok;
}

/* Checks the unit of given tokenizers: somebody may have changed the run's config.json by hand. */
static bool tokenizers_fit(const PairsConfig *c, const Kind *k, const Tokenizer *source,
                           const Tokenizer *target, Error *err)
{
    const TokenKind *unit = unit_of(c, k);
    const Tokenizer *given[2] = {source, target};
    for (int side = 0; side < 2; side++)
        if (given[side] && given[side]->kind != unit)
            return error_set(err, "%s: the vocabulary's unit is %s, the data's %s", k->name,
                             tokenizer_unit(given[side]), token_unit(unit));
    return true;
}

bool pairs_open(Pairs *p, Task *task, const PairsConfig *c, const Tokenizer *source,
                const Tokenizer *target, Error *err)
{
    CHECK(c->heldout > 0 && c->heldout < 0.5, "pairs_open: heldout %g", c->heldout);
    *p = (Pairs){0};
    *task = (Task){0};
    const Kind *k = kind_of(c, err);
    bool ok = k && files_fit(c, err) && length_fits(c, k, err) &&
              tokenizers_fit(c, k, source, target, err);
    if (ok && k->read) {
        ok = open_table(p, c, k, source, target, err);
    } else if (ok) {
        p->source = drawn_tokens();
        p->target = drawn_tokens();
        ok = drawn_task(task, k->name, c->seq_len, err);
    }
    if (ok)
        set_task(task, p, c, k);
    else
        pairs_close(p);
    return ok;
}

bool pairs_of_tokens(Pairs *p, Task *task, const PairsConfig *c, const Tokenizer *source,
                     const Tokenizer *target, int length, Error *err)
{
    *p = (Pairs){0};
    *task = (Task){0};
    const Kind *k = kind_of(c, err);
    if (!k || !tokenizers_fit(c, k, source, target, err)) return false;
    if (!k->read) return pairs_open(p, task, c, NULL, NULL, err); /* generated: needs no data */
    p->is_table = true;
    p->is_spelled = k->read == read_numbers && !c->swap;
    p->source = tokenizer_copy(source);
    p->target = tokenizer_copy(target);
    set_task(task, p, c, k);
    task->length = task->lengths[0] = task->shortest = task->longest = length ? length : 1;
    return true;
}

bool pairs_open_test(Pairs *p, Task *task, const PairsConfig *c, const char *path,
                     const Tokenizer *source, const Tokenizer *target, Error *err)
{
    Table table[3] = {0};
    Items items = {0};
    const Kind *k = kind_of(c, err);
    *p = (Pairs){0};
    *task = (Task){0};
    bool ok = k && tokenizers_fit(c, k, source, target, err) && table_read(&table[0], path, err);
    if (ok) items_add(&items, &table[0], unit_of(c, k), c->swap, SPLIT_TEST);
    if (ok && items.empty)
        ok = error_set(err, "%s: %d of its pairs have an empty side; remove them", path,
                       items.empty);
    ok = ok && items_fit(&items, 0, path, err);
    if (ok && items.n == 0) ok = error_set(err, "%s: the file has no pairs", path);
    if (ok) {
        take(p, &items, table, c, k, source, target);
        set_task(task, p, c, k);
        task->loss_perfect = task->metric_perfect = NAN; /* known only for the run's own pairs */
    }
    items_free(&items);
    table_free(&table[0]);
    return ok;
}

void pairs_close(Pairs *p)
{
    tokenizer_free(&p->source), tokenizer_free(&p->target);
    for (int k = 0; k < 3; k++) free(p->pair[k]);
    free(p->ids), free(p->bytes);
    for (int i = 0; i < 3; i++) input_faults_free(&p->faults[i]);
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
    return p->pair[split] + i;
}
