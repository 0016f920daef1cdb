/* Alignments (attention weights of an output) as numbers, text and pictures. */
#include <unistd.h>

#include "figures/alignment.h"
#include "system/file.h"
#include "system/plot.h"
#include "base/rng.h"
#include "suite.h"
#include "system/utf8.h"

static const char *const english[] = {"the", "black", "cat", "."};
static const char *const french[] = {"le", "chat", "noir", "."};
static const real crossed[] = {(real).97, (real).01, (real).01, (real).01, /* le: the */
                               (real).05, (real).15, (real).75, (real).05, /* chat: cat */
                               (real).05, (real).85, (real).05, (real).05, /* noir: black */
                               0,         0,         0,         1};
static const Alignment cat = {4, 4, french, english, crossed};

static const char *const letters[] = {"a", "한", ",", "\""};
static const char *const odd[] = {"\"q\"", " ", "\n", "\xFF\t"};
static const Alignment quoted = {2, 4, odd, letters, crossed};

/* --- text ------------------------------------------------------------------------------------- */

static char *printed(const Alignment *a)
{
    char *text;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    alignment_print(f, a);
    fclose(f);
    return text;
}

static void ck_printed(const Alignment *a, const char *want)
{
    char *got = printed(a);
    ck_assert_msg(strcmp(got, want) == 0, "got:\n%s\nwant:\n%s", got, want);
    free(got);
}

START_TEST(words_are_numbered)
{
    ck_printed(&cat, "       0 1 2 3\n"
                     "  le | @      |\n"
                     "chat |   . #  |\n"
                     "noir |   %    |\n"
                     "   . |       @|\n"
                     "0 the  1 black  2 cat  3 .\n");
}
END_TEST

/* A Hangul syllable is two columns wide, so every shade is too. */
START_TEST(letters_stand_above)
{
    const Alignment a = {2, 3, letters, letters, crossed};
    ck_printed(&a, "    a 한,\n"
                   " a |@@    |\n"
                   "한 |    ..|\n");
    static const char *const word[] = {"c", "a", "t"};
    static const real weight[] = {0, (real).1001, (real).9, (real).2001, (real)NAN, (real)-.5};
    const Alignment b = {2, 3, word, word, weight};
    ck_printed(&b, "   cat\n"
                   "c | .@|\n"
                   "a |:? |\n");
}
END_TEST

START_TEST(odd_tokens)
{
    const Alignment a = {4, 1, odd, english, (const real[]){0, 1, (real).5, 1}};
    ck_printed(&a, "      0\n"
                   "\"q\" |  |\n"
                   "  · | @|\n"
                   "  ↵ | +|\n"
                   " \uFFFD\uFFFD | @|\n"
                   "0 the\n");
}
END_TEST

/* For every size and script no line is wider than a page and no weight is lost. */
START_TEST(never_wider_than_80)
{
    static const char *const piece[] = {"a", "é", "한", "국", "word", "\xF0", "…"};
    Rng rng = rng_make(1, RNG_TEST, 0);
    for (int trial = 0; trial < 100; trial++) {
        enum { MOST = 210 };
        const int S = 1 + rng_below(&rng, MOST), T = 1 + rng_below(&rng, 4);
        const int longest = 1 + rng_below(&rng, trial % 2 ? 1 : 30);
        const char *token[MOST];
        real *weight = xcalloc((size_t)S * T, sizeof *weight);
        int shades = 0;
        for (int s = 0; s < S; s++) {
            char *text = xcalloc(256, 1);
            for (int k = 1 + rng_below(&rng, longest); k > 0; k--)
                strcat(text, piece[rng_below(&rng, longest == 1 ? 4 : LEN(piece))]);
            token[s] = text;
        }
        for (int i = 0; i < S * T; i++) weight[i] = (real)(rng_below(&rng, 2));
        for (int i = 0; i < S * T; i++) shades += weight[i] == 1;
        const Alignment a = {T, S, (const char *const[]){"가나다라마바사아자차", "b", "c", "d"},
                             token, weight};
        char *text = printed(&a), *rest = text;
        int at = 0;
        for (char *line; (line = strsep(&rest, "\n"));) {
            ck_assert_int_le(utf8_width(line), 80);
            for (char *c = strchr(line, '|'); c && *c; c++) at += *c == '@';
        }
        int widest = 0;
        for (int s = 0; s < S; s++)
            if (utf8_width(token[s]) > widest) widest = utf8_width(token[s]);
        const int digits = S > 100 ? 3 : S > 10 ? 2 : 1; /* a shade is as wide as its number */
        ck_assert_int_eq(at, shades * (widest <= 2 ? widest : digits));
        for (int s = 0; s < S; s++) free((void *)(uintptr_t)token[s]);
        free(weight), free(text);
    }
}
END_TEST

/* --- files -------------------------------------------------------------------------------------- */

static char *temporary(void)
{
    char *dir = xstrdup("/tmp/lmzoo-alignment-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    return dir;
}

static char *contents(const char *dir, const char *name)
{
    char *path = xformat("%s/%s", dir, name), *text;
    size_t len;
    Error err;
    ck_assert_msg(file_read(path, 1 << 22, &text, &len, &err), "%s", err.text);
    free(path);
    return text;
}

static void leave(char *dir, const char *const *name, int n)
{
    for (int i = 0; i < n; i++) {
        char *path = xformat("%s/%s", dir, name[i]);
        ck_assert_int_eq(unlink(path), 0);
        free(path);
    }
    char *noted = xformat("%s/.files", dir);
    ck_assert_int_eq(unlink(noted), 0);
    ck_assert_int_eq(rmdir(dir), 0); /* no other file was left */
    free(noted), free(dir);
}

START_TEST(the_csv)
{
    char *dir = temporary();
    Error err;
    const Alignment a[] = {{1, 3, french, english, crossed}, quoted};
    ck_assert_msg(alignment_write(dir, "att", "", a, 2, &err), "%s", err.text);
    char *got = contents(dir, "att.csv");
    ck_assert_str_eq(got, "sentence,target_index,target,source_index,source,weight\n"
                          "0,0,\"le\",0,\"the\",0.970000\n"
                          "0,0,\"le\",1,\"black\",0.010000\n"
                          "0,0,\"le\",2,\"cat\",0.010000\n"
                          "1,0,\"\"\"q\"\"\",0,\"a\",0.970000\n"
                          "1,0,\"\"\"q\"\"\",1,\"한\",0.010000\n"
                          "1,0,\"\"\"q\"\"\",2,\",\",0.010000\n"
                          "1,0,\"\"\"q\"\"\",3,\"\"\"\",0.010000\n"
                          "1,1,\"·\",0,\"a\",0.050000\n"
                          "1,1,\"·\",1,\"한\",0.150000\n"
                          "1,1,\"·\",2,\",\",0.750000\n"
                          "1,1,\"·\",3,\"\"\"\",0.050000\n");
    free(got);
    leave(dir, (const char *const[]){"att.csv", "att.gp"}, 2);
    const char *missing = nowhere();
    ck_assert(!alignment_write(missing, "att", "", a, 2, &err));
    ck_assert_int_eq(strncmp(err.text, missing, strlen(missing)), 0);
    ck_assert_ptr_nonnull(strstr(err.text, "/att.csv"));
}
END_TEST

static bool have_gnuplot(void)
{
    const bool have = system("gnuplot --version >/dev/null 2>&1") == 0;
    if (!have) fprintf(stderr, "skipped: gnuplot is not installed\n");
    return have;
}

/* The font is as large as possible without overlaps, at most 11 and at least 4. */
START_TEST(letters_fit)
{
    enum { MOST = 300 };
    static const struct {
        int n;
        const char *font;
    } c[] = {{4, "set xtics scale 0 norotate font ',11' ("},
             {50, "set xtics scale 0 norotate font ',9' ("},
             {100, "set xtics scale 0 norotate font ',4' ("},
             {MOST, "set xtics scale 0 norotate font ',4' ("}};
    static const char *tokens[MOST];
    static real weight[MOST];
    for (int i = 0; i < MOST; i++) tokens[i] = "a";
    for (int i = 0; i < LEN(c); i++) {
        char *dir = temporary();
        Error err;
        const Alignment a = {1, c[i].n, tokens, tokens, weight};
        ck_assert_msg(alignment_write(dir, "a", "a", &a, 1, &err), "%s", err.text);
        char *script = contents(dir, "a.gp");
        ck_assert_msg(strstr(script, c[i].font) != NULL, "%d tokens: no %s", c[i].n, c[i].font);
        free(script);
        leave(dir, (const char *const[]){"a.csv", "a.gp"}, 2);
    }
}
END_TEST

/* The numbers that gnuplot reads, panel by panel, are ours, also if tokens have commas and quotes: the plot
 * commands are changed to print them. */
/* The numbers that gnuplot reads, panel by panel, are ours, also if tokens have commas and quotes: the plot
 * commands are changed to print them. */
/* The numbers that gnuplot reads, panel by panel, are ours, also if tokens have commas and quotes: the plot
 * commands are changed to print them. */
START_TEST(gnuplot_reads_it)
{
    if (!have_gnuplot()) return;
    char *dir = temporary();
    Error err;
    const Alignment a[] = {quoted, {2, 2, odd, letters + 2, crossed}};
    ck_assert_msg(alignment_write(dir, "it's", "it's", a, 2, &err), "%s", err.text);
    char *script = contents(dir, "it's.gp");
    char *test = xformat("%s/test.gp", dir), *command = xformat("cd %s && gnuplot -d test.gp", dir);
    FILE *f = fopen(test, "w");
    fputs("set datafile separator comma\nset table 'table'\n", f);
    for (char *s = script; (s = strstr(s, "plot \"")); s++) { /* not the 'plot' of set multiplot */
        const char *with = strstr(s, " with ");
        char *columns = strstr(s, "4:2:(0.5):(0.5):6");
        ck_assert(with && columns && columns < with);
        fprintf(f, "%.*s4:2:6%.*s with image\n", (int)(columns - s), s, (int)(with - columns - 17),
                columns + 17);
    }
    fclose(f);
    ck_assert_int_eq(system(command), 0);
    char *table = contents(dir, "table"), *rest = table;
    int row = 0, seen[2] = {0};
    for (char *line; (line = strsep(&rest, "\n"));) {
        double x, y, w;
        if (sscanf(line, "%lf %lf %lf", &x, &y, &w) != 3) continue;
        const int panel = row++ >= 8;
        const int s = (int)x, t = (int)y, i = seen[panel]++;
        ck_assert(t == i / a[panel].S && s == i % a[panel].S);
        ck_assert_double_eq_tol(w, (double)a[panel].weight[i], 1e-6);
    }
    ck_assert(seen[0] == 8 && seen[1] == 4);
    free(script), free(test), free(command), free(table);
    leave(dir, (const char *const[]){"it's.csv", "it's.gp", "test.gp", "table"}, 4);
}
END_TEST

/* One to five sentences, of one token and of many, always give a picture without a warning. */
START_TEST(pictures)
{
    if (!have_gnuplot()) return;
    const Alignment all[] = {cat,
                             {1, 1, french, english, crossed + 15},
                             quoted,
                             {1, 4, odd, french, crossed},
                             {4, 1, french, odd, crossed}};
    for (int n = 1; n <= LEN(all); n++) {
        char *dir = temporary();
        char *script = xformat("%s/a.gp", dir), *picture = xformat("%s/a.svg", dir);
        Error err;
        ck_assert_msg(alignment_write(dir, "a", "it's \"1\"", all, n, &err), "%s", err.text);
        ck_assert(plot_draw(script, picture, "svg", 900, n > 2 ? 900 : 450));
        char *svg = contents(dir, "a.svg");
        ck_assert_ptr_nonnull(strstr(svg, ">noir<"));
        ck_assert_ptr_nonnull(strstr(svg, ">black<"));
        ck_assert_int_eq(strstr(svg, ">한<") != NULL, n >= 3);
        ck_assert_ptr_nonnull(strstr(svg, "</svg>"));
        free(svg), free(script), free(picture);
        leave(dir, (const char *const[]){"a.csv", "a.gp", "a.svg"}, 3);
    }
}
END_TEST

START_TEST(no_tokens)
{
    alignment_print(stdout, &(Alignment){0, 1, french, english, crossed});
}
END_TEST

START_TEST(no_alignments)
{
    Error err;
    alignment_write(nowhere(), "a", "", &cat, 0, &err);
}
END_TEST

SUITE("alignment",
      TESTS(words_are_numbered, letters_stand_above, odd_tokens, never_wider_than_80, the_csv,
            letters_fit, gnuplot_reads_it, pictures),
      ABORTS(no_tokens, no_alignments))
