/* Tokenizers of running text, characters and bytes: decoding inverts encoding, unknown tokens,
 * JSON. */
#include "system/file.h"
#include "base/rng.h"
#include "suite.h"
#include "system/utf8.h"
#include "tokens/tokenizer.h"

static Tokenizer bytes(void)
{
    return tokenizer_of(token_kind("byte"), TOKENS_STREAM, NULL, 0);
}

static Tokenizer chars(const char *text, size_t len)
{
    return tokenizer_learn(token_kind("char"), TOKENS_STREAM, text, len, 1, 0);
}

static int code_of(const Tokenizer *v, int id)
{
    int code;
    utf8_decode(v->symbols.string[id], strlen(v->symbols.string[id]), &code);
    return code;
}

static void check_round_trip(const Tokenizer *v, const char *text, size_t len)
{
    size_t back;
    const Encoding e = tokenizer_encode(v, text, len);
    char *again = tokenizer_decode(v, e.ids, e.n, &back);
    ck_assert_int_eq(e.unknown, 0);
    ck_assert_int_eq(e.first_unknown, -1);
    ck_assert_uint_eq(back, len);
    ck_assert_mem_eq(again, text, len);
    free(e.ids), free(again);
}

START_TEST(bytes_are_themselves)
{
    char text[256];
    for (int i = 0; i < 256; i++) text[i] = (char)i;
    Tokenizer v = bytes();
    const Encoding e = tokenizer_encode(&v, text, sizeof text);
    ck_assert_int_eq(v.size, 256);
    ck_assert_int_eq(e.n, 256);
    for (int i = 0; i < 256; i++) {
        ck_assert_int_eq(e.ids[i], i);
        ck_assert_int_eq(tokenizer_id(&v, (char[]){(char)i, 0}), i);
    }
    check_round_trip(&v, text, sizeof text);
    free(e.ids);
    tokenizer_free(&v);
}
END_TEST

START_TEST(characters_by_hand)
{
    const char text[] = "b한a\nb😀";
    Tokenizer v = chars(text, strlen(text));
    const int code[] = {0xFFFD, '\n', 'a', 'b', 0xD55C, 0x1F600};
    ck_assert_int_eq(v.size, LEN(code));
    for (int id = 0; id < LEN(code); id++) ck_assert_int_eq(code_of(&v, id), code[id]);
    const Encoding e = tokenizer_encode(&v, text, strlen(text));
    const int want[] = {3, 4, 2, 1, 3, 5};
    ck_assert_int_eq(e.n, LEN(want));
    ck_assert_mem_eq(e.ids, want, sizeof want);
    check_round_trip(&v, text, strlen(text));
    Tokenizer copy = tokenizer_copy(&v);
    tokenizer_free(&v);
    for (int id = 0; id < LEN(code); id++) ck_assert_int_eq(code_of(&copy, id), code[id]);
    tokenizer_free(&copy);
    free(e.ids);
}
END_TEST

/* An unknown character, a NUL, an invalid byte, an incomplete UTF-8 sequence, and U+FFFD itself. */
START_TEST(unknown_is_counted)
{
    static const char text[] = "abc\0a\xFFz\xEF\xBF\xBD\xED\x95";
    Tokenizer v = chars("abca\0\xFF\xEF\xBF\xBD", 9);
    ck_assert_int_eq(v.size, 4);
    const Encoding e = tokenizer_encode(&v, text, sizeof text - 1);
    const int want[] = {1, 2, 3, 0, 1, 0, 0, 0, 0, 0};
    ck_assert_int_eq(e.n, LEN(want));
    ck_assert_mem_eq(e.ids, want, sizeof want);
    ck_assert_int_eq(e.unknown, 6);
    ck_assert_int_eq(e.first_unknown, 3);
    char *out = tokenizer_decode(&v, (int[]){STREAM_UNK}, 1, NULL);
    ck_assert_str_eq(out, "\xEF\xBF\xBD");
    free(out), free(e.ids);
    tokenizer_free(&v);
}
END_TEST

/* A composed character begins where its first part does, whatever the rest of the run is. */
START_TEST(where_tokens_begin)
{
    static const char text[] = "\u1102\u1161\uB2E4\u1103\u1161xe\u0323\u0301\u0344y\xFF";
    const int want[] = {0, 6, 9, 15, 16, 19, 21, 21, 23, 24};
    Tokenizer v = chars("x", 1);
    Encoding e = tokenizer_encode_at(&v, text, strlen(text));
    ck_assert_ptr_nonnull(e.at);
    ck_assert_int_eq(e.n, LEN(want));
    ck_assert_mem_eq(e.at, want, sizeof want);
    free(e.ids), free(e.at);
    e = tokenizer_encode(&v, text, strlen(text));
    ck_assert_ptr_null(e.at);
    free(e.ids);
    tokenizer_free(&v);
}
END_TEST

START_TEST(nothing_to_encode)
{
    Tokenizer v = chars("", 0);
    ck_assert_int_eq(v.size, 1);
    Encoding e = tokenizer_encode(&v, "", 0);
    ck_assert_int_eq(e.n, 0);
    free(e.ids);
    e = tokenizer_encode(&v, "x", 1);
    ck_assert_int_eq(e.unknown, 1);
    ck_assert_int_eq(e.ids[0], STREAM_UNK);
    free(e.ids);
    tokenizer_free(&v);
}
END_TEST

static bool is_scalar(int code)
{
    return code < 0xD800 || code > 0xDFFF;
}

/* For every code point: a symbol of the table gets its id, any other code point is unknown, and the
 * two ways to look up an id agree. */
START_TEST(every_code_point)
{
    enum { CODES = 0x110000, MEMBERS = 3000 };
    Rng rng = rng_make(1, RNG_TEST, 0);
    char *text = xmalloc(CODES * 4);
    size_t len = 0;
    bool *member = xcalloc(CODES, sizeof *member);
    for (int i = 0; i < MEMBERS; i++) {
        const int shift = rng_below(&rng, 21), code = rng_below(&rng, CODES) >> shift;
        if (code == 0 || code == UTF8_REPLACEMENT || !is_scalar(code)) continue;
        member[code] = true;
        len += (size_t)utf8_encode(code, text + len);
    }
    Tokenizer v = tokenizer_raw(text, len);
    check_round_trip(&v, text, len);

    len = 0;
    for (int code = 0; code < CODES; code++)
        if (is_scalar(code)) len += (size_t)utf8_encode(code, text + len);
    const Encoding e = tokenizer_encode(&v, text, len);
    ck_assert_int_eq(e.n, CODES - 0x800);
    for (int code = 0, id = 0, at = 0; code < CODES; code++) {
        if (!is_scalar(code)) continue;
        const int want = member[code] ? ++id : STREAM_UNK;
        char symbol[5] = {0};
        utf8_encode(code, symbol);
        if (tokenizer_id(&v, symbol) != want || e.ids[at] != want)
            ck_abort_msg("U+%04X: %d and %d, not %d", code, tokenizer_id(&v, symbol), e.ids[at],
                         want);
        at++;
    }
    free(text), free(member), free(e.ids);
    tokenizer_free(&v);
}
END_TEST

START_TEST(tinyshakespeare_has_65)
{
    const char *path = data_path("lm/tinyshakespeare.txt");
    if (!path) return;
    Error err;
    char *text;
    size_t len;
    ck_assert_msg(file_read(path, 1 << 24, &text, &len, &err), "%s", err.text);
    Tokenizer v = chars(text, len);
    ck_assert_int_eq(v.size, 66);
    ck_assert_int_eq(tokenizer_id(&v, "\n"), 1);
    ck_assert_int_eq(tokenizer_id(&v, "z"), 65);
    check_round_trip(&v, text, len);
    tokenizer_free(&v);
    free(text);
}
END_TEST

/* --- JSON ------------------------------------------------------------------------------------- */
START_TEST(json_there_and_back)
{
    static const char text[] = "\"\\\n\t\x01\x7F é한😀\xEF\xBF\xBF\0";
    Tokenizer tables[] = {chars(text, sizeof text - 1), bytes(), chars("", 0),
                          tokenizer_raw(text, sizeof text - 1)};
    for (int i = 0; i < LEN(tables); i++) {
        Tokenizer *v = &tables[i], back;
        Error err;
        json_t *j = tokenizer_to_json(v);
        char *dumped = json_dumps(j, 0);
        json_t *loaded = json_loads(dumped, JSON_REJECT_DUPLICATES, NULL);
        ck_assert_msg(tokenizer_from_json(&back, loaded, &err), "%s", err.text);
        ck_assert_ptr_eq(back.kind, v->kind);
        ck_assert_int_eq(back.size, v->size);
        ck_assert_int_eq(back.composed, v->composed);
        for (int id = 0; id < v->symbols.size; id++)
            ck_assert_str_eq(back.symbols.string[id], v->symbols.string[id]);
        json_decref(j), json_decref(loaded), free(dumped);
        tokenizer_free(v), tokenizer_free(&back);
    }
}
END_TEST

START_TEST(json_refused)
{
    const struct {
        const char *json, *why;
    } bad[] = {
        {"[]", "unit"},
        {"{}", "unit"},
        {"{\"unit\":1,\"symbols\":\"ab\"}", "unit"},
        {"{\"unit\":\"word\",\"symbols\":\"ab\"}", "word"},
        {"{\"unit\":\"char\"}", "symbols"},
        {"{\"unit\":\"char\",\"special\":[\"<unk>\"],\"symbols\":[\"a\"]}", "symbols"},
        {"{\"unit\":\"char\",\"symbols\":\"aab\"}", "byte 1"},
        {"{\"unit\":\"char\",\"symbols\":\"acb\"}", "U+0062 after U+0063"},
        {"{\"unit\":\"char\",\"symbols\":\"a\\uFFFD\"}", "U+FFFD"},
        {"{\"unit\":\"char\",\"symbols\":\"\\u0000a\"}", "U+0000"},
    };
    for (int i = 0; i < LEN(bad); i++) {
        Error err = {""};
        Tokenizer v = {.size = -7};
        json_t *j = json_loads(bad[i].json, JSON_ALLOW_NUL, NULL);
        ck_assert_ptr_nonnull(j);
        ck_assert_msg(!tokenizer_from_json(&v, j, &err), "%s", bad[i].json);
        ck_assert_msg(strstr(err.text, bad[i].why), "%s: %s", bad[i].json, err.text);
        ck_assert_int_eq(v.size, -7);
        json_decref(j);
    }
}
END_TEST

START_TEST(id_beyond_the_table)
{
    Tokenizer v = chars("ab", 2);
    tokenizer_decode(&v, (int[]){3}, 1, NULL);
}
END_TEST

START_TEST(byte_beyond_255)
{
    Tokenizer v = bytes();
    tokenizer_decode(&v, (int[]){256}, 1, NULL);
}
END_TEST

SUITE("tokenizer_stream",
      TESTS(bytes_are_themselves, characters_by_hand, unknown_is_counted, where_tokens_begin,
            nothing_to_encode, every_code_point, tinyshakespeare_has_65, json_there_and_back,
            json_refused),
      ABORTS(id_beyond_the_table, byte_beyond_255))
