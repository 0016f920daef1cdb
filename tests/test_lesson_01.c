/* Lesson 01: its decoder against utf8proc, its jamo against Unicode's normal form D, and the numbers
 * of the page. */
#include <utf8proc.h>

#include "base/rng.h"
#include "suite.h"

/* The functions under test are private to the program. */
int lesson_main(int argc, char **argv);
#define main lesson_main
#include "../lessons/01-tokens.c"
#undef main

static int tokens_of(Unit unit, const char *text, size_t len)
{
    int n = 0;
    tokenize(unit, text, len, count_token, &n);
    return n;
}

START_TEST(sentence_in_four_units)
{
    static const int expected[UNITS] = {4, 12, 23, 28};
    for (Unit u = WORDS; u < UNITS; u++)
        ck_assert_int_eq(tokens_of(u, SENTENCE, strlen(SENTENCE)), expected[u]);
}
END_TEST

/* By hand on the page: EC 89 BD is 12 * 4096 + 9 * 64 + 61 = 49789 = U+C27D, which is the syllable
 * 5757 = (9 * 21 + 16) * 28 + 17. */
START_TEST(by_hand)
{
    size_t size;
    ck_assert_int_eq(decode("\xEC\x89\xBD", 3, &size), 12 * 4096 + 9 * 64 + 61);
    ck_assert_uint_eq(size, 3);
    ck_assert_int_eq(0xC27D - FIRST_SYLLABLE, 5757);
    const Jamo j = jamo_split(0xC27D);
    ck_assert_int_eq(j.lead, 9);
    ck_assert_int_eq(j.vowel, 16);
    ck_assert_int_eq(j.tail, 17);
    ck_assert_int_eq(jamo_join((Jamo){9, 16, 17}), 0xC27D);
    ck_assert_mem_eq(letter(FIRST_LEAD + 9), "ㅅ", 3);
    ck_assert_mem_eq(letter(FIRST_VOWEL + 16), "ㅟ", 3);
    ck_assert_mem_eq(letter(NO_TAIL + 17), "ㅂ", 3);
}
END_TEST

/* Every syllable survives a round trip, and its jamo are those of Unicode's normal form D. */
START_TEST(every_syllable)
{
    for (int code = FIRST_SYLLABLE; code < FIRST_SYLLABLE + SYLLABLES; code++) {
        const Jamo j = jamo_split(code);
        ck_assert(j.lead < LEADS && j.vowel < VOWELS && j.tail < TAILS);
        ck_assert_int_eq(jamo_join(j), code);
        utf8proc_int32_t nfd[4];
        const long n = utf8proc_decompose_char(code, nfd, 4, UTF8PROC_DECOMPOSE, NULL);
        ck_assert_int_eq(n, j.tail ? 3 : 2);
        ck_assert_int_eq(nfd[0], FIRST_LEAD + j.lead);
        ck_assert_int_eq(nfd[1], FIRST_VOWEL + j.vowel);
        if (j.tail) ck_assert_int_eq(nfd[2], NO_TAIL + j.tail);
    }
    ck_assert(!is_syllable(FIRST_SYLLABLE - 1) && !is_syllable(FIRST_SYLLABLE + SYLLABLES));
}
END_TEST

static bool same_as_utf8proc(const char *s, size_t len)
{
    int expected;
    size_t size;
    const int n = utf8_decode(s, len, &expected);
    return decode(s, len, &size) == expected && (int)size == n;
}

START_TEST(decoder_agrees_with_utf8proc)
{
    int wrong = 0; /* one assertion for each would take half a minute */
    char s[4];
    for (int code = 0; code <= 0x10FFFF; code++) {
        if (code >= 0xD800 && code < 0xE000) continue;
        const int n = utf8_encode(code, s);
        for (int len = 1; len <= n; len++) wrong += !same_as_utf8proc(s, (size_t)len);
    }
    Rng rng = rng_make(1, RNG_TEST, 0);
    for (int trial = 0; trial < 1000000; trial++) { /* mostly invalid, often nearly valid */
        for (int i = 0; i < 4; i++) s[i] = (char)(0x80 + rng_below(&rng, 128));
        wrong += !same_as_utf8proc(s, 1 + (size_t)rng_below(&rng, 4));
    }
    ck_assert_int_eq(wrong, 0);
}
END_TEST

typedef struct {
    char bytes[256];
    size_t len;
} Joined;

static void join(void *context, const char *token, size_t len)
{
    Joined *j = context;
    memcpy(j->bytes + j->len, token, len);
    j->len += len;
}

/* The code points of any text, joined, give the text again, and so do its bytes; its jamo give normal
 * form D; its words give the text without blanks. */
START_TEST(what_is_lost)
{
    static const char text[] = SENTENCE "\xEC\x89 \xFF\t각 갂\n";
    for (Unit u = CHARACTERS; u <= BYTES; u += BYTES - CHARACTERS) {
        Joined j = {0};
        tokenize(u, text, sizeof text - 1, join, &j);
        ck_assert_uint_eq(j.len, sizeof text - 1);
        ck_assert_mem_eq(j.bytes, text, j.len);
    }
    Joined jamo = {0}, words = {0};
    tokenize(JAMO, SENTENCE, strlen(SENTENCE), join, &jamo);
    utf8proc_uint8_t *nfd = utf8proc_NFD((const utf8proc_uint8_t *)SENTENCE);
    ck_assert_str_eq(jamo.bytes, (const char *)nfd);
    utf8proc_uint8_t *nfc = utf8proc_NFC(nfd);
    ck_assert_str_eq((const char *)nfc, SENTENCE);
    free(nfd), free(nfc);
    tokenize(WORDS, SENTENCE, strlen(SENTENCE), join, &words);
    ck_assert_str_eq(words.bytes, "자연어처리참쉽죠?");
}
END_TEST

static int valid_codes(const char *s, size_t len, int *codes)
{
    int n = 0;
    for (size_t i = 0, size; i < len; i += size) {
        codes[n] = decode(s + i, len - i, &size);
        n += codes[n] >= 0;
    }
    return n;
}

/* The loss of one byte costs exactly one character. */
START_TEST(a_lost_byte_costs_one_character)
{
    const int len = (int)strlen(SENTENCE);
    int whole[64], cut[64];
    const int n = valid_codes(SENTENCE, (size_t)len, whole);
    for (int drop = 0; drop < len; drop++) {
        char text[] = SENTENCE;
        memmove(text + drop, text + drop + 1, (size_t)(len - drop));
        ck_assert_int_eq(valid_codes(text, strlen(text), cut), n - 1);
        int same = 0;
        while (same < n - 1 && cut[same] == whole[same]) same++;
        ck_assert_mem_eq(cut + same, whole + same + 1, (size_t)(n - 1 - same) * sizeof *cut);
    }
}
END_TEST

START_TEST(costs_of_a_file)
{
    static const char lines[] = "a b\t가 나\nc\t가나\n다";
    const Cost words = cost_of(WORDS, lines, sizeof lines - 1, true);
    ck_assert_uint_eq(words.tokens, 4);
    ck_assert_uint_eq(words.distinct, 4);
    const Cost all = cost_of(WORDS, lines, sizeof lines - 1, false);
    ck_assert_uint_eq(all.tokens, 7);
    const Cost codes = cost_of(CHARACTERS, lines, sizeof lines - 1, true);
    ck_assert_uint_eq(codes.tokens, 6); /* 가 _ 나 가 나 다 */
    ck_assert_uint_eq(codes.distinct, 4);
    ck_assert_uint_eq(codes.once, 2); /* _ and 다 */
    const Cost jamo = cost_of(JAMO, lines, sizeof lines - 1, true);
    ck_assert_uint_eq(jamo.tokens, 11);
    const Cost bytes = cost_of(BYTES, lines, sizeof lines - 1, true);
    ck_assert_uint_eq(bytes.tokens, 16);
    ck_assert_uint_eq(cost_of(BYTES, "", 0, false).distinct, 0);
}
END_TEST

SUITE("lesson_01",
      TESTS(sentence_in_four_units, by_hand, every_syllable, decoder_agrees_with_utf8proc,
            what_is_lost, a_lost_byte_costs_one_character, costs_of_a_file),
      NO_ABORTS)
