/* Byte-level BPE as JSON: Hugging Face's tokenizer.json, and a run's config.json. */
#include "bpe_help.h"
#include "tokens/bpe_files.h"

/* --- tokenizer.json ------------------------------------------------------------------------------- */

#define BYTE_LEVEL "{\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"trim_offsets\": true}"
#define VOCAB      "{\"a\": 2, \"b\": 1, \"ab\": 4, \"\\u0120\": 3, \"#\": 6, \"##\": 5, \"\\u010A\": 7}"
#define ADDED      "[{\"id\": 0, \"content\": \"<|endoftext|>\", \"special\": true}]"
#define MERGES     "[\"a b\", [\"#\", \"#\"]]"

static char *tokenizer_json(const char *added, const char *normalizer, const char *pre,
                            const char *model, const char *words, const char *merge_list)
{
    return xformat("{\"version\": \"1.0\", \"added_tokens\": %s, \"normalizer\": %s, "
                   "\"pre_tokenizer\": %s, \"model\": {%s \"vocab\": %s, \"merges\": %s}}",
                   added, normalizer, pre, model, words, merge_list);
}

/* Reads a tokenizer.json. If `part` is not NULL, reading must fail with this in the message. */
static Tokenizer read_json(char *content, const char *part)
{
    TempDir d = temp_dir();
    Tokenizer t = {0};
    Error err;
    put_text(&d, "tokenizer.json", content);
    const bool ok = bpe_read(&t, d.path, &err);
    ck_assert_msg(ok == !part, "%s: %s", content, ok ? "read" : err.text);
    if (part) ck_assert_msg(strstr(err.text, part), "\"%s\" has no \"%s\"", err.text, part);
    remove_tree(d.path);
    free(content);
    return t;
}

START_TEST(tokenizer_json_is_read)
{
    static const char full[] =
        "\"type\": \"BPE\", \"dropout\": null, \"unk_token\": null, \"byte_fallback\": false, "
        "\"continuing_subword_prefix\": \"\", \"end_of_word_suffix\": null, ";
    static const char *const models[] = {full, "\"type\": \"BPE\",", ""};
    for (int i = 0; i < LEN(models); i++) {
        Tokenizer t =
            read_json(tokenizer_json(ADDED, "null", BYTE_LEVEL, models[i], VOCAB, MERGES), NULL);
        assert_small(&t);
        tokenizer_free(&t);
    }
    Tokenizer t = read_json(
        tokenizer_json(ADDED, "null",
                       "{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"Digits\", "
                       "\"individual_digits\": true}, " BYTE_LEVEL "]}",
                       "\"ignore_merges\": true,",
                       "{\"a\": 1, \"bb\": 2, \"b\": 3, \"\\u010A\": 4}", "[]"),
        NULL);
    ck_assert(t.bpe->digits_alone && t.bpe->whole_pieces);
    assert_tokens(&t, "bb", "bb"); /* the whole piece is a token, although no merge makes it */
    assert_tokens(&t, "bba", "b|b|a");
    tokenizer_free(&t);
}
END_TEST

START_TEST(malformed_tokenizer_json)
{
    static const char *const cases[][7] = {
        {ADDED, "null", BYTE_LEVEL, "\"type\": \"WordPiece\",", VOCAB, MERGES,
         "model is WordPiece"},
        {ADDED, "{\"type\": \"NFC\"}", BYTE_LEVEL, "", VOCAB, MERGES, "normalizer NFC"},
        {ADDED, "null", "null", "", VOCAB, MERGES, "pre_tokenizer ?"},
        {ADDED, "null", "{\"type\": \"Metaspace\"}", "", VOCAB, MERGES, "pre_tokenizer Metaspace"},
        {ADDED, "null", "{\"type\": \"ByteLevel\", \"add_prefix_space\": true}", "", VOCAB, MERGES,
         "add_prefix_space"},
        {ADDED, "null", "{\"type\": \"ByteLevel\", \"use_regex\": false}", "", VOCAB, MERGES,
         "use_regex"},
        {ADDED, "null", "{\"type\": \"Sequence\", \"pretokenizers\": []}", "", VOCAB, MERGES,
         "sequence of 0"},
        {ADDED, "null", BYTE_LEVEL, "\"dropout\": 0.1,", VOCAB, MERGES, "dropout"},
        {ADDED, "null", BYTE_LEVEL, "\"byte_fallback\": true,", VOCAB, MERGES, "byte_fallback"},
        {ADDED, "null", BYTE_LEVEL, "\"end_of_word_suffix\": \"</w>\",", VOCAB, MERGES, "suffix"},
        {ADDED, "null", BYTE_LEVEL, "", "[]", MERGES, "not an object"},
        {ADDED, "null", BYTE_LEVEL, "", VOCAB, "{}", "merges are missing"},
        {ADDED, "null", BYTE_LEVEL, "", VOCAB, "[\"a b\", 3]", "merge 1: must be"},
        {ADDED, "null", BYTE_LEVEL, "", VOCAB, "[[\"a\"]]", "merge 0: must be"},
        {ADDED, "null", BYTE_LEVEL, "", VOCAB, "[[\"a\", \"b\", \"a\"]]", "merge 0: must be"},
        {ADDED, "null", BYTE_LEVEL, "", VOCAB, "[\"ab\"]", "merge 0: \"ab\" is not two tokens"},
        {ADDED, "null", BYTE_LEVEL, "", VOCAB, "[\"b a\"]", "merge 0: \"ba\" is not in"},
        {"[]", "null", BYTE_LEVEL, "", VOCAB, MERGES, "no token has the id 0"},
        {"[{\"id\": 1, \"content\": \"<x>\"}]", "null", BYTE_LEVEL, "", VOCAB, MERGES,
         "same id, 1"},
        {"[{\"id\": 0}]", "null", BYTE_LEVEL, "", VOCAB, MERGES, "token 0 has no content"},
        {"[3]", "null", BYTE_LEVEL, "", VOCAB, MERGES, "token 0 has no content"},
    };
    for (int i = 0; i < LEN(cases); i++) {
        const char *const *c = cases[i];
        read_json(tokenizer_json(c[0], c[1], c[2], c[3], c[4], c[5]), c[6]);
    }
}
END_TEST

/* --- a run's config.json -------------------------------------------------------------------------- */

static void assert_same_after_json(const Tokenizer *t)
{
    TempDir d = temp_dir();
    Tokenizer back;
    Error err;
    char path[160];
    json_t *config = json_pack("{s:o}", "vocab", tokenizer_to_json(t));
    temp_name(&d, "config.json", path);
    ck_assert_msg(json_write(path, config, &err), "%s", err.text);
    ck_assert_msg(bpe_read(&back, d.path, &err), "%s", err.text);
    json_t *again = tokenizer_to_json(&back);
    ck_assert(json_equal(again, json_object_get(config, "vocab")));
    ck_assert_int_eq(back.size, t->size);
    for (int id = 0; id < t->size; id++)
        ck_assert_str_eq(back.symbols.string[id], t->symbols.string[id]);
    ck_assert_int_eq(back.bpe->n_merges, t->bpe->n_merges);
    for (int i = 0; i < t->bpe->n_merges; i++)
        ck_assert(memcmp(&back.bpe->merge[i], &t->bpe->merge[i], sizeof(Merge)) == 0);
    ck_assert(memcmp(back.bpe->byte_id, t->bpe->byte_id, sizeof t->bpe->byte_id) == 0);
    ck_assert_int_eq(back.bpe->n_specials, t->bpe->n_specials);
    ck_assert_int_eq(back.bpe->special_in_text, t->bpe->special_in_text);
    ck_assert_int_eq(back.bpe->digits_alone, t->bpe->digits_alone);
    ck_assert_int_eq(back.bpe->whole_pieces, t->bpe->whole_pieces);
    tokenizer_free(&back);
    json_decref(config), json_decref(again);
    remove_tree(d.path);
}

START_TEST(a_run_keeps_its_tokenizer)
{
    Tokenizer t = bpe_of((const char *const[]){"a b", "ab c", "b c", "a bc"}, 4);
    ck_assert_int_eq(t.size, 256 + 3); /* "abc" is made in two ways */
    assert_same_after_json(&t);
    json_t *j = tokenizer_to_json(&t);
    ck_assert_ptr_null(json_object_get(j, "symbols")); /* they follow from the merges */
    json_decref(j);
    bpe_add_special(&t, symbols_add(&t.symbols, END_OF_TEXT));
    t.size = t.symbols.size;
    t.bpe->special_in_text = t.bpe->whole_pieces = true;
    assert_same_after_json(&t);
    tokenizer_free(&t);
    t = read_json(tokenizer_json(ADDED, "null", BYTE_LEVEL, "", VOCAB, MERGES), NULL);
    t.bpe->digits_alone = true;
    assert_same_after_json(&t);
    tokenizer_free(&t);
    t = bpe_of(NULL, 0);
    assert_same_after_json(&t);
    tokenizer_free(&t);
}
END_TEST

START_TEST(malformed_config)
{
    static const char *const cases[][2] = {
        {"{\"unit\": \"bpe\"}", "\"merges\" is missing"},
        {"{\"unit\": \"bpe\", \"merges\": [\"a b\"]}", "\"merges\" is missing"},
        {"{\"unit\": \"bpe\", \"merges\": \"ab\"}", "line 1"},
        {"{\"unit\": \"bpe\", \"merges\": \"a b\\nab x y\"}", "line 2"},
        {"{\"unit\": \"bpe\", \"merges\": \"zz b\"}", "\"zz\" is not in the vocabulary"},
        {"{\"unit\": \"bpe\", \"merges\": \"a b\\na b\"}", "repeated"},
        {"{\"unit\": \"bpe\", \"merges\": \"\", \"symbols\": \"ab\"}", "not an array"},
        {"{\"unit\": \"bpe\", \"merges\": \"\", \"symbols\": [\"a\", 3]}", "symbol 1"},
        {"{\"unit\": \"bpe\", \"merges\": \"\", \"symbols\": [\"a\", \"a\"]}", "two ids"},
        {"{\"unit\": \"bpe\", \"merges\": \"\", \"symbols\": []}", "empty"},
        {"{\"unit\": \"bpe\", \"merges\": \"\", \"special_tokens\": [3]}", "special token 0"},
        {"{\"unit\": \"bpe\", \"merges\": \"\", \"options\": [\"x\"]}", "option \"x\""},
        {"{\"unit\": \"byte\"}", "has the unit byte"},
    };
    for (int i = 0; i < LEN(cases); i++) {
        TempDir d = temp_dir();
        Tokenizer t;
        Error err;
        char *config = xformat("{\"vocab\": %s}", cases[i][0]);
        put_text(&d, "config.json", config);
        ck_assert_msg(!bpe_read(&t, d.path, &err), "%s", config);
        ck_assert_msg(strstr(err.text, cases[i][1]), "%s: %s", config, err.text);
        free(config);
        remove_tree(d.path);
    }
}
END_TEST

SUITE("bpe_json",
      TESTS(tokenizer_json_is_read, malformed_tokenizer_json, a_run_keeps_its_tokenizer,
            malformed_config),
      NO_ABORTS)
