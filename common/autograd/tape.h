/* The tape: records every op of a step in the order of its creation, and walks them backwards.
 *
 * Reverse-mode differentiation (Linnainmaa 1970; Speelpenning 1980). An op computes its output,
 * then leaves a node that knows how to turn the gradient of the output into the gradients of the
 * inputs. Since an op can only use what exists, the order of creation is a topological order: the
 * backward pass needs no sort.
 *
 * Lifetimes: everything an op returns belongs to the step and lives until tape_reset. Parameters
 * belong to the model (params.h) and are not touched by a reset. */
#ifndef TAPE_H
#define TAPE_H

#include <stdio.h>

#include "base/arena.h"
#include "autograd/tensor.h"

/* The rule for the author of an op: backward adds to dx[i] += ..., dx = in[j]->grad, for each input j unless
 * dx is NULL. That is always right. Two permissions, given when the op is recorded, save time:
 *
 *   nd->may_overwrite = 1u << j;        backward asks gradient_overwrites(nd, j). If true, dx is uninitialised
 *                                       and every element of it must be written, dx[i] = ...
 *   nd->may_share_gradient = true;      the gradient of input 0 is that of the output, so that both may be
 *                                       one memory; implies the first, and gradient_write knows it
 *
 * gradient_write and gradient_beta follow the rule for a copy and for a matrix product. */
typedef struct Node Node;
struct Node {
    void (*backward)(Node *n);
    Tensor *out, **in;
    int inputs;
    void *saved;            /* what backward needs besides */
    unsigned may_overwrite; /* bit j: backward can write all of in[j]->grad (j < 32) */
    unsigned overwrite_now; /* bit j: this time it must; set by tape_backward */
    bool may_share_gradient;
    const char *name; /* of the op, for messages, tape_print and DOT */
};

typedef struct {
    Arena arena; /* everything one step creates; tape_reset frees it all */
    Node **node; /* creation order = topological order */
    int n, cap;
    bool frozen;     /* evaluate only: no gradients, no nodes */
    bool keep_grads; /* keep the gradients of intermediate results readable after tape_backward
                      * (of an op_linear_relu that of x w + b, not of the relu); to be set before the
                      * first op, since an op_linear of embedded words may pass their gradient by */
    struct {
        real *mem;
        int len;
    } spare[32]; /* gradient buffers that can be used again */
    int spares;
} Tape;

/* Adds dloss/dw to the gradient of each parameter w that the loss depends on; loss: a recorded scalar. Two
 * passes over one tape add twice. With keep_grads the gradient of an intermediate result is that of the last
 * pass alone, and NULL where the last loss does not depend on it. */
void tape_backward(Tape *tp, Tensor *loss);
/* For backward functions, by the rule above. */
static inline bool gradient_overwrites(const Node *nd, int j)
{
    return nd->overwrite_now >> j & 1;
}

/* As beta of a product dx = beta dx + ...: 0 where it overwrites, else 1. */
static inline real gradient_beta(const Node *nd, int j)
{
    return gradient_overwrites(nd, j) ? 0 : 1;
}

/* dx[first .. first+n-1] += from, or = from where it overwrites. Does nothing where there is no dx, or where
 * dx is the output's gradient itself. */
void gradient_write(const Node *nd, int j, int first, const real *from, int n);

void tape_reset(Tape *tp); /* the step is over: frees all it created */
void tape_free(Tape *tp);

/* For ops and models. What they return lives until tape_reset. */
Tensor *tape_tensor(Tape *tp, Shape s); /* a constant, uninitialised */
Tensor *tape_zeros(Tape *tp, Shape s);
void *tape_save(Tape *tp, size_t size);

/* Allocates the output and the node; records it only if a gradient can flow. Usage:
 *     Node *nd = tape_node(tp, "tanh", tanh_backward, x->shape, x);        */
#define tape_node(tp, name, backward, shape, ...)                                                  \
    tape_node_of(tp, name, backward, shape, LEN(((Tensor *[]){__VA_ARGS__})),                      \
                 (Tensor *[]){__VA_ARGS__}, NULL)
/* The same for any number of inputs (in[] is copied), and with the output's memory given, unless
 * data is NULL. */
Node *tape_node_of(Tape *tp, const char *name, void (*backward)(Node *), Shape s, int inputs,
                   Tensor **in, real *data);

/* A tensor that looks into x from element `offset` on: shares its data and its gradient. */
Tensor *tape_view(Tape *tp, Tensor *x, Shape s, int offset);

/* Finds where a non-finite number came from, first among values, then among gradients (the
 * backward pass is run again for that). Returns true when all is finite, else false with a message
 * that names op and tensor. Call before tape_reset. */
bool tape_check(Tape *tp, Tensor *loss, Error *err);

void tape_print(const Tape *tp, FILE *f); /* a line per node: op, shapes, inputs */
void tape_dot(const Tape *tp, FILE *f);   /* the same as a Graphviz graph */

#endif
