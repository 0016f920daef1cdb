/* The tasks of written numbers and dates, read back by code of their own. */
#include "pairs_help.h"

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

SUITE("pairs_written", TESTS(numbers, typed_sources, dates, what_is_determined), NO_ABORTS)
