/* Learning the merges of byte-level BPE. */
#include "bpe_help.h"
#include "base/rng.h"
#include "tokens/bpe_learn.h"

static Tokenizer learn(const char *text, const char *separator, int size)
{
    TokenLearner l = learner_new(&kind_bpe, TOKENS_STREAM);
    l.separator = separator;
    learner_add(&l, text, strlen(text));
    return learner_end(&l, 1, size);
}

static void assert_merges(const Tokenizer *t, const char *merges)
{
    char *all = xstrdup("");
    for (int i = 0; i < t->bpe->n_merges; i++) {
        const Merge *m = &t->bpe->merge[i];
        char *more = xformat("%s%s%s %s", all, i ? ", " : "", t->symbols.string[m->left],
                             t->symbols.string[m->right]);
        free(all);
        all = more;
    }
    ck_assert_str_eq(all, merges);
    free(all);
}

/* The example of Sennrich et al. 2016, by hand. Pieces: low 5, lower 2, widest 3, newest 6.
 *
 *     1  "e s" and "s t" occur 9 times each, and "s t" is the greater one: st
 *     2  "e st" 9: est
 *     3  "l o" 7 and "o w" 7: ow        (o > l)
 *     4  "l ow" 7: low
 *     5  "n e", "e w", "w est" 6: "w est" is the greatest: west
 *     6  "n e" 6 and "e west" 6: ne, since n > e */
START_TEST(merges_by_hand)
{
    static const char text[] = "low\nlow\nlow\nlow\nlow\nlower\nlower\nwidest\nwidest\nwidest\n"
                               "newest\nnewest\nnewest\nnewest\nnewest\nnewest";
    Tokenizer t = learn(text, NULL, 256 + 6);
    ck_assert_int_eq(t.size, 262);
    assert_merges(&t, "s t, e st, o w, l ow, w est, n e");
    assert_tokens(&t, "lowest", "low|est"); /* a word that the text does not have */
    tokenizer_free(&t);
}
END_TEST

/* Ties are compared as bytes: the space is byte 32 and lower than every letter, although its
 * spelling, U+0120, is higher. */
START_TEST(ties_are_compared_as_bytes)
{
    Tokenizer t = learn("x a a", NULL, 257);
    assert_merges(&t, "\u0120 a");
    tokenizer_free(&t);
    t = learn("ab ab", NULL, 257); /* " a" occurs once */
    assert_merges(&t, "a b");
    tokenizer_free(&t);
    t = learn("x ab ab", NULL, 257);
    assert_merges(&t, "a b");
    tokenizer_free(&t);
    t = learn("ba\nb\xC3\xA9\nba\nb\xC3\xA9", NULL, 257); /* (C3, A9) is the greatest of 4 pairs */
    assert_merges(&t, "\u00C3 \u00A9");
    tokenizer_free(&t);
}
END_TEST

/* By hand: aaaa and aaa, each twice. "a a" occurs 3 * 2 + 2 * 2 = 10 times. Then aa aa and aa a
 * occur twice each: aa aa is greater, since its right token continues where the other one ends. */
START_TEST(overlapping_pairs)
{
    Tokenizer t = learn("aaaa\naaa\naaaa\naaa", NULL, 300);
    assert_merges(&t, "a a, aa aa, aa a");
    tokenizer_free(&t);
}
END_TEST

START_TEST(a_pair_that_occurs_once_is_not_merged)
{
    Tokenizer t = learn("abcdefg", NULL, 300);
    ck_assert_int_eq(t.size, 256);
    tokenizer_free(&t);
    t = learn("", NULL, 300);
    ck_assert_int_eq(t.size, 256);
    tokenizer_free(&t);
    t = learn("abab", NULL, 10); /* the bytes are always there */
    ck_assert_int_eq(t.size, 256);
    tokenizer_free(&t);
}
END_TEST

START_TEST(separators_are_special_and_not_counted)
{
    Tokenizer t = learn("ab" END_OF_TEXT "ab" END_OF_TEXT END_OF_TEXT "c", END_OF_TEXT, 300);
    assert_merges(&t, "a b");
    ck_assert_int_eq(t.size, 258);
    ck_assert_int_eq(tokenizer_id(&t, END_OF_TEXT), 257);
    assert_tokens(&t, "ab" END_OF_TEXT "c", "ab|" END_OF_TEXT "|c");
    tokenizer_free(&t);
    t = learn("ababab", END_OF_TEXT, 257); /* the size counts it */
    ck_assert_int_eq(t.bpe->n_merges, 0);
    ck_assert_int_eq(t.size, 257);
    tokenizer_free(&t);
}
END_TEST

/* --- the definition --------------------------------------------------------------------------------- */

typedef struct {
    int n, id[40];
    int64_t count;
} Word;

static int compare(const char *a, const char *b) /* the letters of these tests spell themselves */
{
    return strcmp(a, b);
}

/* Learns as the definition says: counts all pairs anew for each merge. */
static void learn_slowly(Tokenizer *t, Word *word, int n_words, int size)
{
    while (t->size < size) {
        int64_t most = 1;
        int best[2] = {-1, -1};
        for (int w = 0; w < n_words; w++) {
            for (int i = 0; i + 1 < word[w].n; i++) {
                const int a = word[w].id[i], b = word[w].id[i + 1];
                int64_t count = 0;
                for (int v = 0; v < n_words; v++)
                    for (int k = 0; k + 1 < word[v].n; k++)
                        if (word[v].id[k] == a && word[v].id[k + 1] == b) count += word[v].count;
                if (count < most || count < 2) continue;
                if (count == most && best[0] >= 0) {
                    const int left = compare(t->symbols.string[a], t->symbols.string[best[0]]);
                    const int right = compare(t->symbols.string[b], t->symbols.string[best[1]]);
                    if (left < 0 || (left == 0 && right <= 0)) continue;
                }
                most = count, best[0] = a, best[1] = b;
            }
        }
        if (best[0] < 0) return;
        const int rank = pair_find(&t->bpe->rank, best[0], best[1]);
        if (rank < 0) bpe_add_merge(t, best[0], best[1]);
        const int id = t->bpe->merge[rank < 0 ? t->bpe->n_merges - 1 : rank].id;
        for (int w = 0; w < n_words; w++) {
            int kept = 0;
            for (int i = 0; i < word[w].n; i++) {
                const bool merged =
                    i + 1 < word[w].n && word[w].id[i] == best[0] && word[w].id[i + 1] == best[1];
                word[w].id[kept++] = merged ? id : word[w].id[i];
                i += merged;
            }
            word[w].n = kept;
        }
    }
}

START_TEST(learning_follows_the_definition)
{
    enum { WORDS = 12, LONGEST = 20 };
    Rng rng = rng_make(3, RNG_TEST, 0);
    for (int round = 0; round < 150; round++) {
        Word word[WORDS];
        Symbols pieces = symbols_new(NULL, 0);
        int64_t count[WORDS];
        Tokenizer want = bpe_new();
        const int letters = 2 + rng_below(&rng, 3);
        while (pieces.size < WORDS) {
            char piece[LONGEST + 1] = {0};
            const int len = 1 + rng_below(&rng, LONGEST), i = pieces.size;
            for (int k = 0; k < len; k++) piece[k] = (char)('a' + rng_below(&rng, letters));
            if (symbols_add(&pieces, piece) != i) continue;
            word[i] = (Word){.n = len, .count = count[i] = 1 + rng_below(&rng, 4)};
            for (int k = 0; k < len; k++)
                word[i].id[k] = want.bpe->byte_id[(unsigned char)piece[k]];
        }
        learn_slowly(&want, word, WORDS, 300);
        Tokenizer t = bpe_learn(pieces.string, count, WORDS, 300);
        ck_assert_int_eq(t.bpe->n_merges, want.bpe->n_merges);
        ck_assert(memcmp(t.bpe->merge, want.bpe->merge,
                         (size_t)t.bpe->n_merges * sizeof *t.bpe->merge) == 0);
        tokenizer_free(&t), tokenizer_free(&want);
        symbols_free(&pieces);
    }
}
END_TEST

SUITE("bpe_learn",
      TESTS(merges_by_hand, ties_are_compared_as_bytes, overlapping_pairs,
            a_pair_that_occurs_once_is_not_merged, separators_are_special_and_not_counted,
            learning_follows_the_definition),
      NO_ABORTS)
