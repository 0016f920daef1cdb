/* The neural language model of Bengio et al. 2003 that lesson 05 trains: its data, its layers, and one run. */
#ifndef NPLM_H
#define NPLM_H

#include "data/data.h"
#include "nn/optim.h"
#include "ops/ops.h"

typedef struct {
    DataConfig data;
    const char *experiment, *optimizer, *out, *plot;
    int context, channels, hidden, steps, batch, warmup, threads;
    double lr, init, init_last;
    bool overwrite;
    uint64_t seed;
} Config;

/* --- data: every character of every line is one example ------------------------------------------ */

typedef struct {
    int n, *x, *y; /* x (n,N) the characters before, y (n) the character */
} Examples;

typedef struct {
    const Config *c;
    Data data;
    Examples train, valid;
    int V;
    double ln_V; /* nats a character if all V were equally likely */
} Lab;

/* Reads the data of a config. Fails if the data cannot be read. */
bool lab_open(Lab *lab, const Config *c, Error *err);
void lab_close(Lab *lab);

/* --- the model ---------------------------------------------------------------------------------- */

typedef struct {
    Tensor *embed; /* (V,C)            */
    Tensor *w, *b; /* (N*C,H) (H)      */
    Tensor *u, *c; /* (H,V)   (V)      */
    int N;
} Nplm;

/* How a run starts, steps, and how far. */
typedef struct {
    const char *label, *optimizer; /* optimizer: sgd, momentum or adamw */
    double lr, min_lr;
    int warmup, steps;
    double init, init_last; /* of w and of u: factors on a standard deviation of 1/sqrt(inputs) */
} Plan;

Nplm nplm_init(Params *ps, const Lab *lab, const Plan *p);
Tensor *nplm_hidden(Tape *tp, const Nplm *m, const int *x, int B); /* x (B,N) -> h (B,H) */
Tensor *nplm_logits(Tape *tp, const Nplm *m, const int *x, int B); /* x (B,N) -> z (B,V) */

/* --- one run ------------------------------------------------------------------------------------ */

Optim nplm_optim(const char *name, const Params *ps); /* "sgd", "momentum" or "adamw" */

/* Trains the model; curve (steps) receives the loss of each batch before its update. Stops if the
 * loss is not finite. Returns the loss on held-out examples. */
double nplm_train(const Lab *lab, const Plan *p, Params *ps, const Nplm *m, double *curve);

#endif
