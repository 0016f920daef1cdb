/* The number type of every tensor: float, or double in the build that checks gradients, where
 * central differences are exact enough to tell 1e-6 apart from a bug. */
#ifndef REAL_H
#define REAL_H

#ifdef REAL_DOUBLE
typedef double real;
#define REAL_NAME "F64" /* the safetensors name of the type */
#else
typedef float real;
#define REAL_NAME "F32"
#endif

#endif
