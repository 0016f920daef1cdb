/* One table of options serves the command line, --help, config.json and --resume.
 *
 *     Option opt[] = {
 *         OPTION_GROUP("Model"),
 *         OPTION("hidden", &c.hidden, 1, 65536, "units of a layer"),
 *         OPTION_CHOICE("optimizer", &c.optimizer, "adamw|sgd", "how to update"),
 *         OPTION_FLAG("stream", &c.stream, "carry the state from batch to batch"),
 *     };
 *
 * The variable's initial value is the default that --help prints. The type of the variable decides
 * what is accepted, so that a wrong pointer does not compile. */
#ifndef ARGS_H
#define ARGS_H

#include <jansson.h>

#include "base/base.h"

typedef enum {
    OPT_GROUP,
    OPT_INT,
    OPT_DOUBLE,
    OPT_U64,
    OPT_STRING,
    OPT_FLAG,
    OPT_CHOICE,  /* an enum: the number of the choice */
    OPT_DURATION /* a double of seconds: "90", "60s", "10m", "1h" */
} OptionKind;

typedef struct {
    OptionKind kind;
    const char *name; /* "seq-len"; of a group, its title */
    void *value;
    double min, max;     /* of numbers, inclusive */
    const char *choices; /* "char|byte"; NULL: any string */
    const char *help;
    const char
        *known; /* of a string: names that --help lists, though others may do as well; or NULL */
    bool may_change; /* --resume may give another value: it changes no number computed before */
    bool given;      /* set by args_parse: the option stood on the command line */
} Option;

/* clang-format off */
/* Each macro's last argument is the help text; fields may follow it: OPTION_FLAG("quiet", &c.quiet, "no
 * progress line", .may_change = true). */

/* A number (int, double, uint64_t) with its range. */
#define OPTION(name_, ptr, min_, max_, ...)                                                        \
    {.kind = _Generic((ptr), int *: OPT_INT, double *: OPT_DOUBLE, uint64_t *: OPT_U64),           \
     .name = name_, .value = ptr, .min = min_, .max = max_, .help = __VA_ARGS__}
#define OPTION_STRING(name_, ptr, ...)                                                             \
    {.kind = _Generic((ptr), const char **: OPT_STRING), .name = name_, .value = ptr,              \
     .help = __VA_ARGS__}
/* A string, or an enum without negative values whose constants stand in the order of the choices. */
#define OPTION_CHOICE(name_, ptr, choices_, ...)                                                   \
    {.kind = _Generic((ptr), const char **: OPT_STRING, unsigned *: OPT_CHOICE), .name = name_,    \
     .value = ptr, .choices = choices_, .help = __VA_ARGS__}
#define OPTION_FLAG(name_, ptr, ...)                                                               \
    {.kind = _Generic((ptr), bool *: OPT_FLAG), .name = name_, .value = ptr, .help = __VA_ARGS__}
/* A time in seconds, 0 to max. */
#define OPTION_DURATION(name_, ptr, max_, ...)                                                     \
    {.kind = _Generic((ptr), double *: OPT_DURATION), .name = name_, .value = ptr, .max = max_,    \
     .help = __VA_ARGS__}
#define OPTION_GROUP(title) {.kind = OPT_GROUP, .name = title}
/* clang-format on */

typedef struct {
    const char *program;  /* "rnn/train" */
    const char *about;    /* one paragraph */
    const char *operands; /* "DIR", or "" where only options are taken */
    const char *examples; /* lines that really run */
    const char *next;     /* what reads the directory that this one wrote: "./rnn/eval"; or NULL */
    const char *version;  /* more lines for --version, such as the BLAS; or NULL */
} Usage;

/* Parses argv (getopt_long: --name value, --name=value, --no-flag, underscores for hyphens, k/M/G
 * suffixes of integers, -o where there is an option "out"); every program has --help (-h) and
 * --version besides. Operands are left in argv[*operand] on; where usage->operands is "" one is a
 * mistake. Returns -1 to go on, else the exit status: 0 after --help or --version (on stdout; 1 if
 * that cannot be written), 2 after a mistake (message on stderr, with the nearest option's name).
 * Without any argument at all where operands are needed (not "" and not "[...]"): usage, 2. Unless
 * it returns -1, all values are the defaults again. */
int args_parse(int argc, char **argv, Option *opt, int n, const Usage *usage, int *operand);

void args_help(const Option *opt, int n, const Usage *usage); /* to stdout, at most 80 columns */

/* Convert the options to a JSON object (names with underscores, in the order of the table) and back.
 * args_from_json overwrites every option that the object has and that was not `given` on the command
 * line; it ignores keys that are no option. A value of the wrong type or out of range is an error that
 * names the key. Strings from JSON stay allocated until the program ends. Integers of 2^63 and more,
 * which JSON lacks, are strings of digits. */
json_t *args_to_json(const Option *opt, int n);
bool args_from_json(Option *opt, int n, const json_t *config, Error *err);

typedef struct {
    char text[64];
} OptionName;

/* Returns the first --NAME in a message that is no option of the table, nor --help or --version; "": there is none. */
OptionName args_foreign(const Option *opt, int n, const char *message);

Option *args_find(Option *opt, int n, const char *name); /* aborts if there is none */

/* --- shared by args*.c ------------------------------------------------------------------------ */

OptionName option_name(const char *prefix, const char *name, char hyphen); /* '_' for a key */

/* Sets the value; returns NULL, or why the text cannot be one: "is not a number". */
const char *option_set(Option *o, const char *text);

/* Returns " (expected 1 .. 9; default 3)", without a part that does not exist; the caller frees it. */
char *option_remark(const Option *o, const char *expected);

void args_usage(const Usage *usage); /* the short help, to stderr */
/* Returns a copy of the text that lives until the program ends, like a string of argv. Equal texts share a copy. */
const char *args_lasting(const char *text);

void args_version(const Usage *usage); /* to stdout */

#endif
