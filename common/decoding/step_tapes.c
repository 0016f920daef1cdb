#include "decoding/step_tapes.h"

#include <string.h>

Tape *step_tapes_next(StepTapes *s)
{
    s->now = !s->now;
    Tape *tp = &s->tape[s->now];
    tape_reset(tp);
    tp->frozen = true;
    return tp;
}

void step_tapes_free(StepTapes *s)
{
    for (int i = 0; i < LEN(s->tape); i++) tape_free(&s->tape[i]);
    *s = (StepTapes){0};
}

Tensor *step_tapes_rows(Tape *tp, const Tensor *x, int n, const int *parent)
{
    if (!x) return NULL;
    Shape s = x->shape;
    const int m = s.d[0], len = x->len / m;
    s.d[0] = n;
    Tensor *y = tape_tensor(tp, s);
    for (int i = 0; i < n; i++) {
        CHECK(parent[i] >= 0 && parent[i] < m, "step_tapes_rows: parent %d of %d", parent[i], m);
        memcpy(y->data + (size_t)i * len, x->data + (size_t)parent[i] * len,
               (size_t)len * sizeof *y->data);
    }
    return y;
}

Tensor *step_tapes_repeat(Tape *tp, Tensor *x, int axis, int n)
{
    Shape s = x->shape;
    CHECK(axis >= 0 && axis < s.n && s.d[axis] == 1, "step_tapes_repeat: axis %d of x %s", axis,
          shape_text(s).text);
    if (n == 1) return x;
    int len = 1; /* reals in each block that is repeated n times */
    for (int i = axis; i < s.n; i++) len *= s.d[i];
    s.d[axis] = n;
    Tensor *y = tape_tensor(tp, s);
    for (int i = 0; i < y->len / len; i++)
        memcpy(y->data + (size_t)i * len, x->data + (size_t)(i / n) * len,
               (size_t)len * sizeof *y->data);
    return y;
}
