/* A small model in training, for the tests of checkpoints. */
#ifndef CHECKPOINT_HELP_H
#define CHECKPOINT_HELP_H

#include <unistd.h>

#include "formats/checkpoint.h"
#include "suite.h"

enum { CARRIED = 6 };

/* A model in training and a directory for it; no two tensors have equal values. */
typedef struct {
    char dir[32];
    Params ps;
    Optim o;
    TrainState s;
    real carried[CARRIED];
} Run;

static inline void run_init(Run *r, uint64_t seed, int hidden, OptimKind kind)
{
    *r = (Run){.dir = "/tmp/lmzoo-XXXXXX", .ps = params_init(seed)};
    ck_assert_ptr_nonnull(mkdtemp(r->dir));
    param(&r->ps, SHAPE(3, hidden), 0.5, "wx");
    param(&r->ps, SHAPE(hidden), 0.5, "b");
    param(&r->ps, SHAPE(2, 1, hidden), 0.5, "head.w");
    r->o = optim_init(kind, &r->ps, 0.9, 0.99, 0);
    Rng rng = rng_make(seed, RNG_TEST, 0);
    for (int step = 0; step < 3; step++) {
        for (int i = 0; i < r->ps.n; i++)
            for (int k = 0; k < r->ps.tensor[i]->len; k++)
                r->ps.tensor[i]->grad[k] = (real)rng_normal(&rng);
        optim_step(&r->o, &r->ps, 0.01);
    }
    for (int i = 0; i < CARRIED; i++) r->carried[i] = (real)rng_normal(&rng);
    r->s = (TrainState){.step = 700 + (int64_t)seed,
                        .tokens =
                            ((int64_t)1 << 53) + 2 * (int64_t)seed - 1, /* not exact as a double */
                        .seconds = 0.1 + (double)seed,
                        .cursor = ((int64_t)1 << 40) + (int64_t)seed,
                        .loss_sum = 12.25 + (double)seed,
                        .loss_count = 5 + (int64_t)seed,
                        .best_loss = 0.3 + (double)seed,
                        .best_step = 650 + (int64_t)seed,
                        .worse = 2 + (int64_t)seed,
                        .unlogged_norm = 1.7 + (double)seed,
                        .carried = r->carried,
                        .carried_len = CARRIED};
}

static inline char *run_path(const Run *r, const char *file)
{
    return xformat("%s/%s", r->dir, file);
}

static inline void run_free(Run *r)
{
    static const char *const files[] = {"state.safetensors", "model.safetensors", "x.safetensors"};
    for (int i = 0; i < LEN(files); i++) {
        char *path = run_path(r, files[i]);
        unlink(path);
        free(path);
    }
    ck_assert_msg(rmdir(r->dir) == 0, "a file was left in %s", r->dir);
    optim_free(&r->o);
    params_free(&r->ps);
}

static inline void run_save(const Run *r)
{
    Error err;
    ck_assert_msg(checkpoint_save(r->dir, &r->ps, &r->o, &r->s, NULL, &err), "%s", err.text);
}

static inline bool same_values(const Run *a, const Run *b)
{
    return memcmp(a->ps.value, b->ps.value, a->ps.len * sizeof(real)) == 0;
}

static inline bool same_run(const Run *a, const Run *b)
{
    const size_t size = a->ps.len * sizeof(real);
    return same_values(a, b) && memcmp(a->o.m, b->o.m, size) == 0 &&
           (!a->o.v || memcmp(a->o.v, b->o.v, size) == 0) && a->o.step == b->o.step &&
           a->s.step == b->s.step && a->s.tokens == b->s.tokens && a->s.cursor == b->s.cursor &&
           a->s.seconds == b->s.seconds && a->s.loss_sum == b->s.loss_sum &&
           a->s.loss_count == b->s.loss_count && a->s.best_loss == b->s.best_loss &&
           a->s.best_step == b->s.best_step && a->s.worse == b->s.worse &&
           a->s.unlogged_norm == b->s.unlogged_norm &&
           memcmp(a->carried, b->carried, sizeof a->carried) == 0;
}

/* A copy of everything in a run that a load could change, to compare with afterwards. */
static inline Run snapshot(const Run *r)
{
    const size_t size = r->ps.len * sizeof(real);
    Run copy = *r;
    copy.ps.value = memcpy(xmalloc(size), r->ps.value, size);
    copy.o.m = memcpy(xmalloc(size), r->o.m, size);
    if (r->o.v) copy.o.v = memcpy(xmalloc(size), r->o.v, size);
    return copy;
}

static inline void snapshot_free(Run *copy)
{
    free(copy->ps.value);
    free(copy->o.m);
    free(copy->o.v);
}

#endif
