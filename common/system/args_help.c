/* Prints --help, --version, and the usage of a call without arguments, all from the program's table. */
#include "system/args.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"

enum { WIDTH = 79, MARGIN = 27 }; /* columns of a line; where the texts of options begin */

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

/* Prints a text that starts in `column`, breaking lines after blanks and '|'; every further line is
 * indented by `indent`. */
static void wrap(FILE *f, int column, int indent, const char *text)
{
    bool blank = false;
    while (*text) {
        if (*text == ' ' || *text == '\n') {
            blank = column > indent;
            text++;
            continue;
        }
        int len = (int)strcspn(text, " \n|");
        len += text[len] == '|';
        if (column > indent && column + blank + len > WIDTH) {
            fprintf(f, "\n%*s", indent, "");
            column = indent;
            blank = false;
        }
        if (len > WIDTH - column) len = WIDTH - column; /* longer than a line */
        fprintf(f, "%s%.*s", blank ? " " : "", len, text);
        column += blank + len;
        text += len;
        blank = false;
    }
    fputc('\n', f);
}

static void print_option(FILE *f, const char *letter, const char *spelling, const char *text)
{
    const int column = fprintf(f, "  %-4s%s", letter, spelling);
    if (column <= MARGIN - 2)
        fprintf(f, "%*s", MARGIN - column, "");
    else
        fprintf(f, "\n%*s", MARGIN, "");
    wrap(f, MARGIN, MARGIN, text);
}

static void print_row(FILE *f, const Option *o)
{
    static const char *const argument[] = {
        [OPT_INT] = " N", [OPT_DOUBLE] = " X",    [OPT_U64] = " N",        [OPT_STRING] = " STRING",
        [OPT_FLAG] = "",  [OPT_CHOICE] = " NAME", [OPT_DURATION] = " TIME"};
    const char *no = o->kind == OPT_FLAG ? "[no-]" : "";
    char *spelling =
        xformat("--%s%s%s", no, o->name, o->choices || o->known ? " NAME" : argument[o->kind]);
    char *remark = option_remark(o, ""), *text = xformat("%s%s", o->help, remark);
    print_option(f, strcmp(o->name, "out") == 0 ? "-o," : "", spelling, text);
    free(remark), free(text), free(spelling);
}

static void print_head(FILE *f, const Usage *usage)
{
    fprintf(f, "usage: %s [OPTION]...%s%s\n\n", usage->program, *usage->operands ? " " : "",
            usage->operands);
    wrap(f, 0, 0, usage->about);
}

static void print_examples(FILE *f, const Usage *usage)
{
    const char *line = usage->examples;
    if (!line || !*line) return;
    fputs("\nExamples:\n", f);
    while (*line) {
        const int len = (int)strcspn(line, "\n");
        fprintf(f, "  %.*s\n", len, line);
        line += len + (line[len] == '\n');
    }
}

void args_help(const Option *opt, int n, const Usage *usage)
{
    print_head(stdout, usage);
    if (n > 0 && opt[0].kind != OPT_GROUP) printf("\nOptions:\n");
    for (int i = 0; i < n; i++) {
        if (opt[i].kind == OPT_GROUP)
            printf("\n%s:\n", opt[i].name);
        else
            print_row(stdout, &opt[i]);
    }
    printf("\nHelp:\n");
    print_option(stdout, "-h,", "--help", "print this text");
    print_option(stdout, "", "--version", "print version, compiler and libraries");
    print_examples(stdout, usage);
}

void args_usage(const Usage *usage)
{
    print_head(stderr, usage);
    print_examples(stderr, usage);
    say("\n%s --help lists the options.\n", usage->program);
}

void args_version(const Usage *usage)
{
    printf("lmzoo 0.1 (%s), compiler " COMPILER "\n", usage->program);
    if (usage->version) printf("%s\n", usage->version);
}
