/* The attention maps of all heads: table, figures and summary. */
#include <unistd.h>

#include "system/file.h"
#include "figures/heads.h"
#include "system/plot.h"
#include "suite.h"

enum { B = 3, S = 7, T = 6, V = 11, C = 16, H = 4, L = 2 };

/* --- the files -------------------------------------------------------------------------------------- */

static const char *const token[] = {"a", "한", "\"q\"", ","};
static const real layer1[] = {1, 0, 0, (real).5, (real).5, 0, (real).25, (real).25, (real).5,
                              1, 0, 0, 0,        1,        0, 0,         1,         0};
static const real layer2[] = {1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0};
static const real *const weights[] = {layer1, layer2};

static HeadMap small_map(bool causal)
{
    return (HeadMap){.name = causal ? "decoder" : "cross",
                     .about = "it's about",
                     .query_label = "rows",
                     .key_label = "columns",
                     .causal = causal,
                     .layers = 2,
                     .heads = 2,
                     .T = 3,
                     .S = 3,
                     .row = token,
                     .column = token + 1,
                     .weight = weights};
}

static char *contents(const char *dir, const char *name, bool and_remove)
{
    char *path = xformat("%s/%s", dir, name), *text;
    size_t len;
    Error err;
    ck_assert_msg(file_read(path, 1 << 22, &text, &len, &err), "%s", err.text);
    if (and_remove) unlink(path);
    free(path);
    return text;
}

START_TEST(the_csv)
{
    char dir[] = "/tmp/lmzoo-heads-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(dir));
    const HeadMap map[] = {small_map(true), small_map(false)};
    Error err;
    ck_assert_msg(heads_write(dir, "it's", map, 2, &err), "%s", err.text);
    char *csv = contents(dir, "heads.csv", true);
    static const char beginning[] = "part,layer,head,row,column,row_token,column_token,weight\n"
                                    "decoder,1,1,0,0,\"a\",\"한\",1.000000\n"
                                    "decoder,1,1,0,1,\"a\",\"\"\"q\"\"\",0.000000\n"
                                    "decoder,1,1,0,2,\"a\",\",\",0.000000\n"
                                    "decoder,1,1,1,0,\"한\",\"한\",0.500000\n";
    ck_assert_int_eq(strncmp(csv, beginning, sizeof beginning - 1), 0);
    ck_assert_ptr_nonnull(strstr(csv, "decoder,1,2,2,1,\"\"\"q\"\"\",\"\"\"q\"\"\",1.000000\n"));
    ck_assert_ptr_nonnull(strstr(csv, "\ncross,2,2,2,2,"));
    int lines = 0;
    for (const char *c = csv; *c; c++) lines += *c == '\n';
    ck_assert_int_eq(lines, 1 + 2 * 2 * 2 * 3 * 3);
    free(csv);
    free(contents(dir, "heads-decoder.gp", true));
    free(contents(dir, "heads-cross.gp", true));
    free(contents(dir, ".files", true));
    ck_assert_int_eq(rmdir(dir), 0); /* no other file was left */
    const char *missing = nowhere();
    ck_assert(!heads_write(missing, "", map, 2, &err));
    ck_assert_int_eq(strncmp(err.text, missing, strlen(missing)), 0);
    ck_assert_ptr_nonnull(strstr(err.text, "/heads.csv"));
}
END_TEST

static bool have_gnuplot(void)
{
    const bool have = system("gnuplot --version >/dev/null 2>&1") == 0;
    if (!have) fprintf(stderr, "skipped: gnuplot is not installed\n");
    return have;
}

/* The cells that gnuplot draws for a part of 3 by 3: the plot commands are changed to print x, y and the
 * weight. Panels are 3.5 cells apart; masked cells are not drawn. */
static void ck_drawn(const char *dir, const HeadMap *m)
{
    char *name = xformat("heads-%s.gp", m->name), *script = contents(dir, name, true);
    const char *plot = strstr(script, "plot 'heads.csv'"),
               *sides = strstr(script, ":(0.5):(0.5):8");
    const char *with = strstr(script, " with boxxyerrorbars");
    ck_assert(plot && sides && with && plot < sides && sides < with);
    char *test = xformat("%s/test.gp", dir), *command = xformat("cd %s && gnuplot -d test.gp", dir);
    FILE *f = fopen(test, "w");
    fprintf(f, "set datafile separator comma\nset table 'table'\n%.*s%.*s with table\n",
            (int)(sides - plot), plot, (int)(with - sides - 12), sides + 12);
    fclose(f);
    ck_assert_int_eq(system(command), 0);
    char *table = contents(dir, "table", true), *rest = table;
    int cells = 0;
    for (char *line; (line = strsep(&rest, "\n"));) {
        double x, y, w;
        if (sscanf(line, "%lf %lf %lf", &x, &y, &w) != 3 || isnan(x)) continue;
        const int head = x > 3.5, layer = y > 3.5;
        const double s = x - .5 - 3.5 * head, t = y - .5 - 3.5 * layer;
        ck_assert(s == floor(s) && t == floor(t) && s >= 0 && s < 3 && t >= 0 && t < 3);
        ck_assert_double_eq(w, (double)m->weight[layer][head * 9 + (int)t * 3 + (int)s]);
        cells++;
    }
    ck_assert_int_eq(cells, 4 * (m->causal ? 6 : 9));
    unlink(test);
    free(name), free(script), free(test), free(command), free(table);
}

START_TEST(gnuplot_reads_it)
{
    if (!have_gnuplot()) return;
    char dir[] = "/tmp/lmzoo-heads-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(dir));
    const HeadMap map[] = {small_map(true), small_map(false)};
    Error err;
    ck_assert_msg(heads_write(dir, "it's", map, 2, &err), "%s", err.text);
    ck_drawn(dir, &map[0]);
    ck_drawn(dir, &map[1]);
    free(contents(dir, "heads.csv", true));
    free(contents(dir, ".files", true));
    ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

/* Returns the picture of one part as SVG. */
static char *drawn(const HeadMap *m)
{
    char dir[] = "/tmp/lmzoo-heads-XXXXXX";
    int width, height;
    Error err;
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_msg(heads_write(dir, "title", m, 1, &err), "%s", err.text);
    char *name = xformat("heads-%s.gp", m->name), *script = xformat("%s/%s", dir, name);
    char *picture = xformat("%s/picture.svg", dir);
    heads_size(m, &width, &height);
    ck_assert(plot_draw(script, picture, "svg", width, height));
    char *svg = contents(dir, "picture.svg", true);
    free(contents(dir, "heads.csv", true)), free(contents(dir, name, true));
    free(contents(dir, ".files", true));
    ck_assert_int_eq(rmdir(dir), 0);
    free(name), free(script), free(picture);
    return svg;
}

/* Tokens are written beside the panels if there is room; there is a picture for every size. */
START_TEST(pictures)
{
    if (!have_gnuplot()) return;
    HeadMap m = small_map(false);
    char *svg = drawn(&m);
    ck_assert(strstr(svg, ">한<") && strstr(svg, ">\"q\"<") && strstr(svg, ">head 2<"));
    ck_assert(strstr(svg, ">layer 2<") && strstr(svg, ">it's about<") && strstr(svg, ">columns<"));
    free(svg);
    m.T = m.S = 1;
    free(drawn(&m));
    enum { LONG = 90 };
    const char *word[LONG];
    real *even = xmalloc((size_t)2 * LONG * LONG * sizeof *even);
    for (int i = 0; i < LONG; i++) word[i] = "word";
    for (int i = 0; i < 2 * LONG * LONG; i++) even[i] = (real)1 / LONG;
    const real *const layers[] = {even, even};
    m = small_map(true);
    m.T = m.S = LONG, m.row = m.column = word, m.weight = layers;
    svg = drawn(&m);
    ck_assert(!strstr(svg, ">word<") && strstr(svg, ">80<"));
    free(svg), free(even);
}
END_TEST

/* --- summary: what a head attends to ---------------------------------------------------------------- */

/* Counted by hand. The first row of a causal part sees only itself and does not count. */
START_TEST(habits_by_hand)
{
    HeadHabits h[4] = {0};
    HeadMap m = small_map(true);
    heads_watch(&m, h);
    ck_assert_double_eq_tol(heads_mean(&h[0], HEAD_SAME), (.5 + .5) / 2, 1e-9);
    ck_assert_double_eq_tol(heads_mean(&h[0], HEAD_PREVIOUS), (.5 + .25) / 2, 1e-9);
    ck_assert_double_eq_tol(heads_mean(&h[0], HEAD_FIRST), (.5 + .25) / 2, 1e-9);
    ck_assert_double_eq_tol(heads_mean(&h[0], HEAD_LARGEST), .5, 1e-9);
    ck_assert_double_eq_tol(heads_mean(&h[0], HEAD_ENTROPY), (1 + 1.5) / 2, 1e-9);
    ck_assert_double_eq_tol(heads_mean(&h[0], HEAD_EVEN), (1 + log2(3)) / 2, 1e-9);
    ck_assert(isnan(heads_mean(&h[0], HEAD_NEXT)) && isnan(heads_mean(&h[0], HEAD_LAST)));
    ck_assert_double_eq_tol(heads_mean(&h[1], HEAD_PREVIOUS), .5, 1e-9);
    ck_assert_double_eq_tol(heads_mean(&h[3], HEAD_FIRST), 1, 1e-9);

    HeadHabits across[4] = {0};
    m = small_map(false);
    heads_watch(&m, across);
    heads_watch(&m, across); /* the same map again does not change a mean */
    ck_assert_double_eq_tol(heads_mean(&across[0], HEAD_NEXT), 0, 1e-9); /* of two rows */
    ck_assert_double_eq_tol(heads_mean(&across[0], HEAD_LAST), .5 / 3, 1e-9);
    ck_assert_double_eq_tol(heads_mean(&across[1], HEAD_SAME), 2 / 3., 1e-9);
    ck_assert_double_eq_tol(heads_mean(&across[1], HEAD_PREVIOUS), .5, 1e-9);
    ck_assert_double_eq(across[0].rows[HEAD_SAME], 6);
}
END_TEST

START_TEST(the_table)
{
    HeadHabits h[4] = {0};
    const HeadMap m = small_map(true);
    heads_watch(&m, h);
    char *text, *rest;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    heads_print_title(f);
    heads_print(f, &m, h);
    fclose(f);
    rest = text;
    int lines = 0;
    for (char *line; (line = strsep(&rest, "\n")) && *line; lines++) {
        ck_assert_int_le(strlen(line), 80);
        if (lines == 1)
            ck_assert(strstr(line, "decoder") && strstr(line, "0.50") && strstr(line, " - "));
    }
    ck_assert_int_eq(lines, 1 + 4);
    free(text);
    json_t *array = json_array();
    heads_to_json(array, &m, h);
    ck_assert_int_eq(json_array_size(array), 4);
    const json_t *second = json_array_get(array, 2);
    ck_assert_str_eq(json_string_value(json_object_get(second, "part")), "decoder");
    ck_assert_int_eq(json_integer_value(json_object_get(second, "layer")), 2);
    ck_assert_double_eq_tol(json_real_value(json_object_get(second, "first")), 1, 1e-9);
    ck_assert(json_is_null(json_object_get(second, "next")));
    json_decref(array);
}
END_TEST

/* --- mistakes --------------------------------------------------------------------------------------- */

START_TEST(no_heads)
{
    HeadMap m = small_map(false);
    int width, height;
    m.heads = 0;
    heads_size(&m, &width, &height);
}
END_TEST

START_TEST(causal_and_not_square)
{
    HeadMap m = small_map(true);
    Error err;
    m.S = 2;
    heads_write(nowhere(), "", &m, 1, &err);
}
END_TEST

SUITE("heads", TESTS(the_csv, gnuplot_reads_it, pictures, habits_by_hand, the_table),
      ABORTS(no_heads, causal_and_not_square))
