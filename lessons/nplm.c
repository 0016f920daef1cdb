#include "lessons/nplm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Before the first character of a line stand N newlines: no context reaches over the line's start. */
static Examples examples_of(const Text *t, Split split, int N)
{
    const int *ids = t->ids[split], newline = tokenizer_id(&t->tokens, "\n");
    Examples e = {.n = t->n[split] - 1};
    e.x = xmalloc((size_t)e.n * N * sizeof *e.x);
    e.y = xmalloc((size_t)e.n * sizeof *e.y);
    for (int i = 0; i < e.n; i++) {
        bool inside = true;
        for (int j = N - 1; j >= 0; j--) {
            const int at = i - (N - 1 - j); /* the text starts with a newline, at 0 */
            inside = inside && ids[at] != newline;
            e.x[(size_t)i * N + j] = inside ? ids[at] : newline;
        }
        e.y[i] = ids[i + 1];
    }
    return e;
}

static void examples_free(Examples *e)
{
    free(e->x), free(e->y);
}

bool lab_open(Lab *lab, const Config *c, Error *err)
{
    *lab = (Lab){.c = c};
    if (!data_open(&lab->data, &c->data, NULL, err)) return false;
    lab->train = examples_of(&lab->data.text, SPLIT_TRAIN, c->context);
    lab->valid = examples_of(&lab->data.text, SPLIT_VALID, c->context);
    lab->V = lab->data.text.tokens.size;
    lab->ln_V = log(lab->V); /* eq 5.2 */
    return true;
}

void lab_close(Lab *lab)
{
    examples_free(&lab->train), examples_free(&lab->valid);
    data_close(&lab->data);
}

/* --- the model ---------------------------------------------------------------------------------- */

Nplm nplm_init(Params *ps, const Lab *lab, const Plan *p)
{
    const int N = lab->c->context, C = lab->c->channels, H = lab->c->hidden, V = lab->V;
    Nplm m = {.N = N};
    m.embed = param(ps, SHAPE(V, C), 1, "embed");
    m.w = param(ps, SHAPE(N * C, H), p->init / sqrt(N * C), "w");
    m.b = param(ps, SHAPE(H), 0, "b");
    m.u = param(ps, SHAPE(H, V), p->init_last / sqrt(H), "u");
    m.c = param(ps, SHAPE(V), 0, "c");
    return m;
}

Tensor *nplm_hidden(Tape *tp, const Nplm *m, const int *x, int B)
{
    Tensor *e = op_embed(tp, m->embed, x, SHAPE(B, m->N));                     /* (B,N,C) */
    Tensor *joined = op_reshape(tp, e, SHAPE(B, m->N * shape_last(e->shape))); /* (B,N*C) */
    return op_tanh(tp, op_linear(tp, joined, m->w, m->b));                     /* (B,H)   eq 5.1 */
}

Tensor *nplm_logits(Tape *tp, const Nplm *m, const int *x, int B)
{
    return op_linear(tp, nplm_hidden(tp, m, x, B), m->u, m->c); /* (B,V)   */
}

/* --- one run ------------------------------------------------------------------------------------ */

/* Mean loss over all held-out examples. */
static double evaluate(const Lab *lab, const Nplm *m)
{
    enum { B = 1024 };
    const Examples *e = &lab->valid;
    Tape tp = {.frozen = true};
    double sum = 0;
    for (int i = 0; i < e->n; i += B) {
        const int n = e->n - i < B ? e->n - i : B;
        Tensor *z = nplm_logits(&tp, m, e->x + (size_t)i * m->N, n);
        sum += n * (double)op_cross_entropy(&tp, z, e->y + i)->data[0];
        tape_reset(&tp);
    }
    tape_free(&tp);
    return sum / e->n;
}

/* The batch of a step is a function of seed and step: all runs see the same batches. */
static void draw_batch(const Lab *lab, int step, int *x, int *y)
{
    const int N = lab->c->context;
    Rng rng = rng_make(lab->c->seed, RNG_BATCH, (uint32_t)step);
    for (int b = 0; b < lab->c->batch; b++) {
        const int i = rng_below(&rng, lab->train.n);
        memcpy(x + b * N, lab->train.x + (size_t)i * N, N * sizeof *x);
        y[b] = lab->train.y[i];
    }
}

Optim nplm_optim(const char *name, const Params *ps)
{
    if (strcmp(name, "adamw") == 0) return optim_init(OPTIM_ADAMW, ps, 0.9, 0.99, 0.01);
    return optim_init(OPTIM_SGD, ps, strcmp(name, "momentum") == 0 ? 0.9 : 0, 0, 0);
}

double nplm_train(const Lab *lab, const Plan *p, Params *ps, const Nplm *m, double *curve)
{
    const int B = lab->c->batch;
    const Schedule schedule = {
        .lr = p->lr, .min_lr = p->min_lr, .warmup = p->warmup, .steps = p->steps};
    Optim optim = nplm_optim(p->optimizer, ps);
    Tape tp = {0};
    int *x = xcalloc((size_t)B * m->N, sizeof *x), *y = xcalloc(B, sizeof *y);
    for (int i = 0; i < p->steps; i++) curve[i] = NAN;
    for (int step = 1; step <= p->steps; step++) {
        draw_batch(lab, step, x, y);
        Tensor *loss = op_cross_entropy(&tp, nplm_logits(&tp, m, x, B), y);
        curve[step - 1] = (double)loss->data[0];
        if (!isfinite(curve[step - 1])) break;
        tape_backward(&tp, loss);
        optim_step(&optim, ps, lr_at(&schedule, step)); /* also sets the gradients to zero */
        tape_reset(&tp);
    }
    free(x), free(y);
    tape_free(&tp);
    optim_free(&optim);
    return evaluate(lab, m);
}
