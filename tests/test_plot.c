/* Pictures are written whole or not at all; without gnuplot a program continues. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "system/plot.h"
#include "suite.h"

/* A directory with a script, and the files of a test. */
typedef struct {
    char dir[32];
    char *script, *picture, *messages;
} Place;

static void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    ck_assert_int_eq(fclose(f), 0);
}

static Place place_new(const char *script)
{
    Place p = {.dir = "/tmp/lmzoo-plot-XXXXXX"};
    ck_assert_ptr_nonnull(mkdtemp(p.dir));
    p.script = xformat("%s/it's a \"plot\".gp", p.dir);
    p.picture = xformat("%s/picture", p.dir);
    p.messages = xformat("%s/messages", p.dir);
    write_text(p.script, script);
    fflush(stderr);
    ck_assert_ptr_nonnull(
        freopen(p.messages, "w", stderr)); /* Check runs each test in its own process */
    return p;
}

static void place_free(Place *p)
{
    unlink(p->script), unlink(p->picture), unlink(p->messages);
    ck_assert_int_eq(rmdir(p->dir), 0); /* no other file was left */
    free(p->script), free(p->picture), free(p->messages);
}

/* Returns the bytes of a file, "" if there is none; free() it. */
static char *contents(const char *path)
{
    enum { MOST = 1 << 20 };
    char *text = xcalloc(MOST + 1, 1);
    FILE *f = fopen(path, "rb");
    if (f) {
        text[fread(text, 1, MOST, f)] = 0;
        fclose(f);
    }
    return text;
}

static int count(const char *path, const char *what)
{
    int n = 0;
    fflush(stderr);
    char *text = contents(path);
    for (const char *s = text; (s = strstr(s, what)); s++) n++;
    free(text);
    return n;
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static bool have_gnuplot(void)
{
    const bool have = system("gnuplot --version >/dev/null 2>&1") == 0;
    if (!have) fprintf(stderr, "skipped: gnuplot is not installed\n");
    return have;
}

START_TEST(quoting)
{
    const char *const pair[][2] = {{"", "''"},
                                   {"it's", "\"it\\047s\""},
                                   {"`rm` $(x) \"\\n\"", "\"\\140rm\\140 $(x) \\042\\134n\\042\""},
                                   {"$(x) \"\\n\"", "'$(x) \"\\n\"'"},
                                   {"a\nb\tc\x01\x7F", "'a\\nb\\tc\\x01\\x7f'"},
                                   {"한글", "'한글'"}};
    for (int i = 0; i < LEN(pair); i++) {
        char *quoted = plot_quote(pair[i][0]);
        ck_assert_str_eq(quoted, pair[i][1]);
        free(quoted);
    }
}
END_TEST

/* gnuplot prints every string unchanged and never runs it. */
START_TEST(quoting_for_gnuplot)
{
    if (!have_gnuplot()) return;
    static const char *const name[] = {"a'b `echo no` @x \\n {/Bold c_d} \"",
                                       "it''s ''two''",
                                       "`echo no`",
                                       "\"`echo no`\"",
                                       "\\047 \\",
                                       "'",
                                       "\\'\\"};
    for (int i = 0; i < LEN(name); i++) {
        char *quoted = plot_quote(name[i]), *want = xformat("%s\n", name[i]);
        char *text = xformat("x = 'no'\nset print 'out'\nprint %s\nset print\nset title %s\n"
                             "plot x = 1, x title %s\n",
                             quoted, quoted, quoted);
        Place p = place_new(text);
        char *out = xformat("%s/out", p.dir);
        ck_assert_msg(plot_draw(p.script, p.picture, "svg", 300, 200), "%s", name[i]);
        char *got = contents(out);
        ck_assert_str_eq(got, want);
        unlink(out);
        place_free(&p);
        free(quoted), free(text), free(out), free(got), free(want);
    }
}
END_TEST

START_TEST(eight_colours)
{
    for (int i = 0; i < 8; i++) {
        ck_assert_uint_eq(strlen(plot_color[i]), 7);
        ck_assert_uint_eq(strspn(plot_color[i] + 1, "0123456789abcdef"), 6);
        for (int k = 0; k < i; k++) ck_assert_str_ne(plot_color[i], plot_color[k]);
    }
}
END_TEST

/* Reads lessons/colors.gp, whose lines are `name eq "rnn" ? "#0072b2" : \`. */
START_TEST(colours_of_architectures)
{
    char line[256], name[32], color[8];
    int n = 0;
    FILE *f = fopen("lessons/colors.gp", "r");
    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof line, f)) {
        const char *at = strstr(line, "name eq \"");
        if (!at || sscanf(at, "name eq \"%31[^\"]\" ? \"%7s\"", name, color) != 2) continue;
        ck_assert_str_eq(plot_color_of(name), color);
        n++;
    }
    fclose(f);
    ck_assert_int_eq(n, 11);
    static const char *const apart[] = {"rnn", "lstm",   "gru",         "none", "additive",
                                        "dot", "concat", "transformer", "gpt"};
    for (int i = 0; i < LEN(apart); i++)
        for (int k = 0; k < i; k++)
            ck_assert_str_ne(plot_color_of(apart[i]), plot_color_of(apart[k]));
    ck_assert_str_eq(plot_color_of("decoder"), plot_color_of("transformer"));
    ck_assert_str_eq(plot_color_of("vector"), plot_color_of("none"));
}
END_TEST

START_TEST(colour_of_an_unknown_architecture)
{
    plot_color_of("perceptron");
}
END_TEST

static unsigned big_endian(const char *s)
{
    const unsigned char *u = (const unsigned char *)s;
    return (unsigned)u[0] << 24 | (unsigned)u[1] << 16 | (unsigned)u[2] << 8 | u[3];
}

/* The script finds its data in its own directory, and the picture is a PNG of the requested size. */
START_TEST(png)
{
    if (!have_gnuplot()) return;
    Place p = place_new("set datafile separator comma\nplot 'data.csv' using 1:2 with lines\n");
    char *data = xformat("%s/data.csv", p.dir);
    write_text(data, "1,2\n2,3\n3,5\n");
    write_text(p.picture, "an older picture");
    ck_assert(plot_draw(p.script, p.picture, "png", 320, 240));
    char *got = contents(p.picture);
    ck_assert_mem_eq(got, "\x89PNG\r\n\x1A\n", 8);
    ck_assert_uint_eq(big_endian(got + 16), 320);
    ck_assert_uint_eq(big_endian(got + 20), 240);
    ck_assert_int_eq(count(p.messages, "warning"), 0);
    unlink(data);
    place_free(&p);
    free(data), free(got);
}
END_TEST

/* File names without a directory: the current directory. */
START_TEST(svg_here)
{
    if (!have_gnuplot()) return;
    Place p = place_new("plot x title 'a_b'\n");
    ck_assert_int_eq(chdir(p.dir), 0);
    ck_assert(plot_draw(strrchr(p.script, '/') + 1, "picture", "svg", 320, 240));
    char *got = contents(p.picture);
    ck_assert_ptr_nonnull(strstr(got, "</svg>"));
    ck_assert_ptr_nonnull(strstr(got, ">a_b<")); /* no subscript */
    ck_assert_int_eq(chdir("/"), 0);
    place_free(&p);
    free(got);
}
END_TEST

START_TEST(dumb_and_none)
{
    if (!have_gnuplot()) return;
    Place p = place_new("plot [0:1] x title 'straight'\n");
    ck_assert(plot_draw(p.script, p.picture, "none", 0, 0));
    const int keep = dup(STDOUT_FILENO), to = open(p.picture, O_WRONLY | O_CREAT, 0600);
    fflush(stdout);
    dup2(to, STDOUT_FILENO);
    const bool ok = plot_draw(p.script, "nowhere/picture", "dumb", 900, 600);
    fflush(stdout);
    dup2(keep, STDOUT_FILENO);
    close(keep), close(to);
    ck_assert(ok);
    char *got = contents(p.picture), *rest = got;
    ck_assert_ptr_nonnull(strstr(got, "straight"));
    for (char *line; (line = strsep(&rest, "\n"));) ck_assert_uint_le(strlen(line), 79);
    free(got);
    place_free(&p);
}
END_TEST

/* A script that fails keeps the older picture, leaves no other file, and prints one line with the reason. */
START_TEST(failing_script)
{
    if (!have_gnuplot()) return;
    const char *const bad[] = {"plot sin(x\n", "plot x\nexit status 3\n", "plot 'missing.csv'\n",
                               "\n"};
    for (int i = 0; i < LEN(bad); i++) {
        Place p = place_new(bad[i]);
        write_text(p.picture, "an older picture");
        ck_assert(!plot_draw(p.script, p.picture, "png", 320, 240));
        char *got = contents(p.picture);
        ck_assert_str_eq(got, "an older picture");
        ck_assert_int_eq(count(p.messages, "\n"), 1);
        ck_assert_int_eq(count(p.messages, "no picture: "), 1);
        ck_assert_int_eq(count(p.messages, "the numbers are in "), 1);
        if (i == 0) ck_assert_int_eq(count(p.messages, "')' expected"), 1);
        free(got);
        place_free(&p);
    }
}
END_TEST

/* A symbolic link at the name of the temporary file is not followed. */
START_TEST(a_planted_link)
{
    if (!have_gnuplot()) return;
    Place p = place_new("plot x\n");
    char *mine = xformat("%s/mine", p.dir),
         *link = xformat("%s.tmp.%ld", p.picture, (long)getpid());
    write_text(mine, "dear to me");
    ck_assert_int_eq(symlink("mine", link), 0);
    ck_assert(plot_draw(p.script, p.picture, "png", 320, 240));
    char *got = contents(mine);
    ck_assert_str_eq(got, "dear to me");
    unlink(mine);
    place_free(&p);
    free(mine), free(link), free(got);
}
END_TEST

START_TEST(nowhere_to_draw)
{
    Place p = place_new("plot x\n");
    char *nowhere = xformat("%s/none/picture", p.dir), *no_script = xformat("%s/none.gp", p.dir);
    ck_assert(!plot_draw(p.script, nowhere, "png", 320, 240));
    ck_assert(!plot_draw(no_script, p.picture, "png", 320, 240));
    ck_assert(!is_there(p.picture));
    ck_assert_int_eq(count(p.messages, "No such file"), 2);
    place_free(&p);
    free(nowhere), free(no_script);
}
END_TEST

/* Without gnuplot there is one message, for any number of pictures. */
START_TEST(no_gnuplot)
{
    Place p = place_new("plot x\n");
    setenv("PATH", "", 1);
    for (int i = 0; i < 3; i++) ck_assert(!plot_draw(p.script, p.picture, "png", 320, 240));
    ck_assert(!plot_draw(p.script, p.picture, "dumb", 320, 240));
    ck_assert(plot_draw(p.script, p.picture, "none", 320, 240));
    ck_assert(!is_there(p.picture));
    ck_assert_int_eq(count(p.messages, "gnuplot is not installed"), 1);
    ck_assert_int_eq(count(p.messages, "\n"), 1);
    ck_assert_int_eq(count(p.messages, p.dir),
                     2); /* the script, and the directory of the numbers */
    place_free(&p);
}
END_TEST

/* A figure is the same for every user: gnuplot does not read ~/.gnuplot. */
START_TEST(no_settings_of_the_user)
{
    if (!have_gnuplot()) return;
    Place p = place_new("plot x title 'ours'\n");
    char *settings = xformat("%s/.gnuplot", p.dir);
    write_text(settings, "set title 'theirs'\n");
    setenv("HOME", p.dir, 1);
    ck_assert(plot_draw(p.script, p.picture, "svg", 300, 200));
    ck_assert_int_ge(count(p.picture, "ours"), 1);
    ck_assert_int_eq(count(p.picture, "theirs"), 0);
    unlink(settings);
    free(settings);
    place_free(&p);
}
END_TEST

START_TEST(no_such_kind)
{
    plot_draw("x.gp", "x.pdf", "pdf", 1, 1);
}
END_TEST

SUITE("plot",
      TESTS(quoting, quoting_for_gnuplot, eight_colours, colours_of_architectures, png, svg_here,
            dumb_and_none, failing_script, a_planted_link, nowhere_to_draw, no_gnuplot,
            no_settings_of_the_user),
      ABORTS(no_such_kind, colour_of_an_unknown_architecture))
