/* Vocabularies: there and back, what is unknown, what a JSON table may hold. */
#include "system/file.h"
#include "base/rng.h"
#include "suite.h"
#include "system/utf8.h"
#include "tokens/vocab.h"

/* The text that ids stand for; free() it. */
static char *decode(const Vocab *v, const int *ids, int n, size_t *len)
{
    char *text = xmalloc((size_t)n * 4 + 1);
    *len = 0;
    for (int i = 0; i < n; i++) *len += (size_t)vocab_decode(v, ids[i], text + *len);
    return text;
}

static void check_round_trip(const Vocab *v, const char *text, size_t len)
{
    int n;
    int64_t unknown, first;
    size_t back;
    int *ids = vocab_encode(v, text, len, &n, &unknown, &first);
    char *again = decode(v, ids, n, &back);
    ck_assert_int_eq(unknown, 0);
    ck_assert_int_eq(first, -1);
    ck_assert_uint_eq(back, len);
    ck_assert_mem_eq(again, text, len);
    free(ids), free(again);
}

START_TEST(bytes_are_themselves)
{
    char text[256];
    for (int i = 0; i < 256; i++) text[i] = (char)i;
    Vocab v = vocab_bytes();
    int n;
    int *ids = vocab_encode(&v, text, sizeof text, &n, NULL, NULL);
    ck_assert_int_eq(v.size, 256);
    ck_assert_int_eq(n, 256);
    for (int i = 0; i < 256; i++) {
        ck_assert_int_eq(ids[i], i);
        ck_assert_int_eq(vocab_id(&v, i), i);
    }
    check_round_trip(&v, text, sizeof text);
    free(ids);
    vocab_free(&v);
}
END_TEST

START_TEST(characters_by_hand)
{
    const char text[] = "b한a\nb😀";
    Vocab v = vocab_chars(text, strlen(text));
    const int code[] = {0xFFFD, '\n', 'a', 'b', 0xD55C, 0x1F600};
    ck_assert_int_eq(v.size, LEN(code));
    ck_assert_mem_eq(v.code, code, sizeof code);
    int n;
    int *ids = vocab_encode(&v, text, strlen(text), &n, NULL, NULL);
    const int want[] = {3, 4, 2, 1, 3, 5};
    ck_assert_int_eq(n, LEN(want));
    ck_assert_mem_eq(ids, want, sizeof want);
    check_round_trip(&v, text, strlen(text));
    Vocab copy = vocab_copy(&v);
    vocab_free(&v);
    ck_assert_mem_eq(copy.code, code, sizeof code);
    vocab_free(&copy);
    free(ids);
}
END_TEST

/* An unknown character, a NUL, a byte that is no UTF-8, a cut sequence, U+FFFD itself. */
START_TEST(unknown_is_counted)
{
    static const char text[] = "abc\0a\xFFz\xEF\xBF\xBD\xED\x95";
    Vocab v = vocab_chars("abca\0\xFF\xEF\xBF\xBD", 9);
    ck_assert_int_eq(v.size, 4);
    int n;
    int64_t unknown, first;
    int *ids = vocab_encode(&v, text, sizeof text - 1, &n, &unknown, &first);
    const int want[] = {1, 2, 3, 0, 1, 0, 0, 0, 0, 0};
    ck_assert_int_eq(n, LEN(want));
    ck_assert_mem_eq(ids, want, sizeof want);
    ck_assert_int_eq(unknown, 6);
    ck_assert_int_eq(first, 3);
    char out[4];
    ck_assert_int_eq(vocab_decode(&v, VOCAB_UNKNOWN, out), 3);
    ck_assert_mem_eq(out, "\xEF\xBF\xBD", 3);
    free(ids);
    vocab_free(&v);
}
END_TEST

START_TEST(nothing_to_encode)
{
    Vocab v = vocab_chars("", 0);
    ck_assert_int_eq(v.size, 1);
    int n;
    int64_t unknown;
    int *ids = vocab_encode(&v, "", 0, &n, NULL, NULL);
    ck_assert_int_eq(n, 0);
    free(ids);
    ids = vocab_encode(&v, "x", 1, &n, &unknown, NULL);
    ck_assert_int_eq(unknown, 1);
    ck_assert_int_eq(ids[0], VOCAB_UNKNOWN);
    free(ids);
    vocab_free(&v);
}
END_TEST

static bool is_scalar(int code)
{
    return code < 0xD800 || code > 0xDFFF;
}

/* Every code point there is: a member of the table has its place in it, any other is unknown, and
 * the two ways to look one up agree. */
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
    Vocab v = vocab_chars(text, len);
    check_round_trip(&v, text, len);

    len = 0;
    for (int code = 0; code < CODES; code++)
        if (is_scalar(code)) len += (size_t)utf8_encode(code, text + len);
    int n, *ids = vocab_encode(&v, text, len, &n, NULL, NULL);
    ck_assert_int_eq(n, CODES - 0x800);
    for (int code = 0, id = 0, at = 0; code < CODES; code++) {
        if (!is_scalar(code)) continue;
        const int want = member[code] ? ++id : VOCAB_UNKNOWN;
        if (vocab_id(&v, code) != want || ids[at] != want)
            ck_abort_msg("U+%04X: %d and %d, not %d", code, vocab_id(&v, code), ids[at], want);
        at++;
    }
    free(text), free(member), free(ids);
    vocab_free(&v);
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
    Vocab v = vocab_chars(text, len);
    ck_assert_int_eq(v.size, 66);
    ck_assert_int_eq(vocab_id(&v, '\n'), 1);
    ck_assert_int_eq(vocab_id(&v, 'z'), 65);
    check_round_trip(&v, text, len);
    vocab_free(&v);
    free(text);
}
END_TEST

/* --- JSON ------------------------------------------------------------------------------------- */
START_TEST(json_there_and_back)
{
    static const char text[] = "\"\\\n\t\x01\x7F é한😀\xEF\xBF\xBF\0";
    Vocab tables[] = {vocab_chars(text, sizeof text - 1), vocab_bytes(), vocab_chars("", 0)};
    for (int i = 0; i < LEN(tables); i++) {
        Vocab *v = &tables[i], back;
        Error err;
        json_t *j = vocab_to_json(v);
        char *dumped = json_dumps(j, 0);
        json_t *loaded = json_loads(dumped, JSON_REJECT_DUPLICATES, NULL);
        ck_assert_msg(vocab_from_json(&back, loaded, &err), "%s", err.text);
        ck_assert_int_eq(back.unit, v->unit);
        ck_assert_int_eq(back.size, v->size);
        if (v->code) ck_assert_mem_eq(back.code, v->code, v->size * sizeof *v->code);
        json_decref(j), json_decref(loaded), free(dumped);
        vocab_free(v), vocab_free(&back);
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
        {"{\"unit\":\"char\",\"symbols\":[\"a\"]}", "symbols"},
        {"{\"unit\":\"char\",\"symbols\":\"aab\"}", "byte 1"},
        {"{\"unit\":\"char\",\"symbols\":\"acb\"}", "U+0062 after U+0063"},
        {"{\"unit\":\"char\",\"symbols\":\"a\\uFFFD\"}", "U+FFFD"},
        {"{\"unit\":\"char\",\"symbols\":\"\\u0000a\"}", "U+0000"},
    };
    for (int i = 0; i < LEN(bad); i++) {
        Error err = {""};
        Vocab v = {.size = -7};
        json_t *j = json_loads(bad[i].json, JSON_ALLOW_NUL, NULL);
        ck_assert_ptr_nonnull(j);
        ck_assert_msg(!vocab_from_json(&v, j, &err), "%s", bad[i].json);
        ck_assert_msg(strstr(err.text, bad[i].why), "%s: %s", bad[i].json, err.text);
        ck_assert_int_eq(v.size, -7);
        json_decref(j);
    }
}
END_TEST

START_TEST(id_beyond_the_table)
{
    Vocab v = vocab_chars("ab", 2);
    char out[4];
    vocab_decode(&v, 3, out);
}
END_TEST

START_TEST(byte_beyond_255)
{
    Vocab v = vocab_bytes();
    vocab_id(&v, 256);
}
END_TEST

SUITE("vocab",
      TESTS(bytes_are_themselves, characters_by_hand, unknown_is_counted, nothing_to_encode,
            every_code_point, tinyshakespeare_has_65, json_there_and_back, json_refused),
      ABORTS(id_beyond_the_table, byte_beyond_255))
