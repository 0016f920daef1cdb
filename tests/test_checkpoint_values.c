/* Values that no training gives: they are neither saved nor loaded. */
#include "formats/checkpoint.h"

#include "checkpoint_help.h"
#include "suite.h"

/* Changes one value of a run: nan or an infinity, or a second moment below 0. */
typedef struct {
    const char *tensor;
    double value;
} Change;

static const Change change[] = {
    {"wx", (double)NAN},
    {"head.w", -(double)INFINITY},
    {"optim.m.b", (double)INFINITY},
    {"optim.v.wx", (double)NAN},
    {"optim.v.b", -1e-30},
    {"optim.v.head.w", (double)INFINITY},
    {"carried", (double)INFINITY},
};

static real *value_of(Run *r, const char *name)
{
    const bool m = strncmp(name, "optim.m.", 8) == 0, v = strncmp(name, "optim.v.", 8) == 0;
    if (strcmp(name, "carried") == 0) return r->carried + CARRIED - 1;
    const Tensor *t = params_find(&r->ps, m || v ? name + 8 : name);
    ck_assert_ptr_nonnull(t);
    const ptrdiff_t at = t->grad - r->ps.grad;
    return (m ? r->o.m + at : v ? r->o.v + at : t->data) + t->len - 1;
}

static void expect_named(bool ok, const Error *err, const char *tensor)
{
    char *fragment = xformat("tensor \"%s\": a value is ", tensor);
    ck_assert_msg(!ok, "accepted: %s", tensor);
    ck_assert_msg(strstr(err->text, fragment), "\"%s\" lacks: %s", err->text, fragment);
    free(fragment);
}

START_TEST(never_saved)
{
    for (int i = 0; i < LEN(change); i++) {
        Run a, b;
        Error err;
        run_init(&a, 1, 4, OPTIM_ADAMW);
        run_init(&b, 2, 4, OPTIM_ADAMW);
        run_save(&a);
        ck_assert(checkpoint_finite(&a.ps, &a.o, &a.s, &err));
        Run before = snapshot(&a);
        memcpy(before.carried, a.carried, sizeof a.carried);
        *value_of(&a, change[i].tensor) = (real)change[i].value;
        expect_named(checkpoint_finite(&a.ps, &a.o, &a.s, &err), &err, change[i].tensor);
        expect_named(checkpoint_save(a.dir, &a.ps, &a.o, &a.s, NULL, &err), &err, change[i].tensor);
        ck_assert_msg(strstr(err.text, a.dir), "%s", err.text);
        ck_assert_msg(checkpoint_load_state(a.dir, &b.ps, &b.o, &b.s, &err), "%s", err.text);
        ck_assert(same_run(&before, &b));
        snapshot_free(&before);
        run_free(&a); /* checks that no temporary file was left */
        run_free(&b);
    }
}
END_TEST

/* The file is whole, with right checksums, but no training writes such a value. */
START_TEST(never_loaded)
{
    for (int i = 0; i < LEN(change); i++) {
        Run a, b;
        Error err;
        Safetensors st;
        run_init(&a, 1, 4, OPTIM_ADAMW);
        run_init(&b, 2, 4, OPTIM_ADAMW);
        run_save(&a);
        char *path = run_path(&a, "state.safetensors");
        ck_assert_msg(safetensors_open(&st, path, &err), "%s", err.text);
        real values[64];
        for (int k = 0; k < st.n; k++) {
            StTensor *t = &st.tensor[k];
            if (strcmp(t->name, change[i].tensor)) continue;
            memcpy(values, t->data, t->size);
            values[t->len - 1] = (real)change[i].value;
            t->data = values;
        }
        ck_assert(safetensors_save_with_checksums(path, st.tensor, st.n, NULL, &err));
        safetensors_close(&st);
        Run before = snapshot(&b);
        expect_named(checkpoint_load_state(a.dir, &b.ps, &b.o, &b.s, &err), &err, change[i].tensor);
        ck_assert_msg(strstr(err.text, path), "%s", err.text);
        ck_assert(same_run(&before, &b));
        snapshot_free(&before);
        free(path);
        run_free(&a);
        run_free(&b);
    }
}
END_TEST

/* Counts of updates that exceed the number of updates. */
START_TEST(counts_beyond_the_step)
{
    static const char *const name[] = {"train.loss_count", "train.best_step", "train.worse",
                                       "optim.step"};
    for (int i = 0; i < LEN(name); i++) {
        Run a, b;
        Error err;
        run_init(&a, 1, 4, OPTIM_ADAMW);
        run_init(&b, 2, 4, OPTIM_ADAMW);
        if (i == 0) a.s.loss_count = 702;
        if (i == 1) a.s.best_step = 702;
        if (i == 2) a.s.worse = 702;
        if (i == 3) a.o.step = 702;
        run_save(&a);
        char *fragment = xformat("\"%s\": is 702; must be 0 to 701", name[i]);
        ck_assert(!checkpoint_load_state(a.dir, &b.ps, &b.o, &b.s, &err));
        ck_assert_msg(strstr(err.text, fragment), "%s", err.text);
        free(fragment);
        run_free(&a);
        run_free(&b);
    }
}
END_TEST

SUITE("checkpoint_values", TESTS(never_saved, never_loaded, counts_beyond_the_step), NO_ABORTS)
