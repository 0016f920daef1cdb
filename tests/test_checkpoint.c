/* Checkpoints: loading gives the saved values bit for bit, and a full disk leaves the older files
 * whole. For files that do not fit see test_checkpoint_misfits.c. */
#include "formats/checkpoint.h"

#include <float.h>
#include <limits.h>
#include <sys/resource.h>

#include "checkpoint_help.h"
#include "suite.h"

static const real real_max = sizeof(real) == sizeof(float) ? (real)FLT_MAX : (real)DBL_MAX;

/* --- round trips ------------------------------------------------------------------------------ */

START_TEST(state_comes_back_bit_for_bit)
{
    const OptimKind kinds[] = {OPTIM_ADAMW, OPTIM_SGD};
    for (int k = 0; k < LEN(kinds); k++) {
        Run a, b;
        Error err;
        run_init(&a, 1, 4, kinds[k]);
        run_init(&b, 2, 4, kinds[k]);
        a.ps.tensor[0]->data[0] = (real)-0.0;
        a.ps.tensor[0]->data[1] = (real)1e-42; /* subnormal */
        a.ps.tensor[0]->data[2] = -real_max;
        a.o.step = 123;
        ck_assert(!same_run(&a, &b));
        run_save(&a);
        ck_assert_msg(checkpoint_load_state(a.dir, &b.ps, &b.o, &b.s, &err), "%s", err.text);
        ck_assert(same_run(&a, &b));
        ck_assert_ptr_eq(b.s.carried, b.carried);
        run_free(&a);
        run_free(&b);
    }
}
END_TEST

START_TEST(nothing_carried)
{
    Run a, b;
    Error err;
    run_init(&a, 1, 4, OPTIM_ADAMW);
    run_init(&b, 2, 4, OPTIM_ADAMW);
    a.s.carried = NULL;
    run_save(&a);
    ck_assert(!checkpoint_load_state(a.dir, &b.ps, &b.o, &b.s, &err));
    ck_assert_msg(strstr(err.text, "\"carried\": is missing"), "%s", err.text);
    b.s.carried = NULL;
    ck_assert_msg(checkpoint_load_state(a.dir, &b.ps, &b.o, &b.s, &err), "%s", err.text);
    ck_assert(same_values(&a, &b));
    run_free(&a);
    run_free(&b);
}
END_TEST

/* The model file sets the parameters and nothing else. */
START_TEST(model_alone)
{
    Run a, b;
    Error err;
    run_init(&a, 1, 4, OPTIM_ADAMW);
    run_init(&b, 2, 4, OPTIM_ADAMW);
    Run before = snapshot(&b);
    run_save(&a);
    ck_assert_msg(checkpoint_load_model(a.dir, &b.ps, &err), "%s", err.text);
    ck_assert(same_values(&a, &b));
    memcpy(before.ps.value, b.ps.value, b.ps.len * sizeof(real));
    ck_assert(same_run(&before, &b));
    snapshot_free(&before);
    run_free(&a);
    run_free(&b);
}
END_TEST

START_TEST(metadata_in_both_files)
{
    static const char *const files[] = {"state.safetensors", "model.safetensors"};
    Run a;
    Error err;
    run_init(&a, 1, 4, OPTIM_ADAMW);
    json_t *metadata = json_pack("{s:s}", "arch", "rnn");
    ck_assert(checkpoint_save(a.dir, &a.ps, &a.o, &a.s, metadata, &err));
    for (int i = 0; i < LEN(files); i++) {
        Safetensors st;
        char *path = run_path(&a, files[i]);
        ck_assert_msg(safetensors_open(&st, path, &err), "%s", err.text);
        ck_assert_str_eq(json_string_value(json_object_get(st.metadata, "arch")), "rnn");
        ck_assert_str_eq(json_string_value(json_object_get(st.metadata, "format")), "pt");
        safetensors_close(&st);
        free(path);
    }
    json_decref(metadata);
    run_free(&a);
}
END_TEST

START_TEST(other_float_types_are_converted)
{
    const double wx[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0.1};
    const uint16_t b[4] = {0x3C00, 0x3E00, 0xC000, 0x0001}; /* 1, 1.5, -2, 2^-24 */
    const uint16_t head[8] = {0x3F80, 0x4049};              /* 1, 3.140625 */
    const StTensor t[] = {
        {.name = "wx", .dtype = "F64", .axes = 2, .d = {3, 4}, .data = wx, .size = sizeof wx},
        {.name = "b", .dtype = "F16", .axes = 1, .d = {4}, .data = b, .size = sizeof b},
        {.name = "head.w",
         .dtype = "BF16",
         .axes = 3,
         .d = {2, 1, 4},
         .data = head,
         .size = sizeof head},
    };
    Run r;
    run_init(&r, 1, 4, OPTIM_ADAMW);
    Error err;
    char *path = run_path(&r, "x.safetensors");
    ck_assert_msg(safetensors_save(path, t, LEN(t), NULL, &err), "%s", err.text);
    ck_assert_msg(params_load(path, &r.ps, &err), "%s", err.text);
    free(path);
    Tensor *const *p = r.ps.tensor;
    for (int i = 0; i < 12; i++) ck_assert(p[0]->data[i] == (real)wx[i]);
    ck_assert(p[1]->data[1] == (real)1.5 && p[1]->data[2] == -2 && p[1]->data[3] == (real)0x1p-24);
    ck_assert(p[2]->data[0] == 1 && p[2]->data[1] == (real)3.140625 && p[2]->data[7] == 0);
    run_free(&r);
}
END_TEST

/* --- a full disk ------------------------------------------------------------------------------ */

START_TEST(full_disk_keeps_the_older_files)
{
    Run a, later, b;
    Error err = {{0}};
    run_init(&a, 1, 4, OPTIM_ADAMW);
    run_init(&later, 2, 4, OPTIM_ADAMW);
    run_init(&b, 3, 4, OPTIM_ADAMW);
    run_save(&a);

    signal(SIGXFSZ, SIG_IGN); /* write() then fails with EFBIG */
    struct rlimit usual, tight;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &usual), 0);
    tight = usual;
    tight.rlim_cur = 512;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &tight), 0);
    const bool ok = checkpoint_save(a.dir, &later.ps, &later.o, &later.s, NULL, &err);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &usual), 0);

    ck_assert(!ok);
    ck_assert_msg(strstr(err.text, "state.safetensors"), "%s", err.text);
    ck_assert_msg(checkpoint_load_state(a.dir, &b.ps, &b.o, &b.s, &err), "%s", err.text);
    ck_assert(same_run(&a, &b));
    param_fill(&b.ps, b.ps.tensor[0], 0);
    ck_assert_msg(checkpoint_load_model(a.dir, &b.ps, &err), "%s", err.text);
    ck_assert(same_run(&a, &b));
    run_free(&a); /* checks that no temporary file was left */
    run_free(&later);
    run_free(&b);
}
END_TEST

/* --- no memory -------------------------------------------------------------------------------- */

#ifndef __SANITIZE_ADDRESS__ /* which reserves terabytes */

/* Limits the process to `more` bytes beyond its present size; returns the old limit. */
static struct rlimit limit_memory(size_t more)
{
    struct rlimit usual, tight;
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    ck_assert(f && fscanf(f, "%ld", &pages) == 1);
    fclose(f);
    ck_assert_int_eq(getrlimit(RLIMIT_AS, &usual), 0);
    tight = usual;
    tight.rlim_cur = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + more;
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &tight), 0);
    return usual;
}

/* A save needs almost no memory, however large the model is: here 24 MB of parameters. */
START_TEST(a_save_is_streamed)
{
    Run a, b;
    Error err;
    run_init(&a, 1, 1 << 20, OPTIM_ADAMW);
    const struct rlimit usual = limit_memory(1 << 20);
    const bool ok = checkpoint_save(a.dir, &a.ps, &a.o, &a.s, NULL, &err);
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &usual), 0);
    ck_assert_msg(ok, "%s", err.text);
    run_init(&b, 2, 1 << 20, OPTIM_ADAMW);
    ck_assert_msg(checkpoint_load_state(a.dir, &b.ps, &b.o, &b.s, &err), "%s", err.text);
    ck_assert(same_run(&a, &b));
    run_free(&a);
    run_free(&b);
}
END_TEST

typedef struct Block Block;
struct Block {
    Block *next;
};

/* Allocates all memory in ever smaller blocks; the list has the smallest block first. */
static Block *take_all(void)
{
    Block *all = NULL;
    for (size_t size = 1 << 20; size >= sizeof *all; size /= 2)
        for (Block *b; (b = malloc(size)); all = b) b->next = all;
    return all;
}

static void give_back(Block **all, int n)
{
    for (Block *b; n-- > 0 && (b = *all);) {
        *all = b->next;
        free(b);
    }
}

/* Whichever allocation of a save fails, the error says so and the older checkpoint is whole. */
START_TEST(no_memory_keeps_the_older_files)
{
    Run a, later, b;
    int failed = 0, saved = 0;
    run_init(&a, 1, 4, OPTIM_ADAMW);
    run_init(&later, 2, 4, OPTIM_ADAMW);
    run_init(&b, 3, 4, OPTIM_ADAMW);
    for (int n = 0; n < 3000; n += n / 8 + 1) {
        Error err = {{0}}, why;
        run_save(&a);
        const struct rlimit usual = limit_memory(0);
        Block *all = take_all();
        give_back(&all, n);
        const bool ok = checkpoint_save(a.dir, &later.ps, &later.o, &later.s, NULL, &err);
        give_back(&all, INT_MAX);
        ck_assert_int_eq(setrlimit(RLIMIT_AS, &usual), 0);
        *(ok ? &saved : &failed) += 1;
        ck_assert_msg(ok || strstr(err.text, "memory"), "%s", err.text);
        ck_assert_msg(checkpoint_load_state(a.dir, &b.ps, &b.o, &b.s, &why), "%s", why.text);
        ck_assert(same_run(&b, ok ? &later : &a) || same_run(&b, &later));
        ck_assert_msg(checkpoint_load_model(a.dir, &b.ps, &why), "%s", why.text);
        ck_assert(same_values(&b, &later) || (!ok && same_values(&b, &a)));
    }
    ck_assert_msg(failed > 3 && saved > 0, "%d saves failed, %d did not", failed, saved);
    run_free(&a); /* checks that no temporary file was left */
    run_free(&later);
    run_free(&b);
}
END_TEST
#define NO_MEMORY a_save_is_streamed, no_memory_keeps_the_older_files,
#else
#define NO_MEMORY
#endif

START_TEST(directory_that_is_not_there)
{
    Run a;
    Error err;
    run_init(&a, 1, 4, OPTIM_ADAMW);
    const char *missing = nowhere();
    ck_assert(!checkpoint_save(missing, &a.ps, &a.o, &a.s, NULL, &err));
    ck_assert_msg(strncmp(err.text, missing, strlen(missing)) == 0 &&
                      strstr(err.text, "/state.safetensors"),
                  "%s", err.text);
    ck_assert(!checkpoint_load_model(a.dir, &a.ps, &err));
    ck_assert_msg(strstr(err.text, "/model.safetensors"), "%s", err.text);
    run_free(&a);
}
END_TEST

START_TEST(moments_of_another_model)
{
    Run a, b;
    Error err;
    run_init(&a, 1, 4, OPTIM_ADAMW);
    run_init(&b, 1, 40, OPTIM_ADAMW);
    rmdir(a.dir), rmdir(b.dir); /* the next call aborts, so clean up first */
    checkpoint_save(nowhere(), &a.ps, &b.o, &a.s, NULL, &err);
}
END_TEST

SUITE("checkpoint",
      TESTS(state_comes_back_bit_for_bit, nothing_carried, model_alone, metadata_in_both_files,
            other_float_types_are_converted, full_disk_keeps_the_older_files,
            NO_MEMORY directory_that_is_not_there),
      ABORTS(moments_of_another_model))
