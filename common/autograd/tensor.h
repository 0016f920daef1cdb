/* Shape and Tensor: contiguous, row major, at most four axes. */
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
    bool requires_grad; /* does a gradient flow here? */
    real *data;         /* len values, row major, contiguous */
    real *grad;         /* len values, or NULL where no gradient flows or none has arrived yet */
    Tensor *view_of;    /* for a slice: the tensor whose data, and gradient, it looks into */
    const char *name;   /* of a parameter; NULL for what an op makes */
};

/* SHAPE(B,T,C) builds a shape; SHAPE(1) is a scalar's. */
#define SHAPE(...) shape_make(LEN(((int[]){__VA_ARGS__})), (int[]){__VA_ARGS__})
Shape shape_make(int n, const int *d); /* aborts on a size < 1; too_large: beyond an int */
int shape_len(Shape s);
bool shape_equal(Shape a, Shape b);
Shape shape_append(Shape s, int d);    /* (s...,d) */
Shape shape_with_last(Shape s, int d); /* s with its last axis of size d */
int shape_last(Shape s);               /* size of the last axis */

Tensor *tensor_whole(Tensor *t); /* the tensor that a view looks into; any other tensor itself */

typedef struct {
    char text[52]; /* four axes of 11 characters are 49 */
} ShapeText;
ShapeText shape_text(Shape s); /* "(32,64,128)", for messages */

#endif
