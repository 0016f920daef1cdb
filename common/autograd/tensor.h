/* Shape and Tensor. Tensors are contiguous and row major, with at most four axes. */
#ifndef TENSOR_H
#define TENSOR_H

#include "base/base.h"
#include "base/real.h"

typedef struct {
    int n, d[4]; /* number of axes, size of each */
} Shape;

typedef struct Tensor Tensor;
struct Tensor {
    Shape shape;
    int len;            /* product of shape.d[], checked to fit an int */
    bool requires_grad; /* does a gradient flow into this tensor? */
    real *data;         /* len values, row major, contiguous */
    real *grad;         /* len values; NULL if no gradient flows or none has arrived yet */
    Tensor *view_of;    /* for a view: the tensor whose data and gradient it shares; else NULL */
    const char *name;   /* a parameter's name; NULL for an op's output */
};

/* SHAPE(B,T,C) builds a shape; SHAPE(1) is the shape of a scalar. */
#define SHAPE(...) shape_make(LEN(((int[]){__VA_ARGS__})), (int[]){__VA_ARGS__})
/* Aborts unless there are 1 to 4 axes, all of size >= 1. If the product of the sizes does not fit
 * an int, ends the program by too_large. */
Shape shape_make(int n, const int *d);
int shape_len(Shape s); /* product of all sizes */
bool shape_equal(Shape a, Shape b);
Shape shape_append(Shape s, int d);    /* (s...,d) */
Shape shape_with_last(Shape s, int d); /* s with its last axis of size d */
int shape_last(Shape s);               /* size of the last axis */

Tensor *tensor_whole(Tensor *t); /* the tensor that t is a view of, or t itself */

typedef struct {
    char text[52]; /* four axes of 11 characters are 49 */
} ShapeText;
ShapeText shape_text(Shape s); /* "(32,64,128)", for messages */

#endif
