/* The trainer's checkpoints when memory is missing. */
#include <fcntl.h>
#include <jansson.h>
#include <unistd.h>

#include "programs/trainer.h"
#include "system/file.h"
#include "temp_dir.h"

static int allocations_left; /* before the one that fails */

static void *allocate(size_t size)
{
    return allocations_left-- == 0 ? NULL : malloc(size);
}

/* Saves a model whose gates have an order, where one allocation of JSON fails, after `allocations` others. Returns
 * true if model.safetensors was written. */
static bool saves(int allocations, bool *ok, char **saved)
{
    static const Usage usage = {.program = "test/train"};
    const TempDir d = temp_dir();
    char path[160];
    size_t len;
    Error err;
    Params ps = params_init(1);
    param(&ps, SHAPE(2, 3), 0.5, "w");
    Optim o = optim_init(OPTIM_SGD, &ps, 0.9, 0.99, 0);
    const Model model = {.name = "lstm", .gates = "i f o g"};
    TrainConfig c = train_defaults(d.path);
    Trainer t = {.config = &c,
                 .usage = &usage,
                 .model = &model,
                 .params = &ps,
                 .optim = &o,
                 .log = RUNLOG_CLOSED};
    t.state = train_state();
    t.state.step = 1;
    t.metadata = json_pack("{s:s}", "gates", model.gates);
    const int before = dup(STDERR_FILENO), nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDERR_FILENO);
    allocations_left = allocations;
    json_set_alloc_funcs(allocate, free);
    *ok = trainer_save(&t);
    json_set_alloc_funcs(malloc, free);
    dup2(before, STDERR_FILENO);
    close(before), close(nowhere);
    ck_assert_int_eq(t.status, *ok ? EXIT_OK : EXIT_FAILED);
    temp_name(&d, "model.safetensors", path);
    const bool there = file_exists(path);
    *saved = NULL;
    if (there) ck_assert_msg(file_read(path, 1 << 20, saved, &len, &err), "%s", err.text);
    json_decref(t.metadata);
    optim_free(&o);
    params_free(&ps);
    remove_tree(d.path);
    return there;
}

/* Whatever allocation fails, no model is saved without the order of its gates. */
START_TEST(gates_or_nothing)
{
    int failed = 0;
    bool ok = false;
    for (int n = 0; !ok; n++) {
        char *saved;
        ck_assert_int_lt(n, 10000);
        if (saves(n, &ok, &saved)) {
            size_t header = 0;
            memcpy(&header, saved, 8);
            ck_assert_ptr_nonnull(memmem(saved + 8, header, "i f o g", strlen("i f o g")));
        }
        failed += !ok;
        free(saved);
    }
    ck_assert_int_gt(failed, 0);
}
END_TEST

SUITE("trainer", TESTS(gates_or_nothing), NO_ABORTS)
