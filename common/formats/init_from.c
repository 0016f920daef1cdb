#include "formats/init_from.h"

#include <fnmatch.h>
#include <stdlib.h>

static bool is_fresh(const Tensor *t, const char *fresh)
{
    return fresh && fnmatch(fresh, t->name, 0) == 0;
}

/* Returns the tensor in the file that initialises parameter t, or NULL. */
static const StTensor *source(const Safetensors *st, const Tensor *t, const char *fresh)
{
    return is_fresh(t, fresh) ? NULL : safetensors_find(st, t->name);
}

static bool all_fit(const Safetensors *st, const Params *ps, const char *fresh, Error *err)
{
    bool any = false;
    for (int i = 0; i < ps->n; i++) {
        const StTensor *found = source(st, ps->tensor[i], fresh);
        const StTensor wanted = safetensors_of(ps->tensor[i]);
        any = any || found;
        if (found && !safetensors_fits(found, &wanted, false, err)) return false;
    }
    if (!any)
        return error_set(err, "no tensor of the file has the name of a parameter to load: the "
                              "file is from another architecture");
    return safetensors_verify(st, err);
}

static void take(const Safetensors *st, const Params *ps, const char *fresh, InitFrom *from)
{
    for (int i = 0; i < ps->n; i++) {
        Tensor *t = ps->tensor[i];
        const StTensor *found = source(st, t, fresh), wanted = safetensors_of(t);
        if (found)
            safetensors_copy(st, found, &wanted, t->data), from->taken++;
        else
            safetensors_name(&from->fresh, t->name);
    }
    for (int i = 0; i < st->n; i++) {
        const Tensor *t = params_find(ps, st->tensor[i].name);
        if (!t || is_fresh(t, fresh)) safetensors_name(&from->unused, st->tensor[i].name);
    }
}

bool init_from_file(const char *path, Params *ps, const char *fresh, InitFrom *from, Error *err)
{
    Safetensors st;
    bool matches = !fresh;
    for (int i = 0; i < ps->n; i++) matches = matches || is_fresh(ps->tensor[i], fresh);
    if (!matches) return error_set(err, "the pattern \"%s\" matches no parameter", fresh);
    if (!safetensors_open(&st, path, err)) return false;
    *from = (InitFrom){0};
    const bool ok = all_fit(&st, ps, fresh, err);
    if (ok) take(&st, ps, fresh, from);
    safetensors_close(&st);
    return ok || error_in(err, path);
}

bool init_from_run(const char *dir, Params *ps, const char *fresh, InitFrom *from, Error *err)
{
    char *path = xformat("%s/model.safetensors", dir);
    const bool ok = init_from_file(path, ps, fresh, from, err);
    free(path);
    return ok;
}
