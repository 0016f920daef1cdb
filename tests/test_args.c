/* The command line: parsing by getopt_long and the table of options, messages and help. */
#include <float.h>
#include <sys/mman.h>
#include <unistd.h>

#include "system/args.h"
#include "suite.h"

#include "args_program.h"

/* --- tests ------------------------------------------------------------------------------------ */

START_TEST(values)
{
    Program p;
    program_init(&p);
    const Outcome r = parse(&p, &no_operands,
                            "--steps 20k --lr=1e-4 --dropout .5 --seed 18446744073709551615 "
                            "--stream --no-plot --seq_len_offset -3 --unit=byte --text --odd_name "
                            "-o my_dir --whole -2147483648");
    ck_assert_str_eq(r.err, "");
    ck_assert_int_eq(r.status, -1);
    ck_assert_int_eq(p.c.steps, 20000);
    ck_assert(p.c.lr == 1e-4 && p.c.dropout == .5);
    ck_assert(p.c.seed == UINT64_MAX);
    ck_assert(p.c.stream && !p.c.plot);
    ck_assert_int_eq(p.c.offset, -3);
    ck_assert_int_eq(p.c.whole, INT32_MIN);
    ck_assert_str_eq(p.c.unit, "byte");
    ck_assert_str_eq(p.c.text, "--odd_name"); /* a value keeps its spelling */
    ck_assert_str_eq(p.c.out, "my_dir");
    for (int i = 0; i < ROWS; i++) ck_assert(p.opt[i].given == (p.opt[i].kind != OPT_GROUP));
}
END_TEST

START_TEST(defaults_stay)
{
    Program p;
    program_init(&p);
    ck_assert_int_eq(parse(&p, &no_operands, "").status, -1);
    ck_assert(p.c.steps == 2000 && p.c.lr == 0.003 && p.c.seed == 1337 && p.c.plot);
    ck_assert(!args_find(p.opt, ROWS, "steps")->given);
    /* The last of several values counts, a unique prefix is enough, and one parse does not affect the next. */
    ck_assert_int_eq(parse(&p, &no_operands, "--ste 5 --steps 6 --no-str").status, -1);
    ck_assert_int_eq(p.c.steps, 6);
    ck_assert(args_find(p.opt, ROWS, "steps")->given);
    ck_assert_int_eq(parse(&p, &no_operands, "--lr 1").status, -1);
    ck_assert(!args_find(p.opt, ROWS, "steps")->given && args_find(p.opt, ROWS, "lr")->given);
}
END_TEST

START_TEST(messages)
{
    assert_message("--lr 3e", "--lr: \"3e\" is not a number (expected 0 .. 10; default 0.003)");
    assert_message("--lr 1 --lr 11",
                   "--lr: \"11\" is out of range (expected 0 .. 10; default 0.003)");
    assert_message("--steps 1.5",
                   "--steps: \"1.5\" is not a whole number (expected 1 .. 1000000000; "
                   "default 2000)");
    assert_message("--seed -1",
                   "--seed: \"-1\" is out of range (expected 0 .. 2^64-1; default 1337)");
    assert_message("--unit letter", "--unit: \"letter\" is not one of the choices (expected "
                                    "char|byte|word; default char)");
    assert_message("--unit char|byte", "--unit: \"char|byte\" is not one of the choices (expected "
                                       "char|byte|word; default char)");
    assert_message("--unit ''", "--unit: \"\" is not one of the choices (expected char|byte|word; "
                                "default char)");
    assert_message("--lr", "--lr needs a value (expected 0 .. 10; default 0.003)");
    assert_message("-o", "--out needs a value (default runs/rnn)");
    assert_message("--text", "--text needs a value");
    assert_message("--text \xFF", "--text: \"\\xff\" is not valid UTF-8");
    assert_message("--stream=yes", "--stream takes no value");
    assert_message("--help=yes", "--help takes no value");
    assert_message("runs/rnn", "unexpected argument \"runs/rnn\"; --help lists the options");
    assert_message("-x", "unknown option -x; long options begin with two hyphens, and --help lists "
                         "them all");
}
END_TEST

/* All are refused; test_args_value.c checks the reasons. */
START_TEST(numbers_refused)
{
    static const char *const option[] = {"steps", "lr", "dropout", "seed"};
    char list[] = "'' x 1x nan inf -1 1e999 0x10 18446744073709551616";
    char *save = NULL;
    for (char *s = strtok_r(list, " ", &save); s; s = strtok_r(NULL, " ", &save))
        for (int i = 0; i < LEN(option); i++) {
            Program p;
            char words[96];
            program_init(&p);
            snprintf(words, sizeof words, "--%s=%s", option[i], s);
            const Outcome r = parse(&p, &no_operands, words);
            ck_assert_msg(r.status == 2 && *r.err && !*r.out, "%s gave %d", words, r.status);
        }
}
END_TEST

START_TEST(nearest_name)
{
    assert_message("--step-s 3", "unknown option --step-s; did you mean --steps?");
    assert_message("--dorpuot=1", "unknown option --dorpuot; --help lists them all");
    assert_message("--drop_uot=1", "unknown option --drop-uot; did you mean --dropout?");
    assert_message("--seq_len_ofset 1",
                   "unknown option --seq-len-ofset; did you mean --seq-len-offset?");
    assert_message("--no-plit", "unknown option --no-plit; did you mean --no-plot?");
    assert_message("--versoin", "unknown option --versoin; did you mean --version?");
    assert_message("--xyz", "unknown option --xyz; --help lists them all");
    assert_message(
        "--xy", "unknown option --xy; --help lists them all"); /* "lr" shares no letter with it */
    assert_message("--se 1", "--se is ambiguous: --seed or --seq-len-offset?");
    assert_message("--no-", "--no- is ambiguous: --no-stream or --no-plot?");
    ck_assert_int_eq(parse_fresh("--seq 1").status, -1); /* two spellings of one name */
    char words[600] = "--";
    memset(words + 2, 'q', 500);
    const Outcome r = parse_fresh(words);
    ck_assert_int_eq(r.status, 2);
    ck_assert_ptr_nonnull(strstr(r.err, "unknown option --qqq"));
}
END_TEST

START_TEST(operands)
{
    Program p;
    program_init(&p);
    Outcome r = parse(&p, &one_operand, "--steps 3 runs/rnn --lr 1");
    ck_assert_int_eq(r.status, -1);
    ck_assert_int_eq(r.operand, 5); /* the operands come last */
    ck_assert(p.c.steps == 3 && p.c.lr == 1);
    r = parse(&p, &one_operand, "--steps 4 -- --lr x");
    ck_assert_int_eq(r.status, -1);
    ck_assert_int_eq(r.operand, 4);
    r = parse(&p, &one_operand, "");
    ck_assert_int_eq(r.status, 2);
    ck_assert_str_eq(r.out, "");
    ck_assert_str_eq(r.err, "usage: rnn/eval [OPTION]... DIR\n\nEvaluates a run.\n\nExamples:\n"
                            "  rnn/eval runs/rnn\n\nrnn/eval --help lists the options.\n");
    const Usage optional = {"rnn/eval", "", "[DIR]", "", NULL, NULL};
    ck_assert_int_eq(parse(&p, &optional, "").status, -1);
}
END_TEST

static int longest_line(const char *text)
{
    size_t longest = 0;
    while (*text) {
        const size_t n = strcspn(text, "\n");
        if (n > longest) longest = n;
        text += n + (text[n] == '\n');
    }
    return (int)longest;
}

START_TEST(help)
{
    Program p;
    program_init(&p);
    /* --help shows the defaults, not values given before it, and ignores what follows. */
    const Outcome r = parse(&p, &no_operands, "--steps 5 --no-plot --help --nonsense");
    ck_assert_int_eq(r.status, 0);
    ck_assert_str_eq(r.err, "");
    ck_assert_int_le(longest_line(r.out), 80);
    for (int i = 0; i < ROWS; i++) {
        char name[80];
        const bool flag = p.opt[i].kind == OPT_FLAG;
        snprintf(name, sizeof name, "--%s%s", flag ? "[no-]" : "", p.opt[i].name);
        if (p.opt[i].kind == OPT_GROUP) snprintf(name, sizeof name, "\n%s:\n", p.opt[i].name);
        ck_assert_msg(strstr(r.out, name) != NULL, "%s is missing in\n%s", name, r.out);
    }
    static const char *const part[] = {
        "usage: rnn/train [OPTION]...\n\nTrains a recurrent network.\n",
        "\n      --steps N            number of updates (1 .. 1000000000; default 2000)\n",
        "\n      --[no-]plot          draw the curve (default on)\n",
        "\n      --unit NAME          what one token is (char|byte|word; default char)\n",
        "\n  -o, --out STRING         run directory (default runs/rnn)\n",
        "\n      --seq-len-offset N   a number that may be negative (-5 .. 5; default 0)\n",
        "columns of a terminal\n", /* without a default there are no parentheses */
        "\n  -h, --help               print this text\n",
        "\nExamples:\n  rnn/train --steps 10\n  rnn/train --unit byte\n"};
    for (int i = 0; i < LEN(part); i++)
        ck_assert_msg(strstr(r.out, part[i]) != NULL, "%s is missing in\n%s", part[i], r.out);
    ck_assert_str_eq(parse(&p, &no_operands, "-h").out, r.out);
}
END_TEST

/* No text in the table makes a line too long. */
START_TEST(help_is_narrow)
{
    char blob[200];
    memset(blob, 'w', sizeof blob - 1);
    blob[sizeof blob - 1] = '\0';
    const char *choice = "adding", *string = blob;
    double x = 1. / 3;
    Option opt[] = {
        OPTION_CHOICE("a-name-far-too-long-for-the-column-of-names", &choice,
                      "adding|copy-memory|parity|dyck|agreement|something-else|and-more", "a task"),
        OPTION_STRING("string", &string, "unbreakable"),
        OPTION("x", &x, -DBL_MAX, DBL_MAX, "a number without an end"),
        OPTION("y", &x, 0, INFINITY, "another"),
    };
    const Usage usage = {"p", blob, "", "", NULL, NULL};
    char *argv[] = {(char[]){"p"}, (char[]){"--help"}, NULL};
    char text[8192];
    const int out = memfd_create("out", 0), old = dup(1);
    int operand;
    fflush(stdout);
    dup2(out, 1);
    const int status = args_parse(2, argv, opt, LEN(opt), &usage, &operand);
    dup2(old, 1), close(old);
    slurp(out, text, sizeof text);
    ck_assert_int_eq(status, 0);
    ck_assert_msg(longest_line(text) <= 80, "%s", text);
    ck_assert_ptr_nonnull(strstr(text, "default 0.3333333333333333)"));
    ck_assert_ptr_nonnull(strstr(text, "(at least 0; default"));
    int letters = 0;
    for (const char *s = text; *s; s++) letters += *s == 'w';
    ck_assert_int_ge(letters, 2 * 199); /* lines are broken, not truncated */
}
END_TEST

START_TEST(version)
{
    Program p;
    program_init(&p);
    const Outcome r = parse(&p, &one_operand, "--version");
    ck_assert_int_eq(r.status, 0);
    ck_assert_int_eq(strncmp(r.out, "lmzoo 0.1 (rnn/eval), compiler ", 31), 0);
    ck_assert_ptr_nonnull(strstr(r.out, "\nBLAS: none\n"));
    ck_assert_str_eq(r.err, "");
}
END_TEST

START_TEST(full_device)
{
    if (access("/dev/full", W_OK) != 0) return;
    Program p;
    program_init(&p);
    char *argv[] = {(char[]){"p"}, (char[]){"--help"}, NULL};
    int operand;
    ck_assert_ptr_nonnull(freopen("/dev/full", "w", stdout));
    ck_assert_int_eq(args_parse(2, argv, p.opt, ROWS, &no_operands, &operand), 1);
    ck_assert_ptr_nonnull(freopen("/dev/null", "w", stdout));
}
END_TEST

START_TEST(defaults_after_a_mistake)
{
    static const char *const words[] = {"--steps 3 --lr x", "--steps 3 --nonsense",
                                        "--steps 3 operand", "--steps 3 -x", "--steps 3 --help"};
    for (int i = 0; i < LEN(words); i++) {
        Program p;
        program_init(&p);
        ck_assert_int_ge(parse(&p, &no_operands, words[i]).status, 0);
        ck_assert_int_eq(p.c.steps, 2000);
    }
}
END_TEST

/* Every command line gives a status, never a crash. */
START_TEST(random_words)
{
    static const char alphabet[] =
        "--\0-\0=\0steps\0lr\0no-\0stream\0 1\0-1\0k\0 \0 \0unit\0byte\0_"
        "\0seed\0o\0h\0help\0''\0\xC3\0e9\0text\0:";
    const char *piece[32] = {NULL};
    int pieces = 0;
    for (const char *s = alphabet; s < alphabet + sizeof alphabet; s += strlen(s) + 1)
        piece[pieces++] = s;
    uint32_t state = 1;
    int seen[4] = {0};
    for (int trial = 0; trial < 3000; trial++) {
        Program p;
        char words[400] = "";
        program_init(&p);
        for (int i = 0; i < 12; i++) {
            state = state * 1664525u + 1013904223u;
            strcat(words, piece[(state >> 16) % pieces]);
        }
        const Outcome r = parse(&p, &no_operands, words);
        ck_assert_msg(r.status >= -1 && r.status <= 2 && r.status != 1, "%s: %d", words, r.status);
        ck_assert_msg((r.status == 2) == (*r.err != '\0'), "%s: %s", words, r.err);
        seen[r.status + 1]++;
    }
    ck_assert(seen[0] > 0 && seen[1] > 0 && seen[3] > 0);
}
END_TEST

START_TEST(find_unknown)
{
    Program p;
    program_init(&p);
    args_find(p.opt, ROWS, "Training"); /* a group is not an option */
}
END_TEST

SUITE("args",
      TESTS(values, defaults_stay, messages, numbers_refused, nearest_name, operands, help,
            help_is_narrow, version, full_device, defaults_after_a_mistake, random_words),
      ABORTS(find_unknown))
