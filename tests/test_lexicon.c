/* Texts cut into pieces and joined again; vocabularies of pieces, and back from JSON. */
#include "tokens/lexicon.h"

#include <utf8proc.h>

#include "base/rng.h"
#include "suite.h"
#include "system/utf8.h"

static Pieces cut(PieceUnit unit, const char *text)
{
    return pieces_cut(unit, text, strlen(text));
}

static char *spell(PieceUnit unit, const char *text) /* the pieces with a bar between any two */
{
    Pieces p = cut(unit, text);
    char *s = xcalloc(strlen(text) * 12 + 16, 1);
    const char *piece = p.bytes;
    for (int i = 0; i < p.n; i++, piece = piece_next(piece)) {
        ck_assert(*piece);
        if (i) strcat(s, "|");
        strcat(s, piece);
    }
    free(p.bytes);
    return s;
}

static void ck_cut(PieceUnit unit, const char *text, const char *want)
{
    char *s = spell(unit, text);
    ck_assert_str_eq(s, want);
    free(s);
}

static void ck_join(PieceUnit unit, const char *text, const char *want)
{
    Pieces p = cut(unit, text);
    char *s = pieces_join(unit, &p);
    ck_assert_str_eq(s, want);
    free(s), free(p.bytes);
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
    for (int i = 0; i < LEN(want); i++) ck_cut(PIECE_WORD, want[i][0], want[i][1]);
}
END_TEST

START_TEST(characters_and_jamo)
{
    ck_cut(PIECE_CHAR, "Sep 1", "S|e|p| |1");
    ck_cut(PIECE_CHAR, "각\u1100\u1161", "각|가"); /* NFC */
    ck_cut(PIECE_JAMO, "각은 A", "\u1100|\u1161|\u11a8|\u110b|\u1173|\u11ab| |A");
    ck_cut(PIECE_JAMO, "쉽", "\u1109|\u1171|\u11b8");
    ck_cut(PIECE_JAMO, "ㄱ", "ㄱ"); /* a letter of its own, not the beginning of a syllable */
    ck_cut(PIECE_CHAR, "a\xff\xc3", "a|\ufffd|\ufffd");
    Pieces p = pieces_cut(PIECE_CHAR, "a\0b", 3);
    ck_assert_int_eq(p.n, 3);
    ck_assert_str_eq(piece_next(p.bytes), "\ufffd");
    free(p.bytes);
}
END_TEST

/* Every syllable as Unicode's own decomposition has it, and composed again. */
START_TEST(all_syllables)
{
    for (int code = 0xAC00; code < 0xAC00 + 11172; code++) {
        char text[8] = {0};
        utf8_encode(code, text);
        utf8proc_uint8_t *apart = utf8proc_NFD((const utf8proc_uint8_t *)text);
        Pieces p = cut(PIECE_JAMO, text);
        char joined[16] = {0};
        const char *piece = p.bytes;
        for (int i = 0; i < p.n; i++, piece = piece_next(piece)) strcat(joined, piece);
        ck_assert_str_eq(joined, (const char *)apart);
        char *back = pieces_join(PIECE_JAMO, &p);
        ck_assert_str_eq(back, text);
        free(back), free(p.bytes), free(apart);
    }
}
END_TEST

/* --- joining ------------------------------------------------------------------------------------ */
START_TEST(readable_again)
{
    ck_join(PIECE_WORD, "l'homme dit : non!", "l'homme dit: non!");
    ck_join(PIECE_WORD, "Qu'est-ce que c'est ?", "qu'est-ce que c'est?");
    ck_join(PIECE_WORD, "A (b) , \"c\" .", "a (b), \" c \".");
    ck_join(PIECE_WORD, "2:30 a.m.", "2:30 a. m.");
    ck_join(PIECE_CHAR, "September 27, 1994", "September 27, 1994");
    ck_join(PIECE_JAMO, "서울, Seoul 값!", "서울, Seoul 값!");
    Pieces p = cut(PIECE_WORD, "L'homme, ici.");
    char *tokens = pieces_tokens(PIECE_WORD, &p);
    ck_assert_str_eq(tokens, "l' homme , ici .");
    free(tokens), free(p.bytes);
    p = cut(PIECE_JAMO, "가 a");
    tokens = pieces_tokens(PIECE_JAMO, &p);
    ck_assert_str_eq(tokens, "가 a");
    free(tokens), free(p.bytes);
}
END_TEST

/* Cut, joined and cut again: the same pieces, whatever the text; of characters and jamo, the text. */
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
        ck_join(PIECE_CHAR, text, (const char *)nfc);
        ck_join(PIECE_JAMO, text, (const char *)nfc);
        Pieces p = cut(PIECE_WORD, text);
        char *joined = pieces_join(PIECE_WORD, &p);
        Pieces again = cut(PIECE_WORD, joined);
        ck_assert_msg(p.n == again.n, "\"%s\" becomes \"%s\"", text, joined);
        const char *a = p.bytes, *b = again.bytes;
        for (int k = 0; k < p.n; k++, a = piece_next(a), b = piece_next(b)) ck_assert_str_eq(a, b);
        free(joined), free(p.bytes), free(again.bytes), free(nfc);
    }
}
END_TEST

/* --- vocabularies ------------------------------------------------------------------------------- */
static Lexicon learn(const char *const *text, int n, int least, int limit)
{
    Pieces p[8] = {0};
    for (int i = 0; i < n; i++) p[i] = cut(PIECE_WORD, text[i]);
    Lexicon l = lexicon_learn(PIECE_WORD, p, n, least, limit);
    for (int i = 0; i < n; i++) free(p[i].bytes);
    return l;
}

static void ck_symbols(const Lexicon *l, const char *want)
{
    char s[256] = "";
    for (int id = FIRST_PIECE; id < l->size; id++) {
        if (id > FIRST_PIECE) strcat(s, " ");
        strcat(s, l->symbol[id]);
        ck_assert_int_eq(lexicon_id(l, l->symbol[id]), id);
    }
    ck_assert_str_eq(s, want);
}

START_TEST(most_frequent_first)
{
    static const char *const text[] = {"b a é c b", "z a 나 b", "é c Z"};
    static const char *const turned[] = {"é c Z", "b a é c b", "z a 나 b"};
    Lexicon l = learn(text, 3, 1, 0), same = learn(turned, 3, 1, 0);
    ck_symbols(&l, "b a c z é 나"); /* 3, then 2 each in the order of code points, then 1 */
    ck_symbols(&same, "b a c z é 나");
    lexicon_free(&l), lexicon_free(&same);
    l = learn(text, 3, 2, 0);
    ck_symbols(&l, "b a c z é");
    ck_assert_int_eq(lexicon_id(&l, "나"), UNK);
    ck_assert_int_eq(lexicon_id(&l, ""), UNK);
    lexicon_free(&l);
    l = learn(text, 3, 1, 2);
    ck_symbols(&l, "b a");
    lexicon_free(&l);
    l = learn(text, 0, 1, 0);
    ck_assert_int_eq(l.size, FIRST_PIECE);
    lexicon_free(&l);
}
END_TEST

START_TEST(many_words) /* the table grows, and finds them all again */
{
    enum { N = 20000 };
    char **word = xmalloc(N * sizeof *word);
    for (int i = 0; i < N; i++) word[i] = xformat("w%d", i * 7);
    Lexicon l = lexicon_of(PIECE_WORD, (const char *const *)word, N), copy = lexicon_copy(&l);
    ck_assert_int_eq(copy.size, FIRST_PIECE + N);
    for (int i = 0; i < N; i++) {
        ck_assert_int_eq(lexicon_id(&l, word[i]), FIRST_PIECE + i);
        ck_assert_int_eq(lexicon_id(&copy, word[i]), FIRST_PIECE + i);
    }
    ck_assert_int_eq(lexicon_id(&l, "w1"), UNK);
    for (int i = 0; i < N; i++) free(word[i]);
    free(word);
    lexicon_free(&l), lexicon_free(&copy);
}
END_TEST

START_TEST(ids_and_back)
{
    static const char *const symbols[] = {"l'", "homme", "dit", ",", "non"};
    Lexicon l = lexicon_of(PIECE_WORD, symbols, LEN(symbols));
    Pieces p = cut(PIECE_WORD, "L'homme dit, euh, non");
    int ids[16];
    ck_assert_int_eq(lexicon_encode(&l, &p, ids), 1);
    const int want[] = {4, 5, 6, 7, UNK, 7, 8};
    ck_assert_int_eq(p.n, LEN(want));
    ck_assert_mem_eq(ids, want, sizeof want);
    char *s = lexicon_decode(&l, ids, p.n);
    ck_assert_str_eq(s, "l'homme dit, <unk>, non");
    free(s), free(p.bytes);

    const int framed[] = {BOS, PAD, 4, 5, PAD, EOS, 8, 8};
    s = lexicon_decode(&l, framed, LEN(framed));
    ck_assert_str_eq(s, "l'homme");
    free(s);
    s = lexicon_tokens(&l, framed, LEN(framed));
    ck_assert_str_eq(s, "l' homme");
    free(s);
    s = lexicon_decode(&l, framed, 0);
    ck_assert_str_eq(s, "");
    free(s);
    ck_assert_int_eq(lexicon_id(&l, "<unk>"), UNK);
    lexicon_free(&l);

    static const char *const jamo[] = {"\u1100", "\u1161", "\u11a8"};
    l = lexicon_of(PIECE_JAMO, jamo, LEN(jamo));
    const int syllables[] = {4, 5, 6, 4, 5, 5, UNK, 4, 4, 5, 6, 6, EOS};
    s = lexicon_decode(&l, syllables, LEN(syllables)); /* any ids a model may write */
    ck_assert_str_eq(s, "각가\u1161<unk>\u1100각\u11a8");
    free(s);
    lexicon_free(&l);
}
END_TEST

/* --- JSON ---------------------------------------------------------------------------------------- */
START_TEST(json_and_back)
{
    static const char *const symbols[][3] = {
        {"l'", "\"x\\", "<unk>"}, {" ", "é", "나"}, {"\u1100", "a", "\t"}};
    for (int unit = PIECE_WORD; unit <= PIECE_JAMO; unit++) {
        Lexicon l = lexicon_of((PieceUnit)unit, symbols[unit], 3), back;
        json_t *j = lexicon_to_json(&l);
        char *text = json_dumps(j, 0);
        json_t *read = json_loads(text, 0, NULL);
        Error err;
        ck_assert_msg(lexicon_from_json(&back, read, &err), "%s", err.text);
        ck_assert(back.unit == l.unit && back.size == l.size);
        for (int id = 0; id < l.size; id++) ck_assert_str_eq(back.symbol[id], l.symbol[id]);
        lexicon_free(&l), lexicon_free(&back);
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
        {"{\"unit\":\"byte\",\"symbols\":[]}", "unit is byte"},
        {"{\"unit\":7,\"symbols\":[]}", "unit is missing"},
        {"{\"unit\":\"word\"}", "no array"},
        {"{\"unit\":\"word\",\"symbols\":\"abc\"}", "no array"},
        {"{\"unit\":\"word\",\"symbols\":[\"a\",3]}", "symbol 1 is no string"},
        {"{\"unit\":\"word\",\"symbols\":[\"\"]}", "symbol 0 is empty"},
        {"{\"unit\":\"word\",\"symbols\":[\"a\",\"b\",\"a\"]}", "symbol 2 stands there twice"},
        {"{\"unit\":\"char\",\"symbols\":[\"ab\"]}", "more than one character"},
        {"{\"unit\":\"jamo\",\"symbols\":[\"a\",\"가나\"]}", "symbol 1 is more than one"},
    };
    for (int i = 0; i < LEN(bad); i++) {
        json_t *j = json_loads(bad[i][0], 0, NULL);
        Lexicon l;
        Error err;
        ck_assert_ptr_nonnull(j);
        ck_assert(!lexicon_from_json(&l, j, &err));
        ck_assert_msg(strstr(err.text, bad[i][1]) != NULL, "%s", err.text);
        json_decref(j);
    }
}
END_TEST

/* --- a programmer's mistakes ---------------------------------------------------------------------- */
START_TEST(repeated_symbol)
{
    static const char *const twice[] = {"a", "b", "a"};
    lexicon_of(PIECE_WORD, twice, 3);
}
END_TEST

START_TEST(id_outside)
{
    static const char *const one[] = {"a"};
    const Lexicon l = lexicon_of(PIECE_WORD, one, 1);
    const int ids[] = {4, 5};
    lexicon_decode(&l, ids, 2);
}
END_TEST

SUITE("lexicon",
      TESTS(words, characters_and_jamo, all_syllables, readable_again, any_text,
            most_frequent_first, many_words, ids_and_back, json_and_back, malformed_json),
      ABORTS(repeated_symbol, id_outside))
