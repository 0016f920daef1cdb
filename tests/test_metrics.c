/* Edit distance against its definition and by hand; BLEU against sacreBLEU (golden/bleu.py). */
#include "system/file.h"
#include "measure/metrics.h"
#include "base/rng.h"
#include "suite.h"

/* --- edit distance ------------------------------------------------------------------------------ */

START_TEST(distances_by_hand)
{
    const struct {
        const char *a, *b;
        int d;
    } c[] = {{"", "", 0},
             {"", "abc", 3},
             {"kitten", "sitting", 3}, /* Levenshtein's classic */
             {"saturday", "sunday", 3},
             {"flaw", "lawn", 2},
             {"abc", "abc", 0},
             {"ab", "ba", 2}, /* no transpositions */
             {"한국어", "한국", 1},
             {"한국어", "韓國語", 3}, /* code points, not bytes */
             {"été", "ete", 2},
             {"\xFF", "\xFE", 1}, /* not UTF-8, and different */
             {"\xFF", "\xFF", 0},
             {"\xFF", "\xEF\xBF\xBD", 1},
             {"\xE1", "\u00E1", 1},
             {"가나", "\u1100\u1161\u1102\u1161", 0}, /* composed and decomposed */
             {"e\u0301te", "\u00E9te", 0},
             {"\u0344", "\u0308\u0301", 0}, /* one code point that NFC makes two */
             {"\xFF"
              "e\u0301\xFE",
              "\xFF\u00E9\xFE", 0}};
    for (int i = 0; i < LEN(c); i++) {
        ck_assert_int_eq(edit_distance(c[i].a, c[i].b), c[i].d);
        ck_assert_int_eq(edit_distance(c[i].b, c[i].a), c[i].d);
    }
}
END_TEST

/* The length of the reference counts composed code points too. */
START_TEST(errors_of_decomposed_text)
{
    CharErrors e = {0};
    char_errors_add(&e, "가다", "\u1100\u1161\u1102\u1161");
    ck_assert(e.edits == 1 && e.length == 2);
}
END_TEST

/* Returns the edit distance by its recursive definition. */
static int slow_distance(const char *a, const char *b)
{
    if (!*a || !*b) return (int)(strlen(a) + strlen(b));
    const int s = slow_distance(a + 1, b + 1) + (*a != *b);
    const int i = 1 + slow_distance(a, b + 1), d = 1 + slow_distance(a + 1, b);
    return s < i ? (s < d ? s : d) : (i < d ? i : d);
}

START_TEST(distances_by_definition)
{
    enum { WORDS = 12, LONGEST = 6 };
    Rng rng = rng_make(1, RNG_TEST, 0);
    char word[WORDS][LONGEST + 1] = {0};
    int d[WORDS][WORDS];
    for (int i = 0; i < WORDS; i++)
        for (int k = 0, n = rng_below(&rng, LONGEST + 1); k < n; k++)
            word[i][k] = (char)('a' + rng_below(&rng, 3));
    for (int i = 0; i < WORDS; i++)
        for (int k = 0; k < WORDS; k++) {
            d[i][k] = edit_distance(word[i], word[k]);
            ck_assert_int_eq(d[i][k], slow_distance(word[i], word[k]));
        }
    for (int i = 0; i < WORDS * WORDS * WORDS; i++) { /* the triangle inequality */
        const int a = i % WORDS, b = i / WORDS % WORDS, c = i / WORDS / WORDS;
        ck_assert_int_le(d[a][c], d[a][b] + d[b][c]);
    }
}
END_TEST

/* The error rate of a corpus is the ratio of the sums, not the mean of the ratios. */
START_TEST(character_errors)
{
    CharErrors e = {0};
    ck_assert(isnan(char_error_rate(&e)));
    char_errors_add(&e, "x", "");
    ck_assert(isnan(char_error_rate(&e)));
    char_errors_add(&e, "kitten", "sitting");
    char_errors_add(&e, "나는", "나는");
    char_errors_add(&e, "", "a");
    ck_assert_int_eq(e.edits, 1 + 3 + 0 + 1);
    ck_assert_int_eq(e.length, 0 + 7 + 2 + 1);
    ck_assert_double_eq_tol(char_error_rate(&e), 0.5, 1e-15);
    char_errors_add(&e, "aaaaaaaaaaaaaaaaaaaa", "b");
    ck_assert_double_eq_tol(char_error_rate(&e), 25. / 11, 1e-15); /* above 1 */
}
END_TEST

/* --- BLEU ----------------------------------------------------------------------------------------- */

static const char *const tokenizers[] = {"13a", "char", "none"}; /* as in BleuTokenizer */

static json_t *golden(void)
{
    Error err;
    json_t *j = json_read("tests/golden/bleu.json", &err);
    ck_assert_msg(j != NULL, "%s", err.text);
    return j;
}

static const char *text(const json_t *j, const char *key)
{
    const char *s = json_string_value(json_object_get(j, key));
    ck_assert_msg(s != NULL, "no %s", key);
    return s;
}

static double number(const json_t *j, const char *key)
{
    const json_t *x = json_object_get(j, key);
    ck_assert_msg(json_is_number(x), "no %s", key);
    return json_number_value(x);
}

START_TEST(tokens_as_sacrebleu)
{
    json_t *file = golden(), *entry;
    size_t i;
    json_array_foreach(json_object_get(file, "tokens"), i, entry)
    {
        const char *line = text(entry, "line");
        for (int t = 0; t < LEN(tokenizers); t++) {
            char *got = bleu_tokenize((BleuTokenizer)t, line);
            const char *want = text(entry, tokenizers[t]);
            ck_assert_msg(strcmp(got, want) == 0, "%s of \"%s\": \"%s\", sacreBLEU's \"%s\"",
                          tokenizers[t], line, got, want);
            free(got);
        }
    }
    ck_assert_uint_ge(i, 100);
    json_decref(file);
}
END_TEST

/* Adds the pairs of a corpus one by one, with one reference or two. */
static Bleu bleu_of(const json_t *pairs, const json_t *want)
{
    Bleu b = {0};
    while (strcmp(text(want, "tokenizer"), tokenizers[b.tokenizer]) != 0) b.tokenizer++;
    b.smoothing = strcmp(text(want, "smoothing"), "none") == 0 ? SMOOTH_NONE : SMOOTH_EXP;
    const int references = (int)number(want, "references");
    size_t i;
    json_t *pair;
    json_array_foreach(pairs, i, pair)
    {
        const char *s[3];
        for (size_t k = 0; k < 3; k++) s[k] = json_string_value(json_array_get(pair, k));
        if (references == 1) bleu_add(&b, s[0], s[1]);
        if (references == 2) bleu_add_any(&b, s[0], s + 1, 2);
    }
    return b;
}

START_TEST(scores_as_sacrebleu)
{
    json_t *file = golden(), *corpus, *want;
    size_t i, k;
    int compared = 0;
    json_array_foreach(json_object_get(file, "corpora"), i, corpus)
    {
        json_array_foreach(json_object_get(corpus, "scores"), k, want)
        {
            const Bleu b = bleu_of(json_object_get(corpus, "pairs"), want);
            char *signature = bleu_signature(&b);
            ck_assert_str_eq(signature, text(want, "signature"));
            const double bleu = number(want, "bleu"), got = bleu_score(&b);
            ck_assert_msg(fabs(got - bleu) <= 1e-9, "%s, %s: %.9f, sacreBLEU's %.9f",
                          text(corpus, "name"), signature, got, bleu);
            ck_assert_double_eq_tol(bleu_brevity(&b), number(want, "brevity"), 1e-12);
            ck_assert_int_eq(b.hypothesis_length, (int64_t)number(want, "hypothesis_length"));
            ck_assert_int_eq(b.reference_length, (int64_t)number(want, "reference_length"));
            for (size_t n = 0; n < BLEU_ORDER; n++) {
                const json_t *match = json_array_get(json_object_get(want, "match"), n);
                const json_t *total = json_array_get(json_object_get(want, "total"), n);
                ck_assert_int_eq(b.match[n], json_integer_value(match));
                ck_assert_int_eq(b.total[n], json_integer_value(total));
            }
            free(signature);
            compared++;
        }
    }
    ck_assert_int_eq(compared, 120);
    json_decref(file);
}
END_TEST

/* Papineni et al. 2002, example 2: of seven "the" two match. */
START_TEST(clipped_counts)
{
    Bleu b = {.smoothing = SMOOTH_NONE};
    bleu_add(&b, "the the the the the the the", "the cat is on the mat");
    ck_assert_int_eq(b.match[0], 2);
    ck_assert_int_eq(b.total[0], 7);
    ck_assert_int_eq(b.match[1], 0);
    ck_assert_double_eq(bleu_score(&b), 0);
    b.smoothing = SMOOTH_EXP; /* precisions 2/7, (1/2)/6, (1/4)/5, (1/8)/4, no brevity penalty */
    ck_assert_double_eq_tol(bleu_score(&b), 100 * pow(2. / 7 / 12 / 20 / 32, 0.25), 1e-12);
}
END_TEST

START_TEST(limits)
{
    Bleu b = {0};
    ck_assert_double_eq(bleu_score(&b), 0); /* an empty corpus */
    for (int i = 0; i < 3; i++)
        bleu_add(&b, "so is a corpus, of course.", "so is a corpus, of course.");
    ck_assert_double_eq_tol(bleu_score(&b), 100, 1e-12);
    ck_assert_int_eq(b.hypothesis_length, 3 * 8);
    const char *const two[] = {"so", "is"};
    bleu_add_any(&b, "so", two, 2);
    char *signature = bleu_signature(&b);
    ck_assert_str_eq(signature, "nrefs:var|case:mixed|eff:no|tok:13a|smooth:exp");
    free(signature);
    bleu_add(&b, "\xFF \xFE", "\xFF"); /* not UTF-8: treated as words */
    ck_assert_int_eq(b.match[0], 3 * 8 + 1 + 1);
}
END_TEST

START_TEST(no_reference)
{
    Bleu b = {0};
    bleu_add_any(&b, "a", NULL, 0);
}
END_TEST

SUITE("metrics",
      TESTS(distances_by_hand, errors_of_decomposed_text, distances_by_definition, character_errors,
            tokens_as_sacrebleu, scores_as_sacrebleu, clipped_counts, limits),
      ABORTS(no_reference))
