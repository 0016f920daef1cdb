#include "formats/weights_map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PIECES = 64, MAX_NAME = 256 };

typedef struct {
    const WeightMap *map;
    Params *ps;
    const WeightFiles *files;
    uint64_t *filled;   /* for each parameter: a bit for each piece that was filled */
    uint64_t *used;     /* for each tensor of the file: a bit for each piece that was used */
    bool *may_be_fresh; /* for each parameter: an optional rule fills it */
} Loader;

/* --- names ------------------------------------------------------------------------------------ */

/* Returns true if the name matches the pattern. * matches digits only; they are copied to
 * number. */
static bool matches(const char *pattern, const char *name, char number[16])
{
    const char *star = strchr(pattern, '*');
    *number = '\0';
    if (!star) return strcmp(pattern, name) == 0;
    const size_t head = (size_t)(star - pattern);
    if (strncmp(pattern, name, head) != 0) return false;
    const size_t digits = strspn(name + head, "0123456789");
    if (digits == 0 || digits > 9) return false;
    snprintf(number, 16, "%.*s", (int)digits, name + head);
    return strcmp(star + 1, name + head + digits) == 0;
}

static const char *without_prefix(const WeightMap *map, const char *name)
{
    const size_t len = map->prefix ? strlen(map->prefix) : 0;
    return len && strncmp(name, map->prefix, len) == 0 ? name + len : name;
}

static int parameter_of(const Params *ps, const WeightRule *r, const char *number)
{
    char name[MAX_NAME];
    const char *star = strchr(r->ours, '*');
    if (star)
        snprintf(name, sizeof name, "%.*s%s%s", (int)(star - r->ours), r->ours, number, star + 1);
    else
        snprintf(name, sizeof name, "%s", r->ours);
    for (int i = 0; i < ps->n; i++)
        if (strcmp(ps->tensor[i]->name, name) == 0) return i;
    return -1;
}

/* --- shapes ----------------------------------------------------------------------------------- */

/* The size of a tensor as a matrix: the last axis gives the columns, all others the rows. */
typedef struct {
    int64_t rows, columns;
} Sides;

static Sides sides_of(const StTensor *t)
{
    const int64_t columns = t->axes ? t->d[t->axes - 1] : 1;
    return (Sides){columns ? t->len / columns : 0, columns};
}

static bool cut(Sides *s, WeightPiece p)
{
    int64_t *side = p.axis == ROWS ? &s->rows : &s->columns;
    const int count = p.count ? p.count : 1;
    CHECK(count <= MOST_PIECES && p.index >= 0 && p.index < count, "weights: piece %d of %d",
          p.index, p.count);
    if (*side % count != 0) return false;
    *side /= count;
    return true;
}

static bool same_sides(const StTensor *theirs, const StTensor *ours, const WeightRule *r,
                       Sides *piece)
{
    Sides a = sides_of(theirs), b = sides_of(ours);
    const bool whole = !r->take.count && !r->put.count && !(r->flags & WEIGHT_TRANSPOSED);
    if (whole && theirs->axes != ours->axes) return false;
    if (r->flags & WEIGHT_TRANSPOSED) {
        if (theirs->axes != 2) return false;
        a = (Sides){a.columns, a.rows};
    }
    const bool fit = cut(&a, r->take) && cut(&b, r->put);
    *piece = a;
    return fit && a.rows == b.rows && a.columns == b.columns;
}

/* --- values ----------------------------------------------------------------------------------- */

/* Copies a piece of a tensor of the file (converted to reals) into a parameter, or adds it. For a
 * tied tensor, compares instead; returns false if a value differs. */
static bool move(const real *from, Sides theirs, real *to, Sides ours, const WeightRule *r,
                 Sides piece)
{
    const bool turned = r->flags & WEIGHT_TRANSPOSED;
    const int64_t from_row = r->take.axis == ROWS ? r->take.index * piece.rows : 0;
    const int64_t from_column = r->take.axis == COLUMNS ? r->take.index * piece.columns : 0;
    const int64_t to_row = r->put.axis == ROWS ? r->put.index * piece.rows : 0;
    const int64_t to_column = r->put.axis == COLUMNS ? r->put.index * piece.columns : 0;
    for (int64_t i = 0; i < piece.rows; i++)
        for (int64_t j = 0; j < piece.columns; j++) {
            const int64_t row = from_row + i, column = from_column + j;
            const real x =
                from[turned ? column * theirs.columns + row : row * theirs.columns + column];
            real *y = &to[(to_row + i) * ours.columns + to_column + j];
            if (r->flags & WEIGHT_TIED) {
                if (*y != x) return false;
            } else {
                *y = r->flags & WEIGHT_ADD ? *y + x : x;
            }
        }
    return true;
}

static bool copy(const WeightTensor *w, const StTensor *ours, Tensor *t, const WeightRule *r,
                 Sides piece, Error *err)
{
    const StTensor *theirs = w->tensor;
    const bool whole = !r->flags && !r->take.count && !r->put.count;
    real *values = whole ? t->data : malloc((size_t)theirs->len * sizeof *values + 1);
    if (!values) return safetensors_refuse(err, theirs->name, "out of memory");
    bool ok = safetensors_get(theirs, values) ||
              safetensors_refuse(err, theirs->name, "has dtype %s, which is not supported",
                                 theirs->dtype);
    file_map_done(&w->file->file, theirs->data, theirs->size);
    if (ok && !whole && !move(values, sides_of(theirs), t->data, sides_of(ours), r, piece))
        ok = safetensors_refuse(
            err, theirs->name, "differs from %s; the model has one parameter for both", ours->name);
    if (!whole) free(values);
    return ok;
}

/* --- rules ------------------------------------------------------------------------------------ */

static uint64_t bit_of(WeightPiece p)
{
    return p.count ? (uint64_t)1 << p.index : 1;
}

static uint64_t all_bits(int count)
{
    return count >= 64 ? UINT64_MAX : count ? ((uint64_t)1 << count) - 1 : 1;
}

/* Applies one rule to tensor k of the files, whose name matches the rule. */
static bool apply(Loader *l, int k, const WeightRule *r, const char *number, Error *err)
{
    const WeightTensor *w = &l->files->tensor[k];
    const StTensor *theirs = w->tensor;
    const int i = parameter_of(l->ps, r, number);
    if (i < 0)
        return safetensors_refuse(err, theirs->name,
                                  "there is no parameter %s%s%s: the file is from a "
                                  "larger model",
                                  r->ours, *number ? " of layer " : "", number);
    Tensor *t = l->ps->tensor[i];
    const StTensor ours = safetensors_of(t);
    Sides piece;
    if (!same_sides(theirs, &ours, r, &piece))
        return safetensors_refuse(err, theirs->name, "has shape %s%s; %s in the model has %s",
                                  safetensors_shape(theirs).text,
                                  r->flags & WEIGHT_TRANSPOSED ? ", to be transposed" : "", t->name,
                                  safetensors_shape(&ours).text);
    if (r->flags & (WEIGHT_TIED | WEIGHT_ADD)) {
        if (!l->filled[i])
            return safetensors_refuse(err, theirs->name,
                                      "needs the tensor that fills %s, which is missing", t->name);
    } else {
        if (l->filled[i] & bit_of(r->put))
            return safetensors_refuse(err, theirs->name, "fills %s a second time", t->name);
        l->filled[i] |= bit_of(r->put);
    }
    return copy(w, &ours, t, r, piece, err);
}

/* Checks that no tensor is there twice, once with the prefix and once without: the rules would apply to
 * both, and a bias would be added twice. */
static bool each_once(const Loader *l, Error *err)
{
    json_t *seen = json_object();
    bool ok = true;
    for (int k = 0; ok && l->map->prefix && k < l->files->n; k++) {
        const char *name = l->files->tensor[k].tensor->name, *bare = without_prefix(l->map, name);
        if (json_object_get(seen, bare))
            ok = safetensors_refuse(err, bare, "is in the files twice, with and without \"%s\"",
                                    l->map->prefix);
        json_object_set_new(seen, bare, json_true());
    }
    json_decref(seen);
    return ok;
}

/* Applies every rule to the tensors that match it. The first pass applies the rules that fill
 * parameters; the second pass those that add to or compare with filled parameters. */
static bool apply_all(Loader *l, bool second, Error *err)
{
    for (int j = 0; j < l->map->n; j++) {
        const WeightRule *r = &l->map->rule[j];
        const bool later = r->flags & (WEIGHT_TIED | WEIGHT_ADD);
        if (!r->ours || later != second) continue;
        for (int k = 0; k < l->files->n; k++) {
            char number[16];
            if (!matches(r->theirs, without_prefix(l->map, l->files->tensor[k].tensor->name),
                         number))
                continue;
            if (!apply(l, k, r, number, err)) return false;
            l->used[k] |= bit_of(r->take);
        }
    }
    return true;
}

/* Checks that every tensor of the files is used completely, or ignored by a rule. */
static bool all_used(const Loader *l, WeightReport *report, Error *err)
{
    for (int k = 0; k < l->files->n; k++) {
        const char *name = l->files->tensor[k].tensor->name;
        uint64_t wanted = 0;
        bool ignored = false;
        for (int j = 0; j < l->map->n; j++) {
            const WeightRule *r = &l->map->rule[j];
            char number[16];
            if (!matches(r->theirs, without_prefix(l->map, name), number)) continue;
            ignored = ignored || !r->ours;
            if (r->ours) wanted |= all_bits(r->take.count);
        }
        if (!wanted && !ignored)
            return safetensors_refuse(err, name,
                                      "is not known: no rule of the model uses or ignores it");
        if (wanted & ~l->used[k]) return safetensors_refuse(err, name, "is used only in part");
        if (ignored) safetensors_name(&report->ignored, name);
    }
    return true;
}

/* Marks the parameters that may keep their values because an optional rule fills them. */
static void mark_optional(Loader *l)
{
    for (int j = 0; j < l->map->n; j++) {
        const WeightRule *r = &l->map->rule[j];
        for (int i = 0; i < l->ps->n && r->ours && r->flags & WEIGHT_OPTIONAL; i++) {
            char number[16];
            if (matches(r->ours, l->ps->tensor[i]->name, number)) l->may_be_fresh[i] = true;
        }
    }
}

/* Returns the pieces of parameter i that the rules fill, as bits; 0 if no rule fills it. */
static uint64_t pieces_of(const Loader *l, int i)
{
    uint64_t pieces = 0;
    for (int j = 0; j < l->map->n; j++) {
        const WeightRule *r = &l->map->rule[j];
        char number[16];
        if (r->ours && matches(r->ours, l->ps->tensor[i]->name, number))
            pieces |= all_bits(r->put.count);
    }
    return pieces;
}

static bool all_filled(const Loader *l, WeightReport *report, Error *err)
{
    for (int i = 0; i < l->ps->n; i++) {
        const char *name = l->ps->tensor[i]->name;
        const uint64_t pieces = pieces_of(l, i);
        if (pieces && l->filled[i] == pieces) {
            report->taken++;
        } else if (!l->filled[i] && (l->map->partial || l->may_be_fresh[i])) {
            safetensors_name(&report->fresh, name);
        } else {
            return error_set(err, "no tensor of the file fills %s%s", l->filled[i] ? "all of " : "",
                             name);
        }
    }
    return report->taken > 0 || error_set(err, "no tensor of the file fills a parameter");
}

bool weights_map_fill(const WeightFiles *files, const WeightMap *map, Params *ps,
                      WeightReport *report, Error *err)
{
    Loader l = {.map = map, .ps = ps, .files = files};
    *report = (WeightReport){0};
    l.filled = xcalloc((size_t)ps->n + 1, sizeof *l.filled);
    l.used = xcalloc((size_t)files->n + 1, sizeof *l.used);
    l.may_be_fresh = xcalloc((size_t)ps->n + 1, sizeof *l.may_be_fresh);
    mark_optional(&l);
    const bool ok = each_once(&l, err) && apply_all(&l, false, err) && apply_all(&l, true, err) &&
                    all_used(&l, report, err) && all_filled(&l, report, err);
    free(l.filled), free(l.used), free(l.may_be_fresh);
    return ok;
}

bool weights_map_load(const char *path, const WeightMap *map, Params *ps, WeightReport *report,
                      Error *err)
{
    WeightFiles files;
    if (!weights_files_open(&files, path, err)) return false;
    const bool ok = weights_map_fill(&files, map, ps, report, err);
    weights_files_close(&files);
    return ok || error_in(err, path);
}
