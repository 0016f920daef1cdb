/* Reads the golden files, tests/golden/NAME.safetensors, which the scripts beside them make. */
#ifndef GOLDEN_H
#define GOLDEN_H

#include "nn/params.h"
#include "formats/safetensors.h"
#include "suite.h"
#include "autograd/tape.h"

typedef struct {
    Safetensors file;
    Tape tape; /* owns the tensors that are read, and the ops of a test */
} Golden;

static inline Golden golden_open(const char *path)
{
    Golden g = {0};
    Error err;
    ck_assert_msg(safetensors_open(&g.file, path, &err), "%s", err.text);
    return g;
}

static inline void golden_close(Golden *g)
{
    safetensors_close(&g->file);
    tape_free(&g->tape);
}

/* Reads a tensor of the file; the backward pass will compute its gradient. */
static inline Tensor *golden_tensor(Golden *g, const char *name)
{
    const StTensor *st = safetensors_find(&g->file, name);
    ck_assert_msg(st && st->axes <= 4, "the file has no %s", name);
    int d[4];
    for (int i = 0; i < st->axes; i++) d[i] = (int)st->d[i];
    Tensor *t = tape_tensor(&g->tape, shape_make(st->axes, d));
    ck_assert_msg(safetensors_get(st, t->data), "%s: %s", name, st->dtype);
    t->requires_grad = true;
    return t;
}

static inline int *golden_ids(Golden *g, const char *name)
{
    const Tensor *t = golden_tensor(g, name);
    int *ids = tape_save(&g->tape, (size_t)t->len * sizeof *ids);
    for (int i = 0; i < t->len; i++) ids[i] = (int)t->data[i];
    return ids;
}

/* Checks that n values are within `tolerance` of those of the file; a NaN never is. */
static inline void golden_equal(Golden *g, const char *name, const real *x, int n, double tolerance)
{
    const Tensor *t = golden_tensor(g, name);
    ck_assert_msg(t->len == n, "%s: %d values, the file has %d", name, n, t->len);
    ck_assert_msg(x, "%s: there is no gradient", name);
    for (int i = 0; i < n; i++)
        ck_assert_msg(fabs((double)x[i] - (double)t->data[i]) <= tolerance,
                      "%s[%d] is %.9g, PyTorch's %.9g, apart by %.2g of %.2g allowed", name, i,
                      (double)x[i], (double)t->data[i], fabs((double)x[i] - (double)t->data[i]),
                      tolerance);
}

/* Sets every parameter to the file's values. */
static inline void golden_set(Golden *g, const Params *ps)
{
    for (int i = 0; i < ps->n; i++) {
        Tensor *p = ps->tensor[i], *given = golden_tensor(g, p->name);
        ck_assert_msg(shape_equal(p->shape, given->shape), "%s has shape %s, in the file %s",
                      p->name, shape_text(p->shape).text, shape_text(given->shape).text);
        memcpy(p->data, given->data, (size_t)p->len * sizeof *p->data);
    }
}

/* Checks that every parameter's gradient equals the file's, and that the file has no others. */
static inline void golden_gradients(Golden *g, const Params *ps, double tolerance)
{
    int named = 0;
    for (int i = 0; i < g->file.n; i++) named += strncmp(g->file.tensor[i].name, "grad.", 5) == 0;
    ck_assert_int_eq(named, ps->n);
    for (int i = 0; i < ps->n; i++) {
        char name[64];
        snprintf(name, sizeof name, "grad.%s", ps->tensor[i]->name);
        golden_equal(g, name, ps->tensor[i]->grad, ps->tensor[i]->len, tolerance);
    }
}

#endif
