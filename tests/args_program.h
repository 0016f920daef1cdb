/* A table with options of every kind, and calls of args_parse with captured output. */
#ifndef ARGS_PROGRAM_H
#define ARGS_PROGRAM_H

#include <float.h>
#include <sys/mman.h>
#include <unistd.h>

#include "system/args.h"
#include "suite.h"

typedef struct {
    int steps, offset, whole;
    double lr, dropout;
    uint64_t seed;
    const char *unit, *text, *out;
    bool stream, plot;
} Config;

enum { ROWS = 13 };

typedef struct {
    Config c;
    Option opt[ROWS];
} Program;

/* The table points into the program's own Config, so a Program must not be moved. */
static inline void program_init(Program *p)
{
    p->c = (Config){.steps = 2000,
                    .lr = 0.003,
                    .seed = 1337,
                    .unit = "char",
                    .out = "runs/rnn",
                    .whole = 7,
                    .plot = true};
    const Option opt[ROWS] = {
        OPTION_GROUP("Training"),
        OPTION("steps", &p->c.steps, 1, 1000000000, "number of updates"),
        OPTION("lr", &p->c.lr, 0, 10, "learning rate"),
        OPTION("dropout", &p->c.dropout, 0, 0.9, "share of the units that a step leaves out"),
        OPTION("seed", &p->c.seed, 0, 0x1p64, "of all random numbers"),
        OPTION_FLAG("stream", &p->c.stream, "carry the state from batch to batch"),
        OPTION_GROUP("Data"),
        OPTION("seq-len-offset", &p->c.offset, -5, 5, "a number that may be negative"),
        OPTION("whole", &p->c.whole, -DBL_MAX, DBL_MAX, "any int"),
        OPTION_CHOICE("unit", &p->c.unit, "char|byte|word", "what one token is"),
        OPTION_STRING("text", &p->c.text,
                      "training text, a help that is so long that it has to be "
                      "broken more than once before it fits into the columns of a terminal"),
        OPTION_STRING("out", &p->c.out, "run directory"),
        OPTION_FLAG("plot", &p->c.plot, "draw the curve"),
    };
    memcpy(p->opt, opt, sizeof opt);
}

static const Usage no_operands = {"rnn/train", "Trains a recurrent network.",
                                  "",          "rnn/train --steps 10\nrnn/train --unit byte\n",
                                  NULL,        NULL};
static const Usage one_operand = {"rnn/eval", "Evaluates a run.", "DIR", "rnn/eval runs/rnn",
                                  NULL,       "BLAS: none"};

/* --- captured output -------------------------------------------------------------------------- */

typedef struct {
    int status, operand;
    char out[8192], err[8192];
} Outcome;

static inline void slurp(int fd, char *text, size_t size)
{
    const ssize_t n = pread(fd, text, size - 1, 0);
    ck_assert_int_ge(n, 0);
    text[n] = '\0';
    close(fd);
}

/* words: the arguments, separated by blanks; '' is an empty argument. argv[] owns them. */
static inline Outcome parse(Program *p, const Usage *usage, const char *words)
{
    static char copy[1024];
    static char *argv[64];
    Outcome r;
    int argc = 0;
    char *save = NULL;
    argv[argc++] = (char[]){"program"};
    snprintf(copy, sizeof copy, "%s", words);
    for (char *s = strtok_r(copy, " ", &save); s; s = strtok_r(NULL, " ", &save)) {
        char *quotes = strstr(s, "''");
        if (quotes) *quotes = '\0';
        argv[argc++] = s;
    }
    argv[argc] = NULL;
    fflush(stdout), fflush(stderr);
    const int out = memfd_create("out", 0), err = memfd_create("err", 0);
    const int old_out = dup(1), old_err = dup(2);
    dup2(out, 1), dup2(err, 2);
    r.status = args_parse(argc, argv, p->opt, ROWS, usage, &r.operand);
    fflush(stdout), fflush(stderr);
    dup2(old_out, 1), dup2(old_err, 2);
    close(old_out), close(old_err);
    slurp(out, r.out, sizeof r.out);
    slurp(err, r.err, sizeof r.err);
    return r;
}

static inline Outcome parse_fresh(const char *words)
{
    Program p;
    program_init(&p);
    return parse(&p, &no_operands, words);
}

static inline void assert_message(const char *words, const char *message)
{
    const Outcome r = parse_fresh(words);
    char line[512];
    snprintf(line, sizeof line, "rnn/train: error: %s\n", message);
    ck_assert_str_eq(r.err, line);
    ck_assert_str_eq(r.out, "");
    ck_assert_int_eq(r.status, 2);
}

#endif
