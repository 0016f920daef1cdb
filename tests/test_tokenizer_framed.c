/* Tests that cut texts into pieces and join them again, and tokenizers of pairs with their JSON. */
#include "tokens/pieces.h"

#include <utf8proc.h>

#include "base/rng.h"
#include "suite.h"
#include "system/utf8.h"

static Pieces cut(const char *unit, const char *text)
{
    return pieces_cut(token_kind(unit), TOKENS_FRAMED, text, strlen(text));
}

static char *spell(const char *unit, const char *text) /* returns the pieces, joined by bars */
{
    Pieces p = cut(unit, text);
    char *s = xcalloc(strlen(text) * 12 + 16, 1);
    const char *piece = p.bytes;
    for (int i = 0; i < p.n; i++, piece = piece_next(piece)) {
        ck_assert(*piece);
        if (i) strcat(s, "|");
        strcat(s, piece);
    }
    pieces_free(&p);
    return s;
}

static void ck_cut(const char *unit, const char *text, const char *want)
{
    char *s = spell(unit, text);
    ck_assert_str_eq(s, want);
    free(s);
}

static void ck_join(const char *unit, const char *text, const char *want)
{
    Pieces p = cut(unit, text);
    char *s = pieces_join(token_kind(unit), &p, false);
    ck_assert_str_eq(s, want);
    free(s), pieces_free(&p);
}

/* --- cutting ------------------------------------------------------------------------------------ */
START_TEST(words)
{
    static const char *const want[][2] = {
        {"", ""},
        {" \t\r\n", ""},
        {"Go.", "go|."},
        {"Run!", "run|!"},
        {"Cours\u202f!", "cours|!"},
        {"Prends\u00a0ça\u3000!", "prends|ça|!"},
        {"L'homme n\u2019est pas là.", "l'|homme|n'|est|pas|là|."},
        {"Qu'il s'en aille, jusqu'ici !", "qu'|il|s'|en|aille|,|jusqu'|ici|!"},
        {"Aujourd'hui, je t'aime", "aujourd'hui|,|je|t'|aime"},
        {"Don't! It's o'clock.", "don't|!|it's|o'clock|."},
        {"the dogs' 'bone'", "the|dogs|'|'|bone|'"},
        {"l' homme l'", "l'|homme|l'"},
        {"'", "'"},
        {"At 2:30, 10,000 of 3.5; no. 5.", "at|2:30|,|10,000|of|3.5|;|no|.|5|."},
        {"Est-ce vrai?", "est-ce|vrai|?"},
        {"\u00ab Oui ! \u00bb (non) [\u2026] \"x\"", "«|oui|!|»|(|non|)|[|…|]|\"|x|\""},
        {"¿Qué? ¡No!", "¿|qué|?|¡|no|!"},
        {"ÉLÉPHANT ÆÖ", "éléphant|æö"},
        {"e\u0301te\u0301", "été"}, /* NFC */
        {"나는 학교에 간다.", "나는|학교에|간다|."},
        {"...", ".|.|."},
    };
    for (int i = 0; i < LEN(want); i++) ck_cut("word", want[i][0], want[i][1]);
}
END_TEST

START_TEST(characters_and_jamo)
{
    ck_cut("char", "Sep 1", "S|e|p| |1");
    ck_cut("char", "각\u1100\u1161", "각|가"); /* NFC */
    ck_cut("jamo", "각은 A", "\u1100|\u1161|\u11a8|\u110b|\u1173|\u11ab| |A");
    ck_cut("jamo", "쉽", "\u1109|\u1171|\u11b8");
    ck_cut("jamo", "ㄱ", "ㄱ"); /* a compatibility letter, not the beginning of a syllable */
    ck_cut("char", "a\xff\xc3", "a|\ufffd|\ufffd");
    Pieces p = pieces_cut(token_kind("char"), TOKENS_FRAMED, "a\0b", 3);
    ck_assert_int_eq(p.n, 3);
    ck_assert_str_eq(piece_next(p.bytes), "\ufffd");
    pieces_free(&p);
}
END_TEST

/* Every syllable is split as in Unicode's decomposition, and composed again. */
START_TEST(all_syllables)
{
    for (int code = 0xAC00; code < 0xAC00 + 11172; code++) {
        char text[8] = {0};
        utf8_encode(code, text);
        utf8proc_uint8_t *apart = utf8proc_NFD((const utf8proc_uint8_t *)text);
        Pieces p = cut("jamo", text);
        char joined[16] = {0};
        const char *piece = p.bytes;
        for (int i = 0; i < p.n; i++, piece = piece_next(piece)) strcat(joined, piece);
        ck_assert_str_eq(joined, (const char *)apart);
        char *back = pieces_join(token_kind("jamo"), &p, false);
        ck_assert_str_eq(back, text);
        free(back), pieces_free(&p), free(apart);
    }
}
END_TEST

/* --- joining ------------------------------------------------------------------------------------ */
START_TEST(readable_again)
{
    ck_join("word", "l'homme dit : non!", "l'homme dit: non!");
    ck_join("word", "Qu'est-ce que c'est ?", "qu'est-ce que c'est?");
    ck_join("word", "A (b) , \"c\" .", "a (b), \" c \".");
    ck_join("word", "2:30 a.m.", "2:30 a. m.");
    ck_join("char", "September 27, 1994", "September 27, 1994");
    ck_join("jamo", "서울, Seoul 값!", "서울, Seoul 값!");
    Pieces p = cut("word", "L'homme, ici.");
    char *tokens = pieces_join(token_kind("word"), &p, true);
    ck_assert_str_eq(tokens, "l' homme , ici .");
    free(tokens), pieces_free(&p);
    p = cut("jamo", "가 a");
    tokens = pieces_join(token_kind("jamo"), &p, true);
    ck_assert_str_eq(tokens, "가 a");
    free(tokens), pieces_free(&p);
}
END_TEST

/* For any text, joining the pieces and cutting again gives the same pieces. Joined pieces of
 * characters and jamo give the text itself. */
START_TEST(any_text)
{
    static const char *const part[] = {
        "l",      "'", "\u2019", "qu",     " ",      ".",      ",",  "1",  ":",   "(",     "\"",
        "\u00ab", "A", "é",      "\u1100", "\u1161", "\u11a8", "각", "가", "n't", "\u202f"};
    Rng rng = rng_make(3, RNG_TEST, 0);
    for (int i = 0; i < 20000; i++) {
        char text[64] = "";
        const int n = rng_below(&rng, 12);
        for (int k = 0; k < n; k++) strcat(text, part[rng_below(&rng, LEN(part))]);
        utf8proc_uint8_t *nfc = utf8proc_NFC((const utf8proc_uint8_t *)text);
        ck_join("char", text, (const char *)nfc);
        ck_join("jamo", text, (const char *)nfc);
        Pieces p = cut("word", text);
        char *joined = pieces_join(token_kind("word"), &p, false);
        Pieces again = cut("word", joined);
        ck_assert_msg(p.n == again.n, "\"%s\" becomes \"%s\"", text, joined);
        const char *a = p.bytes, *b = again.bytes;
        for (int k = 0; k < p.n; k++, a = piece_next(a), b = piece_next(b)) ck_assert_str_eq(a, b);
        free(joined), pieces_free(&p), pieces_free(&again), free(nfc);
    }
}
END_TEST

/* --- vocabularies ------------------------------------------------------------------------------- */
static Tokenizer learn(const char *const *text, int n, int least, int limit)
{
    TokenLearner l = learner_new(token_kind("word"), TOKENS_FRAMED);
    for (int i = 0; i < n; i++) learner_add(&l, text[i], strlen(text[i]));
    return learner_end(&l, least, limit);
}

static void ck_symbols(const Tokenizer *l, const char *want)
{
    char s[256] = "";
    for (int id = FIRST_PIECE; id < l->size; id++) {
        if (id > FIRST_PIECE) strcat(s, " ");
        strcat(s, l->symbols.string[id]);
        ck_assert_int_eq(tokenizer_id(l, l->symbols.string[id]), id);
    }
    ck_assert_str_eq(s, want);
}

START_TEST(most_frequent_first)
{
    static const char *const text[] = {"b a é c b", "z a 나 b", "é c Z"};
    static const char *const turned[] = {"é c Z", "b a é c b", "z a 나 b"};
    Tokenizer l = learn(text, 3, 1, 0), same = learn(turned, 3, 1, 0);
    ck_symbols(&l, "b a c z é 나"); /* 3, then 2 each in the order of code points, then 1 */
    ck_symbols(&same, "b a c z é 나");
    tokenizer_free(&l), tokenizer_free(&same);
    l = learn(text, 3, 2, 0);
    ck_symbols(&l, "b a c z é");
    ck_assert_int_eq(tokenizer_id(&l, "나"), UNK);
    ck_assert_int_eq(tokenizer_id(&l, ""), UNK);
    tokenizer_free(&l);
    l = learn(text, 3, 1, 2);
    ck_symbols(&l, "b a");
    tokenizer_free(&l);
    l = learn(text, 0, 1, 0);
    ck_assert_int_eq(l.size, FIRST_PIECE);
    tokenizer_free(&l);
}
END_TEST

START_TEST(many_words) /* the table grows and still finds every word */
{
    enum { N = 20000 };
    char **word = xmalloc(N * sizeof *word);
    for (int i = 0; i < N; i++) word[i] = xformat("w%d", i * 7);
    Tokenizer l = tokenizer_of(token_kind("word"), TOKENS_FRAMED, (const char *const *)word, N),
              copy = tokenizer_copy(&l);
    ck_assert_int_eq(copy.size, FIRST_PIECE + N);
    for (int i = 0; i < N; i++) {
        ck_assert_int_eq(tokenizer_id(&l, word[i]), FIRST_PIECE + i);
        ck_assert_int_eq(tokenizer_id(&copy, word[i]), FIRST_PIECE + i);
    }
    ck_assert_int_eq(tokenizer_id(&l, "w1"), UNK);
    for (int i = 0; i < N; i++) free(word[i]);
    free(word);
    tokenizer_free(&l), tokenizer_free(&copy);
}
END_TEST

START_TEST(ids_and_back)
{
    static const char *const symbols[] = {"l'", "homme", "dit", ",", "non"};
    Tokenizer l = tokenizer_of(token_kind("word"), TOKENS_FRAMED, symbols, LEN(symbols));
    const char text[] = "L'homme dit, euh, non";
    const Encoding e = tokenizer_encode(&l, text, strlen(text));
    ck_assert_int_eq(e.unknown, 1);
    ck_assert_int_eq(e.first_unknown, 13); /* euh */
    const int want[] = {4, 5, 6, 7, UNK, 7, 8};
    ck_assert_int_eq(e.n, LEN(want));
    ck_assert_mem_eq(e.ids, want, sizeof want);
    char *s = tokenizer_decode(&l, e.ids, e.n, NULL);
    ck_assert_str_eq(s, "l'homme dit, <unk>, non");
    free(s), free(e.ids);

    const int framed[] = {BOS, PAD, 4, 5, PAD, EOS, 8, 8};
    s = tokenizer_decode(&l, framed, LEN(framed), NULL);
    ck_assert_str_eq(s, "l'homme");
    free(s);
    s = tokenizer_spaced(&l, framed, LEN(framed));
    ck_assert_str_eq(s, "l' homme");
    free(s);
    s = tokenizer_decode(&l, framed, 0, NULL);
    ck_assert_str_eq(s, "");
    free(s);
    s = tokenizer_spell(&l, text,
                        strlen(text)); /* in the reference of a metric no word is unknown */
    ck_assert_str_eq(s, "l' homme dit , euh , non");
    free(s);
    s = tokenizer_unknown(&l, text, strlen(text));
    ck_assert_str_eq(s, "euh");
    free(s);
    ck_assert_int_eq(tokenizer_id(&l, "<unk>"), UNK);
    tokenizer_free(&l);

    static const char *const jamo[] = {"\u1100", "\u1161", "\u11a8"};
    l = tokenizer_of(token_kind("jamo"), TOKENS_FRAMED, jamo, LEN(jamo));
    const int syllables[] = {4, 5, 6, 4, 5, 5, UNK, 4, 4, 5, 6, 6, EOS};
    s = tokenizer_decode(&l, syllables, LEN(syllables),
                         NULL); /* a model may produce any sequence of ids */
    ck_assert_str_eq(s, "각가\u1161<unk>\u1100각\u11a8");
    free(s);
    tokenizer_free(&l);
}
END_TEST

/* --- JSON ---------------------------------------------------------------------------------------- */
START_TEST(json_and_back)
{
    static const char *const symbols[][3] = {
        {"l'", "\"x\\", "<unk>"}, {" ", "é", "나"}, {"\u1100", "a", "\t"}};
    static const char *const units[] = {"word", "char", "jamo"};
    for (int unit = 0; unit < LEN(units); unit++) {
        Tokenizer l = tokenizer_of(token_kind(units[unit]), TOKENS_FRAMED, symbols[unit], 3), back;
        json_t *j = tokenizer_to_json(&l);
        char *text = json_dumps(j, 0);
        json_t *read = json_loads(text, 0, NULL);
        Error err;
        ck_assert_msg(tokenizer_from_json(&back, read, &err), "%s", err.text);
        ck_assert(back.kind == l.kind && back.size == l.size && back.layout == l.layout);
        for (int id = 0; id < l.size; id++)
            ck_assert_str_eq(back.symbols.string[id], l.symbols.string[id]);
        tokenizer_free(&l), tokenizer_free(&back);
        json_decref(j), json_decref(read);
        free(text);
    }
}
END_TEST

START_TEST(malformed_json)
{
    static const char *const bad[][2] = {
        {"{}", "unit is missing"},
        {"[]", "unit is missing"},
        {"{\"unit\":\"eojeol\",\"symbols\":[]}", "unit is eojeol"},
        {"{\"unit\":\"word\",\"special\":[\"<pad>\"],\"symbols\":[]}", "special"},
        {"{\"unit\":\"word\",\"special\":7,\"symbols\":[]}", "special"},
        {"{\"unit\":\"char\",\"normal\":\"NFD\",\"symbols\":\"\"}", "normal"},
        {"{\"unit\":7,\"symbols\":[]}", "unit is missing"},
        {"{\"unit\":\"word\"}", "not an array"},
        {"{\"unit\":\"word\",\"symbols\":\"abc\"}", "not an array"},
        {"{\"unit\":\"word\",\"symbols\":[\"a\",3]}", "symbol 1 is not a string"},
        {"{\"unit\":\"word\",\"symbols\":[\"\"]}", "symbol 0 is empty"},
        {"{\"unit\":\"word\",\"symbols\":[\"a\",\"b\",\"a\"]}", "symbol 2 is repeated"},
        {"{\"unit\":\"char\",\"symbols\":[\"ab\"]}", "more than one character"},
        {"{\"unit\":\"jamo\",\"symbols\":[\"a\",\"가나\"]}", "symbol 1 is more than one"},
    };
    for (int i = 0; i < LEN(bad); i++) {
        json_t *j = json_loads(bad[i][0], 0, NULL);
        Tokenizer l;
        Error err;
        ck_assert_ptr_nonnull(j);
        ck_assert(!tokenizer_from_json(&l, j, &err));
        ck_assert_msg(strstr(err.text, bad[i][1]) != NULL, "%s", err.text);
        json_decref(j);
    }
}
END_TEST

/* --- programming errors ---------------------------------------------------------------------- */
START_TEST(repeated_symbol)
{
    static const char *const twice[] = {"a", "b", "a"};
    tokenizer_of(token_kind("word"), TOKENS_FRAMED, twice, 3);
}
END_TEST

START_TEST(id_outside)
{
    static const char *const one[] = {"a"};
    const Tokenizer l = tokenizer_of(token_kind("word"), TOKENS_FRAMED, one, 1);
    const int ids[] = {4, 5};
    tokenizer_decode(&l, ids, 2, NULL);
}
END_TEST

SUITE("tokenizer_framed",
      TESTS(words, characters_and_jamo, all_syllables, readable_again, any_text,
            most_frequent_first, many_words, ids_and_back, json_and_back, malformed_json),
      ABORTS(repeated_symbol, id_outside))
