/* Which models an eval program samples from. */
#include <unistd.h>

#include "programs/evaluator.h"
#include "suite.h"
#include "temp_dir.h"
#include "transformer/transformer.h"

enum { SAMPLES = 3, LENGTH = 5 };

/* Returns what evaluator_report prints for a model of running text or of lines; free() it. */
static char *report_of(const Model *m, const Params *ps, const DataConfig *data)
{
    static const Usage usage = {.program = "test/eval"};
    Error err;
    EvalConfig c = eval_defaults();
    c.score = false, c.samples = SAMPLES, c.sample_len = LENGTH;
    Evaluator e = {.config = &c, .usage = &usage, .run = *data};
    ck_assert_msg(data_open(&e.data, &e.run, NULL, &err), "%s", err.text);
    char path[] = "/tmp/lmzoo-evaluator-XXXXXX", *text;
    size_t len;
    const int fd = mkstemp(path), before = dup(STDOUT_FILENO);
    fflush(stdout);
    dup2(fd, STDOUT_FILENO);
    evaluator_report(&e, m, ps);
    fflush(stdout);
    dup2(before, STDOUT_FILENO);
    close(fd), close(before);
    ck_assert_int_eq(e.status, EXIT_OK);
    ck_assert_msg(file_read(path, 1 << 20, &text, &len, &err), "%s", err.text);
    unlink(path);
    data_close(&e.data);
    return text;
}

static int lines_of(const char *text)
{
    int n = 0;
    for (; *text; text++) n += *text == '\n';
    return n;
}

/* A Transformer without an encoder carries no state: it samples by its key/value cache. */
START_TEST(samples_by_a_cache)
{
    const TempDir d = temp_dir();
    char path[160];
    temp_name(&d, "text", path);
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    for (int i = 0; i < 300; i++) fprintf(f, "place %d\n", i);
    ck_assert_int_eq(fclose(f), 0);
    for (int lines = 0; lines < 2; lines++) {
        Error err;
        DataConfig config = data_defaults();
        config.text = path, config.lines = lines;
        Data data;
        ck_assert_msg(data_open(&data, &config, NULL, &err), "%s", err.text);
        TransformerConfig size = transformer_defaults();
        size.layers = 1, size.channels = 8, size.heads = 2, size.ffn = 12;
        Params ps = params_init(1);
        const Transformer t = transformer_init(&ps, &size, &data.task);
        const Model m = transformer_model(&t), none = {.name = "none"};
        ck_assert(m.state_size == 0);
        char *said = report_of(&m, &ps, &config);
        ck_assert_msg(strstr(said, "samples (temperature 1):") != NULL, "%s", said);
        ck_assert_int_ge(lines_of(said), 2 + SAMPLES * (lines ? 1 : 2));
        free(said);
        said = report_of(&none, &ps, &config); /* continues no sequences */
        ck_assert_str_eq(said, "");
        free(said);
        params_free(&ps);
        data_close(&data);
    }
    remove_tree(d.path);
}
END_TEST

SUITE("evaluator", TESTS(samples_by_a_cache), NO_ABORTS)
