/* The command line. getopt_long finds names and values; this file checks them and prints the messages.
 * The program's table holds everything about an option. */
#include "system/args.h"

#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "system/start.h"

/* The numbers that getopt_long returns: above all letters, two for each option, the second for --no-NAME. */
enum { HELP = UCHAR_MAX + 1, VERSION, FIRST_OPTION };
enum { SPELLINGS = 4 }; /* seq-len, seq_len; of a flag also no-NAME, twice */

typedef struct {
    Option *opt;
    int n;
    const Usage *usage;
    struct option *table; /* getopt's: every spelling of every name */
    OptionName *name;     /* the strings of the table */
    int names;
    uint64_t *initial; /* the bytes of every value before parsing */
} Parser;

/* --- the parser's tables ---------------------------------------------------------------------- */

static size_t value_size(const Option *o)
{
    switch (o->kind) {
    case OPT_INT: return sizeof(int);
    case OPT_DOUBLE:
    case OPT_DURATION: return sizeof(double);
    case OPT_CHOICE: return sizeof(unsigned);
    case OPT_U64: return sizeof(uint64_t);
    case OPT_STRING: return sizeof(char *);
    case OPT_FLAG: return sizeof(bool);
    default: return 0;
    }
}

static void add_name(Parser *p, const char *prefix, const char *name, int has_arg, int val)
{
    CHECK(strlen(prefix) + strlen(name) < sizeof(OptionName), "option --%s: the name is too long",
          name);
    for (int i = 0; i < 2; i++) {
        OptionName *spelled = &p->name[p->names];
        *spelled = option_name(prefix, name, i ? '_' : '-');
        if (i && !strchr(spelled->text, '_')) break;
        p->table[p->names++] = (struct option){spelled->text, has_arg, NULL, val};
    }
}

static Parser parser_open(Option *opt, int n, const Usage *usage)
{
    const size_t rows = (size_t)n * SPELLINGS + 3; /* --help, --version, the end */
    Parser p = {.opt = opt, .n = n, .usage = usage};
    p.table = xcalloc(rows, sizeof *p.table);
    p.name = xcalloc(rows, sizeof *p.name);
    p.initial = xcalloc((size_t)n + 1, sizeof *p.initial);
    for (int i = 0; i < n; i++) {
        Option *o = &opt[i];
        o->given = false;
        if (o->kind == OPT_GROUP) continue;
        memcpy(&p.initial[i], o->value, value_size(o));
        const bool flag = o->kind == OPT_FLAG;
        const int val = FIRST_OPTION + 2 * i;
        add_name(&p, "", o->name, flag ? no_argument : required_argument, val);
        if (flag) add_name(&p, "no-", o->name, no_argument, val + 1);
    }
    add_name(&p, "", "help", no_argument, HELP);
    add_name(&p, "", "version", no_argument, VERSION);
    return p;
}

static void parser_restore(Parser *p)
{
    for (int i = 0; i < p->n; i++)
        if (p->opt[i].kind != OPT_GROUP)
            memcpy(p->opt[i].value, &p->initial[i], value_size(&p->opt[i]));
}

static void parser_close(Parser *p)
{
    free(p->table), free(p->name), free(p->initial);
}

static int find_index(const Parser *p, const char *name)
{
    for (int i = 0; i < p->n; i++)
        if (p->opt[i].kind != OPT_GROUP && strcmp(p->opt[i].name, name) == 0) return i;
    return -1;
}

/* --- mistakes --------------------------------------------------------------------------------- */

static int PRINTF_LIKE(2, 3) mistake(const Parser *p, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    fflush(stdout);
    say("%s: error: %s\n", p->usage->program, text);
    return EXIT_USAGE;
}

/* Returns the smallest number of insertions, deletions and substitutions that turn a into b (Levenshtein
 * 1966). It computes the table row by row: row[j] is the distance from the first letters of a to the
 * first j of b. */
static int edit_distance(const char *a, const char *b)
{
    int row[sizeof(OptionName)];
    const int n = (int)strlen(b);
    for (int j = 0; j <= n; j++) row[j] = j;
    for (; *a; a++) {
        int diagonal = row[0]++;
        for (int j = 1; j <= n; j++) {
            const int gap = 1 + (row[j] < row[j - 1] ? row[j] : row[j - 1]);
            const int match = diagonal + (*a != b[j - 1]);
            diagonal = row[j];
            row[j] = match < gap ? match : gap;
        }
    }
    return row[n];
}

/* Prints the message for --NAME or --NAME=VALUE, where NAME is the beginning of no option or of several. */
static int unknown_option(const Parser *p, const char *arg)
{
    OptionName typed = option_name("", arg + 2, '-');
    typed.text[strcspn(typed.text, "=")] = '\0';
    const char *nearest = NULL, *begun[2];
    int best = 3, n = 0;
    for (int i = 0; i < p->names; i++) {
        const char *name = p->table[i].name;
        if (strchr(name, '_')) continue; /* the same option's second spelling */
        if (strncmp(name, typed.text, strlen(typed.text)) == 0 && n < 2) begun[n++] = name;
        const int d = edit_distance(typed.text, name);
        if (d < best && d < (int)strlen(name)) best = d, nearest = name;
    }
    if (n == 2)
        return mistake(p, "--%s is ambiguous: --%s or --%s?", typed.text, begun[0], begun[1]);
    if (nearest) return mistake(p, "unknown option --%s; did you mean --%s?", typed.text, nearest);
    return mistake(p, "unknown option --%s; --help lists them all", typed.text);
}

/* Prints the message for getopt_long's '?': an unknown letter, a value for a flag, or an unknown name. */
static int bad_option(const Parser *p, const char *arg)
{
    if (optopt == 0) return unknown_option(p, arg);
    if (optopt < HELP)
        return mistake(p,
                       "unknown option -%c; long options begin with two hyphens, and --help "
                       "lists them all",
                       optopt);
    return mistake(p, "%.*s takes no value", (int)strcspn(arg, "="), arg);
}

static int bad_value(Parser *p, int i, const char *value, const char *why)
{
    parser_restore(p); /* so that the message shows the default */
    char *remark = option_remark(&p->opt[i], "expected ");
    if (value)
        mistake(p, "--%s: \"%s\" %s%s", p->opt[i].name, value, why, remark);
    else
        mistake(p, "--%s needs a value%s", p->opt[i].name, remark);
    free(remark);
    return EXIT_USAGE;
}

/* --- parsing ---------------------------------------------------------------------------------- */

static int show(Parser *p, int what)
{
    parser_restore(p);
    if (what == VERSION)
        args_version(p->usage);
    else
        args_help(p->opt, p->n, p->usage);
    return start_flush() ? EXIT_OK : EXIT_FAILED;
}

static int parse_options(Parser *p, int argc, char **argv)
{
    const int out = find_index(p, "out");
    const char *letters = out < 0 ? ":h" : ":ho:"; /* ':' tells a missing value from the rest */
    optind = 0; /* glibc: begin anew, also after an earlier parse */
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, letters, p->table, NULL)) != -1;) {
        if (c == '?') return bad_option(p, argv[optind - 1]);
        if (c == 'h' || c == HELP || c == VERSION) return show(p, c);
        const int val = c == ':' ? optopt : c;
        const int i = val == 'o' ? out : (val - FIRST_OPTION) / 2;
        if (c == ':') return bad_value(p, i, NULL, NULL);
        Option *o = &p->opt[i];
        if (o->kind == OPT_FLAG) {
            *(bool *)o->value = (val - FIRST_OPTION) % 2 == 0;
        } else {
            const char *why = option_set(o, optarg);
            if (why) return bad_value(p, i, optarg, why);
        }
        o->given = true;
    }
    if (optind < argc && !*p->usage->operands)
        return mistake(p, "unexpected argument \"%s\"; --help lists the options", argv[optind]);
    return -1;
}

int args_parse(int argc, char **argv, Option *opt, int n, const Usage *usage, int *operand)
{
    if (argc < 2 && *usage->operands && *usage->operands != '[') {
        args_usage(usage);
        return EXIT_USAGE;
    }
    start_named(usage->program);
    Parser p = parser_open(opt, n, usage);
    const int status = parse_options(&p, argc, argv);
    if (status >= 0) parser_restore(&p);
    parser_close(&p);
    *operand = optind;
    return status;
}

Option *args_find(Option *opt, int n, const char *name)
{
    const Parser p = {.opt = opt, .n = n};
    const int i = find_index(&p, name);
    CHECK(i >= 0, "args_find: no option --%s in the table", name);
    return &opt[i];
}

static bool knows(const Parser *p, const char *name)
{
    const char *positive = strncmp(name, "no-", 3) == 0 ? name + 3 : name;
    return find_index(p, name) >= 0 || find_index(p, positive) >= 0 || strcmp(name, "help") == 0 ||
           strcmp(name, "version") == 0;
}

OptionName args_foreign(const Option *opt, int n, const char *message)
{
    const Parser p = {.opt = (Option *)opt, .n = n};
    for (const char *s = message; (s = strstr(s, "--")); s++) {
        OptionName name = {""};
        const size_t len = strspn(s + 2, "abcdefghijklmnopqrstuvwxyz0123456789-");
        if (len == 0 || len >= sizeof name.text || (s > message && !strchr(" (\"'`", s[-1])))
            continue;
        memcpy(name.text, s + 2, len);
        if (!knows(&p, name.text)) return name;
        s += len;
    }
    return (OptionName){""};
}
