/* The tasks of pairs without --pairs: copy, reverse, sort, dates, numbers, places. */
#include "pairs_help.h"

static const char *const drawn[] = {"copy", "reverse", "sort"};
enum { LETTERS = 20 };

/* --- copy, reverse, sort -------------------------------------------------------------------------- */

static void ck_answer(int kind, const Batch *b, int c)
{
    const int n = b->s_len[c];
    int count[FIRST_PIECE + LETTERS] = {0};
    ck_assert_int_eq(steps(b, c), n + 1);
    for (int i = 0; i < n; i++) {
        const int y = b->y[at(b, i, c)];
        ck_assert(y >= FIRST_PIECE && y < FIRST_PIECE + LETTERS);
        if (kind < 2) ck_assert_int_eq(y, b->s[at(b, kind ? n - 1 - i : i, c)]);
        if (kind == 2 && i) ck_assert_int_le(b->y[at(b, i - 1, c)], y);
        count[y]++;
        count[b->s[at(b, i, c)]]--;
    }
    for (int k = 0; k < LEN(count); k++) ck_assert_int_eq(count[k], 0);
}

START_TEST(drawn_sequences)
{
    for (int kind = 0; kind < 3; kind++) {
        Opened *o = open_named(drawn[kind]);
        const Task *t = &o->task;
        Batch b = batch_new();
        Rng rng = rng_make(8, RNG_BATCH, 1);
        int of_length[21] = {0};
        ck_assert(t->length == 20 && t->source_vocab == 24 && t->vocab == 24 && t->outputs == 24);
        task_batch(t, SPLIT_TRAIN, 0, &rng, 4000, &b);
        ck_layout(t, &b);
        for (int c = 0; c < b.B; c++) ck_answer(kind, &b, c), of_length[b.s_len[c]]++;
        for (int n = 1; n <= 20; n++) ck_assert_int_le(abs(of_length[n] - 200), 56); /* 4 sigma */
        ck_assert_int_eq(t->n_lengths, 8);
        for (int k = 0; k < t->n_lengths; k++) {
            static const int want[] = {5, 10, 15, 20, 25, 30, 40, 60};
            ck_assert_int_eq(t->lengths[k], want[k]);
            task_heldout(t, SPLIT_TEST, want[k], 7, 50, &b);
            ck_layout(t, &b);
            for (int c = 0; c < 50; c++) {
                ck_answer(kind, &b, c);
                ck_assert_int_eq(b.s_len[c], want[k]);
            }
        }
        ck_assert_int_eq(pairs_items(&o->pairs, SPLIT_TEST), 0);
        batch_free(&b);
        close_pairs(o);
    }
}
END_TEST

/* No source of 4 letters, out of 20^4, is drawn both in training and held out. */
START_TEST(drawn_splits_are_disjoint)
{
    enum { N = 4, ALL = LETTERS * LETTERS * LETTERS * LETTERS, BATCH = 1000, DRAWN = 100000 };
    PairsConfig c = pairs_defaults();
    c.task = "sort", c.seq_len = N;
    Opened *o = open_pairs(&c);
    Batch b = batch_new();
    unsigned char *seen = xcalloc(ALL, 1);
    int overlap = 0, short_ones = 0;
    for (int s = SPLIT_TRAIN; s <= SPLIT_TEST; s++)
        for (int i = 0; i < DRAWN; i += BATCH) {
            Rng rng = rng_make(1, RNG_BATCH, (uint32_t)i);
            if (s == SPLIT_TRAIN)
                task_batch(&o->task, SPLIT_TRAIN, 0, &rng, BATCH, &b);
            else
                task_heldout(&o->task, (Split)s, 0, i, BATCH, &b);
            for (int k = 0; k < BATCH; k++) {
                int at_all = 0, source[N];
                short_ones += b.s_len[k] < 3;
                if (b.s_len[k] < 3) continue;
                for (int j = 0; j < b.s_len[k]; j++) source[j] = b.s[at(&b, j, k)];
                ck_assert_int_eq(split_of(source, b.s_len[k]), s);
                if (b.s_len[k] != N) continue;
                for (int j = 0; j < N; j++) at_all = at_all * LETTERS + source[j] - FIRST_PIECE;
                overlap += seen[at_all] && seen[at_all] != s + 1;
                seen[at_all] = (unsigned char)(s + 1);
            }
        }
    ck_assert_int_eq(overlap, 0);
    ck_assert_int_le(abs(short_ones - DRAWN / 2), 4 * 160); /* 1 and 2 letters: in training only */
    free(seen);
    batch_free(&b);
    close_pairs(o);
}
END_TEST

START_TEST(short_sources_are_all_in_training)
{
    PairsConfig c = pairs_defaults();
    c.task = "copy", c.seq_len = 3;
    Opened *o = open_pairs(&c);
    Batch b = batch_new();
    Rng rng = rng_make(1, RNG_BATCH, 0);
    bool seen[LETTERS * (LETTERS + 1)] = {0};
    int kinds = 0;
    task_batch(&o->task, SPLIT_TRAIN, 0, &rng, 20000, &b);
    for (int k = 0; k < b.B; k++) {
        const int n = b.s_len[k], first = b.s[k] - FIRST_PIECE;
        if (n > 2) continue;
        const int which =
            n == 1 ? first : LETTERS + first * LETTERS + b.s[at(&b, 1, k)] - FIRST_PIECE;
        kinds += !seen[which];
        seen[which] = true;
    }
    ck_assert_int_eq(kinds, LETTERS + LETTERS * LETTERS);
    batch_free(&b);
    close_pairs(o);
    c.seq_len = 2;
    ck_assert_ptr_nonnull(strstr(why_not(&c), "must be 3 to 4096"));
}
END_TEST

START_TEST(lengths_of_another_length)
{
    PairsConfig c = pairs_defaults();
    c.task = "reverse", c.seq_len = 4;
    Opened *o = open_pairs(&c);
    const int want[] = {3, 4, 5, 6, 8, 12}; /* 1 and 2 are too short to be held out */
    ck_assert_int_eq(o->task.n_lengths, LEN(want));
    ck_assert_mem_eq(o->task.lengths, want, sizeof want);
    close_pairs(o);
    c.seq_len = 4096;
    o = open_pairs(&c);
    ck_assert_int_eq(o->task.lengths[o->task.n_lengths - 1], 4096);
    close_pairs(o);
}
END_TEST

START_TEST(perfect_and_chance)
{
    Opened *o = open_named("reverse");
    Batch b = batch_new();
    Score perfect = {0}, chance = {0};
    task_heldout(&o->task, SPLIT_TEST, 0, 0, 64, &b);
    const int V = o->task.outputs;
    real *sure = xcalloc((size_t)b.T * b.B * V, sizeof *sure);
    task_score(&o->task, &b, sure, &chance);
    for (int i = 0; i < b.T * b.B; i++)
        if (b.y[i] >= 0) sure[i * V + b.y[i]] = 1000;
    task_score(&o->task, &b, sure, &perfect);
    ck_assert_double_eq_tol(chance.loss / chance.scored, o->task.loss_chance, 1e-6);
    ck_assert_double_eq(perfect.scored, 64 * 21); /* EOS counts */
    ck_assert(perfect.loss == 0 && perfect.bayes == 0 && perfect.right == 64);
    ck_assert(perfect.hits == perfect.asked && perfect.sequences == 64);
    for (int k = 0; k < b.B; k++) sure[at(&b, 20, k) * V + EOS] = 0; /* never ends */
    Score endless = {0};
    task_score(&o->task, &b, sure, &endless);
    ck_assert(endless.right == 0 && endless.hits == 64 * 20);
    free(sure);
    batch_free(&b);
    close_pairs(o);
}
END_TEST

START_TEST(so_many_to_train_on)
{
    PairsConfig c = pairs_defaults();
    c.task = "dates";
    Opened *all = open_pairs(&c);
    c.items = 500;
    Opened *o = open_pairs(&c);
    ck_assert_int_eq(o->pairs.n[SPLIT_TRAIN], 500);
    ck_assert_int_eq(o->pairs.n[SPLIT_TEST], all->pairs.n[SPLIT_TEST]);
    for (int i = 0; i < 500; i++)
        ck_assert_str_eq(pairs_item(&o->pairs, SPLIT_TRAIN, i)->source_text,
                         pairs_item(&all->pairs, SPLIT_TRAIN, i)->source_text);
    int century = 0; /* a sample of all dates, not the first ones */
    for (int i = 0; i < 500; i++)
        century += pairs_item(&o->pairs, SPLIT_TRAIN, i)->target_text[0] == '1';
    ck_assert_int_le(abs(century - 250), 80); /* three forms of a day are sampled together */
    close_pairs(o), close_pairs(all);
}
END_TEST

/* --- places --------------------------------------------------------------------------------------- */
START_TEST(places)
{
    for (int jamo = 0; jamo < 2; jamo++) {
        PairsConfig c = pairs_defaults();
        c.task = "places";
        if (jamo) c.unit = "jamo";
        Opened *o = open_pairs(&c);
        const Pairs *p = &o->pairs;
        int jamo_ids = 0;
        for (int id = FIRST_PIECE; id < p->target.size; id++)
            jamo_ids += (unsigned char)p->target.symbols.string[id][0] == 0xE1; /* U+1100 .. 11FF */
        ck_assert(jamo ? jamo_ids > 40 && p->target.size < 80
                       : jamo_ids == 0 && p->target.size > 200);
        for (int i = 0; i < pairs_items(p, SPLIT_TEST); i++) {
            const Pair *pair = pairs_item(p, SPLIT_TEST, i);
            char *back = tokenizer_decode(&p->target, pair->target, pair->n_target, NULL);
            ck_assert(strstr(back, "<unk>") || strcmp(back, pair->target_text) == 0);
            char *tokens = tokenizer_spaced(&p->target, pair->target, pair->n_target);
            ck_assert(strstr(back, "<unk>") || strcmp(tokens, pair->target_tokens) == 0);
            free(back), free(tokens);
        }
        ck_assert_int_gt(p->n[SPLIT_TRAIN], 1300);
        close_pairs(o);
    }
}
END_TEST

/* --- errors ----------------------------------------------------------------------------------- */
START_TEST(wrong_options)
{
    PairsConfig c = pairs_defaults();
    ck_assert_ptr_nonnull(strstr(why_not(&c), "no data: give --task copy|"));
    c.task = "translate";
    ck_assert_ptr_nonnull(strstr(why_not(&c), "choose one of copy|reverse"));
    c.task = "pairs";
    ck_assert_ptr_nonnull(strstr(why_not(&c), "there is no task"));
    c.task = "copy", c.file = "x.tsv";
    ck_assert_ptr_nonnull(strstr(why_not(&c), "choose one"));
    c = pairs_defaults(), c.task = "dates", c.seq_len = 20;
    ck_assert_ptr_nonnull(strstr(why_not(&c), "--seq-len 20"));
}
END_TEST

SUITE("pairs",
      TESTS(drawn_sequences, drawn_splits_are_disjoint, short_sources_are_all_in_training,
            lengths_of_another_length, perfect_and_chance, so_many_to_train_on, places,
            wrong_options),
      NO_ABORTS)
