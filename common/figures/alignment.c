#include "figures/alignment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "system/file.h"
#include "system/noted.h"
#include "system/label.h"
#include "system/plot.h"
#include "system/utf8.h"

static void check_alignment(const Alignment *a)
{
    CHECK(a->T >= 1 && a->S >= 1, "alignment: %d tokens of %d", a->T, a->S);
}

static real weight_of(const Alignment *a, int t, int s)
{
    return a->weight[(size_t)t * a->S + s];
}

/* --- files ---------------------------------------------------------------------------------------- */

static void print_csv(FILE *f, const Alignment *a, int n)
{
    fputs("sentence,target_index,target,source_index,source,weight\n", f);
    for (int i = 0; i < n; i++)
        for (int t = 0; t < a[i].T; t++)
            for (int s = 0; s < a[i].S; s++) {
                fprintf(f, "%d,%d,", i, t);
                label_field(f, a[i].target[t]);
                fprintf(f, ",%d,", s);
                label_field(f, a[i].source[s]);
                fprintf(f, ",%.6f\n", (double)weight_of(&a[i], t, s));
            }
}

/* Prints `set xtics ('the' 0,'cat' 1)` in a font small enough that the labels of an axis of `pixels`
 * stay apart. */
static void print_tics(FILE *f, const char *axis, const char *rotation, const char *const *token,
                       int n, int pixels)
{
    const int room = 5 * pixels / (8 * n), size = room < 4 ? 4 : room > 11 ? 11 : room;
    fprintf(f, "set %s scale 0 %s font ',%d' (", axis, rotation, size);
    for (int i = 0; i < n; i++) {
        char *label = label_of(token[i], LABEL_COLUMNS), *quoted = plot_quote(label);
        fprintf(f, "%s%s %d", i ? "," : "", quoted, i);
        free(label), free(quoted);
    }
    fputs(")\n", f);
}

enum {
    PANEL_PIXELS = 450, /* side of a panel */
    CHARACTER = 10      /* width of a character, as gnuplot assumes */
};

/* Prints a panel of boxes, because gnuplot does not draw an image of a single row. The margins are set in
 * characters, because gnuplot mismeasures labels whose characters are in no font. */
static void print_panel(FILE *f, const Alignment *a, const char *csv, int first, int panels)
{
    const int across = label_widest(a->source, a->S), left = label_widest(a->target, a->T) + 3;
    const int right = panels > 1 ? 2 : 9; /* room for the key of colours */
    const bool words = across > 2;
    print_tics(f, "xtics", words ? "rotate by 60 right" : "norotate", a->source, a->S,
               (panels > 1 ? 1 : 2) * PANEL_PIXELS - (left + right) * CHARACTER);
    print_tics(f, "ytics", "", a->target, a->T, PANEL_PIXELS - 120); /* title and x labels */
    fprintf(f, "set lmargin %d\nset rmargin %d\nset bmargin %d\n", left, right,
            words ? 2 + across / 2 : 2);
    fprintf(f, "set xrange [-0.5:%d.5]\nset yrange [%d.5:-0.5]\n", a->S - 1, a->T - 1);
    fprintf(f,
            "plot %s using 4:2:(0.5):(0.5):6 every ::%d::%d with boxxyerrorbars fillstyle solid "
            "border linecolor rgb '#eeeeee' linecolor palette\n",
            csv, first, first + a->T * a->S - 1);
}

static void print_script(FILE *f, const char *name, const char *title, const Alignment *a, int n)
{
    const int panels = n < ALIGNMENT_PANELS ? n : ALIGNMENT_PANELS;
    char *file = xformat("%s.csv", name), *csv = plot_quote(file);
    char *words = xformat("%s%s", title, panels > 1 ? " (white: 0, dark blue: 1)" : "");
    char *heading = plot_quote(words);
    fprintf(f,
            "set datafile separator comma\nset multiplot layout %d,%d title %s\n"
            "set palette defined (0 '#ffffff', 0.5 '#6baed6', 1 '#08306b')\nset cbrange [0:1]\n"
            "set cbtics font ',9'\nset tmargin 1\nset key off\n%s",
            panels > 2 ? 2 : 1, panels > 1 ? 2 : 1, heading, panels > 1 ? "unset colorbox\n" : "");
    for (int i = 0, first = 1; i < panels; first += a[i].T * a[i].S, i++)
        print_panel(f, &a[i], csv, first, panels);
    fputs("unset multiplot\n", f);
    free(file), free(csv), free(words), free(heading);
}

/* Closes the memory stream f and writes its text to dir/name.ending. */
static bool save(FILE *f, char **text, const size_t *len, const char *dir, const char *name,
                 const char *ending, Error *err)
{
    char *file = xformat("%s.%s", name, ending), *path = xformat("%s/%s", dir, file);
    noted_add(dir, file);
    const bool ok = fclose(f) == 0 ? file_write(path, *text, *len, err)
                                   : error_set(err, "%s: out of memory", path);
    free(file), free(path), free(*text);
    return ok;
}

bool alignment_write(const char *dir, const char *name, const char *title, const Alignment *a,
                     int n, Error *err)
{
    CHECK(n >= 1 && !strchr(name, '/'), "alignment_write: %d alignments, name \"%s\"", n, name);
    for (int i = 0; i < n; i++) check_alignment(&a[i]);
    char *text;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    if (!f) return error_set(err, "%s/%s.csv: out of memory", dir, name);
    print_csv(f, a, n);
    if (!save(f, &text, &len, dir, name, "csv", err)) return false;
    f = open_memstream(&text, &len);
    if (!f) return error_set(err, "%s/%s.gp: out of memory", dir, name);
    print_script(f, name, title, a, n);
    return save(f, &text, &len, dir, name, "gp", err);
}

/* --- text ----------------------------------------------------------------------------------------- */

static void print_padded(FILE *f, const char *label, int columns, bool right)
{
    const int missing = columns - utf8_width(label), space = missing > 0 ? missing : 0;
    fprintf(f, "%*s%s%*s", right ? space : 0, "", label, right ? 0 : space, "");
}

static void print_token(FILE *f, const char *token, int columns, bool right)
{
    char *label = label_of(token, LABEL_COLUMNS);
    print_padded(f, label, columns, right);
    free(label);
}

static char shade(real weight)
{
    static const char shades[] = " .:-=+*#%@";
    if (isnan(weight)) return '?';
    const real tenths = 10 * weight; /* in single precision, so that 0.9 gives 9 */
    return shades[tenths >= 9 ? 9 : tenths <= 0 ? 0 : (int)tenths];
}

/* The columns of the text form. */
typedef struct {
    int margin;    /* columns of the output tokens */
    int cell;      /* columns of a source token */
    bool numbered; /* source tokens are numbered, and listed in the legend */
} Layout;

static Layout layout_of(const Alignment *a)
{
    const int source = label_widest(a->source, a->S);
    Layout l = {.margin = label_widest(a->target, a->T), .numbered = source > 2};
    l.cell = l.numbered ? snprintf(NULL, 0, " %d", a->S - 1) : source > 1 ? source : 1;
    return l;
}

/* Prints source tokens from .. to-1, then a row for each output token; no line ends in a space. */
static void print_block(FILE *f, const Alignment *a, Layout l, int from, int to)
{
    fprintf(f, "%*s", l.margin + 2, "");
    for (int s = from; s < to; s++) {
        char number[16];
        snprintf(number, sizeof number, "%d", s);
        if (l.numbered) print_padded(f, number, l.cell, true);
        if (!l.numbered) print_token(f, a->source[s], s < to - 1 ? l.cell : 0, false);
    }
    fputc('\n', f);
    for (int t = 0; t < a->T; t++) {
        print_token(f, a->target[t], l.margin, true);
        fputs(" |", f);
        for (int s = from; s < to; s++) {
            const char c = shade(weight_of(a, t, s));
            for (int i = 0; i < l.cell; i++) fputc(l.numbered && i == 0 ? ' ' : c, f);
        }
        fputs("|\n", f);
    }
}

/* Prints the numbered source tokens: "0 the  1 cat  2 sat". */
static void print_legend(FILE *f, const Alignment *a)
{
    int column = 0;
    for (int s = 0; s < a->S; s++) {
        char *label = label_of(a->source[s], ALIGNMENT_COLUMNS / 2), *entry;
        entry = xformat("%d %s", s, label);
        const int width = utf8_width(entry);
        if (column > 0 && column + 2 + width > ALIGNMENT_COLUMNS) {
            fputc('\n', f);
            column = 0;
        }
        column += fprintf(f, "%s", column > 0 ? "  " : "") + width;
        fputs(entry, f);
        free(label), free(entry);
    }
    fputc('\n', f);
}

void alignment_print(FILE *f, const Alignment *a)
{
    check_alignment(a);
    const Layout l = layout_of(a);
    const int fit = (ALIGNMENT_COLUMNS - l.margin - 3) / l.cell; /* 3: the bars and a space */
    for (int from = 0; from < a->S; from += fit) {
        if (from > 0) fputc('\n', f);
        print_block(f, a, l, from, from + fit < a->S ? from + fit : a->S);
    }
    if (l.numbered) print_legend(f, a);
}
