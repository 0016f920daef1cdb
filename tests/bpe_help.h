/* Small tokenizers of byte-level BPE for the tests. */
#ifndef BPE_HELP_H
#define BPE_HELP_H

#include "base/rng.h"
#include "temp_dir.h"
#include "tokens/bpe_build.h"
#include "tokens/kinds.h"

/* Makes a tokenizer of the 256 bytes and these merges, each written as "left right". */
static inline Tokenizer bpe_of(const char *const *merge, int n)
{
    Tokenizer t = bpe_new();
    for (int i = 0; i < n; i++) {
        char *left = xstrdup(merge[i]), *space = strchr(left, ' ');
        ck_assert_ptr_nonnull(space);
        *space = 0;
        bpe_add_merge(&t, symbols_find(&t.symbols, left), symbols_find(&t.symbols, space + 1));
        free(left);
    }
    return t;
}

/* Returns the spellings of the tokens of a text, with a "|" between any two. The caller frees it. */
static inline char *bpe_tokens(const Tokenizer *t, const char *text, size_t len)
{
    const Encoding e = tokenizer_encode(t, text, len);
    char *all = xstrdup("");
    for (int i = 0; i < e.n; i++) {
        char *more = xformat("%s%s%s", all, i ? "|" : "", t->symbols.string[e.ids[i]]);
        free(all);
        all = more;
    }
    free(e.ids);
    return all;
}

static inline void assert_tokens(const Tokenizer *t, const char *text, const char *tokens)
{
    char *mine = bpe_tokens(t, text, strlen(text));
    ck_assert_msg(strcmp(mine, tokens) == 0, "\"%s\": %s, not %s", text, mine, tokens);
    free(mine);
}

static inline void put_file(const TempDir *d, const char *name, const char *content, size_t len)
{
    char path[160];
    Error err;
    temp_name(d, name, path);
    ck_assert_msg(file_write(path, content, len, &err), "%s", err.text);
}

static inline void put_text(const TempDir *d, const char *name, const char *content)
{
    put_file(d, name, content, strlen(content));
}

/* Asserts the ids of the small vocabulary of test_bpe_files.c and test_bpe_json.c. */
static inline void assert_small(const Tokenizer *t)
{
    static const char text[] = "ab ba##";
    static const int want[] = {4, 3, 1, 2, 5};
    const Encoding e = tokenizer_encode(t, text, strlen(text));
    ck_assert_int_eq(t->size, 8);
    ck_assert_int_eq(e.n, LEN(want));
    ck_assert(memcmp(e.ids, want, sizeof want) == 0);
    ck_assert_int_eq(tokenizer_id(t, "<|endoftext|>"), 0);
    char *back = tokenizer_decode(t, e.ids, e.n, NULL);
    ck_assert_str_eq(back, text);
    free(back), free(e.ids);
}

static inline void assert_round_trip(const Tokenizer *t, const char *text, size_t len)
{
    size_t back_len;
    const Encoding e = tokenizer_encode(t, text, len);
    char *back = tokenizer_decode(t, e.ids, e.n, &back_len);
    ck_assert(e.unknown == 0 && e.first_unknown == -1);
    ck_assert_msg(back_len == len && memcmp(back, text, len) == 0, "%zu bytes: \"%.*s\"", len,
                  (int)len, text);
    free(back), free(e.ids);
}

/* Encodes random bytes, and bytes that are nearly text; all must come back. $BPE_STRINGS sets how many
 * strings: 1,000,000 were run. */
static inline void assert_random_bytes(const Tokenizer *t)
{
    const char *often = getenv("BPE_STRINGS");
    const int strings = often ? (int)strtol(often, NULL, 10) : 20000;
    static const char common[] = "ab ab\n\n 'sc1\xE2\x82\xAC";
    Rng rng = rng_make(2, RNG_TEST, 0);
    for (int k = 0; k < strings; k++) {
        char text[64];
        const int len = rng_below(&rng, LEN(text) + 1), kind = rng_below(&rng, 3);
        for (int i = 0; i < len; i++)
            text[i] = kind == 0 || (kind == 1 && rng_below(&rng, 4) == 0)
                          ? (char)rng_below(&rng, 256)
                          : common[rng_below(&rng, sizeof common - 1)];
        assert_round_trip(t, text, (size_t)len);
    }
}

#endif
