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

/* --- numbers -------------------------------------------------------------------------------------- */

static int find(const char *word, const char *const *list, int n)
{
    for (int i = 0; i < n; i++)
        if (strcmp(word, list[i]) == 0) return i;
    return -1;
}

/* Returns the value of an English number, or -1 if it is not a number. */
static int value_of_english(char *text)
{
    static const char *const small[] = {"zero",    "one",     "two",       "three",    "four",
                                        "five",    "six",     "seven",     "eight",    "nine",
                                        "ten",     "eleven",  "twelve",    "thirteen", "fourteen",
                                        "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
    static const char *const tens[] = {"twenty", "thirty",  "forty",  "fifty",
                                       "sixty",  "seventy", "eighty", "ninety"};
    int total = 0, part = 0;
    char *rest = NULL;
    for (char *w = strtok_r(text, " ", &rest); w; w = strtok_r(NULL, " ", &rest)) {
        const int one = find(w, small, LEN(small)), ten = find(w, tens, LEN(tens));
        if (one >= 0)
            part += one;
        else if (ten >= 0)
            part += 10 * (ten + 2);
        else if (strcmp(w, "hundred") == 0)
            part *= 100;
        else if (strcmp(w, "thousand") == 0)
            total += 1000 * part, part = 0;
        else
            return -1;
    }
    return total + part;
}

static int value_of_korean(char *text)
{
    static const char *const digits[] = {"영", "일", "이", "삼", "사",
                                         "오", "육", "칠", "팔", "구"};
    static const char *const units[] = {"십", "백", "천"};
    int total = 0, digit = -1;
    char *rest = NULL;
    for (char *w = strtok_r(text, " ", &rest); w; w = strtok_r(NULL, " ", &rest)) {
        const int d = find(w, digits, LEN(digits)), u = find(w, units, LEN(units));
        if (u >= 0) {
            if (digit == 1 || digit == 0) return -1; /* one is not said */
            total += (digit < 0 ? 1 : digit) * (u == 0 ? 10 : u == 1 ? 100 : 1000);
            digit = -1;
        } else if (d < 0 || digit >= 0) {
            return -1;
        } else {
            digit = d;
        }
    }
    return digit < 0 ? total : total + digit;
}

START_TEST(numbers)
{
    static const char *const by_hand[][2] = {
        {"zero", "영"},
        {"one", "일"},
        {"ten", "십"},
        {"eleven", "십 일"},
        {"twenty", "이 십"},
        {"one hundred", "백"},
        {"one hundred ten", "백 십"},
        {"three hundred five", "삼 백 오"},
        {"one thousand", "천"},
        {"one thousand one hundred eleven", "천 백 십 일"},
        {"one thousand two hundred thirty four", "천 이 백 삼 십 사"},
        {"two thousand one", "이 천 일"},
        {"nine thousand nine hundred ninety nine", "구 천 구 백 구 십 구"},
    };
    Opened *o = open_named("numbers");
    const Pairs *p = &o->pairs;
    bool seen[10000] = {0};
    int found = 0;
    for (int s = SPLIT_TRAIN; s <= SPLIT_TEST; s++)
        for (int i = 0; i < pairs_items(p, (Split)s); i++) {
            const Pair *pair = pairs_item(p, (Split)s, i);
            char *english = xstrdup(pair->source_text), *korean = xstrdup(pair->target_text);
            char *back = tokenizer_decode(&p->source, pair->source, pair->n_source, NULL);
            const int n = value_of_english(english);
            ck_assert(n >= 0 && n < 10000 && !seen[n]);
            ck_assert_int_eq(value_of_korean(korean), n);
            ck_assert_str_eq(back, pair->source_text);
            ck_assert_str_eq(pair->target_tokens, pair->target_text);
            seen[n] = true;
            for (int k = 0; k < LEN(by_hand); k++)
                if (strcmp(by_hand[k][0], pair->source_text) == 0)
                    found += strcmp(by_hand[k][1], pair->target_text) == 0;
            free(english), free(korean), free(back);
        }
    ck_assert_int_eq(p->n[0] + p->n[1] + p->n[2], 10000);
    ck_assert_int_eq(found, LEN(by_hand));
    ck_assert(p->source.size == FIRST_PIECE + 30 && p->target.size == FIRST_PIECE + 13);
    ck_assert_int_le(abs(p->n[SPLIT_TEST] - 1000), 120);
    ck_assert_int_le(abs(p->n[SPLIT_VALID] - 1000), 120);
    ck_assert(p->left_out == 0 && p->repeated == 0 && p->empty == 0 && p->unknown[0] == 0);
    close_pairs(o);
}
END_TEST

START_TEST(typed_sources)
{
    Opened *o = open_named("numbers");
    char *unknown;
    int n;
    int *ids = pairs_encode_source(&o->pairs, "Thirty-four", &n, &unknown);
    ck_assert(n == 2 && !unknown && ids[0] == tokenizer_id(&o->pairs.source, "thirty"));
    free(ids);
    ids = pairs_encode_source(&o->pairs, " one  umpteen and two", &n, &unknown);
    ck_assert(n == 4 && ids[1] == UNK && ids[2] == UNK);
    ck_assert_str_eq(unknown, "umpteen and");
    free(ids), free(unknown);
    ids = pairs_encode_source(&o->pairs, "", &n, &unknown);
    ck_assert(n == 0 && !unknown);
    free(ids);
    close_pairs(o);
    o = open_named("copy");
    ids = pairs_encode_source(&o->pairs, "c a t", &n, &unknown);
    const int want[] = {FIRST_PIECE + 2, FIRST_PIECE, FIRST_PIECE + 19};
    ck_assert(n == 3 && !unknown && memcmp(ids, want, sizeof want) == 0);
    free(ids);
    close_pairs(o);
}
END_TEST

/* --- dates ---------------------------------------------------------------------------------------- */

/* Reads the day of a source with sscanf, as 1 .. 200 * 12 * 28, and which of the three forms it
 * has. */
static int day_of(const char *text, int *form)
{
    static const char *const names[] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};
    char name[16];
    int y, m = 0, d, yy;
    if (sscanf(text, "%d/%d/%d, %d", &m, &d, &yy, &y) == 4) {
        *form = 2;
        ck_assert_int_eq(yy, y % 100);
    } else if (sscanf(text, "%15[A-Za-z] %d, %d", name, &d, &y) == 3) {
        *form = 0;
        for (int k = 0; k < 12; k++)
            if (strcmp(names[k], name) == 0) m = k + 1;
    } else {
        *form = 1;
        ck_assert_int_eq(sscanf(text, "%d %15s %d", &d, name, &y), 3);
        for (int k = 0; k < 12; k++)
            if (strlen(name) == 3 && strncmp(names[k], name, 3) == 0) m = k + 1;
    }
    ck_assert(y >= 1900 && y < 2100 && m >= 1 && m <= 12 && d >= 1 && d <= 28);
    return ((y - 1900) * 12 + m - 1) * 28 + d - 1;
}

START_TEST(dates)
{
    enum { DAYS = 200 * 12 * 28 };
    static unsigned char forms[DAYS], split[DAYS];
    Opened *o = open_named("dates");
    const Pairs *p = &o->pairs;
    int found = 0;
    for (int s = SPLIT_TRAIN; s <= SPLIT_TEST; s++)
        for (int i = 0; i < pairs_items(p, (Split)s); i++) {
            const Pair *pair = pairs_item(p, (Split)s, i);
            int form, y, m, d;
            const int day = day_of(pair->source_text, &form);
            ck_assert_int_eq(sscanf(pair->target_text, "%4d-%2d-%2d", &y, &m, &d), 3);
            ck_assert(strlen(pair->target_text) == 10 && pair->n_target == 10);
            ck_assert_int_eq(((y - 1900) * 12 + m - 1) * 28 + d - 1, day);
            ck_assert(!(forms[day] & 1 << form) && (!forms[day] || split[day] == s));
            forms[day] |= (unsigned char)(1 << form);
            split[day] = (unsigned char)s;
            found += !strcmp(pair->source_text, "September 27, 1994") ||
                     !strcmp(pair->source_text, "27 Sep 1994") ||
                     !strcmp(pair->source_text, "09/27/94, 1994");
        }
    for (int day = 0; day < DAYS; day++) ck_assert_int_eq(forms[day], 7);
    ck_assert_int_eq(found, 3);
    ck_assert_int_le(abs(p->n[SPLIT_TEST] - 3 * DAYS / 10), 3 * 400); /* 5 sigma */
    ck_assert(p->left_out == 0 && o->task.length == 18 && o->task.extra == 1);
    ck_assert(p->source.kind == token_kind("char") && p->target.size == FIRST_PIECE + 11);

    Batch b = batch_new();
    task_heldout(&o->task, SPLIT_TEST, 0, 0, 100, &b);
    ck_layout(&o->task, &b);
    ck_assert_int_eq(b.T, 11);
    batch_free(&b);
    close_pairs(o);
}
END_TEST

/* A form has one date, but a date has three forms: with --swap the best loss is unknown. */
START_TEST(what_is_determined)
{
    for (int swap = 0; swap < 2; swap++) {
        PairsConfig c = pairs_defaults();
        c.task = "dates", c.swap = swap, c.items = 50;
        Opened *o = open_pairs(&c);
        ck_assert(swap ? isnan(o->task.loss_perfect) : o->task.loss_perfect == 0);
        ck_assert(swap ? isnan(o->task.metric_perfect) : o->task.metric_perfect == 1);
        close_pairs(o);
    }
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
            lengths_of_another_length, perfect_and_chance, numbers, typed_sources, dates,
            what_is_determined, so_many_to_train_on, places, wrong_options),
      NO_ABORTS)
