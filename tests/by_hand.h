/* Tests of ops on numbers small enough for a calculation by hand: values and gradients. The loss is
 * r . y, so r is the gradient of y. */
#ifndef BY_HAND_H
#define BY_HAND_H

#include "ops/ops.h"
#include "suite.h"

/* Returns an input that gets a gradient. */
static inline Tensor *given(Tape *tp, Shape s, const real *values)
{
    Tensor *t = tape_tensor(tp, s);
    memcpy(t->data, values, (size_t)t->len * sizeof *values);
    t->requires_grad = true;
    return t;
}
#define GIVEN(tp, shape, ...) given(tp, shape, (const real[]){__VA_ARGS__})

static inline void ck_close(const char *what, const real *got, const real *want, int n)
{
    for (int i = 0; i < n; i++) {
        const double error = fabs((double)got[i] - (double)want[i]);
        ck_assert_msg(error <= 1e-6 * fmax(1, fabs((double)want[i])), "%s[%d] is %.9g, not %.9g",
                      what, i, (double)got[i], (double)want[i]);
    }
}
#define CK(tensor, ...)                                                                            \
    ck_close(#tensor, tensor, (const real[]){__VA_ARGS__}, LEN(((const real[]){__VA_ARGS__})))

static inline void backward(Tape *tp, Tensor *y, const real *r)
{
    tape_backward(tp, op_dot(tp, y, r));
}
#define BACKWARD(tp, y, ...) backward(tp, y, (const real[]){__VA_ARGS__})

static inline void ck_shape(const Tensor *y, Shape s)
{
    ck_assert_str_eq(shape_text(y->shape).text, shape_text(s).text);
}

#endif
