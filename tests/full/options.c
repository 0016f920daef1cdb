/* Runs every program with random command lines, and every numeric option with values that are no number of its range.
 *
 * The options are those that --help prints. Random lines combine up to six of them with good and odd values, in both
 * forms (--name value, --name=value), with odd words between. Trainers also get --dry-run, evaluations small sizes, so
 * that a line that is right takes milliseconds. A failure is: a signal, a time-out, a status other than 0, 1 and 2, a
 * failure without a message, a dry run that writes something, and a numeric option that accepts "", x, 1x, nan, inf, 1e999,
 * 0x, 2^63 (unless its range reaches that far) or -1 (where its range begins at 0 or more). */
#include "runs.h"

#include <ctype.h>
#include <math.h>

typedef struct {
    char name[40], kind[12]; /* kind: N, X, TIME, NAME, STRING; "" of a flag */
    double min, max;         /* of a number; TIME: 0 and infinity */
    char choices[160];
} Choice;

typedef struct {
    const char *path; /* below BIN */
    const char *const
        *tame; /* words behind a random line, which keep it short; NULL: no random lines */
    int run;   /* the family whose run directory it evaluates, or -1 */
} Program;

static const char *const dry[] = {"--no-resume", "--dry-run", NULL};
static const char *const short_text[] = {
    "--samples", "1", "--sample-len", "4", "--examples", "2", "--plot", "none", "--no-score", NULL};
static const char *const short_pairs[] = {"--samples", "1",      "--examples", "2", "--beam",
                                          "2",         "--plot", "none",       NULL};
static const char *const never[] = {"--no-such-option", "--no-such-option",
                                    NULL}; /* twice: one may be a value */

static const Program programs[] = {
    {"rnn/train", dry, -1},
    {"rnn/eval", short_text, 1},
    {"lstm_gru/train", dry, -1},
    {"lstm_gru/eval", short_text, 2},
    {"seq2seq_attention/train", dry, -1},
    {"seq2seq_attention/eval", short_pairs, 4},
    {"transformer/train", dry, -1},
    {"transformer/eval", short_pairs, 5},
    {"gpt/train", dry, -1},
    {"gpt/eval", short_text, 7},
    {"common/programs/zoo", never, -1},
    {"lessons/01-tokens", NULL, -1},
    {"lessons/03-counting", NULL, -1},
    {"lessons/04-autograd", NULL, -1},
    {"lessons/05-training", NULL, -1},
    {"lessons/10-long-term", NULL, -1},
    {"lessons/17-self-attention", NULL, -1},
    {"lessons/18-heads", NULL, -1},
    {"lessons/20-transformer", NULL, -1},
    {"lessons/21-parallelism", NULL, -1},
};
enum { PROGRAMS = LEN(programs), MOST_OPTIONS = 80 };

typedef struct {
    int lines, numbers, status[4], bad;
} Counts;

/* --- the options of a program, from its --help ---------------------------------------------------------- */

/* Reads the range in "... (1 .. 64; default 1)" or the names in "(png|svg; default png)". */
static void read_range(const char *help, Choice *c)
{
    c->min = 0, c->max = INFINITY;
    char *text = xcalloc(strlen(help) + 1, 1), *to = text;
    for (const char *at = help; *at; at++) /* the help text in one line, single blanks */
        if (!isspace((unsigned char)*at) || (to > text && to[-1] != ' '))
            *to++ = isspace((unsigned char)*at) ? ' ' : *at;
    const char *last = NULL;
    for (const char *at = text; (at = strstr(at, " .. ")); at++) last = at;
    if (last) {
        const char *from = last;
        while (from > text && from[-1] != '(') from--;
        c->min = strtod(from, NULL);
        const char *high = last + 4;
        c->max = strncmp(high, "2^64", 4) == 0 ? 0x1p64 : strtod(high, NULL);
    }
    for (const char *at = text; (at = strchr(at, '(')); at++) {
        const size_t n = strcspn(++at, ");");
        if (n >= sizeof c->choices || !memchr(at, '|', n)) continue;
        to = c->choices;
        for (size_t i = 0; i < n; i++)
            if (at[i] != ' ') *to++ = at[i]; /* a list that was broken between two names */
        *to = 0;
    }
    free(text);
}

static int options_of(const Full *f, const Program *p, Choice *list)
{
    Line l = {0};
    int n = 0;
    add_owned(&l, xformat("%s%s", f->bin, p->path));
    add_word(&l, "--help");
    Outcome o = run_well(f, l, p->path);
    for (char *at = o.out; (at = strstr(at, "\n      --"));) {
        at += 9;
        char *end = at;
        do end = strchr(end, '\n') + 1;
        while (strncmp(end, "          ", 10) == 0);
        Choice *c = &list[n];
        *c = (Choice){0};
        char word[64] = "";
        sscanf(at, "%63[^ \n]%11[ A-Z]", word, c->kind);
        memmove(c->kind, c->kind + strspn(c->kind, " "),
                strlen(c->kind + strspn(c->kind, " ")) + 1);
        c->kind[strcspn(c->kind, " ")] = 0;
        const bool flag = strncmp(word, "[no-]", 5) == 0;
        if (flag) *c->kind = 0;
        snprintf(c->name, sizeof c->name, "%.39s", flag ? word + 5 : word);
        char *help = strndup(at, (size_t)(end - at));
        read_range(help, c);
        free(help);
        if (strcmp(c->name, "help") != 0 && strcmp(c->name, "version") != 0) n++;
        NEED(n < MOST_OPTIONS, "%s has too many options", p->path);
        at = end - 1;
    }
    outcome_free(&o);
    return n;
}

static bool is_number(const Choice *c)
{
    return strcmp(c->kind, "N") == 0 || strcmp(c->kind, "X") == 0 || strcmp(c->kind, "TIME") == 0;
}

/* --- numbers that are none -------------------------------------------------------------------------- */

static void try_number(Full *f, const Program *p, const Choice *c, const char *value, Counts *n)
{
    Line l = {0};
    char shown[64];
    add_owned(&l, xformat("%s%s", f->bin, p->path));
    add_owned(&l, xformat("--%s=%s", c->name, value));
    snprintf(shown, sizeof shown, "--%.39s", c->name);
    Outcome o = run_line(f, l, NULL);
    const char *bad = bad_end(&o);
    if (!bad && o.status != 2) bad = "it is not refused with status 2";
    if (!bad && !strstr(o.err, shown)) bad = "the message does not name the option";
    n->numbers++, n->bad += bad != NULL;
    if (bad)
        full_failed(f, NULL, "%s --%s=%s: %s (status %d, signal %d): %s", p->path, c->name, value,
                    bad, o.status, o.signal, said(&o));
    outcome_free(&o);
}

/* All odd values of all numeric options, or of some: every `stride`-th. */
static void try_numbers(Full *f, const Program *p, const Choice *list, int options, int stride,
                        int *turn, Counts *n)
{
    static const char *const value[] = {
        "", "x", "1x", "nan", "inf", "1e999", "0x", "9223372036854775808", "-1"};
    for (int i = 0; i < options; i++)
        for (int k = 0; k < LEN(value) && is_number(&list[i]); k++) {
            if (k == LEN(value) - 1 && list[i].min < 0) continue;
            if (k == LEN(value) - 2 && list[i].max >= 0x1p63) continue;
            if ((*turn)++ % stride == 0) try_number(f, p, &list[i], value[k], n);
        }
}

/* --- random lines ----------------------------------------------------------------------------------- */

static const char *pick(const char *const *word, int n, Rng *rng)
{
    return word[rng_below(rng, n)];
}

/* A value for an option: mostly one that it takes. */
static char *random_value(const Full *f, const Choice *c, Rng *rng)
{
    static const char *const odd[] = {
        "",     "-",  ".",  "..",  "/",  "/dev/null", "x", "\xff\xfe",     "\033]0;x\007",
        "%s%n", "-5", "--", "1e5", "1k", "0",         "1", "999999999999", "no/such/file",
        "*"};
    static const char *const data[] = {"TEXT", "LINES", "PAIRS", "NONE"};
    if (rng_below(rng, 4) == 0) return xstrdup(pick(odd, LEN(odd), rng));
    if (*c->choices) {
        char *copy = xstrdup(c->choices), *word = copy;
        for (int i = rng_below(rng, 5); i > 0 && strchr(word, '|'); i--)
            word = strchr(word, '|') + 1;
        word[strcspn(word, "|")] = 0;
        memmove(copy, word, strlen(word) + 1);
        return copy;
    }
    if (is_number(c)) {
        const double most = isinf(c->max) ? 100 : c->max, small = fmin(most, c->min + 4);
        const double x = rng_below(rng, 5) == 0 ? (rng_below(rng, 2) ? most : c->min)
                                                : c->min + (small - c->min) * rng_uniform(rng);
        return strcmp(c->kind, "X") == 0 ? xformat("%g", x) : xformat("%.0f", floor(x));
    }
    if (rng_below(rng, 8) == 0) {
        char *s = xcalloc(5001, 1);
        return memset(s, 'a', 5000);
    }
    return xformat("%s/data/%s", f->work, pick(data, LEN(data), rng));
}

static Line random_line(const Full *f, const Program *p, const Choice *list, int options,
                        const char *run, Rng *rng)
{
    static const char *const word[] = {"x",         "",    "-",   "--",    "-h",   "-x",
                                       "--version", "--=", "---", "--no-", "\xff", "."};
    Line l = {0};
    add_owned(&l, xformat("%s%s", f->bin, p->path));
    if (run && rng_below(rng, 8)) add_word(&l, run);
    for (int i = rng_below(rng, 7); i > 0 && options; i--) {
        const Choice *c = &list[rng_below(rng, options)];
        if (rng_below(rng, 20) == 0) add_word(&l, pick(word, LEN(word), rng));
        if (!*c->kind) {
            add_owned(&l, xformat("--%s%s", rng_below(rng, 2) ? "no-" : "", c->name));
        } else if (rng_below(rng, 2)) {
            char *value = random_value(f, c, rng);
            add_owned(&l, xformat("--%s=%s", c->name, value));
            free(value);
        } else {
            add_owned(&l, xformat("--%s", c->name));
            if (rng_below(rng, 15)) add_owned(&l, random_value(f, c, rng));
        }
    }
    if (rng_below(rng, 20) == 0) add_word(&l, pick(word, LEN(word), rng));
    add_words(&l, f, p->tame);
    return l;
}

static void show_line(const Line *l, char *text, size_t room)
{
    size_t n = 0;
    for (int i = 1; i < l->n && n < room; i++)
        n += (size_t)snprintf(text + n, room - n, " '%.40s'", l->argv[i]);
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || (unsigned char)*c > 126) *c = '?';
}

static void try_line(Full *f, const Program *p, const Choice *list, int options, const char *run,
                     int number, Counts *n)
{
    Rng rng = rng_make(f->seed, RNG_TEST, (uint32_t)number);
    const Line l = random_line(f, p, list, options, run, &rng);
    char shown[600] = "", *cwd = xformat("%s/cwd", f->work);
    show_line(&l, shown, sizeof shown);
    const uint64_t before = print_of(f->work, "");
    Outcome o = run_line(f, l, &(Limits){.dir = cwd, .wall = 30});
    const char *bad = bad_end(&o);
    if (!bad && o.status > 2) bad = "its status is none of 0, 1, 2";
    if (!bad && p->run < 0 && print_of(f->work, "") != before) bad = "a dry run wrote something";
    n->lines++, n->bad += bad != NULL;
    if (o.status >= 0 && o.status < 4) n->status[o.status]++;
    if (bad)
        full_failed(f, NULL, "line %d: %s%s: %s (status %d, signal %d): %s", number, p->path, shown,
                    bad, o.status, o.signal, said(&o));
    outcome_free(&o);
    free(cwd);
}

int main(int argc, char **argv)
{
    enum { LINES = 11 }; /* the programs that get random lines */
    Full f =
        full_begin(argc, argv, "options", "Runs programs with random command lines.", 120, 2200);
    Counts n = {0};
    int turn = 0;
    runs_begin(&f);
    for (int i = 0; i < PROGRAMS; i++) {
        const Program *p = &programs[i];
        Choice list[MOST_OPTIONS];
        const int options = options_of(&f, p, list);
        try_numbers(&f, p, list, options, f.count < 2000 ? 40 : 1, &turn, &n);
        char *run = p->run < 0 ? NULL : xformat("%s/run%d", f.work, i);
        if (run) {
            Outcome o =
                run_well(&f, train_line(&f, &families[p->run], run, WORDS(NULL)), "training");
            outcome_free(&o);
        }
        for (int k = i; k < f.count && p->tame; k += LINES)
            try_line(&f, p, list, options, run, k, &n);
        free(run);
    }
    printf("options: %d random lines (status 0: %d, 1: %d, 2: %d) and %d odd numbers for %d "
           "programs: %d failures",
           n.lines, n.status[0], n.status[1], n.status[2], n.numbers, PROGRAMS, n.bad);
    return full_end(&f);
}
