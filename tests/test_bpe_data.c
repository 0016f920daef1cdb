/* Byte-level BPE on real data: GPT-2's tokenizer, and the merges that CS336's reference learns. */
#include "tokens/bpe_files.h"
#include "bpe_help.h"
#include "system/file.h"
#include "tokens/bpe.h"
#include "tokens/kinds.h"

static bool read_data(const char *name, char **text, size_t *len)
{
    Error err;
    const char *path = data_path(name);
    if (!path) return false;
    ck_assert_msg(file_read(path, SIZE_MAX, text, len, &err), "%s", err.text);
    return true;
}

static bool read_gpt2(Tokenizer *t)
{
    Error err;
    const char *path = data_path("tokenizers/gpt2/encoder.json");
    if (!path) return false;
    ck_assert_msg(bpe_read(t, path, &err), "%s", err.text);
    return true;
}

/* Encodes the text, compares the ids with a list of numbers up to `end`, and decodes them. */
static void assert_ids(const Tokenizer *t, const char *text, size_t len, const char *numbers,
                       const char *end)
{
    const Encoding e = tokenizer_encode(t, text, len);
    const char *at = numbers;
    int n = 0;
    while (true) {
        at += strspn(at, " ,[");
        if (at >= end || *at < '0' || *at > '9') break;
        const int want = (int)strtol(at, (char **)&at, 10);
        ck_assert_msg(n < e.n && e.ids[n] == want, "\"%.*s\": id %d is %d, not %d", (int)len, text,
                      n, n < e.n ? e.ids[n] : -1, want);
        n++;
    }
    ck_assert_msg(n == e.n, "\"%.*s\": %d ids, not %d", (int)len, text, e.n, n);
    size_t back_len;
    char *back = tokenizer_decode(t, e.ids, e.n, &back_len);
    ck_assert(back_len == len && memcmp(back, text, len) == 0);
    free(back), free(e.ids);
}

START_TEST(gpt2_sizes)
{
    Tokenizer t;
    if (!read_gpt2(&t)) return;
    ck_assert_int_eq(t.size, 50257);
    ck_assert_int_eq(t.bpe->n_merges, 50000);
    ck_assert_int_eq(t.bpe->n_specials, 1);
    ck_assert_int_eq(tokenizer_id(&t, END_OF_TEXT), 50256);
    ck_assert_int_eq(tokenizer_id(&t, "\n"), 198);
    ck_assert_int_eq(tokenizer_id(&t, " the"), 262);
    tokenizer_free(&t);
}
END_TEST

/* The 46 strings of llama.cpp: separated by a line, and one line of ids for each. */
START_TEST(gpt2_strings_of_llama_cpp)
{
    static const char separator[] = "\n__ggml_vocab_test__\n";
    Tokenizer t;
    char *text, *ids;
    size_t len, ids_len;
    if (!read_gpt2(&t) ||
        !read_data("tokenizers/llama.cpp/ggml-vocab-gpt-2.gguf.inp", &text, &len) ||
        !read_data("tokenizers/llama.cpp/ggml-vocab-gpt-2.gguf.out", &ids, &ids_len))
        return;
    int n = 0;
    const char *at = text, *line = ids;
    while (at < text + len) {
        const char *end = strstr(at, separator), *line_end = strchr(line, '\n');
        if (!end) break;
        assert_ids(&t, at, (size_t)(end - at), line, line_end);
        at = end + sizeof separator - 1, line = line_end + 1;
        n++;
    }
    ck_assert_int_eq(n, 46);
    free(text), free(ids);
    tokenizer_free(&t);
}
END_TEST

START_TEST(gpt2_strings_of_tiktoken)
{
    static const char name[] = "EncodingName: r50k_base\nSample: ", encoded[] = "\nEncoded: [";
    Tokenizer t;
    char *text;
    size_t len;
    if (!read_gpt2(&t) || !read_data("tokenizers/tiktoken/TestPlans.txt", &text, &len)) return;
    int n = 0;
    for (const char *at = text; (at = strstr(at, name)); n++) {
        at += sizeof name - 1;
        const char *end = strstr(at, encoded), *ids = end + sizeof encoded - 1;
        assert_ids(&t, at, (size_t)(end - at), ids, strchr(ids, ']'));
    }
    ck_assert_int_ge(n, 60);
    free(text);
    tokenizer_free(&t);
}
END_TEST

START_TEST(gpt2_gives_back_random_bytes)
{
    Tokenizer t;
    if (!read_gpt2(&t)) return;
    assert_random_bytes(&t);
    tokenizer_free(&t);
}
END_TEST

/* Learns as many tokens as the reference and compares the merges, line by line. */
START_TEST(merges_of_cs336)
{
    char *text, *merges;
    size_t len, merges_len;
    if (!read_data("tokenizers/cs336-bpe/corpus.en", &text, &len) ||
        !read_data("tokenizers/cs336-bpe/train-bpe-reference-merges.txt", &merges, &merges_len))
        return;
    TokenLearner l = learner_new(&kind_bpe, TOKENS_STREAM);
    l.separator = END_OF_TEXT;
    learner_add(&l, text, len);
    Tokenizer t = learner_end(&l, 1, 500);
    ck_assert_int_eq(t.size, 500);
    ck_assert_int_eq(t.bpe->n_merges, 243);
    int i = 0;
    for (char *rest = merges, *line; (line = strsep(&rest, "\n")) && *line; i++) {
        char *mine = xformat("%s %s", t.symbols.string[t.bpe->merge[i].left],
                             t.symbols.string[t.bpe->merge[i].right]);
        ck_assert_msg(strcmp(mine, line) == 0, "merge %d: %s, not %s", i, mine, line);
        free(mine);
    }
    ck_assert_int_eq(i, 243);
    free(text), free(merges);
    tokenizer_free(&t);
}
END_TEST

START_TEST(file_of_cs336)
{
    Error err;
    Tokenizer t;
    const char *path = data_path("tokenizers/cs336-bpe/train-bpe-reference-merges.txt");
    if (!path) return;
    ck_assert_msg(bpe_read(&t, path, &err), "%s", err.text);
    ck_assert_int_eq(tokenizer_id(&t, END_OF_TEXT), 0);
    ck_assert_int_eq(t.size, 500);
    tokenizer_free(&t);
}
END_TEST

SUITE("bpe_data",
      TESTS(gpt2_sizes, gpt2_strings_of_llama_cpp, gpt2_strings_of_tiktoken,
            gpt2_gives_back_random_bytes, merges_of_cs336, file_of_cs336),
      NO_ABORTS)
