/* Tests for every network that reads from left to right. It learns and cannot see later tokens. Padding,
 * other sequences of the batch and a state carried over do not change its results. */
#ifndef READER_H
#define READER_H

#include "suite.h"

#include "models/model.h"
#include "nn/optim.h"
#include "nn/params.h"

enum { V = 7, T = 6, B = 4 };

/* Makes a network of the suite that reads ids below V; it is valid until the next call. */
typedef Model (*MakeReader)(Params *ps, int which);

static inline void random_ids(int *ids, int n, uint32_t step)
{
    Rng rng = rng_make(5, RNG_TEST, step);
    for (int i = 0; i < n; i++) ids[i] = rng_below(&rng, V);
}

/* Writes the logits into out (T,B,V). */
static inline void logits_of(const Model *m, const Batch *batch, real *state, real *out)
{
    Tape tp = {.frozen = true};
    const Tensor *y = m->forward(&tp, m->self, batch, state, NULL);
    memcpy(out, y->data, (size_t)y->len * sizeof *out);
    tape_free(&tp);
}

static inline void check_overfits(MakeReader make, int which)
{
    Params ps = params_init(1);
    const Model m = make(&ps, which);
    Optim o = optim_init(OPTIM_ADAMW, &ps, 0.9, 0.99, 0);
    int x[T * B], y[T * B];
    random_ids(x, T * B, 1);
    random_ids(y, T * B, 2);
    for (int b = 0; b < B; b++) x[b] = b; /* different first tokens tell the sequences apart */
    const Batch batch = {.T = T, .B = B, .x = x, .y = y};
    Tape tp = {0};
    double loss = 0;
    for (int step = 0; step < 400; step++) {
        Tensor *l = model_loss(&tp, &m, &batch, NULL, NULL).mean;
        tape_backward(&tp, l);
        optim_step(&o, &ps, 0.02);
        loss = (double)l->data[0];
        tape_reset(&tp);
    }
    ck_assert_msg(loss < 0.005, "network %d: loss %g", which, loss);
    tape_free(&tp), optim_free(&o), params_free(&ps);
}

static inline void check_sees_nothing_ahead(MakeReader make, int which)
{
    Params ps = params_init(2);
    const Model m = make(&ps, which);
    int x[T * B], y[T * B] = {0};
    real before[T * B * V], after[T * B * V];
    random_ids(x, T * B, 1);
    const Batch batch = {.T = T, .B = B, .x = x, .y = y};
    logits_of(&m, &batch, NULL, before);
    for (int t = 1; t < T; t++) {
        for (int i = t * B; i < T * B; i++) x[i] = (x[i] + 1) % V;
        logits_of(&m, &batch, NULL, after);
        ck_assert_msg(!memcmp(before, after, (size_t)(t * B * V) * sizeof(real)),
                      "network %d, t = %d", which, t);
        ck_assert(memcmp(before, after, sizeof before) != 0);
        random_ids(x, T * B, 1);
    }
    params_free(&ps);
}

/* The loss and every gradient of a batch of sequences of unequal length do not depend on the ids
 * that pad the shorter ones. */
static inline void check_padding(MakeReader make, int which)
{
    Params ps = params_init(3);
    const Model m = make(&ps, which);
    int x[T * B], y[T * B];
    random_ids(x, T * B, 1);
    random_ids(y, T * B, 2);
    for (int t = 3; t < T; t++) y[t * B + 1] = -1; /* sequence 1 has three steps */
    const Batch batch = {.T = T, .B = B, .x = x, .y = y};
    Tape tp = {0};
    real loss[2], *grad = xcalloc(ps.len, sizeof *grad);
    for (int trial = 0; trial < 2; trial++) {
        for (int t = 3; t < T; t++) x[t * B + 1] = trial ? V - 1 : 0;
        Tensor *l = model_loss(&tp, &m, &batch, NULL, NULL).mean;
        tape_backward(&tp, l);
        loss[trial] = l->data[0];
        if (trial == 0)
            memcpy(grad, ps.grad, ps.len * sizeof *grad);
        else
            ck_assert(memcmp(grad, ps.grad, ps.len * sizeof *grad) == 0);
        params_zero_grad(&ps);
        tape_reset(&tp);
    }
    ck_assert(loss[0] == loss[1]);
    free(grad), tape_free(&tp), params_free(&ps);
}

static inline void check_near(const real *a, const real *b, int n)
{
    for (int i = 0; i < n; i++) ck_assert_double_lt(fabs((double)(a[i] - b[i])), 1e-6);
}

/* Two halves of a sequence, with the state carried over, give the logits of the whole sequence. */
static inline void check_state(MakeReader make, int which)
{
    Params ps = params_init(4);
    const Model m = make(&ps, which);
    int x[T * B], y[T * B] = {0};
    real whole[T * B * V] = {0}, halves[T * B * V] = {0};
    real *state = xcalloc((size_t)m.state_size * B, sizeof *state);
    random_ids(x, T * B, 1);
    logits_of(&m, &(Batch){.T = T, .B = B, .x = x, .y = y}, NULL, whole);
    for (int half = 0; half < 2; half++) {
        const int at = half * T / 2 * B;
        logits_of(&m, &(Batch){.T = T / 2, .B = B, .x = x + at, .y = y}, state, halves + at * V);
    }
    check_near(whole, halves, T * B * V);
    free(state), params_free(&ps);
}

/* A sequence has the same logits alone and beside others. With fewer tokens than words some networks
 * multiply the embedded tokens by the weights, with more tokens the whole table. */
static inline void check_alone(MakeReader make, int which)
{
    Params ps = params_init(5);
    const Model m = make(&ps, which);
    int x[T * B], y[T * B] = {0}, alone[T];
    real all[T * B * V] = {0}, one[T * V] = {0};
    random_ids(x, T * B, 1);
    logits_of(&m, &(Batch){.T = T, .B = B, .x = x, .y = y}, NULL, all);
    for (int b = 0; b < B; b++) {
        for (int t = 0; t < T; t++) alone[t] = x[t * B + b];
        logits_of(&m, &(Batch){.T = T, .B = 1, .x = alone, .y = y}, NULL, one);
        for (int t = 0; t < T; t++) check_near(all + (t * B + b) * V, one + t * V, V);
    }
    params_free(&ps);
}

#endif
