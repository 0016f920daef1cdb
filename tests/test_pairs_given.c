/* Pairs with held-out pairs in separate files, and pairs that are set up without any file. */
#include "pairs_help.h"

#include <unistd.h>

#include "data/data.h"

static char *put_file(const char *text)
{
    char *path = xstrdup("/tmp/lmzoo-given-XXXXXX");
    const int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq((int)write(fd, text, strlen(text)), (int)strlen(text));
    ck_assert_int_eq(close(fd), 0);
    return path;
}

static void remove_file(const char *path)
{
    if (path) unlink(path);
    free((char *)path);
}

/* Writes n pairs "s1 s TAB t1 t"; the words s and t occur in all of them. */
static char *numbered(int n)
{
    char *text = xcalloc((size_t)n * 32 + 1, 1), *end = text;
    for (int i = 0; i < n; i++) end += snprintf(end, 32, "s%d s\tt%d t\n", i, i);
    return text;
}

static Opened *open_given(const char *train, const char *valid, const char *test, PairsConfig c)
{
    c.file = put_file(train);
    c.valid = valid ? put_file(valid) : NULL;
    c.test = test ? put_file(test) : NULL;
    Opened *o = open_pairs(&c);
    remove_file(c.file), remove_file(c.valid), remove_file(c.test);
    return o;
}

static const char held[] = "b\tu\nx s\ty t\nx s\ty t\ns7 s\tnew\nnew s\tt9 t\na b c d e\tf\n";

/* Held-out pairs are used unchanged and in order, the repeated and the long ones too. No training
 * pair is held out or left out because of them, and no vocabulary is learned from them. */
START_TEST(taken_as_they_are)
{
    char *text = numbered(200);
    PairsConfig c = pairs_defaults();
    c.max_words = 3;
    Opened *o = open_given(text, held, "s1 s\tt1 t\n", c);
    const Pairs *p = &o->pairs;
    ck_assert(p->n[SPLIT_TRAIN] == 200 && p->n[SPLIT_VALID] == 6 && p->n[SPLIT_TEST] == 1);
    ck_assert(p->left_out == 0 && p->repeated == 0 && p->too_long == 0);
    ck_assert_int_eq(p->shared[SPLIT_VALID], 2); /* a source and a target */
    ck_assert_int_eq(p->shared[SPLIT_TEST], 1);
    const char *const source[] = {"b", "x s", "x s", "s7 s", "new s", "a b c d e"};
    for (int i = 0; i < LEN(source); i++)
        ck_assert_str_eq(pairs_item(p, SPLIT_VALID, i)->source_text, source[i]);
    ck_assert_int_eq(p->source.size, FIRST_PIECE + 1); /* s: only words that occur twice */
    ck_assert(pairs_item(p, SPLIT_VALID, 1)->source[0] == UNK);
    ck_assert_double_eq_tol(p->unknown[0], 0.5, 1e-12);
    ck_assert_int_eq(o->task.length, 5);
    close_pairs(o);
    free(text);
}
END_TEST

/* With only one held-out file, the other split is still a part of the training file. */
START_TEST(one_of_both)
{
    char *text = numbered(2000);
    Opened *plain = open_given(text, NULL, NULL, pairs_defaults());
    Opened *valid = open_given(text, held, NULL, pairs_defaults());
    Opened *test = open_given(text, NULL, held, pairs_defaults());
    ck_assert_int_eq(valid->pairs.n[SPLIT_VALID], 6);
    ck_assert_int_eq(test->pairs.n[SPLIT_TEST], 6);
    ck_assert_int_eq(valid->pairs.n[SPLIT_TEST], plain->pairs.n[SPLIT_TEST]);
    for (int i = 0; i < plain->pairs.n[SPLIT_TEST]; i++)
        ck_assert_str_eq(valid->pairs.pair[SPLIT_TEST][i].source_text,
                         plain->pairs.pair[SPLIT_TEST][i].source_text);
    ck_assert_int_eq(valid->pairs.n[0] + valid->pairs.n[2], 2000);
    ck_assert_int_eq(test->pairs.n[0] + test->pairs.n[1], 2000);
    ck_assert_int_le(abs(test->pairs.n[SPLIT_VALID] - 200), 54); /* 4 sigma */
    close_pairs(plain), close_pairs(valid), close_pairs(test);
    free(text);
}
END_TEST

START_TEST(swapped_and_in_bytes)
{
    char *text = numbered(100);
    PairsConfig c = pairs_defaults();
    c.swap = true, c.unit = "byte";
    Opened *o = open_given(text, "\xFF b\tc\n", "x\ty\n", c);
    const Pair *pair = pairs_item(&o->pairs, SPLIT_VALID, 0);
    ck_assert_int_eq(o->task.vocab, FIRST_PIECE + 256);
    ck_assert(pair->n_source == 1 && pair->source[0] == FIRST_PIECE + 'c');
    ck_assert(pair->n_target == 3 && pair->target[0] == FIRST_PIECE + 0xFF);
    ck_assert_str_eq(pair->target_tokens, "\xFF b");
    ck_assert(o->pairs.unknown[0] == 0 && o->pairs.unknown[1] == 0);
    close_pairs(o);
    free(text);
}
END_TEST

START_TEST(refused)
{
    PairsConfig c = pairs_defaults();
    c.task = "dates", c.valid = "valid.tsv";
    ck_assert_ptr_nonnull(strstr(why_not(&c), "--valid needs training pairs"));
    c.task = NULL;
    c.file = put_file("a\tb\n");
    c.valid = nowhere();
    ck_assert_ptr_nonnull(strstr(why_not(&c), c.valid));
    c.valid = put_file("no tab\n");
    ck_assert_ptr_nonnull(strstr(why_not(&c), "line 1 has no tab"));
    remove_file(c.valid);
    c.valid = put_file("\n");
    c.test = put_file("a\tb\n");
    const char *said = why_not(&c);
    ck_assert(strstr(said, c.valid) && strstr(said, "there is no pair in it"));
    remove_file(c.file), remove_file(c.valid), remove_file(c.test);
}
END_TEST

/* --- without data --------------------------------------------------------------------------------- */

/* Opens the data of a run's config, and then the tokenizers alone. */
static void ck_moved(DataConfig *c, const char *answer)
{
    Data d, moved;
    Error err;
    Vocabularies v;
    json_t *config = json_object();
    ck_assert_msg(data_open(&d, c, NULL, &err), "%s", err.text);
    vocabularies_to_json(&d, config);
    ck_assert_msg(vocabularies_from_json(&v, config, &err), "%s", err.text);
    if (c->text) unlink(c->text);
    c->seq_len = d.task.length; /* as the trainer writes it */
    ck_assert_msg(data_open_tokens(&moved, c, &v, &err), "%s", err.text);
    const Task *a = &d.task, *b = &moved.task;
    ck_assert(a->vocab == b->vocab && a->outputs == b->outputs &&
              a->source_vocab == b->source_vocab);
    ck_assert(a->length == b->length && a->extra == b->extra && a->n_lengths == b->n_lengths);
    ck_assert_str_eq(a->metric, b->metric);
    ck_assert(d.is_text == moved.is_text && d.is_pairs == moved.is_pairs);
    ck_assert(data_is_running(&d) == data_is_running(&moved));
    const Tokenizer *t = d.is_text ? &d.text.tokens : &d.pairs.source;
    const Tokenizer *u = d.is_text ? &moved.text.tokens : &moved.pairs.source;
    const Encoding e = tokenizer_encode(t, answer, strlen(answer));
    const Encoding f = tokenizer_encode(u, answer, strlen(answer));
    ck_assert_int_eq(e.n, f.n);
    ck_assert_mem_eq(e.ids, f.ids, (size_t)e.n * sizeof *e.ids);
    free(e.ids), free(f.ids);
    json_decref(config);
    vocabularies_free(&v);
    data_close(&d), data_close(&moved);
}

START_TEST(a_moved_run)
{
    static const char *const units[] = {"char", "byte", "word", "jamo"};
    for (int i = 0; i < LEN(units); i++)
        for (int lines = 0; lines < 2; lines++) {
            DataConfig c = data_defaults();
            char *text = numbered(300);
            c.text = put_file(text);
            c.unit = units[i], c.lines = lines;
            ck_moved(&c, "s1 s\n가");
            free((char *)c.text), free(text);
        }
    static const char *const tasks[] = {"dates", "numbers", "sort"};
    for (int i = 0; i < LEN(tasks); i++) {
        DataConfig c = data_defaults();
        c.of_pairs = true, c.pairs.task = tasks[i];
        ck_moved(&c, "a 7 one");
    }
    DataConfig c = data_defaults();
    Data d;
    Error err;
    c.task = "parity";
    ck_assert(!data_open_tokens(&d, &c, &(Vocabularies){0}, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "no tokenizer"));
}
END_TEST

SUITE("pairs_given",
      TESTS(taken_as_they_are, one_of_both, swapped_and_in_bytes, refused, a_moved_run), NO_ABORTS)
