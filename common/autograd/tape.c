#include "autograd/tape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- making tensors and nodes ----------------------------------------------------------------- */

static Tensor *tensor_over(Tape *tp, Shape s, real *data)
{
    Tensor *t = arena_alloc(&tp->arena, sizeof *t);
    *t = (Tensor){.shape = s, .len = shape_len(s), .data = data};
    return t;
}

Tensor *tape_tensor(Tape *tp, Shape s)
{
    return tensor_over(tp, s, arena_alloc(&tp->arena, (size_t)shape_len(s) * sizeof(real)));
}

Tensor *tape_zeros(Tape *tp, Shape s)
{
    Tensor *t = tape_tensor(tp, s);
    memset(t->data, 0, (size_t)t->len * sizeof(real));
    return t;
}

void *tape_save(Tape *tp, size_t size)
{
    return arena_alloc(&tp->arena, size);
}

static void record(Tape *tp, Node *nd)
{
    if (tp->n == tp->cap) {
        tp->cap = tp->cap ? 2 * tp->cap : 256;
        tp->node = xrealloc(tp->node, (size_t)tp->cap * sizeof *tp->node);
    }
    tp->node[tp->n++] = nd;
}

Node *tape_node_of(Tape *tp, const char *name, void (*backward)(Node *), Shape s, int inputs,
                   Tensor **in, real *data)
{
    Node *nd = arena_alloc(&tp->arena, sizeof *nd);
    *nd = (Node){.backward = backward, .inputs = inputs, .name = name};
    nd->out = data ? tensor_over(tp, s, data) : tape_tensor(tp, s);
    nd->in = arena_alloc(&tp->arena, (size_t)inputs * sizeof *nd->in);
    for (int i = 0; i < inputs; i++) {
        nd->in[i] = in[i];
        if (in[i]->requires_grad && !tp->frozen) nd->out->requires_grad = true;
    }
    if (nd->out->requires_grad) record(tp, nd);
    return nd;
}

Tensor *tape_view(Tape *tp, Tensor *x, Shape s, int offset)
{
    const int len = shape_len(s);
    CHECK(offset >= 0 && offset <= x->len - len, "tape_view: %d values from %d on, of %d", len,
          offset, x->len);
    Tensor *t = tensor_over(tp, s, x->data + offset);
    t->requires_grad = x->requires_grad;
    t->view_of = x->view_of ? x->view_of : x;
    return t;
}

/* --- gradients: they exist only while they are needed ----------------------------------------- */

/* Returns a buffer of len reals, reused if possible; uninitialised. */

static real *gradient_take(Tape *tp, int len)
{
    for (int i = tp->spares - 1; i >= 0; i--) { /* newest first: it is still in the cache */
        if (tp->spare[i].len != len) continue;
        real *mem = tp->spare[i].mem;
        tp->spare[i] = tp->spare[--tp->spares];
        return mem;
    }
    return arena_alloc(&tp->arena, (size_t)len * sizeof(real));
}

/* Frees the output's gradient for reuse: no later node reads it. */
static void gradient_give_back(Tape *tp, const Node *nd)
{
    Tensor *t = nd->out;
    if (tp->keep_grads) return;
    if (t->grad == nd->in[0]->grad) { /* the buffer is the input's gradient now */
        t->grad = NULL;
        return;
    }
    if (tp->spares < LEN(tp->spare)) {
        tp->spare[tp->spares].mem = t->grad;
        tp->spare[tp->spares++].len = t->len;
    }
    t->grad = NULL;
}

/* Gives t a gradient of zeros unless it has one already. */
static void gradient_want(Tape *tp, Tensor *t)
{
    if (!t->requires_grad) return;
    if (t->view_of) { /* set it each time: an earlier backward pass may have freed the buffer */
        gradient_want(tp, t->view_of);
        t->grad = t->view_of->grad + (t->data - t->view_of->data);
    } else if (!t->grad) {
        t->grad = memset(gradient_take(tp, t->len), 0, (size_t)t->len * sizeof(real));
    }
}

static bool first_nonfinite(const real *x, int len, int *at)
{
    for (int i = 0; i < len; i++)
        if (!isfinite(x[i])) return *at = i, true;
    return false;
}

/* Returns "parameter l0.u (128,128)", "(64) of parameter l0.b" for a view, or "tensor (32,64)". */
static char *describe(Tape *tp, Tensor *t)
{
    const ShapeText shape = shape_text(t->shape);
    const char *name = tensor_whole(t)->name;
    if (!name) return arena_format(&tp->arena, "tensor %s", shape.text);
    if (t->view_of) return arena_format(&tp->arena, "%s of parameter %s", shape.text, name);
    return arena_format(&tp->arena, "parameter %s %s", name, shape.text);
}

/* Returns whether the node may overwrite the gradient of input j: it writes all of the gradient,
 * and nothing has been added to it yet. */
static bool can_overwrite(const Node *nd, int j)
{
    Tensor *t = nd->in[j];
    if (j >= 32 || !(nd->may_overwrite >> j & 1)) return false;
    if (!t->requires_grad || t->grad || t->view_of) return false;
    for (int i = 0; i < nd->inputs; i++)
        if (i != j && tensor_whole(nd->in[i]) == t) return false; /* input i adds to it too */
    return true;
}

/* Gives each input a gradient: zeros if it has none yet, uninitialised if the node overwrites
 * it. */
static void gradients_want(Tape *tp, Node *nd)
{
    nd->overwrite_now = 0;
    for (int j = 0; j < nd->inputs; j++) {
        Tensor *t = nd->in[j];
        if (!can_overwrite(nd, j)) {
            gradient_want(tp, t);
            continue;
        }
        nd->overwrite_now |= 1u << j;
        const bool shares =
            j == 0 && nd->may_share_gradient && !tp->keep_grads && !nd->out->view_of;
        t->grad = shares ? nd->out->grad : gradient_take(tp, t->len);
    }
}

void gradient_write(const Node *nd, int j, int first, const real *from, int n)
{
    if (!nd->in[j]->grad || nd->in[j]->grad == nd->out->grad) return;
    real *restrict dx = nd->in[j]->grad + first;
    const real *restrict x = from;
    if (gradient_overwrites(nd, j))
        memcpy(dx, x, (size_t)n * sizeof *dx);
    else
        for (int i = 0; i < n; i++) dx[i] += x[i];
}

/* Runs the backward pass. With err != NULL it stops at the first non-finite gradient, describes it
 * in *err and returns false. */
static bool backward(Tape *tp, Tensor *loss, Error *err)
{
    CHECK(loss->len == 1 && loss->requires_grad && !tp->frozen,
          "tape_backward: the loss must be a recorded scalar, not %s",
          shape_text(loss->shape).text);
    gradient_want(tp, loss);
    loss->grad[0] = 1;
    for (int i = tp->n - 1; i >= 0; i--) {
        Node *nd = tp->node[i];
        if (!nd->out->grad) continue; /* the loss does not depend on it */
        gradients_want(tp, nd);
        nd->backward(nd); /* eq 4.1 */
        for (int j = 0, at; err && j < nd->inputs; j++) {
            Tensor *in = nd->in[j];
            if (in->grad && first_nonfinite(in->grad, in->len, &at))
                return error_set(err, "backward of op %s made a gradient of %g in %s, element %d",
                                 nd->name, (double)in->grad[at], describe(tp, in), at);
        }
        gradient_give_back(tp, nd);
    }
    return true;
}

/* Drops the gradients that an earlier backward pass left in intermediate results. If the next pass
 * added to them, the parameters would receive the earlier pass's part again. */
static void drop_kept_gradients(Tape *tp)
{
    for (int i = 0; i < tp->n; i++) tp->node[i]->out->grad = NULL;
    for (int i = 0; i < tp->n; i++) {
        const Node *nd = tp->node[i];
        for (int j = 0; j < nd->inputs; j++) /* a view may point into a gradient that is gone */
            if (nd->in[j]->view_of && !nd->in[j]->view_of->grad) nd->in[j]->grad = NULL;
    }
}

void tape_backward(Tape *tp, Tensor *loss)
{
    if (tp->keep_grads) drop_kept_gradients(tp);
    backward(tp, loss, NULL);
}

void tape_reset(Tape *tp)
{
    arena_reset(&tp->arena);
    tp->n = tp->spares = 0;
}

void tape_free(Tape *tp)
{
    arena_free(&tp->arena);
    free(tp->node);
    *tp = (Tape){0};
}

/* --- finding non-finite numbers --------------------------------------------------------------- */

static bool check_values(Tape *tp, Error *err)
{
    for (int i = 0, at; i < tp->n; i++) {
        const Node *nd = tp->node[i];
        for (int j = 0; j < nd->inputs; j++)
            if (first_nonfinite(nd->in[j]->data, nd->in[j]->len, &at))
                return error_set(err, "op %s read the value %g in %s, element %d", nd->name,
                                 (double)nd->in[j]->data[at], describe(tp, nd->in[j]), at);
        if (first_nonfinite(nd->out->data, nd->out->len, &at))
            return error_set(err,
                             "op %s made the value %g in its output %s, element %d, from "
                             "finite inputs",
                             nd->name, (double)nd->out->data[at], shape_text(nd->out->shape).text,
                             at);
    }
    return true;
}

bool tape_check(Tape *tp, Tensor *loss, Error *err)
{
    if (!check_values(tp, err)) return false;
    if (!loss->requires_grad) return true;
    for (int i = 0; i < tp->n; i++) {
        Node *nd = tp->node[i];
        nd->out->grad = NULL;
        for (int j = 0; j < nd->inputs; j++) {
            Tensor *in = tensor_whole(nd->in[j]);
            if (!in->grad) continue;
            if (in->name)
                memset(in->grad, 0, (size_t)in->len * sizeof(real));
            else
                in->grad = NULL;
        }
    }
    tp->spares = 0;
    return backward(tp, loss, err);
}
