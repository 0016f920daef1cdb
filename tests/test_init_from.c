/* Starting from a trained model: tensors of the file are loaded, a new head keeps its values, and a
 * tensor that does not fit leaves the model unchanged. */
#include "formats/init_from.h"

#include <unistd.h>

#include "formats/checkpoint.h"
#include "suite.h"

/* Makes a model: a trunk wx (3,4), b (4) and a head (4,classes) named `head`. */
static Params model(uint64_t seed, const char *head, int classes)
{
    Params ps = params_init(seed);
    param(&ps, SHAPE(3, 4), 0.5, "wx");
    param(&ps, SHAPE(4), 0.5, "b");
    if (head) param(&ps, SHAPE(4, classes), 0.5, "%s", head);
    return ps;
}

/* Saves a model into a new directory and writes the directory's name to dir. */
static void save(char *dir, Params *ps)
{
    Error err;
    Optim o = optim_init(OPTIM_SGD, ps, 0.9, 0, 0);
    const TrainState s = {.step = 1};
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_msg(checkpoint_save(dir, ps, &o, &s, NULL, &err), "%s", err.text);
    optim_free(&o);
}

static void remove_run(const char *dir)
{
    static const char *const files[] = {"state.safetensors", "model.safetensors"};
    for (int i = 0; i < LEN(files); i++) {
        char *path = xformat("%s/%s", dir, files[i]);
        unlink(path);
        free(path);
    }
    rmdir(dir);
}

static bool same(const Params *a, const Params *b, const char *name)
{
    const Tensor *s = params_find(a, name), *t = params_find(b, name);
    return memcmp(s->data, t->data, (size_t)s->len * sizeof *s->data) == 0;
}

START_TEST(a_new_head_on_a_trunk)
{
    const struct {
        const char *head; /* the new model's */
        int classes;
        const char *fresh, *fresh_names, *unused_names;
        int taken;
    } c[] = {
        {"head.w", 5, NULL, "", "", 3},
        {"head.w", 5, "head*", "head.w", "head.w", 2},
        {"head.w", 2, "head*", "head.w", "head.w", 2}, /* another shape */
        {"label.w", 2, NULL, "label.w", "head.w", 2},
        {NULL, 0, NULL, "", "head.w", 2},
    };
    for (int i = 0; i < LEN(c); i++) {
        char dir[] = "/tmp/lmzoo-XXXXXX";
        Error err;
        InitFrom from;
        Params old = model(1, "head.w", 5);
        Params new = model(2, c[i].head, c[i].classes), before = model(2, c[i].head, c[i].classes);
        save(dir, &old);
        ck_assert_msg(init_from_run(dir, &new, c[i].fresh, &from, &err), "%s", err.text);
        ck_assert_int_eq(from.taken, c[i].taken);
        ck_assert_str_eq(from.fresh.text, c[i].fresh_names);
        ck_assert_str_eq(from.unused.text, c[i].unused_names);
        ck_assert(same(&new, &old, "wx") && same(&new, &old, "b"));
        if (c[i].head) ck_assert(same(&new, from.fresh.n ? &before : &old, c[i].head));
        remove_run(dir);
        params_free(&old), params_free(&new), params_free(&before);
    }
}
END_TEST

START_TEST(what_does_not_fit_changes_nothing)
{
    char dir[] = "/tmp/lmzoo-XXXXXX";
    Params old = model(1, "head.w", 5);
    save(dir, &old);
    const struct {
        int classes;
        const char *fresh, *message;
    } c[] = {
        {2, NULL, "\"head.w\": has shape (4,5) in the file and (4,2) in the model"},
        {5, "haed*", "the pattern \"haed*\" matches no parameter"},
        {5, "*", "no tensor of the file has the name of a parameter"},
    };
    for (int i = 0; i < LEN(c); i++) {
        Error err;
        InitFrom from;
        Params new = model(2, "head.w", c[i].classes), before = model(2, "head.w", c[i].classes);
        ck_assert(!init_from_run(dir, &new, c[i].fresh, &from, &err));
        ck_assert_msg(strstr(err.text, c[i].message), "%s", err.text);
        for (int k = 0; k < new.n; k++) ck_assert(same(&new, &before, new.tensor[k]->name));
        params_free(&new), params_free(&before);
    }
    Error err;
    InitFrom from;
    const char *missing = nowhere();
    ck_assert(!init_from_run(missing, &old, NULL, &from, &err));
    ck_assert_msg(strncmp(err.text, missing, strlen(missing)) == 0 &&
                      strstr(err.text, "/model.safetensors"),
                  "%s", err.text);
    remove_run(dir);
    params_free(&old);
}
END_TEST

/* A list of names shows those that fit and counts the rest. */
START_TEST(names_in_a_message)
{
    StNames names = {0};
    safetensors_name(&names, "a\n");
    ck_assert_str_eq(names.text, "a\\x0a");
    for (int i = 0; i < 999; i++) safetensors_name(&names, "layer.weight");
    char end[64];
    snprintf(end, sizeof end, "layer.weight and %d more", 1000 - names.shown);
    ck_assert_int_eq(names.n, 1000);
    ck_assert_msg(names.shown > 10 && strstr(names.text, end), "%s", names.text);
}
END_TEST

SUITE("init_from",
      TESTS(a_new_head_on_a_trunk, what_does_not_fit_changes_nothing, names_in_a_message),
      NO_ABORTS)
