/* The tokenizer in a folder of Hugging Face's weights: what is written, and what is read. */
#include "bpe_help.h"
#include "gpt/weights.h"
#include "tokens/bpe_files.h"

enum { VOCAB = 258 };

static Tokenizer tokenizer(void)
{
    return bpe_of((const char *const[]){"t h", "th e"}, VOCAB - 256);
}

static void export_to(const char *folder, const Tokenizer *t)
{
    Error err;
    GptConfig c = gpt_defaults();
    c.layers = 1, c.channels = 8, c.heads = 2, c.context = 8;
    Params ps = params_declare(1);
    const Gpt m = gpt_init(&ps, &c, VOCAB);
    params_allocate(&ps, PARAMS_TRAIN);
    ck_assert_msg(gpt_export(folder, &m, &ps, t, &err), "%s", err.text);
    params_free(&ps);
}

static void remove_key(const char *folder, const char *key)
{
    Error err;
    char *path = xformat("%s/config.json", folder);
    json_t *j = json_read(path, &err);
    ck_assert_int_eq(json_object_del(j, key), 0);
    ck_assert(json_write(path, j, &err));
    json_decref(j);
    free(path);
}

static void assert_import(const char *folder)
{
    Tokenizer t;
    Error err;
    ck_assert_msg(gpt_import_tokens(folder, VOCAB, &t, &err), "%s", err.text);
    assert_tokens(&t, "the", "the");
    tokenizer_free(&t);
}

START_TEST(bpe_is_written_and_read)
{
    TempDir d = temp_dir();
    char folder[160];
    Tokenizer t = tokenizer(), read;
    Error err;
    temp_name(&d, "x", folder);
    export_to(folder, &t);
    assert_import(folder);
    ck_assert(bpe_has_files(folder));
    remove_key(folder, "vocab"); /* as in a folder of others */
    assert_import(folder);
    ck_assert(!gpt_import_tokens(folder, VOCAB + 1, &read, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "has 258 tokens"));
    tokenizer_free(&t);
    remove_tree(d.path);
}
END_TEST

/* vocab.json and merges.txt cannot say that digits are alone: only config.json has such a tokenizer. */
START_TEST(other_pieces_are_kept_in_config)
{
    TempDir d = temp_dir();
    char folder[160];
    Tokenizer t = tokenizer(), back;
    Error err;
    t.bpe->digits_alone = true;
    temp_name(&d, "x", folder);
    export_to(folder, &t);
    ck_assert(!bpe_has_files(folder));
    ck_assert_msg(gpt_import_tokens(folder, VOCAB, &back, &err), "%s", err.text);
    ck_assert(back.bpe->digits_alone);
    tokenizer_free(&t), tokenizer_free(&back);
    remove_tree(d.path);
}
END_TEST

SUITE("gpt_tokens", TESTS(bpe_is_written_and_read, other_pieces_are_kept_in_config), NO_ABORTS)
