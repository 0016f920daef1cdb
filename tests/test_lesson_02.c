/* Lesson 02: the example by hand, and what the page says of vocabularies and spaces. */
#include "bpe_help.h"
#include "data/data.h"

/* The functions under test are private to the program. */
int lesson_main(int argc, char **argv);
#define main lesson_main
#include "../lessons/02-bpe.c"
#undef main

static Tokenizer learn(const char *text, int size)
{
    return tokenizer_learn(&kind_bpe, TOKENS_STREAM, text, strlen(text), 1, size);
}

/* By hand on the page: low 5, lower 2, newest 6, widest 3. */
START_TEST(by_hand)
{
    static const char text[] = "low\nlow\nlow\nlow\nlow\nlower\nlower\nnewest\nnewest\nnewest\n"
                               "newest\nnewest\nnewest\nwidest\nwidest\nwidest";
    static const char *const merges[] = {"s t", "e st", "o w", "l ow", "w est", "n e"};
    Tokenizer t = learn(text, SMALLEST + LEN(merges)), want = bpe_of(merges, LEN(merges));
    ck_assert_int_eq(t.bpe->n_merges, LEN(merges));
    for (int i = 0; i < LEN(merges); i++)
        ck_assert_str_eq(t.symbols.string[t.bpe->merge[i].id],
                         want.symbols.string[want.bpe->merge[i].id]);
    assert_tokens(&t, "lowest", "low|est");
    assert_tokens(&t, "newest", "ne|west");
    tokenizer_free(&t), tokenizer_free(&want);
}
END_TEST

static const char prose[] =
    "The model reads the text. The model counts the pairs of the text, and the "
    "pairs that the text has often become tokens of the model.\n";

START_TEST(a_smaller_vocabulary_is_the_beginning)
{
    Tokenizer small = learn(prose, 270), large = learn(prose, 290);
    Tokenizer first = first_merges(&large, small.bpe->n_merges);
    ck_assert_int_eq(small.size, 270);
    ck_assert_int_eq(first.size, small.size);
    for (int id = 0; id < small.size; id++)
        ck_assert_str_eq(first.symbols.string[id], small.symbols.string[id]);
    tokenizer_free(&small), tokenizer_free(&large), tokenizer_free(&first);
}
END_TEST

/* "the" occurs 6 times and "The" twice: "h e" is merged in both. */
START_TEST(counts_of_merges)
{
    Tokenizer t = bpe_of((const char *const[]){"h e", "t he", "\u0120 the"}, 3);
    ck_assert_int_eq(count_of(&t, 0, "the The the", 11), 3);
    ck_assert_int_eq(count_of(&t, 1, "the The the", 11), 2);
    ck_assert_int_eq(count_of(&t, 2, "the The the", 11), 1);
    ck_assert_int_eq(count_of(&t, 0, prose, sizeof prose - 1), 8);
    tokenizer_free(&t);
}
END_TEST

/* A second space costs one token at each of 3 places: the first space is left alone. */
START_TEST(two_spaces_are_one_token_more)
{
    Tokenizer t = bpe_of((const char *const[]){"\u0120 a", "\u0120 \u0120"}, 2);
    char *doubled = double_spaces("a a a a");
    ck_assert_str_eq(doubled, "a  a  a  a");
    assert_tokens(&t, "a a a a", "a|\u0120a|\u0120a|\u0120a");
    assert_tokens(&t, doubled, "a|\u0120|\u0120a|\u0120|\u0120a|\u0120|\u0120a");
    free(doubled);
    tokenizer_free(&t);
}
END_TEST

/* The text is 40 times the prose; its held-out end has a tenth of the bytes. */
START_TEST(bits_per_byte)
{
    enum { TIMES = 40 };
    TempDir d = temp_dir();
    Error err;
    char path[160], *text = xcalloc(TIMES * sizeof prose, 1);
    for (int i = 0; i < TIMES; i++) memcpy(text + strlen(text), prose, sizeof prose);
    temp_name(&d, "text", path);
    ck_assert_msg(file_write(path, text, strlen(text), &err), "%s", err.text);
    Level bytes, tokens;
    ck_assert_msg(measure(path, SMALLEST, &bytes, &err), "%s", err.text);
    ck_assert_msg(measure(path, 300, &tokens, &err), "%s", err.text);
    ck_assert_double_eq(bytes.bytes_per_token, 1);
    ck_assert_double_eq(bytes.bits_per_byte, bytes.bits_per_token);
    ck_assert_double_gt(tokens.bytes_per_token, 2);
    const size_t len = strlen(text), held = len - (size_t)((double)len * (1 - 0.1));
    Tokenizer t = learn(text, 300); /* the same merges: the training part repeats the same prose */
    const Encoding e = tokenizer_encode_at(&t, text + len - held, held);
    const int unscored = e.at[1]; /* the bytes of the first token, which nothing predicts */
    ck_assert_double_eq_tol(tokens.bits_per_byte,
                            tokens.bits_per_token * (e.n - 1) / (double)((int)held - unscored),
                            1e-9);
    free(e.ids), free(e.at), free(text);
    tokenizer_free(&t);
    remove_tree(d.path);
}
END_TEST

START_TEST(the_tree_has_every_token)
{
    Tokenizer t = bpe_of((const char *const[]){"a b", "ab c", "\u0120 d"}, 3);
    char *script = merge_tree(&t, "abc d");
    static const char *const parts[] = {"'a'",       "'b'",       "'c'",      "'ab'",
                                        "'abc'",     "'d'",       "'\u2423'", "'\u2423d'",
                                        "label '0'", "label '1'", "label '2'"};
    for (int i = 0; i < LEN(parts); i++)
        ck_assert_msg(strstr(script, parts[i]), "%s has no %s", script, parts[i]);
    free(script);
    tokenizer_free(&t);
}
END_TEST

SUITE("lesson_02",
      TESTS(by_hand, a_smaller_vocabulary_is_the_beginning, counts_of_merges,
            two_spaces_are_one_token_more, bits_per_byte, the_tree_has_every_token),
      NO_ABORTS)
