/* Running text as a task: crops, windows, and errors. */
#include "text_counting.h"

/* --- running text ----------------------------------------------------------------------------- */
START_TEST(split_at_the_end)
{
    Opened *o = open_text("abcdefghij0123456789", NULL, 1);
    ck_split(&o->text, SPLIT_TRAIN, "abcdefghij01234567");
    ck_split(&o->text, SPLIT_VALID, "\xEF\xBF\xBD\xEF\xBF\xBD"); /* 8, 9: never in training */
    ck_assert_int_eq(o->text.tokens.size, 19);
    ck_assert_int_eq(o->text.unknown[SPLIT_VALID], 2);
    ck_assert_int_eq(o->text.first_unknown[SPLIT_VALID], 18);
    ck_assert_ptr_eq(o->text.ids[SPLIT_TEST], o->text.ids[SPLIT_VALID]);
    ck_assert_int_eq(o->text.n[SPLIT_TEST], 2);
    ck_assert_str_eq(o->task.name, "text");
    ck_assert_int_eq(o->task.vocab, 19);
    ck_assert_int_eq(o->task.outputs, 19);
    ck_assert_double_eq_tol(o->task.loss_chance, log(19), 1e-12);
    close_it(o);
}
END_TEST

/* 19 syllables of three bytes: 0.9 of 57 bytes is 51.3, the end of a syllable. With two letters and
 * one more syllable, 0.9 of 62 is 55.8, inside the 18th syllable, and the cut moves behind it. */
START_TEST(split_between_characters)
{
    static const char *const units[] = {"char", "byte", "jamo"};
    for (int i = 0; i < LEN(units); i++) {
        const char *unit = units[i];
        Opened *o = open_bytes("가나다라마바사아자차카타파하거너더가나", 57, NULL, unit, false, 1);
        ck_split(&o->text, SPLIT_VALID, "가나");
        close_it(o);
        o = open_bytes("ab가나다라마바사아자차카타파하거너더가나가", 62, NULL, unit, false, 1);
        ck_split(&o->text, SPLIT_VALID, "나가");
        close_it(o);
    }
}
END_TEST

START_TEST(validation_file)
{
    Opened *o = open_text("hell\xFEo world", "low\xFF hxold", 3);
    ck_split(&o->text, SPLIT_TRAIN, "hell\xEF\xBF\xBDo world");
    ck_assert_int_eq(o->text.unknown[SPLIT_TRAIN], 1);
    ck_assert_int_eq(o->text.first_unknown[SPLIT_TRAIN], 4);
    ck_assert_int_eq(o->text.unknown[SPLIT_VALID], 2);
    ck_assert_int_eq(o->text.first_unknown[SPLIT_VALID], 3);
    ck_assert_int_eq(o->text.n[SPLIT_VALID], 10);
    close_it(o);
}
END_TEST

/* A crop has consecutive tokens, y is x shifted by one, and every start, with the first and the
 * last, is equally frequent. */
START_TEST(crops_are_uniform)
{
    enum { N = 100, T = 7, B = 50, ROUNDS = 400 };
    Opened *o = open_counting(N, T);
    Rng rng = rng_make(1, RNG_BATCH, 0);
    Batch batch = batch_new();
    int count[N] = {0};
    for (int i = 0; i < ROUNDS; i++) {
        task_batch(&o->task, SPLIT_TRAIN, 0, &rng, B, &batch);
        ck_assert_int_eq(batch.T, T);
        for (int b = 0; b < B; b++) {
            const int first = batch.x[b];
            for (int t = 0; t < T; t++) {
                ck_assert_int_eq(batch.x[t * B + b], first + t);
                ck_assert_int_eq(batch.y[t * B + b], first + t + 1);
            }
            count[first]++;
        }
    }
    const int starts =
        o->text.n[SPLIT_TRAIN] - T; /* 90 - 7: the last crop's last target is token 89 */
    ck_assert_int_eq(starts, 83);
    const double mean = (double)ROUNDS * B / starts;
    for (int i = 0; i < N; i++) {
        if (i >= starts) ck_assert_int_eq(count[i], 0);
        if (i < starts) ck_assert_double_lt(fabs(count[i] - mean), 5 * sqrt(mean));
    }
    batch_free(&batch);
    close_it(o);
}
END_TEST

START_TEST(windows_follow_one_another)
{
    enum { B = 10 };
    Opened *o = open_counting(240, 4); /* 24 held out, from 216 on: five windows of 4 */
    Batch batch = batch_new();
    task_heldout(&o->task, SPLIT_VALID, 0, 0, B, &batch);
    for (int b = 0; b < B; b++)
        for (int t = 0; t < 4; t++) {
            ck_assert_int_eq(batch.x[t * B + b], 216 + b % 5 * 4 + t);
            ck_assert_int_eq(batch.y[t * B + b], 216 + b % 5 * 4 + t + 1);
        }
    task_heldout(&o->task, SPLIT_VALID, 23, 3, 1, &batch); /* the longest possible window */
    ck_assert_int_eq(batch.T, 23);
    ck_assert_int_eq(batch.x[0], 216);
    ck_assert_int_eq(batch.y[22], 239);
    batch_free(&batch);
    close_it(o);
}
END_TEST

/* --- files ------------------------------------------------------------------------------------ */
/* The first token is context only: it has no bytes among the scored ones. */
START_TEST(scored_bytes)
{
    Opened *o = open_text("가나다", "가나a나", 1);
    ck_assert(o->text.scored == 3 && o->text.scored_bytes == 7 && o->text.scored_chars == 3);
    ck_assert_str_eq(o->task.metric, "bits per character");
    close_it(o);
    o = open_bytes("가나다", 9, "가나a나", "byte", false, 1);
    ck_assert(o->text.scored == 9 && o->text.scored_bytes == 9 && o->text.scored_chars == 3);
    ck_assert_str_eq(o->task.metric, "bits per byte");
    ck_assert_double_eq_tol(o->task.metric_chance, 8, 1e-12);
    close_it(o);
}
END_TEST

/* Words that occur twice in training have an id, and so has the newline; the metric names the
 * unit. */
START_TEST(words)
{
    Opened *o = open_bytes("The cat.\nthe dog.\n", 18, "The cat\nand the dog", "word", false, 1);
    const Text *t = &o->text;
    ck_assert_int_eq(t->tokens.size, 4); /* <unk> newline . the */
    ck_split(t, SPLIT_TRAIN, "the <unk>.\nthe <unk>.\n");
    ck_split(t, SPLIT_VALID, "the <unk>\n<unk> the <unk>");
    ck_assert_int_eq(t->unknown[SPLIT_TRAIN], 2);
    ck_assert_int_eq(t->first_unknown[SPLIT_VALID], 4);
    ck_assert_double_eq_tol(text_unknown(t, SPLIT_TEST), 3 / 6., 1e-12);
    ck_assert(t->scored == 5 && t->scored_bytes == 15); /* "the " is context only */
    ck_assert_str_eq(o->task.metric, "bits per word");
    int first;
    ck_assert(text_outcomes(t, &first) == 4 && first == 0); /* UNK is a possible next word */
    close_it(o);
    o = open_bytes("각가\n각\n", 11, "가각", "jamo", false, 1);
    ck_assert_int_eq(o->text.n[SPLIT_VALID], 5);
    ck_assert_str_eq(o->task.metric, "bits per jamo");
    ck_assert(text_outcomes(&o->text, &first) == o->text.tokens.size - 1 && first == 1);
    close_it(o);
}
END_TEST

/* A letter and its accent are one character, in the file and in a prompt. */
START_TEST(composed)
{
    Opened *o = open_text("e\u0301te\u0301", "\u00e9te\u0301", 1);
    ck_assert(o->text.n[SPLIT_TRAIN] == 3 && o->text.n[SPLIT_VALID] == 3);
    ck_assert_int_eq(o->text.unknown[SPLIT_VALID], 0);
    ck_split(&o->text, SPLIT_VALID, "\u00e9t\u00e9");
    close_it(o);
}
END_TEST

START_TEST(refused)
{
    const struct {
        const char *text, *valid;
        bool by_line;
        int length;
        const char *why[3];
    } bad[] = {
        {"", NULL, false, 0, {"/train", "empty", ""}},
        {"", NULL, true, 0, {"/train", "empty", ""}},
        {"\xEF\xBB\xBF", NULL, true, 0, {"/train", "empty", ""}},
        {"abc", "", false, 1, {"/valid", "empty", ""}},
        {"0123456789", NULL, false, 1, {"9 training tokens", "1 held-out", "--seq-len"}},
        {"0123456789", "012345", false, 6, {"10 training tokens", "6 held-out", "needs 7"}},
        {"012345", "0123456789", false, 6, {"6 training tokens", "10 held-out", "needs 7"}},
        {"short", NULL, false, 0, {"4 training tokens", "1 held-out", "needs 65"}},
        {"one line\n", NULL, true, 0, {"1 training lines", "0 held-out", "--valid"}},
        {"\n\r\n\n", "a", true, 0, {"0 training lines", "1 held-out", "--valid"}},
        {"\xE9\xE8\xE9\xE8", "\xE9\xE8\xE9", false, 1, {"/train", "UTF-8", "--unit byte"}},
    };
    for (int i = 0; i < LEN(bad); i++) {
        Opened *o = xmalloc(sizeof *o);
        ck_assert_msg(!try_open(o, bad[i].text, strlen(bad[i].text), bad[i].valid, "char",
                                bad[i].by_line, bad[i].length),
                      "case %d", i);
        for (int k = 0; k < 3; k++)
            ck_assert_msg(strstr(why.text, bad[i].why[k]), "case %d: %s", i, why.text);
        close_it(o);
    }
    Opened *o = xmalloc(sizeof *o);
    ck_assert(!try_open(o, "each word once", 14, "each word", "word", false, 1));
    ck_assert_msg(strstr(why.text, "no word") != NULL, "%s", why.text);
    const char *missing = nowhere();
    ck_assert(!text_open(&o->text, &o->task, missing, NULL, "char", 0, false, .1, 0, NULL, &why));
    ck_assert_ptr_nonnull(strstr(why.text, missing));
    close_it(o);
}
END_TEST

/* The shortest text that is accepted: one token more than the longest that is refused. */
START_TEST(just_long_enough)
{
    Opened *o = open_text("0123456789", "0123456", 6);
    ck_assert_int_eq(o->task.longest, 6);
    close_it(o);
    o = open_text("0123456789abcdefghij", NULL, 1);
    close_it(o);
}
END_TEST

START_TEST(a_directory_is_its_prose)
{
    char *b = put_file("b.md", "second", 6), *a = put_file("a.md", "first ", 6);
    char *other = put_file("c.txt", "no", 2);
    Opened *o = xmalloc(sizeof *o);
    ck_assert_msg(text_open(&o->text, &o->task, dir, a, "char", 0, false, .1, 2, NULL, &why), "%s",
                  why.text);
    ck_split(&o->text, SPLIT_TRAIN, "first \nsecond\n");
    text_close(&o->text);
    unlink(a), unlink(b);
    ck_assert(!text_open(&o->text, &o->task, dir, NULL, "char", 0, false, .1, 2, NULL, &why));
    ck_assert_ptr_nonnull(strstr(why.text, ".md"));
    close_it(o);
    remove_file(a), remove_file(b), remove_file(other);
}
END_TEST

/* --- real files ------------------------------------------------------------------------------- */
START_TEST(tinyshakespeare)
{
    const char *path = data_path("lm/tinyshakespeare.txt");
    if (!path) return;
    Opened *o = xmalloc(sizeof *o);
    ck_assert(text_open(&o->text, &o->task, path, NULL, "char", 0, false, .1, 0, NULL, &why));
    ck_assert_int_eq(o->task.vocab, 66);
    ck_assert_int_eq(o->text.n[SPLIT_TRAIN], 1003854); /* nanoGPT's split */
    ck_assert_int_eq(o->text.n[SPLIT_VALID], 111540);
    ck_assert_int_eq(o->text.unknown[SPLIT_TRAIN] + o->text.unknown[SPLIT_VALID], 0);
    ck_assert_int_eq(o->text.first_unknown[SPLIT_TRAIN], -1);
    ck_assert_int_eq(o->task.length, 64);
    close_it(o);
}
END_TEST

START_TEST(longer_than_the_text)
{
    Opened *o = open_counting(100, 5);
    Batch batch = batch_new();
    task_heldout(&o->task, SPLIT_VALID, 10, 0, 1, &batch);
}
END_TEST

SUITE("text",
      TESTS(split_at_the_end, split_between_characters, validation_file, crops_are_uniform,
            windows_follow_one_another, scored_bytes, words, composed, refused, just_long_enough,
            a_directory_is_its_prose, tinyshakespeare),
      ABORTS(longer_than_the_text))
