/* Byte-level BPE: the spelling of bytes, merging, the round trip. */
#include "base/rng.h"
#include "bpe_help.h"
#include "tokens/detokenizer.h"
#include "system/utf8.h"

/* --- the spelling of bytes ------------------------------------------------------------------------ */

START_TEST(bytes_have_distinct_characters)
{
    bool seen[512] = {false};
    int last = 0;
    for (int byte = 0; byte < BYTE_VALUES; byte++) {
        const int code = byte_to_code((unsigned char)byte);
        ck_assert(code > ' ' && code < LEN(seen) && !seen[code]);
        seen[code] = true;
        ck_assert_int_eq(byte_of_code(code), byte);
    }
    for (int i = 0; i < BYTE_VALUES; i++) {
        const int code = byte_to_code(byte_in_order(i));
        ck_assert_int_gt(code, last);
        last = code;
    }
    ck_assert_int_eq(byte_in_order(0), '!');
    ck_assert_int_eq(byte_to_code(' '), 0x120);
    ck_assert_int_eq(byte_to_code('\n'), 0x10A);
    ck_assert_int_eq(byte_to_code('~'), '~');
    ck_assert_int_eq(byte_to_code(0x7F), 0x121);
    ck_assert_int_eq(byte_to_code(0xA0), 0x142);
    ck_assert_int_eq(byte_to_code(0xAD), 0x143);
    ck_assert_int_eq(byte_to_code(0xFF), 0xFF);
    ck_assert_int_eq(byte_of_code(' '), -1);
    ck_assert_int_eq(byte_of_code(0xAD), -1);
    ck_assert_int_eq(byte_of_code(0x144), -1);
    ck_assert_int_eq(byte_of_code(-1), -1);
}
END_TEST

START_TEST(characters_of_no_byte_are_copied)
{
    const char spelling[] = "\u0120a\uD55C";
    char bytes[sizeof spelling];
    bool strange = false;
    ck_assert_int_eq(bytes_read(spelling, 3, bytes, &strange), 2);
    ck_assert(!strange && memcmp(bytes, " a", 2) == 0);
    ck_assert_int_eq(bytes_read(spelling, sizeof spelling - 1, bytes, &strange), 5);
    ck_assert(strange && memcmp(bytes, " a\uD55C", 5) == 0);
}
END_TEST

/* --- merging -------------------------------------------------------------------------------------- */

/* By hand: "lower" with the merges in this order.
 *     l o w e r -> lo w e r -> low e r -> low er, since "e r" has a rank but "low e" has none
 * In " low" the space stays apart. */
START_TEST(merges_by_hand)
{
    static const char *const merges[] = {"l o", "lo w", "e r", "n e", "ne w"};
    Tokenizer t = bpe_of(merges, LEN(merges));
    assert_tokens(&t, "lower", "low|er");
    assert_tokens(&t, " low", "\u0120|low");
    assert_tokens(&t, "newer", "new|er"); /* n e w e r -> n e w er -> ne w er -> new er */
    assert_tokens(&t, "nero", "n|er|o");  /* "e r" comes before "n e" */
    assert_tokens(&t, "lolow", "lo|low");
    ck_assert_int_eq(t.size, 256 + 5);
    ck_assert_int_eq(tokenizer_id(&t, "low"), 257);
    ck_assert_int_eq(tokenizer_id(&t, "wol"), -1);
    tokenizer_free(&t);
}
END_TEST

START_TEST(of_equal_pairs_the_leftmost_is_first)
{
    static const char *const merges[] = {"a a", "aa aa"};
    Tokenizer t = bpe_of(merges, LEN(merges));
    assert_tokens(&t, "aaa", "aa|a");
    assert_tokens(&t, "aaaaaaa", "aaaa|aa|a");
    tokenizer_free(&t);
}
END_TEST

/* Merges a piece as the definition says: searches all pairs for the lowest rank, again and again. */
static int merge_slowly(const Tokenizer *t, const char *piece, int n, int *id)
{
    for (int i = 0; i < n; i++) id[i] = t->bpe->byte_id[(unsigned char)piece[i]];
    while (true) {
        int best = -1, at = -1;
        for (int i = 0; i + 1 < n; i++) {
            const int rank = pair_find(&t->bpe->rank, id[i], id[i + 1]);
            if (rank >= 0 && (best < 0 || rank < best)) best = rank, at = i;
        }
        if (best < 0) return n;
        id[at] = t->bpe->merge[best].id;
        n--;
        for (int i = at + 1; i < n; i++) id[i] = id[i + 1];
    }
}

/* Makes n random merges of the letters a to d. */
static Tokenizer random_bpe(Rng *rng, int n)
{
    Tokenizer t = bpe_new();
    while (t.bpe->n_merges < n) {
        int id[2];
        for (int k = 0; k < 2; k++) {
            id[k] = t.bpe->byte_id['a' + rng_below(rng, 4)];
            if (t.size > BYTE_VALUES && rng_below(rng, 2))
                id[k] = BYTE_VALUES + rng_below(rng, t.size - BYTE_VALUES);
        }
        if (pair_find(&t.bpe->rank, id[0], id[1]) < 0) bpe_add_merge(&t, id[0], id[1]);
    }
    return t;
}

START_TEST(long_and_short_pieces_follow_the_definition)
{
    Rng rng = rng_make(1, RNG_TEST, 0);
    for (int round = 0; round < 40; round++) {
        Tokenizer t = random_bpe(&rng, 1 + rng_below(&rng, 60));
        for (int k = 0; k < 40; k++) {
            char piece[200];
            int ids[LEN(piece)], want[LEN(piece)], unknown = 0;
            const int len = 1 + rng_below(&rng, LEN(piece));
            for (int i = 0; i < len; i++) piece[i] = (char)('a' + rng_below(&rng, 4));
            const int n = merge_slowly(&t, piece, len, want);
            ck_assert_int_eq(bpe_encode_piece(&t, piece, (size_t)len, ids, &unknown), n);
            ck_assert(memcmp(ids, want, (size_t)n * sizeof *ids) == 0 && unknown == 0);
        }
        tokenizer_free(&t);
    }
}
END_TEST

/* An encoder that searches all pairs for each merge would take 10^10 steps. */
START_TEST(a_long_piece_takes_little_time)
{
    enum { LENGTH = 100000 };
    static const char *const merges[] = {"a a", "aa aa", "aaaa aaaa"};
    Tokenizer t = bpe_of(merges, LEN(merges));
    char *text = xmalloc(LENGTH);
    memset(text, 'a', LENGTH);
    const double begin = clock_seconds();
    const Encoding e = tokenizer_encode(&t, text, LENGTH);
    ck_assert_double_lt(clock_seconds() - begin, 5);
    ck_assert_int_eq(e.n, LENGTH / 8);
    free(text), free(e.ids);
    tokenizer_free(&t);
}
END_TEST

/* --- texts ---------------------------------------------------------------------------------------- */

START_TEST(random_bytes_come_back)
{
    static const char *const merges[] = {"a b", "ab ab", "\u0120 a", "\u0120a b", "\u010A \u010A"};
    Tokenizer t = bpe_of(merges, LEN(merges));
    assert_random_bytes(&t);
    tokenizer_free(&t);
}
END_TEST

/* A token can end inside a character: printing waits for the rest of it. */
START_TEST(printing_waits_for_whole_characters)
{
    static const char text[] = "a\uD55C\U0001F30D.";
    static const char *const printed[] = {
        "a", "a", "a", "a\uD55C", "a\uD55C", "a\uD55C", "a\uD55C", "a\uD55C\U0001F30D", text};
    Tokenizer t = bpe_of(NULL, 0);
    const Encoding e = tokenizer_encode(&t, text, strlen(text));
    Detokenizer d = detokenizer_new(&t);
    Utf8Printer printer = {0};
    char *out = NULL;
    size_t size;
    FILE *f = open_memstream(&out, &size);
    ck_assert_int_eq(e.n, LEN(printed));
    for (int i = 0; i < e.n; i++) {
        detokenizer_put(&d, e.ids[i]);
        utf8_print(&printer, d.text, d.len, f);
        d.len = 0;
        fflush(f);
        ck_assert_str_eq(out, printed[i]);
    }
    fclose(f);
    free(out), free(e.ids);
    detokenizer_free(&d), tokenizer_free(&t);
}
END_TEST

/* A text of several parts (64 KiB) is encoded as if in one: white space at their ends as well. */
START_TEST(parts_do_not_show)
{
    enum { TIMES = 20000 };
    static const char unit[] = "ab  ab\n\n\nb a\n ab'sx\nab\n";
    static const char *const merges[] = {"a b", "\u010A \u010A", "\u0120 a"};
    Tokenizer t = bpe_of(merges, LEN(merges));
    const size_t len = sizeof unit - 1;
    char *text = xmalloc(TIMES * len);
    for (size_t i = 0; i < TIMES; i++) memcpy(text + i * len, unit, len);
    const Encoding all = tokenizer_encode(&t, text, TIMES * len);
    const Encoding one = tokenizer_encode(&t, unit, len);
    ck_assert_int_eq(all.n, TIMES * one.n); /* the unit ends where a piece ends */
    for (int i = 0; i < all.n; i++) ck_assert_int_eq(all.ids[i], one.ids[i % one.n]);
    free(all.ids), free(one.ids), free(text);
    tokenizer_free(&t);
}
END_TEST

/* More pieces than the cache holds, each of them twice. */
START_TEST(the_cache_starts_again_when_it_is_full)
{
    enum { PIECES = 200000 };
    static const char *const merges[] = {"a b", "b a", "c d", "ab c"};
    Tokenizer t = bpe_of(merges, LEN(merges)), fresh = tokenizer_copy(&t);
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < PIECES; i++) {
            char piece[10];
            int want[10], unknown = 0;
            for (int k = 0; k < 9; k++) piece[k] = (char)('a' + (i >> 2 * k & 3));
            const Encoding e = tokenizer_encode(&t, piece, 9);
            ck_assert_int_eq(bpe_encode_piece(&fresh, piece, 9, want, &unknown), e.n);
            ck_assert(memcmp(want, e.ids, (size_t)e.n * sizeof *want) == 0);
            free(e.ids);
        }
    }
    tokenizer_free(&t), tokenizer_free(&fresh);
}
END_TEST

START_TEST(bytes_without_a_token_are_counted)
{
    Tokenizer t = bpe_of((const char *const[]){"a b"}, 1);
    t.bpe->byte_id['q'] = -1;
    const Encoding e = tokenizer_encode(&t, "ab qab q", 8);
    ck_assert_int_eq(e.unknown, 2);
    ck_assert_int_eq(e.first_unknown, 2); /* where the piece " qab" begins */
    ck_assert_int_eq(e.n, 4);
    free(e.ids);
    tokenizer_free(&t);
}
END_TEST

START_TEST(special_tokens_count_only_where_asked)
{
    Tokenizer t = bpe_of((const char *const[]){"a b"}, 1);
    bpe_add_special(&t, symbols_add(&t.symbols, END_OF_TEXT));
    bpe_add_special(&t, symbols_add(&t.symbols, "<|end"));
    t.size = t.symbols.size;
    assert_tokens(&t, "ab<|end", "ab|<|||e|n|d");
    t.bpe->special_in_text = true;
    assert_tokens(&t, "ab" END_OF_TEXT "ab<|end" END_OF_TEXT,
                  "ab|" END_OF_TEXT "|ab|<|end|" END_OF_TEXT);
    assert_tokens(&t, "ab  " END_OF_TEXT "b", "ab|\u0120|\u0120|" END_OF_TEXT "|b");
    assert_round_trip(&t, "ab" END_OF_TEXT "\n", strlen("ab" END_OF_TEXT "\n"));
    ck_assert_int_eq(tokenizer_id(&t, END_OF_TEXT), 257);
    tokenizer_free(&t);
}
END_TEST

/* The name of a special token is written as it is, even if its characters stand for other bytes. */
START_TEST(special_tokens_are_not_spelled)
{
    static const char name[] = "<\u00E9\u0120 \uFF5C>";
    Tokenizer t = bpe_of((const char *const[]){"a b"}, 1);
    bpe_add_special(&t, symbols_add(&t.symbols, name));
    t.size = t.symbols.size;
    size_t len;
    char *text = tokenizer_decode(&t, (const int[]){256, 257}, 2, &len);
    ck_assert_str_eq(text, "ab<\u00E9\u0120 \uFF5C>");
    ck_assert_int_eq(len, strlen(text));
    free(text);
    tokenizer_free(&t);
}
END_TEST

/* In a list every newline is a token, whatever stands beside it. */
START_TEST(lines_are_apart)
{
    static const char *const merges[] = {"\u010A \u0120", "\u0120 \u0120", "\u0120 a"};
    Tokenizer t = bpe_of(merges, LEN(merges));
    assert_tokens(&t, "\n  a  \na", "\u010A\u0120|\u0120a|\u0120\u0120|\u010A|a");
    t.by_line = true;
    assert_tokens(&t, "\n  a  \na", "\u010A|\u0120|\u0120a|\u0120\u0120|\u010A|a");
    tokenizer_free(&t);
}
END_TEST

SUITE("bpe",
      TESTS(bytes_have_distinct_characters, characters_of_no_byte_are_copied, merges_by_hand,
            of_equal_pairs_the_leftmost_is_first, long_and_short_pieces_follow_the_definition,
            a_long_piece_takes_little_time, random_bytes_come_back,
            printing_waits_for_whole_characters, parts_do_not_show,
            the_cache_starts_again_when_it_is_full, bytes_without_a_token_are_counted,
            special_tokens_count_only_where_asked, special_tokens_are_not_spelled, lines_are_apart),
      NO_ABORTS)
