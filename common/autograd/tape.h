/* The tape records every op of a step in order of creation and runs their backward passes in
 * reverse.
 *
 * This is reverse-mode differentiation (Linnainmaa 1970; Speelpenning 1980). An op computes its
 * output and records a node. The node's backward function turns the gradient of the output into the
 * gradients of the inputs. An op can only read tensors that exist already, so the order of creation
 * is a topological order, and the backward pass needs no sort.
 *
 * Lifetimes: every tensor that an op returns belongs to the step and lives until tape_reset.
 * Parameters belong to the model (params.h); a reset does not touch them. */
#ifndef TAPE_H
#define TAPE_H

#include <stdio.h>

#include "base/arena.h"
#include "autograd/tensor.h"

/* The rule for the author of an op: for each input j with dx = in[j]->grad != NULL, backward adds,
 * dx[i] += ... This is always correct. Two flags, set when the op is recorded, save time:
 *
 *   nd->may_overwrite = 1u << j;     backward asks gradient_overwrites(nd, j). If true, dx is
 *                                    uninitialised and backward must write all of it, dx[i] = ...
 *   nd->may_share_gradient = true;   the gradient of input 0 equals that of the output, so both may be
 *                                    one buffer; needs may_overwrite of input 0; gradient_write
 *                                    handles it
 *
 * gradient_write and gradient_beta apply the rule to a copy and to a matrix product. */
typedef struct Node Node;
struct Node {
    void (*backward)(Node *n);
    Tensor *out, **in;
    int inputs;
    void *saved;            /* what else backward needs; from tape_save */
    unsigned may_overwrite; /* bit j: backward can write all of in[j]->grad (j < 32) */
    unsigned overwrite_now; /* bit j: in this pass it must do so; set by tape_backward */
    bool may_share_gradient;
    const char *name; /* the op's name, for messages, tape_print and tape_dot */
};

typedef struct {
    Arena arena; /* all memory of one step; tape_reset frees it */
    Node **node; /* creation order = topological order */
    int n, cap;
    bool frozen;     /* evaluate only: no gradients, no nodes */
    bool keep_grads; /* keep the gradients of intermediate results after tape_backward (for an
                      * op_linear_relu, the gradient of x w + b). Set it before the first op: without
                      * it, the product of embedded words may bypass their gradient */
    struct {
        real *mem;
        int len;
    } spare[32]; /* gradient buffers for reuse */
    int spares;
} Tape;

/* Adds dloss/dw to the gradient of each parameter w that the loss depends on. Aborts unless loss is
 * a recorded scalar. Two passes over one tape add twice. With keep_grads the gradient of an
 * intermediate result comes from the last pass only; it is NULL if the last loss does not depend on
 * the result. */
void tape_backward(Tape *tp, Tensor *loss);
/* For backward functions: returns whether backward must overwrite the gradient of input j. */
static inline bool gradient_overwrites(const Node *nd, int j)
{
    return nd->overwrite_now >> j & 1;
}

/* Returns beta for a product dx = beta dx + ...: 0 if it must overwrite dx, else 1. */
static inline real gradient_beta(const Node *nd, int j)
{
    return gradient_overwrites(nd, j) ? 0 : 1;
}

/* dx[first .. first+n-1] += from, or = from if it must overwrite dx. Does nothing if dx is NULL or
 * is the output's own gradient. */
void gradient_write(const Node *nd, int j, int first, const real *from, int n);

void tape_reset(Tape *tp); /* ends a step: frees everything that it created */
void tape_free(Tape *tp);

/* For ops and models. The memory that they return lives until tape_reset. */
Tensor *tape_tensor(Tape *tp, Shape s); /* a constant, uninitialised */
Tensor *tape_zeros(Tape *tp, Shape s);
void *tape_save(Tape *tp, size_t size); /* memory for any purpose, uninitialised */

/* Allocates the output and the node; records the node only if a gradient can flow. Usage:
 *     Node *nd = tape_node(tp, "tanh", tanh_backward, x->shape, x);        */
#define tape_node(tp, name, backward, shape, ...)                                                  \
    tape_node_of(tp, name, backward, shape, LEN(((Tensor *[]){__VA_ARGS__})),                      \
                 (Tensor *[]){__VA_ARGS__}, NULL)
/* Like tape_node, for any number of inputs; copies in[]. If data is not NULL, the output uses this
 * memory, which must live until tape_reset. */
Node *tape_node_of(Tape *tp, const char *name, void (*backward)(Node *), Shape s, int inputs,
                   Tensor **in, real *data);

/* Returns a view of x that starts at element `offset`; it shares x's data and gradient. Aborts if
 * it does not fit into x. */
Tensor *tape_view(Tape *tp, Tensor *x, Shape s, int offset);

/* Finds the op that produced the first non-finite number: checks the values, then runs the backward
 * pass again and checks the gradients. Returns true if all numbers are finite; otherwise false and
 * a message that names the op and the tensor. Must be called before tape_reset. */
bool tape_check(Tape *tp, Tensor *loss, Error *err);

void tape_print(const Tape *tp, FILE *f); /* writes a line per node: op, shapes, inputs */
void tape_dot(const Tape *tp, FILE *f);   /* writes the tape as a Graphviz graph */

#endif
