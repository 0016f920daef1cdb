#include "data/pairs_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_text(Table *t, const char *text, size_t len)
{
    if (t->len + len + 1 > t->room) {
        t->room = 2 * (t->len + len + 1);
        t->bytes = xrealloc(t->bytes, t->room);
    }
    memcpy(t->bytes + t->len, text, len);
    t->len += len;
    t->bytes[t->len++] = 0;
}

static void add_pair(Table *t, const char *source, const char *target)
{
    add_text(t, source, strlen(source));
    add_text(t, target, strlen(target));
    t->n++;
}

void table_free(Table *t)
{
    free(t->bytes);
    input_faults_free(&t->faults);
    *t = (Table){0};
}

/* --- files ---------------------------------------------------------------------------------------- */

static void trim(const char **text, size_t *len)
{
    while (*len > 0 && **text == ' ') ++*text, --*len;
    while (*len > 0 && (*text)[*len - 1] == ' ') --*len;
}

const char *pair_line_cut(const char *line, size_t len, PairLine *cut)
{
    *cut = (PairLine){0};
    if (len > PAIR_LINE_MOST) return "has more than 1048576 bytes; shorten it";
    while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == ' ')) len--;
    if (len == 0) return NULL;
    if (memchr(line, 0, len)) return "has a 0 byte; convert the file to UTF-8 text first";
    if (memchr(line, '\r', len))
        return "has a carriage return in it; end lines with a newline (tr '\\r' '\\n' converts "
               "them)";
    for (const char *at = line, *end = line + len; at && cut->columns < 3; cut->columns++) {
        const char *tab = memchr(at, '\t', (size_t)(end - at));
        if (cut->columns < 2) {
            cut->text[cut->columns] = at;
            cut->len[cut->columns] = (size_t)((tab ? tab : end) - at);
            trim(&cut->text[cut->columns], &cut->len[cut->columns]);
        }
        at = tab ? tab + 1 : NULL;
    }
    return NULL;
}

/* Adds the pair of a line, unless the line is empty. Returns what is wrong with it, or NULL. */
static const char *add_line(Table *t, const char *line, size_t len)
{
    PairLine cut;
    const char *fault = pair_line_cut(line, len, &cut);
    if (fault || cut.columns == 0) return fault;
    if (cut.columns == 1) return "has no tab; a line is: source, tab, target";
    for (int side = 0; side < 2; side++) add_text(t, cut.text[side], cut.len[side]);
    t->further += cut.columns > 2;
    t->n++;
    return NULL;
}

bool table_read(Table *t, const char *path, Error *err)
{
    enum { MOST = 1 << 30 };
    Input file;
    if (!input_read(path, MOST, &file, err)) return false;
    const char *line = file.data, *const end = file.data + file.len, *fault = NULL;
    int number = 0;
    t->faults = input_faults_take(&file);
    while (line < end && !fault) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        number++;
        fault = add_line(t, line, (size_t)((newline ? newline : end) - line));
        line = newline ? newline + 1 : end;
    }
    input_free(&file);
    return !fault || error_set(err, "%s: line %d %s", path, number, fault);
}

/* --- dates ---------------------------------------------------------------------------------------- */

static void add_date(Table *t, int year, int month, int day)
{
    static const char *const names[] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};
    const char *name = names[month - 1];
    char form[3][48], iso[48];
    snprintf(form[0], sizeof form[0], "%s %d, %d", name, day, year);
    snprintf(form[1], sizeof form[1], "%d %.3s %d", day, name, year);
    snprintf(form[2], sizeof form[2], "%02d/%02d/%02d, %d", month, day, year % 100, year);
    snprintf(iso, sizeof iso, "%d-%02d-%02d", year, month, day);
    for (int k = 0; k < LEN(form); k++) add_pair(t, form[k], iso);
}

void table_dates(Table *t)
{
    for (int year = 1900; year < 2100; year++)
        for (int month = 1; month <= 12; month++)
            for (int day = 1; day <= 28; day++) add_date(t, year, month, day);
}

/* --- numbers -------------------------------------------------------------------------------------- */
typedef struct {
    char text[96];
    size_t len;
} Words;

static void say(Words *w, const char *word)
{
    w->len += (size_t)snprintf(w->text + w->len, sizeof w->text - w->len, "%s%s", w->len ? " " : "",
                               word);
    CHECK(w->len < sizeof w->text, "numbers: %s", w->text);
}

static Words english(int n)
{
    static const char *const small[] = {"zero",    "one",     "two",       "three",    "four",
                                        "five",    "six",     "seven",     "eight",    "nine",
                                        "ten",     "eleven",  "twelve",    "thirteen", "fourteen",
                                        "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
    static const char *const tens[] = {"",      "",      "twenty",  "thirty", "forty",
                                       "fifty", "sixty", "seventy", "eighty", "ninety"};
    Words w = {0};
    if (n >= 1000) say(&w, small[n / 1000]), say(&w, "thousand");
    if (n / 100 % 10) say(&w, small[n / 100 % 10]), say(&w, "hundred");
    const int rest = n % 100;
    if (rest >= LEN(small)) say(&w, tens[rest / 10]);
    if (rest < LEN(small) ? rest > 0 || n == 0 : rest % 10 > 0)
        say(&w, small[rest < LEN(small) ? rest : rest % 10]);
    return w;
}

/* Returns n in Sino-Korean. "One" is not said before ten, hundred and thousand: 1110 is 천 백 십. */
static Words sino_korean(int n)
{
    static const char *const digit[] = {"영", "일", "이", "삼", "사", "오", "육", "칠", "팔", "구"};
    static const struct {
        int value;
        const char *name;
    } unit[] = {{1000, "천"}, {100, "백"}, {10, "십"}};
    Words w = {0};
    for (int u = 0; u < LEN(unit); u++) {
        const int d = n / unit[u].value % 10;
        if (d > 1) say(&w, digit[d]);
        if (d > 0) say(&w, unit[u].name);
    }
    if (n % 10 || n == 0) say(&w, digit[n % 10]);
    return w;
}

void table_numbers(Table *t)
{
    for (int n = 0; n < 10000; n++) {
        const Words source = english(n), target = sino_korean(n);
        add_pair(t, source.text, target.text);
    }
}
