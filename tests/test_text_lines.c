/* Lists of lines as a task: what counts as a line, which lines are held out, odd files. */
#include "text_help.h"

/* --- lines ------------------------------------------------------------------------------------ */
START_TEST(lines_of_a_file)
{
    Opened *o = open_lines("emma\r\n\nolivia\n\r\nava", "eva\n\nmalo", 0);
    ck_split(&o->text, SPLIT_TRAIN, "\nemma\nolivia\nava\n");
    ck_split(&o->text, SPLIT_VALID, "\neva\nmalo\n");
    ck_assert_int_eq(o->text.lines[SPLIT_TRAIN], 3);
    ck_assert_int_eq(o->text.lines[SPLIT_VALID], 2);
    ck_assert_int_eq(o->task.length, 7); /* "olivia" and its newline */
    ck_assert(o->text.cut[SPLIT_TRAIN].lines == 0 && o->text.cut[SPLIT_VALID].lines == 0);
    ck_assert_str_eq(o->task.name, "lines");
    Batch batch = batch_new();
    task_heldout(&o->task, SPLIT_VALID, 0, 0, 3, &batch);
    ck_assert_int_eq(batch.T, 5);
    const char *const want[] = {"\neva", "\nmalo", "\neva"}; /* starts again */
    for (int b = 0; b < 3; b++) {
        const int n = (int)strlen(want[b]);
        for (int t = 0; t < batch.T; t++) {
            const int *x = &batch.x[t * 3 + b], *y = &batch.y[t * 3 + b];
            ck_assert_int_eq(*x, t < n ? id_of(&o->text, want[b][t]) : 0);
            ck_assert_int_eq(*y, t >= n ? -1 : id_of(&o->text, t + 1 < n ? want[b][t + 1] : '\n'));
        }
    }
    batch_free(&batch);
    close_it(o);
}
END_TEST

START_TEST(long_lines_are_cut)
{
    Opened *o = open_lines("a\nbbbbbb\ncc\n", "bbbb\nccc\nabcabc", 4);
    const TextCut *cut = o->text.cut; /* steps: 2 7 3, and 5 4 7 */
    ck_assert(cut[SPLIT_TRAIN].lines == 1 && cut[SPLIT_TRAIN].tokens == 3);
    ck_assert(cut[SPLIT_VALID].lines == 2 && cut[SPLIT_VALID].tokens == 1 + 3);
    ck_assert(o->text.scored == 12 && o->text.scored_bytes == 12);
    ck_assert_int_eq(o->task.length, 4);
    Batch batch = batch_new();
    task_heldout(&o->task, SPLIT_VALID, 0, 0, 2, &batch);
    ck_assert_int_eq(batch.T, 4);
    ck_assert_int_eq(batch.y[3 * 2 + 0], id_of(&o->text, 'b'));
    ck_assert_int_eq(batch.y[3 * 2 + 1], id_of(&o->text, '\n'));
    batch_free(&batch);
    close_it(o);

    char *s = xmalloc(1004);
    memset(s, 'a', 1000);
    memcpy(s + 1000, "\nb\n", 4);
    o = open_lines(s, "a", 0);
    ck_assert_int_eq(o->task.length, 256);
    ck_assert(o->text.cut[SPLIT_TRAIN].lines == 1 && o->text.cut[SPLIT_TRAIN].tokens == 745);
    close_it(o);
    free(s);
}
END_TEST

static bool heldout_by_content(const char *line, int len)
{
    int byte[64];
    for (int i = 0; i < len; i++) byte[i] = (unsigned char)line[i];
    return split_of(byte, len) == SPLIT_VALID;
}

/* Returns how many lines of a split are held out by their content. */
static int count_heldout(const Text *t, Split split)
{
    int n = 0;
    ck_assert_int_eq(t->start[split][t->lines[split]], t->n[split] - 1);
    for (int i = 0; i < t->lines[split]; i++) {
        const int from = t->start[split][i] + 1, to = t->start[split][i + 1];
        char *line = spell(t, t->ids[split] + from, to - from);
        ck_assert_ptr_null(strchr(line, '\n'));
        n += heldout_by_content(line, (int)strlen(line));
        free(line);
    }
    return n;
}

/* Each line occurs twice, in another order: both copies are in the same split, with either unit. */
START_TEST(lines_split_by_content)
{
    enum { N = 5000 };
    char *s = xmalloc(N * 24);
    size_t len = 0;
    int heldout = 0;
    for (int i = 0; i < 2 * N; i++) {
        const int k = i < N ? i : 2 * N - 1 - i;
        const int n = snprintf(s + len, 16, "이%d%c", k * 7919, '\n');
        heldout += heldout_by_content(s + len, n - 1);
        len += (size_t)n;
    }
    static const char *const units[] = {"char", "byte", "jamo"};
    for (int i = 0; i < LEN(units); i++) {
        Opened *o = open_bytes(s, len, NULL, units[i], true, 0);
        ck_assert_int_eq(o->text.lines[SPLIT_VALID], heldout);
        ck_assert_int_eq(o->text.lines[SPLIT_TRAIN], 2 * N - heldout);
        ck_assert_int_eq(count_heldout(&o->text, SPLIT_TRAIN), 0);
        ck_assert_int_eq(count_heldout(&o->text, SPLIT_VALID), heldout);
        ck_assert_double_lt(fabs(heldout - 2 * N * 0.1), 5 * sqrt(4 * N * 0.09));
        close_it(o);
    }
    free(s);
}
END_TEST

START_TEST(every_line_is_drawn)
{
    Opened *o = open_lines("a\nbb\nccc\n", "a", 0);
    Rng rng = rng_make(2, RNG_BATCH, 0);
    Batch batch = batch_new();
    int count[5] = {0};
    task_batch(&o->task, SPLIT_TRAIN, 0, &rng, 3000, &batch);
    for (int b = 0; b < batch.B; b++) {
        int n = 0;
        while (n < batch.T && batch.y[n * batch.B + b] >= 0) n++;
        ck_assert_int_eq(batch.x[b], id_of(&o->text, '\n'));
        ck_assert_int_eq(batch.y[(n - 1) * batch.B + b], id_of(&o->text, '\n'));
        count[n]++;
    }
    for (int n = 2; n <= 4; n++) ck_assert_double_lt(abs(count[n] - 1000), 130);
    batch_free(&batch);
    close_it(o);
}
END_TEST

/* --- odd files and given vocabularies --------------------------------------------------------- */
START_TEST(odd_bytes)
{
    static const char s[] = "\xEF\xBB\xBF"
                            "a\0b\r\nc\xFF\r\n";
    Opened *o = open_bytes(s, sizeof s - 1, "a\n", "char", true, 0);
    const int want[] = {1, 2, 0, 3, 1, 4, 0, 1}; /* \n a ? b \n c ? \n */
    ck_assert_int_eq(o->text.n[SPLIT_TRAIN], LEN(want));
    ck_assert_mem_eq(o->text.ids[SPLIT_TRAIN], want, sizeof want);
    close_it(o);
    o = open_bytes(s, sizeof s - 1, "a\n", "byte", false, 1);
    ck_assert_int_eq(o->text.n[SPLIT_TRAIN], (int)sizeof s - 1 - 3); /* a running text keeps \r */
    ck_assert_int_eq(o->text.ids[SPLIT_TRAIN][1], 0);
    ck_assert_int_eq(o->text.ids[SPLIT_TRAIN][3], '\r');
    close_it(o);
}
END_TEST

START_TEST(unknown_in_a_line)
{
    Opened *o = open_lines("abc\n", "\n\nab\r\n\ncxb\n", 0);
    ck_assert_int_eq(o->text.unknown[SPLIT_VALID], 1);
    ck_assert_int_eq(o->text.first_unknown[SPLIT_VALID],
                     8); /* offset in the file, not in the kept lines */
    close_it(o);
}
END_TEST

/* A trained model keeps its vocabulary, whatever the text is. */
START_TEST(given_vocabulary)
{
    Tokenizer given = tokenizer_raw("\nabx", 4), no_newline = tokenizer_raw("ab", 2);
    char *path = put_file("train", "ab\nba\ncab\n", 10);
    Opened *o = xmalloc(sizeof *o);
    ck_assert(text_open(&o->text, &o->task, path, path, "byte", 0, true, .1, 0, &given, &why));
    tokenizer_free(&given);
    ck_assert_int_eq(o->task.vocab, 5);
    ck_split(&o->text, SPLIT_TRAIN,
             "\nab\nba\n\xEF\xBF\xBD"
             "ab\n");
    ck_assert_int_eq(o->text.unknown[SPLIT_VALID], 1);
    ck_assert_int_eq(o->text.first_unknown[SPLIT_VALID], 6);
    text_close(&o->text);
    ck_assert(
        !text_open(&o->text, &o->task, path, path, "char", 0, true, .1, 0, &no_newline, &why));
    ck_assert_ptr_nonnull(strstr(why.text, "newline"));
    close_it(o);
    tokenizer_free(&no_newline);
    remove_file(path);
}
END_TEST

START_TEST(names)
{
    const char *path = data_path("lm/names.txt");
    if (!path) return;
    Opened *o = xmalloc(sizeof *o);
    ck_assert(text_open(&o->text, &o->task, path, NULL, "char", 0, true, .1, 0, NULL, &why));
    ck_assert_int_eq(o->task.vocab, 28);
    ck_assert_int_eq(o->text.lines[SPLIT_TRAIN] + o->text.lines[SPLIT_VALID], 32033);
    ck_assert_double_lt(abs(o->text.lines[SPLIT_VALID] - 3203), 250);
    ck_assert_int_eq(o->task.length, 16); /* the longest has 15 letters */
    close_it(o);
}
END_TEST

START_TEST(lines_are_not_streamed)
{
    Opened *o = open_lines("a\nb\n", "a", 0);
    Batch batch = batch_new();
    int64_t cursor = 0;
    text_stream(&o->text, SPLIT_TRAIN, 2, 2, &cursor, &batch);
}
END_TEST

SUITE("text_lines",
      TESTS(lines_of_a_file, long_lines_are_cut, lines_split_by_content, every_line_is_drawn,
            odd_bytes, unknown_in_a_line, given_vocabulary, names),
      ABORTS(lines_are_not_streamed))
