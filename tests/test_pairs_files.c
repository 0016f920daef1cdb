/* Pairs from files: what counts as a pair, which pairs are held out, odd files. */
#include "pairs_files_help.h"

static int count_shared(const Pairs *p, bool target) /* training pairs that share a side */
{
    int shared = 0;
    for (int i = 0; i < pairs_items(p, SPLIT_TRAIN); i++) {
        const Pair *a = pairs_item(p, SPLIT_TRAIN, i);
        bool found = false;
        for (int s = SPLIT_VALID; s <= SPLIT_TEST && !found; s++)
            for (int k = 0; k < pairs_items(p, (Split)s) && !found; k++) {
                const Pair *b = pairs_item(p, (Split)s, k);
                found = strcmp(target ? a->target_text : a->source_text,
                               target ? b->target_text : b->source_text) == 0;
            }
        shared += found;
    }
    return shared;
}

/* --- splits --------------------------------------------------------------------------------------- */
START_TEST(nothing_held_out_is_seen)
{
    Lines l = sample(3000, 0);
    Opened *o = open_bytes(l.text, l.len, pairs_defaults());
    const Pairs *p = &o->pairs;
    ck_assert_int_eq(p->n[0] + p->n[1] + p->n[2] + p->left_out, 3000);
    ck_assert_int_le(abs(p->n[SPLIT_TEST] - 300), 66); /* 4 sigma */
    ck_assert_int_le(abs(p->n[SPLIT_VALID] - 300), 66);
    ck_assert_int_le(abs(p->left_out - 800), 51); /* of 1000 sources with 50 targets */
    ck_assert_int_eq(count_shared(p, false), 0);
    ck_assert_int_eq(count_shared(p, true), 0);
    close_pairs(o);
    free(l.text);
}
END_TEST

static void ck_same(const Pairs *a, const Pairs *b)
{
    for (int s = SPLIT_TRAIN; s <= SPLIT_TEST; s++) {
        ck_assert_int_eq(a->n[s], b->n[s]);
        for (int i = 0; i < a->n[s]; i++) {
            ck_assert_str_eq(a->pair[s][i].source_text, b->pair[s][i].source_text);
            ck_assert_str_eq(a->pair[s][i].target_text, b->pair[s][i].target_text);
            ck_assert_int_eq(a->pair[s][i].target[0], b->pair[s][i].target[0]);
        }
    }
}

START_TEST(order_plays_no_part)
{
    Lines l = sample(1000, 0), turned = sample(1000, 1);
    PairsConfig c = pairs_defaults();
    for (int k = 0; k < 2; k++, c.items = 300) {
        Opened *a = open_bytes(l.text, l.len, c), *b = open_bytes(turned.text, turned.len, c);
        ck_same(&a->pairs, &b->pairs);
        if (k)
            ck_assert_int_eq(a->pairs.n[0] + a->pairs.n[1] + a->pairs.n[2] + a->pairs.left_out,
                             300);
        close_pairs(a), close_pairs(b);
    }
    free(l.text), free(turned.text);
}
END_TEST

/* A larger sample keeps the split of every pair, so that runs on more data are comparable. */
START_TEST(heldout_grows_around_the_same)
{
    Lines l = sample(1000, 0);
    PairsConfig c = pairs_defaults();
    c.heldout = .05;
    Opened *less = open_bytes(l.text, l.len, c);
    c.heldout = .2;
    Opened *more = open_bytes(l.text, l.len, c);
    int kept = 0;
    for (int i = 0; i < less->pairs.n[SPLIT_TEST]; i++)
        for (int k = 0; k < more->pairs.n[SPLIT_TEST]; k++)
            kept += strcmp(less->pairs.pair[SPLIT_TEST][i].source_text,
                           more->pairs.pair[SPLIT_TEST][k].source_text) == 0;
    ck_assert_int_eq(kept, less->pairs.n[SPLIT_TEST]);
    ck_assert_int_le(abs(less->pairs.n[SPLIT_TEST] - 50), 28);
    ck_assert_int_le(abs(more->pairs.n[SPLIT_TEST] - 200), 51);
    close_pairs(less), close_pairs(more);
    free(l.text);
}
END_TEST

/* --- parsing pairs ---------------------------------------------------------------------------- */
START_TEST(lines_of_a_file)
{
    Lines l = {0};
    PairsConfig c = pairs_defaults();
    add_line(&l, "\xEF\xBB\xBFGo.", "  Va !\tCC-BY 2.0\tmore \r"); /* a mark, columns, \r */
    add_line(&l, "\r", "");
    l.text[l.len - 2] = '\r'; /* an empty line: only carriage returns */
    for (int i = 0; i < 100; i++) add_line(&l, "one two three", "un deux");
    add_line(&l, "go .", "va!"); /* repeats the first pair */
    add_line(&l, "", "rien");
    add_line(&l, "nothing", " ");
    add_line(&l, "one two three four", "un");
    for (int i = 0; i < 60; i++) {
        char *s = xformat("n%d .", i), *t = xformat("N%d .", i);
        add_line(&l, s, t);
        free(s), free(t);
    }
    l.text[l.len - 1] = 0; /* no newline at the end */
    l.len--;
    c.max_words = 3;
    Opened *o = open_bytes(l.text, l.len, c);
    const Pairs *p = &o->pairs;
    ck_assert_int_eq(p->repeated, 100);
    ck_assert_int_eq(p->empty, 2);
    ck_assert_int_eq(p->too_long, 1);
    int found = 0;
    for (int s = SPLIT_TRAIN; s <= SPLIT_TEST; s++)
        for (int i = 0; i < p->n[s]; i++) {
            const Pair *pair = pairs_item(p, (Split)s, i);
            if (pair->source_text[0] != 'G' && pair->source_text[0] != 'g') continue;
            ck_assert_str_eq(pair->target_tokens, "va !");
            ck_assert(pair->n_source == 2 && pair->n_target == 2);
            found++;
        }
    ck_assert_int_eq(found, 1);
    close_pairs(o);
    free(l.text);
}
END_TEST

START_TEST(malformed_files)
{
    static const char nul[] = "a\tb\nc\td\0e\n", utf16[] = "\xFF\xFE"
                                                           "a\0\t\0b\0\n\0";
    const char *why = why_not_bytes("a\tb\n\nno tab here\nc\td\n", 20);
    ck_assert_msg(strstr(why, "line 3 has no tab") != NULL, "%s", why);
    why = why_not_bytes(nul, sizeof nul - 1);
    ck_assert_msg(strstr(why, "line 2 has a 0 byte") != NULL, "%s", why);
    why = why_not_bytes(utf16, sizeof utf16 - 1);
    ck_assert_msg(strstr(why, "line 1 has a 0 byte") != NULL, "%s", why);
    why = why_not_bytes("", 0);
    ck_assert_msg(strstr(why, "0 training") != NULL, "%s", why);
    why = why_not_bytes("a\tb\n", 4);
    ck_assert_msg(strstr(why, "at least one of each") != NULL, "%s", why);
    PairsConfig c = pairs_defaults();
    c.file = nowhere();
    ck_assert_ptr_nonnull(strstr(why_not(&c), "No such file"));
    c.file = "/tmp";
    ck_assert_ptr_nonnull(strstr(why_not(&c), "/tmp"));
}
END_TEST

/* --- as a task -------------------------------------------------------------------------------------- */
START_TEST(batches)
{
    Lines l = sample(400, 0);
    PairsConfig c = pairs_defaults();
    c.unit = "char";
    Opened *o = open_bytes(l.text, l.len, c);
    const Pairs *p = &o->pairs;
    const int n = pairs_items(p, SPLIT_TEST);
    Batch b = batch_new();
    task_heldout(&o->task, SPLIT_TEST, 0, 0, n + 2, &b);
    ck_layout(&o->task, &b);
    for (int i = 0; i < n + 2; i++) {
        const Pair *pair = pairs_item(p, SPLIT_TEST, i % n); /* starts again */
        ck_assert(b.s_len[i] == pair->n_source && steps(&b, i) == pair->n_target + 1);
        for (int k = 0; k < pair->n_source; k++)
            ck_assert_int_eq(b.s[at(&b, k, i)], pair->source[k]);
        for (int k = 0; k < pair->n_target; k++)
            ck_assert_int_eq(b.y[at(&b, k, i)], pair->target[k]);
    }
    int *drawn = xcalloc((size_t)p->n[SPLIT_TRAIN], sizeof *drawn), kinds = 0;
    Rng rng = rng_make(2, RNG_BATCH, 1);
    task_batch(&o->task, SPLIT_TRAIN, 0, &rng, 20 * p->n[SPLIT_TRAIN], &b);
    ck_layout(&o->task, &b);
    for (int i = 0; i < b.B; i++) /* all pairs occur; the source identifies the pair */
        for (int k = 0; k < p->n[SPLIT_TRAIN]; k++) {
            const Pair *pair = pairs_item(p, SPLIT_TRAIN, k);
            bool same = b.s_len[i] == pair->n_source;
            for (int j = 0; same && j < pair->n_source; j++)
                same = b.s[at(&b, j, i)] == pair->source[j];
            if (same && drawn[k]++ == 0) kinds++;
        }
    ck_assert_int_eq(kinds, p->n[SPLIT_TRAIN]);
    free(drawn);
    batch_free(&b);
    close_pairs(o);
    free(l.text);
}
END_TEST

START_TEST(swapped)
{
    Lines l = sample(300, 0);
    PairsConfig c = pairs_defaults();
    c.swap = true;
    Opened *o = open_bytes(l.text, l.len, c);
    const Pair *pair = pairs_item(&o->pairs, SPLIT_TEST, 0);
    ck_assert(pair->source_text[0] == 't' && strncmp(pair->target_text, "source", 6) == 0);
    ck_assert(pair->n_source == 2 && pair->n_target == 3);
    ck_assert_int_eq(count_shared(&o->pairs, false), 0);
    ck_assert_int_eq(o->pairs.left_out, 0); /* no target is repeated */
    close_pairs(o);
    free(l.text);
}
END_TEST

/* Of pairs that differ only in spaces one is kept: the same one for any order of the file. */
START_TEST(spaces_play_no_part)
{
    static const char *const space[] = {" ", "  ", "   "};
    Opened *o[2];
    for (int turned = 0; turned < 2; turned++) {
        Lines l = sample(300, 0);
        for (int k = 0; k < 300; k++) {
            const char *gap = space[(k % 3 + turned + k * turned) % 3];
            char *source = xformat("x%ssource %d a", gap, k % 100),
                 *target = xformat("x%st%d", gap, k % 100);
            add_line(&l, source, target);
            free(source), free(target);
        }
        o[turned] = open_bytes(l.text, l.len, pairs_defaults());
        free(l.text);
    }
    ck_assert_int_eq(o[0]->pairs.repeated, 200);
    ck_assert_int_eq(o[1]->pairs.repeated, 200);
    for (int s = SPLIT_TRAIN; s <= SPLIT_TEST; s++) {
        ck_assert_int_eq(o[0]->pairs.n[s], o[1]->pairs.n[s]);
        for (int i = 0; i < o[0]->pairs.n[s]; i++) {
            const Pair *a = pairs_item(&o[0]->pairs, (Split)s, i);
            const Pair *b = pairs_item(&o[1]->pairs, (Split)s, i);
            ck_assert_str_eq(a->source_text, b->source_text);
            ck_assert_str_eq(a->target_text, b->target_text);
        }
    }
    close_pairs(o[0]), close_pairs(o[1]);
}
END_TEST

/* --- English and French ------------------------------------------------------------------------------- */
static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

START_TEST(french)
{
    PairsConfig c = pairs_defaults();
    c.file = data_path("translation/fra-eng/fra.txt");
    if (!c.file) return;
    c.max_words = 10, c.items = 40000, c.swap = true;
    Opened *o = open_pairs(&c);
    const Pairs *p = &o->pairs;
    const int held = p->n[SPLIT_VALID] + p->n[SPLIT_TEST];
    ck_assert_int_eq(p->n[SPLIT_TRAIN] + held + p->left_out, 40000);
    ck_assert_int_le(abs(p->n[SPLIT_TEST] - 4000), 240); /* 4 sigma */
    ck_assert_int_le(abs(p->n[SPLIT_VALID] - 4000), 240);
    ck_assert(o->task.length == 10 && p->source.size <= FIRST_PIECE + 10000);
    for (int side = 0; side < 2; side++) { /* checked with a sorted list */
        const char **text = xmalloc((size_t)held * sizeof *text);
        int n = 0, shared = 0;
        for (int s = SPLIT_VALID; s <= SPLIT_TEST; s++)
            for (int i = 0; i < p->n[s]; i++)
                text[n++] = side ? p->pair[s][i].target_text : p->pair[s][i].source_text;
        qsort(text, (size_t)n, sizeof *text, by_text);
        for (int i = 0; i < p->n[SPLIT_TRAIN]; i++) {
            const Pair *pair = pairs_item(p, SPLIT_TRAIN, i);
            const char *const *mine = side ? &pair->target_text : &pair->source_text;
            shared += bsearch(mine, text, (size_t)n, sizeof *text, by_text) != NULL;
        }
        ck_assert_int_eq(shared, 0);
        free(text);
    }
    ck_assert_int_ne(tokenizer_id(&p->source, "l'"), UNK);
    ck_assert_int_ne(tokenizer_id(&p->target, "don't"), UNK);
    ck_assert(p->unknown[0] > 0 && p->unknown[0] < .05 && p->unknown[1] < .05);
    printf(
        "40000 French-English pairs: %d %d %d, left out %d, too long %d, repeated %d; vocabularies "
        "%d and %d, unknown %.4f and %.4f\n",
        p->n[0], p->n[1], p->n[2], p->left_out, p->too_long, p->repeated, p->source.size,
        p->target.size, p->unknown[0], p->unknown[1]);
    close_pairs(o);
}
END_TEST

SUITE("pairs_files",
      TESTS(nothing_held_out_is_seen, order_plays_no_part, heldout_grows_around_the_same,
            lines_of_a_file, malformed_files, batches, swapped, spaces_play_no_part, french),
      NO_ABORTS)
