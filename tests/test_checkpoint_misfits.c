/* Checkpoints that do not fit the model: each is refused, the message names the tensor, and the
 * model is unchanged. */
#include "formats/checkpoint.h"

#include "checkpoint_help.h"
#include "system/file.h"
#include "suite.h"

static void save_x(const Run *r, const StTensor *t, int n)
{
    Error err;
    char *path = run_path(r, "x.safetensors");
    ck_assert_msg(safetensors_save(path, t, n, NULL, &err), "%s", err.text);
    free(path);
}

static void expect_x(Run *r, const char *fragment)
{
    Error err;
    char *path = run_path(r, "x.safetensors");
    Run before = snapshot(r);
    const bool ok = params_load(path, &r->ps, &err);
    if (fragment) {
        ck_assert_msg(!ok, "accepted; expected: %s", fragment);
        ck_assert_msg(strstr(err.text, path) && strstr(err.text, fragment), "\"%s\" lacks: %s",
                      err.text, fragment);
        ck_assert(same_run(&before, r));
    } else {
        ck_assert_msg(ok, "%s", err.text);
    }
    snapshot_free(&before);
    free(path);
}

/* The tensors of the run's model are wx (3,4), b (4), head.w (2,1,4). */
START_TEST(models_that_do_not_fit)
{
    static const double f64[13];
    static const float f32[13];
#define F32(NAME, AXES, COUNT, ...)                                                                \
    {                                                                                              \
        .name = NAME, .dtype = "F32", .axes = AXES, .d = {__VA_ARGS__}, .data = f32,               \
        .size = COUNT * sizeof(float)                                                              \
    }
    const StTensor wx = F32("wx", 2, 12, 3, 4), b = F32("b", 1, 4, 4);
    const StTensor head = F32("head.w", 3, 8, 2, 1, 4);
    const struct {
        StTensor t[4];
        int n;
        const char *fragment;
    } c[] = {
        {{wx, b, head}, 3, NULL},
        {{{0}}, 0, "tensor \"wx\": is missing"},
        {{wx, b}, 2, "tensor \"head.w\": is missing"},
        {{wx, b, head, F32("more", 1, 1, 1)}, 4, "tensor \"more\": is not expected"},
        {{wx, b, F32("head.W", 3, 8, 2, 1, 4)}, 3, "tensor \"head.w\": is missing"},
        {{wx, b, F32("head.w", 2, 8, 2, 4)},
         3,
         "tensor \"head.w\": has shape (2,4) in the file and (2,1,4) in the model"},
        {{F32("wx", 2, 12, 4, 3), b, head},
         3,
         "tensor \"wx\": has shape (4,3) in the file and (3,4) in the model"},
        {{wx, F32("b", 0, 1, 0), head}, 3, "has shape () in the file and (4) in the model"},
        {{wx, F32("b", 1, 0, 0), head}, 3, "has shape (0) in the file and (4) in the model"},
        {{wx, F32("b", 1, 5, 5), head}, 3, "has shape (5) in the file and (4) in the model"},
        {{wx, {.name = "b", .dtype = "F64", .axes = 1, .d = {4}, .data = f64, .size = 32}, head},
         3,
         NULL},
        {{wx, {.name = "b", .dtype = "BF16", .axes = 1, .d = {4}, .data = f64, .size = 8}, head},
         3,
         NULL},
        {{wx, {.name = "b", .dtype = "I32", .axes = 1, .d = {4}, .data = f64, .size = 16}, head},
         3,
         "tensor \"b\": is of type I32; " REAL_NAME " or another float type is needed"},
        {{wx, {.name = "b", .dtype = "BOOL", .axes = 1, .d = {4}, .data = f64, .size = 4}, head},
         3,
         "tensor \"b\": is of type BOOL"},
    };
    for (int i = 0; i < LEN(c); i++) {
        Run r;
        run_init(&r, 1, 4, OPTIM_ADAMW);
        save_x(&r, c[i].t, c[i].n);
        expect_x(&r, c[i].fragment);
        run_free(&r);
    }
}
END_TEST

/* Expects that loading a's state into run b fails and leaves b unchanged. */
static void expect_state(const Run *a, Run *b, const char *fragment)
{
    Error err;
    Run before = snapshot(b);
    ck_assert_msg(!checkpoint_load_state(a->dir, &b->ps, &b->o, &b->s, &err), "accepted: %s",
                  fragment);
    ck_assert_msg(strstr(err.text, "/state.safetensors") && strstr(err.text, fragment),
                  "\"%s\" lacks: %s", err.text, fragment);
    ck_assert(same_run(&before, b));
    snapshot_free(&before);
}

START_TEST(states_that_do_not_fit)
{
    Run a, other, sgd;
    run_init(&a, 1, 4, OPTIM_ADAMW);
    run_init(&other, 2, 5, OPTIM_ADAMW);
    run_init(&sgd, 3, 4, OPTIM_SGD);
    expect_state(&a, &other, "state.safetensors"); /* there is no file yet */
    run_save(&a);
    run_save(&sgd);
    expect_state(&a, &other, "tensor \"wx\": has shape (3,4) in the file and (3,5) in the model");
    expect_state(&a, &sgd, "tensor \"optim.v.b\": is not expected");
    expect_state(&sgd, &a, "tensor \"optim.v.wx\": is missing");
    a.s.carried_len = CARRIED - 1;
    expect_state(&sgd, &a, "tensor \"optim.v.wx\": is missing");
    expect_state(&a, &a, "tensor \"carried\": has shape (6) in the file and (5) in the model");
    a.s.carried = NULL;
    expect_state(&a, &a, "tensor \"carried\": is not expected");
    run_free(&a);
    run_free(&other);
    run_free(&sgd);
}
END_TEST

/* Numbers out of range and a wrong dtype are found before any parameter is changed. */
START_TEST(states_with_impossible_numbers)
{
    Run b;
    run_init(&b, 2, 4, OPTIM_ADAMW);
    for (int i = 0; i < 13; i++) {
        static const char *const fragment[] = {"\"train.step\": is -1; must be 0 to 2147483647",
                                               "\"train.tokens\": is -2",
                                               "\"train.cursor\": is -3",
                                               "\"optim.step\": is -4",
                                               "\"train.seconds\": is nan",
                                               "\"train.step\": is 2147483648",
                                               "\"train.cursor\": is 4611686018427387904",
                                               "\"train.seconds\": is -1; must be 0 or more",
                                               "\"train.loss_sum\": is inf; must be finite",
                                               "\"train.best_loss\": is not a number",
                                               "\"train.best_step\": is -1",
                                               "\"train.worse\": is -1",
                                               "\"train.unlogged_norm\": is inf; must be finite"};
        Run a;
        run_init(&a, 1, 4, OPTIM_ADAMW);
        if (i == 0) a.s.step = -1;
        if (i == 1) a.s.tokens = -2;
        if (i == 2) a.s.cursor = -3;
        if (i == 3) a.o.step = -4;
        if (i == 4) a.s.seconds = (double)NAN;
        if (i == 5) a.s.step = (int64_t)1 << 31;
        if (i == 6) a.s.cursor = (int64_t)1 << 62;
        if (i == 7) a.s.seconds = -1;
        if (i == 8) a.s.loss_sum = (double)INFINITY;
        if (i == 9) a.s.best_loss = (double)NAN;
        if (i == 10) a.s.best_step = -1;
        if (i == 11) a.s.worse = -1;
        if (i == 12) a.s.unlogged_norm = (double)INFINITY;
        run_save(&a);
        expect_state(&a, &b, fragment[i]);
        run_free(&a);
    }
    run_free(&b);
}
END_TEST

/* optim.step is an int in memory: INT_MAX is accepted, a larger number is refused, not
 * truncated. */
START_TEST(states_with_large_numbers)
{
    Run a, b;
    Safetensors st;
    Error err;
    static const int64_t beyond = (int64_t)1 << 32;
    run_init(&a, 1, 4, OPTIM_ADAMW);
    run_init(&b, 2, 4, OPTIM_ADAMW);
    a.s.step = a.o.step = INT32_MAX;
    a.s.tokens = a.s.cursor = INT64_MAX / 4;
    run_save(&a);
    ck_assert_msg(checkpoint_load_state(a.dir, &b.ps, &b.o, &b.s, &err), "%s", err.text);
    ck_assert(same_run(&a, &b));
    char *path = run_path(&a, "state.safetensors");
    ck_assert_msg(safetensors_open(&st, path, &err), "%s", err.text);
    for (int i = 0; i < st.n; i++)
        if (strcmp(st.tensor[i].name, "optim.step") == 0) st.tensor[i].data = &beyond;
    ck_assert_msg(safetensors_save(path, st.tensor, st.n, NULL, &err), "%s", err.text);
    safetensors_close(&st);
    free(path);
    expect_state(&a, &b, "\"optim.step\": is 4294967296; must be 0 to 2147483647");
    run_free(&a);
    run_free(&b);
}
END_TEST

/* A state belongs to the build (float or double) that wrote it: rounding would change the run. */
START_TEST(state_of_another_build)
{
    Run a;
    Safetensors st;
    Error err;
    run_init(&a, 1, 4, OPTIM_ADAMW);
    run_save(&a);
    char *path = run_path(&a, "state.safetensors");
    ck_assert_msg(safetensors_open(&st, path, &err), "%s", err.text);
    static const double zeros[64];
    for (int i = 0; i < st.n; i++) {
        StTensor *t = &st.tensor[i];
        if (strcmp(t->name, "optim.m.b")) continue;
        t->dtype = sizeof(real) == 4 ? "F64" : "F32";
        t->data = zeros;
        t->size = (size_t)t->len * (sizeof(real) == 4 ? 8 : 4);
    }
    ck_assert_msg(safetensors_save(path, st.tensor, st.n, NULL, &err), "%s", err.text);
    safetensors_close(&st);
    free(path);
    expect_state(&a, &a, "tensor \"optim.m.b\": is of type");
    run_free(&a);
}
END_TEST

START_TEST(truncated_state)
{
    Run a, b;
    Error err;
    char *bytes;
    size_t len;
    run_init(&a, 1, 4, OPTIM_ADAMW);
    run_init(&b, 2, 4, OPTIM_ADAMW);
    run_save(&a);
    char *path = run_path(&a, "state.safetensors");
    ck_assert(file_read(path, 1 << 20, &bytes, &len, &err));
    ck_assert(file_write(path, bytes, len - 1, &err));
    expect_state(&a, &b, "damaged, or not a safetensors file");
    free(bytes);
    free(path);
    run_free(&a);
    run_free(&b);
}
END_TEST

SUITE("checkpoint_misfits",
      TESTS(models_that_do_not_fit, states_that_do_not_fit, states_with_impossible_numbers,
            states_with_large_numbers, state_of_another_build, truncated_state),
      NO_ABORTS)
