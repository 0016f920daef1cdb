/* Properties of every tokenizer: decoding inverts encoding, special ids, unknown tokens. */
#include "tokenizer_help.h"

#include <utf8proc.h>

#include "system/utf8.h"

static void ck_decoded(const Tokenizer *t, const char *text, size_t len, const char *want,
                       size_t want_len)
{
    size_t n;
    const Encoding e = tokenizer_encode(t, text, len);
    char *back = tokenizer_decode(t, e.ids, e.n, &n);
    ck_assert_uint_eq(n, want_len);
    ck_assert_mem_eq(back, want, want_len);
    free(e.ids), free(back);
}

START_TEST(random_bytes_come_back)
{
    enum { LONGEST = 5000 };
    Rng rng = rng_make(1, RNG_TEST, 0);
    char text[LONGEST];
    for (int layout = 0; layout < LAYOUTS; layout++) {
        Tokenizer t = tokenizer_of(token_kind("byte"), (TokenLayout)layout, NULL, 0);
        for (int k = 0; k < 100; k++) {
            const int len = rng_below(&rng, LONGEST);
            for (int i = 0; i < len; i++) text[i] = (char)rng_below(&rng, 256);
            ck_decoded(&t, text, (size_t)len, text, (size_t)len);
        }
        ck_assert_int_eq(t.unk, -1);
        tokenizer_free(&t);
    }
}
END_TEST

/* Characters and jamo decode to the text in NFC, which is the text itself if it was in NFC. */
START_TEST(characters_and_jamo_come_back_composed)
{
    Rng rng = rng_make(2, RNG_TEST, 0);
    for (int k = 0; k < 300; k++) {
        char *text = random_text(&rng, 40, true);
        utf8proc_uint8_t *nfc = utf8proc_NFC((const utf8proc_uint8_t *)text);
        const char *want = (const char *)nfc;
        for (int layout = 0; layout < LAYOUTS; layout++)
            for (int u = 0; u < UNITS; u += 3) {
                Tokenizer t = learn(units[u], (TokenLayout)layout, text);
                ck_decoded(&t, text, strlen(text), want, strlen(want));
                ck_decoded(&t, want, strlen(want), want, strlen(want));
                tokenizer_free(&t);
            }
        free(text), free(nfc);
    }
}
END_TEST

START_TEST(all_syllables)
{
    enum { N = 11172 };
    char *text = xcalloc(N * 3 + 1, 1), *end = text;
    for (int code = 0xAC00; code < 0xAC00 + N; code++) end += utf8_encode(code, end);
    for (int layout = 0; layout < LAYOUTS; layout++) {
        Tokenizer t = learn("jamo", (TokenLayout)layout, text);
        ck_assert_int_eq(t.size, t.first + 19 + 21 + 27);
        ck_decoded(&t, text, N * 3, text, N * 3);
        for (char *c = text; *c; c += 3) ck_decoded(&t, c, 3, c, 3); /* each alone */
        tokenizer_free(&t);
    }
    free(text);
}
END_TEST

/* Words: decoding and encoding again gives the same ids, however often it is repeated. */
START_TEST(words_stay_the_same)
{
    Rng rng = rng_make(3, RNG_TEST, 0);
    for (int k = 0; k < 300; k++) {
        char *text = random_text(&rng, 60, true);
        Tokenizer t = learn("word", TOKENS_STREAM, text);
        const Encoding e = tokenizer_encode(&t, text, strlen(text));
        char *known = tokenizer_decode(&t, e.ids, e.n, NULL);
        const Encoding again = tokenizer_encode(&t, known, strlen(known));
        ck_assert_msg(again.n == e.n, "\"%s\" becomes \"%s\"", text, known);
        ck_assert_mem_eq(again.ids, e.ids, (size_t)e.n * sizeof *e.ids);
        int newlines = 0, ids = 0;
        for (const char *c = text; *c; c++) newlines += *c == '\n';
        for (int i = 0; i < e.n; i++) ids += e.ids[i] == tokenizer_id(&t, "\n");
        ck_assert_int_eq(ids, newlines);
        free(text), free(known), free(e.ids), free(again.ids);
        tokenizer_free(&t);
    }
}
END_TEST

START_TEST(a_running_text_of_words)
{
    const char text[] = "Go on (now)!\nGo home.\n\n\"On\"";
    Tokenizer t = learn("word", TOKENS_STREAM, text);
    const char want_text[] = "go on (now)!\ngo home.\n\n\" on \"";
    ck_decoded(&t, text, strlen(text), want_text, strlen(want_text));
    const char other[] = "go  away\n<unk> home";
    const Encoding e = tokenizer_encode(&t, other, strlen(other));
    const int want[] = {tokenizer_id(&t, "go"), STREAM_UNK, tokenizer_id(&t, "\n"), STREAM_UNK,
                        tokenizer_id(&t, "home")};
    ck_assert_int_eq(e.n, LEN(want));
    ck_assert_mem_eq(e.ids, want, sizeof want);
    ck_assert_int_eq(e.unknown, 2);
    ck_assert_int_eq(e.first_unknown, 4);
    char *back = tokenizer_decode(&t, e.ids, e.n, NULL);
    ck_assert_str_eq(back, "go <unk>\n<unk> home");
    free(e.ids), free(back);
    tokenizer_free(&t);
}
END_TEST

static void ck_special(const Tokenizer *t)
{
    const int special[] = {t->pad, t->bos, t->eos, t->unk};
    for (int i = 0; i < LEN(special); i++) {
        ck_assert_int_lt(special[i], t->first);
        for (int k = 0; k < i; k++) ck_assert(special[i] == -1 || special[i] != special[k]);
    }
    ck_assert_int_le(t->first, t->size);
    if (t->layout == TOKENS_FRAMED)
        ck_assert(t->pad == PAD && t->bos == BOS && t->eos == EOS && t->first == FIRST_PIECE);
    else
        ck_assert(t->pad == -1 && t->bos == -1 && t->eos == -1);
}

START_TEST(special_ids)
{
    for (int layout = 0; layout < LAYOUTS; layout++)
        for (int u = 0; u < UNITS; u++) {
            Tokenizer t = learn(units[u], (TokenLayout)layout, "a b a\n"),
                      none = learn(units[u], (TokenLayout)layout, "");
            ck_special(&t), ck_special(&none);
            ck_assert_str_eq(tokenizer_unit(&t), units[u]);
            ck_assert(t.unk == -1 ? u == 1 : u != 1);
            ck_assert_int_eq(tokenizer_id(&t, "q"), u == 1 ? t.first + 'q' : t.unk);
            tokenizer_free(&t), tokenizer_free(&none);
        }
}
END_TEST

/* `unknown` is the number of UNK ids, and no token before first_unknown is unknown. */
START_TEST(unknown_is_counted)
{
    Rng rng = rng_make(4, RNG_TEST, 0);
    for (int k = 0; k < 400; k++) {
        char *text = random_text(&rng, 1 + k, true), *other = random_text(&rng, 30 + 4 * k, false);
        const char *unit = units[k % UNITS];
        Tokenizer t = learn(unit, (TokenLayout)(k / UNITS % LAYOUTS), text);
        const Encoding e = tokenizer_encode(&t, other, strlen(other));
        int64_t unknown = 0;
        for (int i = 0; i < e.n; i++) unknown += e.ids[i] == t.unk;
        ck_assert_int_eq(e.unknown, unknown);
        ck_assert((e.first_unknown == -1) == (unknown == 0));
        ck_assert_int_lt(e.first_unknown, (int64_t)strlen(other));
        const Encoding before =
            tokenizer_encode(&t, other, e.first_unknown < 0 ? 0 : (size_t)e.first_unknown);
        if (strcmp(unit, "word") != 0) ck_assert_int_eq(before.unknown, 0);
        char *missing = tokenizer_unknown(&t, other, strlen(other));
        ck_assert((missing == NULL) == (unknown == 0));
        free(before.ids), free(missing), free(e.ids), free(text), free(other);
        tokenizer_free(&t);
    }
}
END_TEST

/* first_unknown is the right byte, whether the text is composed or not. */
START_TEST(where_the_first_unknown_is)
{
    static const struct {
        const char *unit, *text;
        int at;
    } c[] = {{"char", "aba", -1},       {"char", "abx", 2},   {"char", "가나다", 6},
             {"char", "a e\u0301x", 2}, {"char", "a\xFF", 1}, {"jamo", "가각a?", 3},
             {"word", "aba  x a", 5},   {"word", "가\nq", 4}, {"byte", "xyz\xFF", -1}};
    for (int i = 0; i < LEN(c); i++) {
        Tokenizer t = learn(c[i].unit, TOKENS_STREAM, "aba ab 가 나 a b\n");
        const Encoding e = tokenizer_encode(&t, c[i].text, strlen(c[i].text));
        ck_assert_msg(e.first_unknown == c[i].at, "case %d: %d", i, (int)e.first_unknown);
        free(e.ids);
        tokenizer_free(&t);
    }
}
END_TEST

/* A long text, which tokenizer.c encodes in parts, gets the same ids as in one part. */
START_TEST(long_texts)
{
    Rng rng = rng_make(5, RNG_TEST, 0);
    char *some = random_text(&rng, 500, true);
    const size_t len = strlen(some), times = (3 << 20) / len;
    char *text = xmalloc(times * len + 1);
    for (size_t i = 0; i < times; i++) memcpy(text + i * len, some, len + 1);
    for (int u = 0; u < UNITS; u++) {
        Tokenizer t = learn(units[u], TOKENS_STREAM, text),
                  one = learn(units[u], TOKENS_STREAM, some);
        ck_assert_int_eq(t.size, one.size);
        memcpy(text + times * len - 1, "\x01", 1);
        const Encoding e = tokenizer_encode(&t, text, times * len);
        if (u != 1) ck_assert_int_eq(e.ids[e.n - 1], t.unk);
        if (u == 0) ck_assert_int_eq(e.first_unknown, (int64_t)(times * len - 1));
        size_t n;
        char *back = tokenizer_decode(&t, e.ids, e.n, &n);
        const Encoding again = tokenizer_encode(&t, back, n);
        ck_assert_int_eq(again.n, e.n);
        memcpy(text + times * len - 1, some + len - 1, 1);
        free(e.ids), free(back), free(again.ids);
        tokenizer_free(&t), tokenizer_free(&one);
    }
    free(text), free(some);
}
END_TEST

/* Decoding one id at a time gives the same bytes as decoding all at once. */
START_TEST(streamed)
{
    Rng rng = rng_make(6, RNG_TEST, 0);
    for (int k = 0; k < 200; k++) {
        char *text = random_text(&rng, 30, true);
        Tokenizer t = learn(units[k % UNITS], (TokenLayout)(k / UNITS % LAYOUTS), text);
        int ids[50];
        for (int i = 0; i < LEN(ids); i++) ids[i] = t.first + rng_below(&rng, t.size - t.first);
        size_t len, n = 0;
        char *whole = tokenizer_decode(&t, ids, LEN(ids), &len), part[4096];
        Detokenizer d = detokenizer_new(&t);
        for (int i = 0; i <= LEN(ids); i++) {
            if (i < LEN(ids))
                detokenizer_put(&d, ids[i]);
            else
                detokenizer_end(&d);
            for (size_t b = 0; b < d.len; b++) part[n++] = d.text[b];
            d.len = 0;
        }
        ck_assert_uint_eq(n, len);
        ck_assert_mem_eq(part, whole, n);
        free(text), free(whole);
        detokenizer_free(&d), tokenizer_free(&t);
    }
}
END_TEST

START_TEST(skipped_tokens_count_for_the_next)
{
    Tokenizer t = learn("word", TOKENS_STREAM, "a b . (\n");
    Detokenizer d = detokenizer_new(&t);
    detokenizer_skip(&d, tokenizer_id(&t, "a"));
    detokenizer_put(&d, tokenizer_id(&t, "b"));
    detokenizer_skip(&d, tokenizer_id(&t, "("));
    detokenizer_put(&d, tokenizer_id(&t, "a"));
    detokenizer_put(&d, tokenizer_id(&t, "."));
    detokenizer_add(&d, "", 1);
    ck_assert_str_eq(d.text, " ba.");
    detokenizer_free(&d), tokenizer_free(&t);
}
END_TEST

/* --- learning ------------------------------------------------------------------------------------- */
START_TEST(the_most_frequent_are_kept)
{
    Tokenizer t = tokenizer_learn(token_kind("word"), TOKENS_STREAM, "b a b\nc a b\n", 12, 2, 2);
    ck_assert_int_eq(t.size, 3);
    ck_assert_str_eq(t.symbols.string[1], "b");  /* 3 */
    ck_assert_str_eq(t.symbols.string[2], "\n"); /* 2, before a */
    tokenizer_free(&t);
    t = tokenizer_learn(token_kind("char"), TOKENS_STREAM, "zzyyx", 5, 1, 2);
    ck_assert_str_eq(t.symbols.string[1], "y"); /* in the order of their code points */
    ck_assert_str_eq(t.symbols.string[2], "z");
    tokenizer_free(&t);
}
END_TEST

START_TEST(never_known)
{
    const char text[] = "<unk> a\xFF \xFF a <unk> a\xFF";
    for (int layout = 0; layout < LAYOUTS; layout++)
        for (int u = 0; u < UNITS; u++) {
            if (u == 1) continue;
            Tokenizer t = learn(units[u], (TokenLayout)layout, text);
            ck_assert_int_eq(tokenizer_id(&t, "\uFFFD"), t.unk);
            ck_assert_int_eq(tokenizer_id(&t, "<unk>"), t.unk);
            if (u == 2) ck_assert_int_eq(t.size, t.first + 1); /* a */
            tokenizer_free(&t);
        }
}
END_TEST

SUITE("tokenizer",
      TESTS(random_bytes_come_back, characters_and_jamo_come_back_composed, all_syllables,
            words_stay_the_same, a_running_text_of_words, special_ids, unknown_is_counted,
            where_the_first_unknown_is, long_texts, streamed, skipped_tokens_count_for_the_next,
            the_most_frequent_are_kept, never_known),
      NO_ABORTS)
