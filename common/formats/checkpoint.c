/* Checkpoints. One list (Contents) describes what a file holds. Saving, checking and loading all
 * use this list, so that every value that is saved is also loaded.
 *
 *   wx, b, ...                          parameters by name        (in both files)
 *   optim.m.wx, optim.v.wx, ...         the parameters' moments   (from here on: state.safetensors)
 *   carried                             the recurrent state, if there is one
 *   train.step .tokens ... optim.step   numbers, stored exactly as tensors with no axes */
#include "formats/checkpoint.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    StTensor tensor; /* the tensor in the file; owns its name */
    void *here;      /* the values in memory: saved from here, loaded to here */
} Entry;

typedef struct {
    Entry *entry;
    int n;
    bool incomplete; /* memory ran out while the list was built */
} Contents;

typedef struct {
    int64_t step, tokens, cursor, loss_count, best_step, worse, optim_step;
    double seconds, loss_sum, best_loss, unlogged_norm;
} Numbers;

enum { NUMBERS = 11 }; /* the first entries of state.safetensors */

/* --- the contents of a file ------------------------------------------------------------------- */

/* Adds an entry. If memory runs out, marks the list as incomplete instead of aborting: a failed
 * save must not end the training run. */
static void add(Contents *c, const char *prefix, const char *name, const char *dtype, Shape s,
                void *here, StValues values)
{
    char *full;
    if (asprintf(&full, "%s%s", prefix, name) < 0) full = NULL;
    Entry *more = full ? realloc(c->entry, (size_t)(c->n + 1) * sizeof *more) : NULL;
    if (!more) {
        free(full);
        c->incomplete = true;
        return;
    }
    c->entry = more;
    StTensor t = {.name = full, .dtype = dtype, .axes = s.n, .data = here, .values = values};
    for (int i = 0; i < s.n; i++) t.d[i] = s.d[i];
    Error err;
    CHECK(safetensors_measure(&t, &err), "checkpoint: %s", err.text);
    c->entry[c->n++] = (Entry){t, here};
}

static void add_params(Contents *c, const Params *ps)
{
    for (int i = 0; i < ps->n; i++) {
        Tensor *t = ps->tensor[i];
        add(c, "", t->name, REAL_NAME, t->shape, t->data, ST_FINITE);
    }
}

/* Adds the moments in `block`, which has the layout of the gradients: a moment has the offset that
 * its gradient has in ps->grad. A frozen parameter has no moments. */
static void add_moments(Contents *c, const char *prefix, const Params *ps, real *block,
                        StValues values)
{
    for (int i = 0; block && i < ps->n; i++) {
        const Tensor *t = ps->tensor[i];
        if (t->grad)
            add(c, prefix, t->name, REAL_NAME, t->shape, block + (t->grad - ps->grad), values);
    }
}

static Contents contents_of_model(const Params *ps)
{
    Contents c = {0};
    add_params(&c, ps);
    return c;
}

static Contents contents_of_state(const Params *ps, const Optim *o, const TrainState *s, Numbers *k)
{
    CHECK(o->len == ps->trainable, "checkpoint: moments of %zu reals, gradients of %zu", o->len,
          ps->trainable);
    const Shape scalar = {0};
    Contents c = {0};
    add(&c, "train.", "step", "I64", scalar, &k->step, ST_ANY);
    add(&c, "train.", "tokens", "I64", scalar, &k->tokens, ST_ANY);
    add(&c, "train.", "cursor", "I64", scalar, &k->cursor, ST_ANY);
    add(&c, "train.", "loss_count", "I64", scalar, &k->loss_count, ST_ANY);
    add(&c, "train.", "best_step", "I64", scalar, &k->best_step, ST_ANY);
    add(&c, "train.", "worse", "I64", scalar, &k->worse, ST_ANY);
    add(&c, "optim.", "step", "I64", scalar, &k->optim_step, ST_ANY);
    add(&c, "train.", "seconds", "F64", scalar, &k->seconds, ST_ANY);
    add(&c, "train.", "loss_sum", "F64", scalar, &k->loss_sum, ST_ANY);
    add(&c, "train.", "best_loss", "F64", scalar, &k->best_loss, ST_ANY);
    add(&c, "train.", "unlogged_norm", "F64", scalar, &k->unlogged_norm, ST_ANY);
    CHECK(c.n == NUMBERS || c.incomplete, "checkpoint: %d numbers", c.n);
    add_params(&c, ps);
    add_moments(&c, "optim.m.", ps, o->m, ST_FINITE);
    add_moments(&c, "optim.v.", ps, o->v, ST_NOT_NEGATIVE);
    if (s->carried) add(&c, "", "carried", REAL_NAME, SHAPE(s->carried_len), s->carried, ST_FINITE);
    return c;
}

static void contents_free(Contents *c)
{
    for (int i = 0; i < c->n; i++) free((char *)c->entry[i].tensor.name);
    free(c->entry);
}

TrainState train_state(void)
{
    return (TrainState){.best_loss = INFINITY, .unlogged_norm = -1};
}

/* --- saving ----------------------------------------------------------------------------------- */

/* Writes the contents and frees them. path is NULL if memory ran out while it was made. */
static bool save(const char *path, Contents c, const json_t *metadata, Error *err)
{
    StTensor *t = calloc((size_t)c.n + 1, sizeof *t);
    bool ok = path && t && !c.incomplete;
    if (!ok) error_set(err, "%s: cannot be written: out of memory", path ? path : "the checkpoint");
    for (int i = 0; ok && i < c.n; i++) t[i] = c.entry[i].tensor;
    ok = ok && safetensors_save_with_checksums(path, t, c.n, metadata, err);
    free(t);
    contents_free(&c);
    return ok;
}

bool params_save(const char *path, const Params *ps, const json_t *metadata, Error *err)
{
    return save(path, contents_of_model(ps), metadata, err);
}

static char *path_of(const char *dir, const char *file)
{
    char *path;
    return asprintf(&path, "%s/%s", dir, file) < 0 ? NULL : path;
}

bool checkpoint_save(const char *dir, const Params *ps, const Optim *o, const TrainState *s,
                     const json_t *metadata, Error *err)
{
    Numbers k = {.step = s->step,
                 .tokens = s->tokens,
                 .cursor = s->cursor,
                 .optim_step = o->step,
                 .loss_count = s->loss_count,
                 .best_step = s->best_step,
                 .worse = s->worse,
                 .best_loss = s->best_loss,
                 .unlogged_norm = s->unlogged_norm,
                 .seconds = s->seconds,
                 .loss_sum = s->loss_sum};
    char *state = path_of(dir, "state.safetensors"), *model = path_of(dir, "model.safetensors");
    const bool ok = save(state, contents_of_state(ps, o, s, &k), metadata, err) &&
                    params_save(model, ps, metadata, err);
    free(state), free(model);
    return ok;
}

bool checkpoint_finite(const Params *ps, const Optim *o, const TrainState *s, Error *err)
{
    Numbers k = {0};
    Contents c = contents_of_state(ps, o, s, &k);
    bool ok = true;
    for (int i = 0; ok && i < c.n; i++) {
        const StTensor *t = &c.entry[i].tensor;
        ok = safetensors_check_values(t, c.entry[i].here, t->size, err);
    }
    contents_free(&c);
    return ok;
}

/* --- loading ---------------------------------------------------------------------------------- */

static bool fits(const StTensor *found, const StTensor *wanted, bool exact, Error *err)
{
    return found ? safetensors_fits(found, wanted, exact, err)
                 : safetensors_refuse(err, wanted->name,
                                      "is missing: the file is from another "
                                      "model, size or optimiser");
}

static const Entry *find_entry(const Contents *c, const char *name)
{
    for (int i = 0; i < c->n; i++)
        if (strcmp(c->entry[i].tensor.name, name) == 0) return &c->entry[i];
    return NULL;
}

static bool all_fits(const Safetensors *st, const Contents *c, bool exact, Error *err)
{
    if (c->incomplete) return error_set(err, "out of memory");
    for (int i = 0; i < c->n; i++) {
        const StTensor *wanted = &c->entry[i].tensor;
        if (!fits(safetensors_find(st, wanted->name), wanted, exact, err)) return false;
    }
    for (int i = 0; i < st->n; i++)
        if (!find_entry(c, st->tensor[i].name))
            return safetensors_refuse(err, st->tensor[i].name,
                                      "is not expected: the file is from "
                                      "another model, size or optimiser");
    return safetensors_verify(st, err);
}

/* Checks the values in the file, where they may be unaligned, and releases their pages. */
static bool values_valid(const Safetensors *st, const Contents *c, Error *err)
{
    enum { PIECE = 1 << 16 }; /* bytes */
    _Alignas(64) char piece[PIECE];
    for (int i = 0; i < c->n; i++) {
        const StTensor *found = safetensors_find(st, c->entry[i].tensor.name);
        StTensor t = *found;
        t.values = c->entry[i].tensor.values;
        for (size_t at = 0; at < t.size; at += PIECE) {
            const size_t len = t.size - at < PIECE ? t.size - at : PIECE;
            memcpy(piece, (const char *)t.data + at, len);
            if (!safetensors_check_values(&t, piece, len, err)) return false;
        }
        file_map_done(&st->file, t.data, t.size);
    }
    return true;
}

/* Copies n tensors that are known to fit; values of the same dtype are copied bit for bit. */
static void fill(const Safetensors *st, const Entry *entry, int n)
{
    for (int i = 0; i < n; i++) {
        const StTensor *wanted = &entry[i].tensor;
        safetensors_copy(st, safetensors_find(st, wanted->name), wanted, entry[i].here);
    }
}

/* The largest count that is accepted: no run reaches it, and counting on from it cannot
 * overflow. */
#define MOST (INT64_MAX / 4)

static bool numbers_valid(const Numbers *k, Error *err)
{
    const struct {
        const char *name;
        int64_t value, max;
    } number[] = {
        {"train.step", k->step, INT32_MAX},         {"train.tokens", k->tokens, MOST},
        {"train.cursor", k->cursor, MOST},          {"train.loss_count", k->loss_count, k->step},
        {"train.best_step", k->best_step, k->step}, {"train.worse", k->worse, k->step},
        {"optim.step", k->optim_step, k->step}};
    for (int i = 0; i < LEN(number); i++)
        if (number[i].value < 0 || number[i].value > number[i].max)
            return safetensors_refuse(err, number[i].name, "is %" PRId64 "; must be 0 to %" PRId64,
                                      number[i].value, number[i].max);
    if (!isfinite(k->seconds) || k->seconds < 0)
        return safetensors_refuse(err, "train.seconds", "is %g; must be 0 or more", k->seconds);
    if (!isfinite(k->loss_sum))
        return safetensors_refuse(err, "train.loss_sum", "is %g; must be finite", k->loss_sum);
    if (isnan(k->best_loss)) return safetensors_refuse(err, "train.best_loss", "is not a number");
    if (!isfinite(k->unlogged_norm))
        return safetensors_refuse(err, "train.unlogged_norm", "is %g; must be finite",
                                  k->unlogged_norm);
    return true;
}

bool params_check(const char *path, const Params *ps, Error *err)
{
    Safetensors st;
    if (!safetensors_peek(&st, path, err)) return false;
    Contents c = contents_of_model(ps);
    bool ok = !c.incomplete || error_set(err, "out of memory");
    for (int i = 0; ok && i < c.n; i++) {
        const StTensor *wanted = &c.entry[i].tensor;
        ok = fits(safetensors_find(&st, wanted->name), wanted, false, err);
    }
    contents_free(&c);
    safetensors_close(&st);
    return ok || error_in(err, path);
}

bool params_load(const char *path, Params *ps, Error *err)
{
    Safetensors st;
    if (!safetensors_open(&st, path, err)) return false;
    Contents c = contents_of_model(ps);
    const bool ok = all_fits(&st, &c, false, err);
    if (ok) fill(&st, c.entry, c.n);
    contents_free(&c);
    safetensors_close(&st);
    return ok || error_in(err, path);
}

bool checkpoint_load_model(const char *dir, Params *ps, Error *err)
{
    char *path = xformat("%s/model.safetensors", dir);
    const bool ok = params_load(path, ps, err);
    free(path);
    return ok;
}

static bool load_state(const char *path, Params *ps, Optim *o, TrainState *s, Error *err)
{
    Safetensors st;
    Numbers k;
    if (!safetensors_open(&st, path, err)) return false;
    Contents c = contents_of_state(ps, o, s, &k);
    bool ok = all_fits(&st, &c, true, err);
    if (ok) {
        fill(&st, c.entry, NUMBERS);
        ok = numbers_valid(&k, err) && values_valid(&st, &c, err);
    }
    if (ok) {
        fill(&st, c.entry + NUMBERS, c.n - NUMBERS);
        s->step = k.step, s->tokens = k.tokens, s->cursor = k.cursor, s->seconds = k.seconds;
        s->loss_sum = k.loss_sum, s->loss_count = k.loss_count;
        s->best_loss = k.best_loss, s->best_step = k.best_step, s->worse = k.worse;
        s->unlogged_norm = k.unlogged_norm;
        o->step = (int)k.optim_step;
    }
    contents_free(&c);
    safetensors_close(&st);
    return ok || error_in(err, path);
}

bool checkpoint_load_state(const char *dir, Params *ps, Optim *o, TrainState *s, Error *err)
{
    char *path = xformat("%s/state.safetensors", dir);
    const bool ok = load_state(path, ps, o, s, err);
    free(path);
    return ok;
}
