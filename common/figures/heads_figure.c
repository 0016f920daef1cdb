/* All panels of a part are one plot, each shifted to its place, so that gnuplot reads the file once and
 * the panels share their labels. This file therefore computes the layout, in pixels. */
#include "figures/heads.h"

#include <stdlib.h>
#include <string.h>

#include "system/file.h"
#include "system/noted.h"
#include "system/label.h"
#include "system/plot.h"

static void check_map(const HeadMap *m)
{
    CHECK(m->layers >= 1 && m->heads >= 1 && m->T >= 1 && m->S >= 1 && (!m->causal || m->T == m->S),
          "heads: %s of %d layers, %d heads, %d x %d tokens%s", m->name, m->layers, m->heads, m->T,
          m->S, m->causal ? ", causal" : "");
}

/* --- layout ----------------------------------------------------------------------------------------- */

enum {
    GRID = 1440, /* pixels of all panels of a layer, about */
    PANEL = 360, /* pixels of one panel, at most */
    CELL_LEAST = 2,
    CELL_MOST = 24,
    ROOM_FOR_A_TOKEN = 9, /* a cell's side */
    ROOM_FOR_A_BORDER = 6,
    WIDTH_LEAST = 760 /* room for the text above the panels */
};

/* Sizes in pixels. An em is the size of the text around the grid, which grows with the picture. */
typedef struct {
    int width, height, left, top; /* size of the picture; position of the grid in it */
    int across, down;             /* size of the grid */
    int cell, gap, em;
    bool labelled;   /* the axes show tokens, not numbers */
    int token;       /* font size of a token */
    int row_room;    /* width of the labels left of the grid */
    int column_room; /* height of the labels below it */
} Layout;

static int at_most(int a, int b)
{
    return a < b ? a : b;
}

static int at_least(int a, int b)
{
    return a > b ? a : b;
}

/* Converts terminal columns to pixels, for letters of a given size. */
static int pixels_of(int columns, int size)
{
    return 5 * columns * size / 6;
}

static Layout layout_of(const HeadMap *m)
{
    Layout l = {0};
    const int room = at_most(GRID / (m->heads * m->S), PANEL / at_least(m->S, m->T));
    l.cell = at_least(CELL_LEAST, at_most(room, CELL_MOST));
    l.labelled = l.cell >= ROOM_FOR_A_TOKEN;
    const int content = m->heads * m->S * l.cell;
    l.em = at_least(12, content / 90);
    l.gap = l.em;
    l.across = content + (m->heads - 1) * l.gap;
    l.down = m->layers * m->T * l.cell + (m->layers - 1) * l.gap;
    l.token = l.labelled ? at_most(at_least(6, 7 * l.cell / 10), l.em) : l.em;
    const int rows = l.labelled ? label_widest(m->row, m->T) : 3;
    const int columns = l.labelled ? label_widest(m->column, m->S) : 1;
    l.row_room = pixels_of(rows, l.token) + l.em / 2;
    l.column_room = columns > 1 ? pixels_of(columns, l.token) + l.em / 2 : 2 * l.token;
    const int left = l.row_room + 3 * l.em, right = 9 * l.em;
    l.width = at_least(WIDTH_LEAST, left + l.across + right);
    l.left = left + (l.width - left - l.across - right) / 2;
    l.top = 8 * l.em;
    l.height = l.top + l.down + l.column_room + 3 * l.em;
    return l;
}

void heads_size(const HeadMap *m, int *width, int *height)
{
    check_map(m);
    const Layout l = layout_of(m);
    *width = l.width, *height = l.height;
}

/* Convert pixels from the left and from the top to gnuplot's screen coordinates. */
static double screen_x(const Layout *l, double pixels)
{
    return pixels / l->width;
}

static double screen_y(const Layout *l, double pixels)
{
    return 1 - pixels / l->height;
}

/* Return the distance between the first cells of two neighbouring panels, in cells. */
static double step_x(const HeadMap *m, const Layout *l)
{
    return m->S + (double)l->gap / l->cell;
}

static double step_y(const HeadMap *m, const Layout *l)
{
    return m->T + (double)l->gap / l->cell;
}

/* --- the script ------------------------------------------------------------------------------------- */

static void print_text(FILE *f, const Layout *l, const char *text, double x, double y,
                       const char *how, int size)
{
    char *quoted = plot_quote(text);
    fprintf(f, "set label %s at screen %.5f,%.5f %s font ',%d'\n", quoted, screen_x(l, x),
            screen_y(l, y), how, size);
    free(quoted);
}

static void print_names(FILE *f, const char *title, const HeadMap *m, const Layout *l)
{
    const double middle = l->left + l->across / 2., em = l->em;
    print_text(f, l, title, middle, 1.6 * em, "center", 3 * l->em / 2);
    print_text(f, l, m->about, middle, 4 * em, "center", l->em);
    print_text(f, l, m->key_label, middle, l->top + l->down + l->column_room + 1.5 * em, "center",
               l->em);
    print_text(f, l, m->query_label, l->left - l->row_room - 1.5 * em, l->top + l->down / 2.,
               "center rotate", l->em);
    print_text(f, l, "weight", l->left + l->across + 3.5 * em, l->top - em, "center", l->em);
    for (int h = 0; h < m->heads; h++) {
        char *name = xformat("head %d", h + 1);
        print_text(f, l, name, l->left + (step_x(m, l) * h + m->S / 2.) * l->cell, l->top - em,
                   "center", l->em);
        free(name);
    }
    for (int i = 0; i < m->layers; i++) {
        char *name = xformat("layer %d", i + 1);
        print_text(f, l, name, l->left + l->across + em,
                   l->top + (step_y(m, l) * i + m->T / 2.) * l->cell, "center rotate by -90",
                   l->em);
        free(name);
    }
}

/* Prints n tics at the middles of the cells from `from` on: tokens, or every 10th, 20th or 50th number. */
static void print_tics(FILE *f, const Layout *l, const char *const *token, int n, double from,
                       bool *first)
{
    const int every = l->labelled                 ? 1
                      : l->cell * 10 >= 4 * l->em ? 10
                      : l->cell * 20 >= 4 * l->em ? 20
                                                  : 50;
    for (int i = 0; i < n; i += every) {
        if (i > 0 && 2 * (n - i) < every) break; /* the next panel's first is too near */
        char *label = l->labelled ? label_of(token[i], LABEL_COLUMNS) : xformat("%d", i);
        char *quoted = plot_quote(label);
        fprintf(f, "%s%s %.4f", *first ? "" : ",", quoted, from + i + .5);
        *first = false;
        free(label), free(quoted);
    }
}

static void print_axes(FILE *f, const HeadMap *m, const Layout *l)
{
    const bool turned = l->labelled && label_widest(m->column, m->S) > 1;
    bool first = true;
    fprintf(f, "set xtics scale 0 offset 0,0.3 %s font ',%d' (",
            turned ? "rotate by 90 right" : "norotate", l->token);
    for (int h = 0; h < m->heads; h++) print_tics(f, l, m->column, m->S, step_x(m, l) * h, &first);
    fprintf(f, ")\nset ytics scale 0 offset 0.5,0 font ',%d' (", l->token);
    first = true;
    for (int i = 0; i < m->layers; i++) print_tics(f, l, m->row, m->T, step_y(m, l) * i, &first);
    fprintf(f, ")\nset xrange [0:%.5f]\nset yrange [%.5f:0]\n", (double)l->across / l->cell,
            (double)l->down / l->cell);
    fprintf(f,
            "set lmargin at screen %.6f\nset rmargin at screen %.6f\nset tmargin at screen "
            "%.6f\nset bmargin at screen %.6f\n",
            screen_x(l, l->left), screen_x(l, l->left + l->across), screen_y(l, l->top),
            screen_y(l, l->top + l->down));
}

/* Prints the outline of the unmasked cells: a rectangle, or stairs for a causal part. */
static void print_frame(FILE *f, const HeadMap *m, double x, double y)
{
    fprintf(f, "set object polygon from %.4f,%.4f", x, y);
    for (int t = 0; t < m->T && m->causal; t++)
        fprintf(f, " to %.4f,%.4f to %.4f,%.4f", x + t + 1, y + t, x + t + 1, y + t + 1);
    if (!m->causal) fprintf(f, " to %.4f,%.4f to %.4f,%.4f", x + m->S, y, x + m->S, y + m->T);
    fprintf(f,
            " to %.4f,%.4f to %.4f,%.4f front fillstyle empty border linecolor rgb '#888888' "
            "linewidth 0.7\n",
            x, y + m->T, x, y);
}

static void print_cells(FILE *f, const HeadMap *m, const Layout *l, int first)
{
    const int rows = m->layers * m->heads * m->T * m->S;
    char *x = xformat("$5+%.5f*($3-1)+0.5", step_x(m, l));
    fprintf(f, "plot 'heads.csv' using (%s", m->causal ? "$5>$4?NaN:" : "");
    fprintf(f,
            "%s):($4+%.5f*($2-1)+0.5):(0.5):(0.5):8 every ::%d::%d with boxxyerrorbars fillstyle "
            "solid ",
            x, step_y(m, l), first, first + rows - 1);
    fprintf(f, "%s linecolor palette\n",
            l->cell >= ROOM_FOR_A_BORDER ? "border linecolor rgb '#e6e6e6'" : "noborder");
    free(x);
}

typedef struct {
    const char *title;
    const HeadMap *part;
    int parts;
    int first; /* first line of the script's part in heads.csv */
} Figure;

static void print_script(FILE *f, const void *arg)
{
    const Figure *figure = arg;
    const HeadMap *m = figure->part;
    const Layout l = layout_of(m);
    const int key = at_most(l.down - l.em, 20 * l.em);
    fputs("set datafile separator comma\nset key off\nunset border\nset cbrange [0:1]\n"
          "set palette defined (0 '#ffffff', 0.5 '#6baed6', 1 '#08306b')\n",
          f);
    fprintf(f,
            "set cbtics 0.25 font ',%d'\nset colorbox user origin screen %.5f,%.5f size screen "
            "%.5f,%.5f\n",
            l.em, screen_x(&l, l.left + l.across + 3 * l.em), screen_y(&l, l.top + l.em + key),
            (double)l.em / l.width, (double)key / l.height);
    print_names(f, figure->title, m, &l);
    print_axes(f, m, &l);
    for (int i = 0; i < m->layers * m->heads; i++)
        print_frame(f, m, step_x(m, &l) * (i % m->heads), step_y(m, &l) * (i / m->heads));
    print_cells(f, m, &l, figure->first);
}

/* --- files ------------------------------------------------------------------------------------------ */

static void print_csv(FILE *f, const void *arg)
{
    const Figure *figure = arg;
    heads_print_csv(f, figure->part, figure->parts);
}

bool heads_write(const char *dir, const char *title, const HeadMap *part, int parts, Error *err)
{
    for (int k = 0; k < parts; k++) check_map(&part[k]);
    Figure figure = {.title = title, .part = part, .parts = parts, .first = 1};
    char *path = xformat("%s/heads.csv", dir);
    noted_add(dir, "heads.csv");
    bool ok = file_print(path, print_csv, &figure, err);
    free(path);
    for (int k = 0; k < parts && ok; k++) {
        figure.part = &part[k];
        path = xformat("%s/heads-%s.gp", dir, part[k].name);
        ok = file_print(path, print_script, &figure, err);
        figure.first += part[k].layers * part[k].heads * part[k].T * part[k].S;
        free(path);
    }
    return ok;
}
