#include "trace.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "plot.h"

/* --- building text -------------------------------------------------------------------------------- */

static void append(char **text, char *more) /* frees more */
{
    char *both = xformat("%s%s", *text, more);
    free(*text), free(more);
    *text = both;
}

/* dir/name.csv and dir/name.gp; frees both texts. */
static bool write_pair(const char *dir, const char *name, char *csv, char *script, Error *err)
{
    char *csv_path = xformat("%s/%s.csv", dir, name), *script_path = xformat("%s/%s.gp", dir, name);
    const bool ok = file_write(csv_path, csv, strlen(csv), err) &&
                    file_write(script_path, script, strlen(script), err);
    free(csv), free(script), free(csv_path), free(script_path);
    return ok;
}

/* --- how far back the gradient reaches ---------------------------------------------------------------- */

LagTrace trace_lags_new(int T, bool has_cell)
{
    return (LagTrace){.T = T,
                      .h = xcalloc((size_t)T, sizeof(double)),
                      .c = has_cell ? xcalloc((size_t)T, sizeof(double)) : NULL};
}

void trace_lags_free(LagTrace *t)
{
    free(t->h), free(t->c);
    *t = (LagTrace){0};
}

const int *trace_last_targets(Tape *tp, const Batch *batch)
{
    const int T = batch->T, B = batch->B;
    int *y = tape_save(tp, (size_t)T * B * sizeof *y);
    for (int b = 0; b < B; b++)
        for (int t = T - 1, found = 0; t >= 0; t--) {
            const int target = batch->y[t * B + b];
            y[t * B + b] = found ? -1 : target;
            found |= target >= 0;
        }
    return y;
}

static char *lags_script(bool has_cell)
{
    const struct {
        int column, color, dash;
        const char *title;
    } line[] = {{2, 7, 1, "|dL/dh| before training"},
                {3, 5, 1, "|dL/dh| after"},
                {4, 7, 2, "|dL/dc| before training"},
                {5, 5, 2, "|dL/dc| after"}};
    char *script = xstrdup(
        "set datafile separator comma\nset title 'How far back does the gradient reach?'\n"
        "set xlabel 'lag (steps before the loss)'\nset ylabel 'norm of the gradient'\n"
        "set logscale y\nset format y '%.0e'\nset grid linetype 1 linecolor rgb '#dddddd'\n");
    for (int i = 0; i < (has_cell ? 4 : 2); i++)
        append(&script,
               xformat("%s 'trace.csv' using 1:%d every ::1 with lines linewidth 2 dashtype "
                       "%d linecolor rgb '%s' title '%s'",
                       i ? ", \\\n    " : "plot", line[i].column, line[i].dash,
                       plot_color[line[i].color], line[i].title));
    append(&script, xstrdup("\n"));
    return script;
}

bool trace_lags_write(const char *dir, const LagTrace *before, const LagTrace *after, Error *err)
{
    const bool has_cell = before->c && after->c;
    char *csv = xstrdup(has_cell ? "lag,initial,trained,initial_cell,trained_cell\n"
                                 : "lag,initial,trained\n");
    for (int k = 0; k < before->T && k < after->T; k++) {
        append(&csv, xformat("%d,%.6e,%.6e", k, before->h[k], after->h[k]));
        append(&csv, has_cell ? xformat(",%.6e,%.6e\n", before->c[k], after->c[k]) : xstrdup("\n"));
    }
    return write_pair(dir, "trace", csv, lags_script(has_cell), err);
}

/* --- what the gates do over a text ---------------------------------------------------------------------- */

enum { SHOWN = 24 }; /* units */

void trace_gates_free(GateTrace *t)
{
    for (int k = 0; k < t->gates; k++) free(t->value[k]);
    *t = (GateTrace){0};
}

static double variance_of_unit(const GateTrace *t, int unit)
{
    double total = 0;
    for (int k = 0; k < t->gates; k++) {
        double sum = 0, squares = 0;
        for (int i = 0; i < t->T; i++) {
            const double x = (double)t->value[k][(size_t)i * t->H + unit];
            sum += x;
            squares += x * x;
        }
        total += squares / t->T - sum / t->T * (sum / t->T);
    }
    return total;
}

/* The units whose gates vary most, the liveliest first; returns how many. */
static int choose_units(const GateTrace *t, int *unit)
{
    const int n = t->H < SHOWN ? t->H : SHOWN;
    double *variance = xmalloc((size_t)t->H * sizeof *variance);
    for (int j = 0; j < t->H; j++) variance[j] = variance_of_unit(t, j);
    for (int k = 0; k < n; k++) {
        int best = 0;
        for (int j = 1; j < t->H; j++)
            if (variance[j] > variance[best]) best = j;
        unit[k] = best;
        variance[best] = -1;
    }
    free(variance);
    return n;
}

/* A token as a label: a space and a newline are shown by a sign. */
static char *label_of(const Vocab *v, int id)
{
    char bytes[5] = {0};
    const int len = vocab_decode(v, id, bytes);
    if (len == 1 && bytes[0] == ' ') return xstrdup("\u00b7");
    if (len == 1 && bytes[0] == '\n') return xstrdup("\u21b5");
    if (len == 1 && (bytes[0] < 32 || bytes[0] > 126)) return xformat("%02x", bytes[0] & 0xFF);
    return xstrdup(bytes);
}

static char *gates_csv(const GateTrace *t, const Vocab *v, const int *ids, const int *unit, int n)
{
    char *csv = xstrdup("position,token,rank,unit");
    for (int k = 0; k < t->gates; k++) append(&csv, xformat(",%s", t->name[k]));
    append(&csv, xstrdup("\n"));
    for (int i = 0; i < t->T; i++) {
        char *label = label_of(v, ids[i]);
        const char *quote = strcmp(label, "\"") == 0 ? "\"" : ""; /* doubled, as CSV wants it */
        for (int rank = 0; rank < n; rank++) {
            append(&csv, xformat("%d,\"%s%s\",%d,%d", i, quote, label, rank, unit[rank]));
            for (int k = 0; k < t->gates; k++)
                append(&csv, xformat(",%.4f", (double)t->value[k][(size_t)i * t->H + unit[rank]]));
            append(&csv, xstrdup("\n"));
        }
        free(label);
    }
    return csv;
}

/* The margins are fixed: where no font has a label's character, gnuplot would give it the whole
 * height. */
static char *gates_script(const GateTrace *t, const Vocab *v, const int *ids, int n)
{
    char *s = xformat("set datafile separator comma\n"
                      "set multiplot layout %d,1 title 'What do the gates do over a text?' "
                      "margins 0.07,0.89,0.07,0.88 spacing 0,0.12\n"
                      "set xrange [-0.5:%d.5]\nset yrange [%d.5:-0.5]\nset cbrange [0:1]\n"
                      "set palette defined (0 '#0072b2', 0.5 '#ffffff', 1 '#d55e00')\n"
                      "set ylabel 'units'\nset cblabel 'closed 0, open 1'\nunset key\nunset ytics\n"
                      "set tics scale 0 font ',10'\nset xtics (",
                      t->gates, t->T - 1, n - 1);
    for (int i = 0; i < t->T; i++) {
        char *label = label_of(v, ids[i]), *quoted = plot_quote(label);
        append(&s, xformat("%s%s %d", i ? "," : "", quoted, i));
        free(label), free(quoted);
    }
    append(&s, xstrdup(")\n"));
    for (int k = 0; k < t->gates; k++)
        append(&s,
               xformat("set title '%s gate'\nplot 'gates.csv' using 1:3:%d every ::1 with image\n",
                       t->name[k], 5 + k));
    append(&s, xstrdup("unset multiplot\n"));
    return s;
}

bool trace_gates_write(const char *dir, const GateTrace *t, const Vocab *v, const int *ids,
                       Error *err)
{
    int unit[SHOWN];
    const int n = choose_units(t, unit);
    return write_pair(dir, "gates", gates_csv(t, v, ids, unit, n), gates_script(t, v, ids, n), err);
}
