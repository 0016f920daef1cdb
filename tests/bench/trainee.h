/* A model under training for the bench: one batch of random tokens, updates by AdamW. */
#ifndef TRAINEE_H
#define TRAINEE_H

#include "models/model.h"
#include "nn/optim.h"
#include "rows.h"

typedef struct {
    Params ps;
    Model model;
    Optim optim;
    Batch batch;
    Tape tape;
} Trainee;

static inline Trainee trainee_new(const Row *r)
{
    const Task task = {.vocab = r->V, .outputs = r->V, .source_vocab = r->S ? r->V : 0};
    Trainee t = {.ps = params_declare(1), .batch = batch_new()};
    t.model = r->build(&t.ps, r);
    t.batch.layout = t.model.layout;
    params_allocate(&t.ps, PARAMS_TRAIN);
    t.optim = optim_init(OPTIM_ADAMW, &t.ps, 0.9, 0.99, 0.01);
    batch_resize(&t.batch, &task, r->T, r->B);
    Rng rng = rng_make(1, RNG_TEST, 0);
    for (int i = 0; i < r->T * r->B; i++) {
        t.batch.x[i] = rng_below(&rng, r->V);
        t.batch.y[i] = rng_below(&rng, r->V);
    }
    if (r->S) batch_source(&t.batch, r->S);
    for (int i = 0; i < r->S * r->B; i++) t.batch.s[i] = rng_below(&rng, r->V);
    for (int b = 0; b < r->B && r->S; b++) t.batch.s_len[b] = r->S;
    return t;
}

static inline void trainee_free(Trainee *t)
{
    tape_free(&t->tape);
    batch_free(&t->batch);
    optim_free(&t->optim);
    params_free(&t->ps);
    free((void *)t->model.self);
}

static inline void update(Trainee *t)
{
    Tensor *loss = model_loss(&t->tape, &t->model, &t->batch, NULL, NULL).mean;
    tape_backward(&t->tape, loss);
    params_clip(&t->ps, 1);
    optim_step(&t->optim, &t->ps, 1e-3);
    tape_reset(&t->tape);
}

#endif
