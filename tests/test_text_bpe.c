/* Texts and lists of lines as byte-level BPE. */
#include "text_help.h"
#include "tokens/bpe.h"

enum { SIZE = 300 };

static Opened *open_bpe(const char *s, const char *valid, bool by_line, int length)
{
    Opened *o = xmalloc(sizeof *o);
    char *path = put_file("train", s, strlen(s)), *other = put_file("valid", valid, strlen(valid));
    const bool ok =
        text_open(&o->text, &o->task, path, other, "bpe", SIZE, by_line, 0.1, length, NULL, &why);
    remove_file(other), remove_file(path);
    ck_assert_msg(ok, "%s", why.text);
    return o;
}

static void assert_text(const Text *t, Split split, const char *want)
{
    char *text = spell(t, t->ids[split], t->n[split]);
    ck_assert_str_eq(text, want);
    free(text);
}

START_TEST(running_text)
{
    static const char text[] = "ab ab ab ab ab\n\nab", valid[] = "ab  ab\n\n\nab \xFF";
    Opened *o = open_bpe(text, valid, false, 2);
    assert_text(&o->text, SPLIT_TRAIN, text);
    assert_text(&o->text, SPLIT_VALID, valid);
    ck_assert_int_eq(o->text.unknown[SPLIT_VALID], 0);
    ck_assert_int_eq(o->text.tokens.size, o->task.vocab);
    ck_assert_int_lt(o->text.n[SPLIT_TRAIN], 12); /* " ab" is one token */
    /* The first token, "ab", is not scored. */
    ck_assert_double_eq(o->text.bytes_per_token,
                        (double)(sizeof valid - 1 - 2) / (o->text.n[SPLIT_VALID] - 1));
    ck_assert_str_eq(o->task.metric, "bits per token");
    close_it(o);
}
END_TEST

/* White space at the ends of lines is never one token with the newline. */
START_TEST(lines_with_white_space)
{
    static const char list[] = "  a  \n\ta \n  a  \n\ta \n\u3000\n  \n", valid[] = " b \n  a  \n";
    Opened *o = open_bpe(list, valid, true, 0);
    const Text *t = &o->text;
    ck_assert_int_eq(t->lines[SPLIT_TRAIN], 6);
    ck_assert_int_eq(t->lines[SPLIT_VALID], 2);
    const int newline = id_of(t, '\n');
    for (int s = SPLIT_TRAIN; s <= SPLIT_VALID; s++)
        for (int i = 0; i <= t->lines[s]; i++) ck_assert_int_eq(t->ids[s][t->start[s][i]], newline);
    assert_text(t, SPLIT_VALID, "\n b \n  a  \n");
    char *line = spell(t, t->ids[SPLIT_TRAIN] + t->start[SPLIT_TRAIN][1] + 1,
                       t->start[SPLIT_TRAIN][2] - t->start[SPLIT_TRAIN][1] - 1);
    ck_assert_str_eq(line, "\ta ");
    free(line);
    close_it(o);
}
END_TEST

START_TEST(documents)
{
    static const char text[] = "ab ab ab" END_OF_TEXT "ab ab" END_OF_TEXT;
    Opened *o = open_bpe(text, "ab" END_OF_TEXT "ab", false, 1);
    const int end = tokenizer_id(&o->text.tokens, END_OF_TEXT);
    ck_assert_int_eq(end, o->text.tokens.size - 1);
    ck_assert_int_eq(o->text.ids[SPLIT_TRAIN][o->text.n[SPLIT_TRAIN] - 1], end);
    ck_assert_int_eq(o->text.n[SPLIT_VALID], 3);
    ck_assert_int_eq(o->text.ids[SPLIT_VALID][1], end);
    close_it(o);
}
END_TEST

/* Only the training text decides: in a held-out text alone the name is spelled. */
START_TEST(the_training_text_decides)
{
    Opened *o = open_bpe("ab ab ab", "ab" END_OF_TEXT "ab", false, 1);
    ck_assert_int_lt(tokenizer_id(&o->text.tokens, END_OF_TEXT), 0);
    assert_text(&o->text, SPLIT_VALID, "ab" END_OF_TEXT "ab");
    close_it(o);
}
END_TEST

/* A given tokenizer is copied; whether it is undecided is settled by the copy's text. */
START_TEST(a_given_tokenizer)
{
    static const struct {
        const char *text;
        bool undecided, special_in_text, want;
    } c[] = {{"ab" END_OF_TEXT "ab", true, false, true},
             {"ab ab ab", true, false, false},
             {"ab" END_OF_TEXT "ab", false, false, false}, /* the tokenizer of a run */
             {"ab ab ab", false, true, true}};
    for (int i = 0; i < LEN(c); i++) {
        Tokenizer given = bpe_new();
        bpe_add_special(&given, symbols_add(&given.symbols, END_OF_TEXT));
        given.size = given.symbols.size;
        given.bpe->undecided = c[i].undecided;
        given.bpe->special_in_text = c[i].special_in_text;
        Opened *o = xmalloc(sizeof *o);
        char *path = put_file("train", c[i].text, strlen(c[i].text));
        ck_assert_msg(
            text_open(&o->text, &o->task, path, path, "bpe", 0, false, .1, 1, &given, &why), "%s",
            why.text);
        remove_file(path);
        tokenizer_free(&given);
        ck_assert(o->text.tokens.bpe->special_in_text == c[i].want);
        ck_assert_int_eq(o->text.tokens.size, 257);
        close_it(o);
    }
}
END_TEST

SUITE("text_bpe",
      TESTS(running_text, lines_with_white_space, documents, the_training_text_decides,
            a_given_tokenizer),
      NO_ABORTS)
