/* Reading a vocabulary and its merges from two files, and what is wrong with malformed ones. */
#include <sys/stat.h>

#include "base/rng.h"
#include "bpe_help.h"
#include "temp_dir.h"
#include "tokens/bpe_files.h"

static bool read_name(const TempDir *d, const char *name, Tokenizer *t, Error *err)
{
    char path[160];
    temp_name(d, name, path);
    return bpe_read(t, path, err);
}

/* A vocabulary whose ids are not in GPT-2's order, and its merges. */
static const char vocab[] = "{\"<|endoftext|>\": 0, \"a\": 2, \"b\": 1, \"ab\": 4, \"\\u0120\": 3, "
                            "\"#\": 6, \"##\": 5, \"\\u010A\": 7}";
static const char merges[] = "#version: 0.2\na b\n# #\n";

START_TEST(two_files_by_any_of_their_names)
{
    static const char *const names[][2] = {{"vocab.json", "merges.txt"},
                                           {"encoder.json", "vocab.bpe"},
                                           {"my-vocab.json", "my-merges.txt"}};
    for (int i = 0; i < LEN(names); i++) {
        TempDir d = temp_dir();
        Tokenizer t;
        Error err;
        put_text(&d, names[i][0], vocab);
        put_text(&d, names[i][1], merges);
        for (int side = 0; side < 2; side++) {
            ck_assert_msg(read_name(&d, names[i][side], &t, &err), "%s", err.text);
            assert_small(&t);
            tokenizer_free(&t);
        }
        if (i < 2) {
            ck_assert_msg(bpe_read(&t, d.path, &err), "%s", err.text);
            assert_small(&t);
            tokenizer_free(&t);
        }
        remove_tree(d.path);
    }
}
END_TEST

/* The line ends of Windows, empty lines at the end, no version, a real merge "# #" in line 1. */
START_TEST(merges_as_files_have_them)
{
    static const char *const files[] = {"#version: 0.2\r\na b\r\n# #\r\n", "a b\n# #\n\n\n",
                                        "# #\na b", "#version: 0.2 - by a tool\na b\n# #\n"};
    for (int i = 0; i < LEN(files); i++) {
        TempDir d = temp_dir();
        Tokenizer t;
        Error err;
        put_text(&d, "vocab.json", vocab);
        put_text(&d, "merges.txt", files[i]);
        ck_assert_msg(bpe_read(&t, d.path, &err), "%d: %s", i, err.text);
        assert_small(&t);
        tokenizer_free(&t);
        remove_tree(d.path);
    }
}
END_TEST

/* Reads a directory with these two files, which must fail with a message that has `part`. */
static void assert_refused(const char *vocabulary, const char *merge_list, const char *part)
{
    TempDir d = temp_dir();
    Tokenizer t = {.size = 77};
    Error err;
    put_text(&d, "vocab.json", vocabulary);
    put_text(&d, "merges.txt", merge_list);
    ck_assert_msg(!bpe_read(&t, d.path, &err), "read: %s with %s", vocabulary, merge_list);
    ck_assert_msg(strstr(err.text, part), "\"%s\" has no \"%s\"", err.text, part);
    ck_assert_msg(strncmp(err.text, d.path, strlen(d.path)) == 0, "%s names no file", err.text);
    ck_assert_int_eq(t.size, 77);
    remove_tree(d.path);
}

START_TEST(malformed_vocabularies)
{
    static const char *const cases[][2] = {
        {"{\"a\": 0, \"b\": 2}", "no token has the id 1"},
        {"{\"a\": 0, \"b\": 0}", "the same id, 0"},
        {"{\"a\": 0, \"a\": 1}", "uplicate"},
        {"{\"a\": -1}", "has the id -1"},
        {"{\"a\": 16777216}", "has the id 16777216"},
        {"{\"a\": 9223372036854775807}", "has the id 9223372036854775807"},
        {"{\"a\": 1.5}", "not an integer"},
        {"{\"a\": \"0\"}", "not an integer"},
        {"{\"a\": null}", "not an integer"},
        {"{\"\": 0}", "empty token"},
        {"{}", "empty"},
        {"[\"a\"]", "not an object"},
        {"{\"\\u010A\": 0, \"\\uD55C\": 1}", "stands for no byte"},
        {"{\"\\u010A\": 0, \"b c\": 1}", "stands for no byte"},
        {"{\"a\": 0}", "no token for the newline"},
        {"{\"a\": 0", "vocab.json:1:"},
        {"", "vocab.json:1:"},
        {"{\"a\\u0000b\": 0}", "vocab.json:1:"},
    };
    for (int i = 0; i < LEN(cases); i++) assert_refused(cases[i][0], "", cases[i][1]);
}
END_TEST

START_TEST(malformed_merges)
{
    static const char *const cases[][2] = {
        {"a\n", "line 1: \"a\" is not two tokens"},
        {"a b\na b b\n", "line 2: \"a b b\" is not two tokens"},
        {"a  b\n", "not two tokens"},
        {" a b\n", "not two tokens"},
        {"a b \n", "not two tokens"},
        {"a b\n\n# #\n", "line 2"},
        {"b a\n", "\"ba\" is not in the vocabulary"},
        {"a x\n", "\"x\" is not in the vocabulary"},
        {"x a\n", "\"x\" is not in the vocabulary"},
        {"a b\n# #\na b\n", "line 3: \"a\" \"b\" is repeated"},
        {"a b\n#version: 0.2\n", "line 2"}, /* a comment in line 1 only */
        {"a\tb\n", "not two tokens"},
    };
    for (int i = 0; i < LEN(cases); i++) assert_refused(vocab, cases[i][0], cases[i][1]);
}
END_TEST

START_TEST(a_zero_byte_in_the_merges)
{
    TempDir d = temp_dir();
    Tokenizer t;
    Error err;
    put_text(&d, "vocab.json", vocab);
    put_file(&d, "merges.txt", "a b\n# \0#\n", 9);
    ck_assert(!bpe_read(&t, d.path, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "line 2: has a 0 byte"));
    remove_tree(d.path);
}
END_TEST

START_TEST(missing_files)
{
    TempDir d = temp_dir();
    Tokenizer t;
    Error err;
    ck_assert(!bpe_read(&t, d.path, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "has no tokenizer"));
    ck_assert(!read_name(&d, "vocab.json", &t, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "vocab.json"));
    put_text(&d, "vocab.json", vocab);
    ck_assert(!read_name(&d, "vocab.json", &t, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "merges.txt"));
    put_text(&d, "other.json", vocab);
    ck_assert(!read_name(&d, "other.json", &t, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "is not a tokenizer.json"));
    put_text(&d, "notes.txt", "hello");
    ck_assert(!read_name(&d, "notes.txt", &t, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "notes.txt"));
    char path[160];
    temp_name(&d, "merges.txt", path);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert(!read_name(&d, "vocab.json", &t, &err)); /* and does not wait for the pipe */
    remove_tree(d.path);
}
END_TEST

START_TEST(written_files)
{
    TempDir d = temp_dir();
    Tokenizer t = bpe_of((const char *const[]){"a b", "ab c", "b c", "a bc", "\u0120 a", "# #"}, 6),
              back;
    Error err;
    bpe_add_special(&t, symbols_add(&t.symbols, END_OF_TEXT));
    t.size = t.symbols.size;
    ck_assert(!bpe_has_files(d.path));
    ck_assert_msg(bpe_write(&t, d.path, &err), "%s", err.text);
    ck_assert(bpe_has_files(d.path));
    ck_assert_msg(bpe_read(&back, d.path, &err), "%s", err.text);
    json_t *want = tokenizer_to_json(&t), *got = tokenizer_to_json(&back);
    ck_assert(json_equal(want, got));
    json_decref(want), json_decref(got);
    tokenizer_free(&t), tokenizer_free(&back);
    remove_tree(d.path);
}
END_TEST

/* Changes a few bytes of the two files: each copy is read, or refused with a message; what is read
 * encodes and decodes. */
START_TEST(mutated_files)
{
    Rng rng = rng_make(5, RNG_TEST, 0);
    TempDir d = temp_dir();
    int read = 0;
    for (int round = 0; round < 1000; round++) {
        char v[sizeof vocab], m[sizeof merges];
        memcpy(v, vocab, sizeof v), memcpy(m, merges, sizeof m);
        for (int k = rng_below(&rng, 3); k >= 0; k--) {
            char *byte = rng_below(&rng, 2) ? &v[rng_below(&rng, sizeof v - 1)]
                                            : &m[rng_below(&rng, sizeof m - 1)];
            *byte = rng_below(&rng, 4) ? vocab[rng_below(&rng, sizeof vocab - 1)]
                                       : (char)rng_below(&rng, 256);
        }
        put_file(&d, "vocab.json", v, sizeof v - 1);
        put_file(&d, "merges.txt", m, sizeof m - 1);
        Tokenizer t;
        Error err = {""};
        if (!bpe_read(&t, d.path, &err)) {
            ck_assert_int_gt(strlen(err.text), strlen(d.path));
            continue;
        }
        const Encoding e = tokenizer_encode(&t, "ab ba##<|endoftext|>\n", 21);
        free(tokenizer_decode(&t, e.ids, e.n, NULL));
        free(e.ids);
        tokenizer_free(&t);
        read++;
    }
    ck_assert(read > 20 && read < 980);
    remove_tree(d.path);
}
END_TEST

SUITE("bpe_files",
      TESTS(two_files_by_any_of_their_names, merges_as_files_have_them, malformed_vocabularies,
            malformed_merges, a_zero_byte_in_the_merges, missing_files, written_files,
            mutated_files),
      NO_ABORTS)
