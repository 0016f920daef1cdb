/* The activations of the gates over a text, as a table and as a figure. */
#include <stdlib.h>
#include <string.h>

#include "system/file.h"
#include "system/noted.h"
#include "system/label.h"
#include "system/plot.h"
#include "models/trace.h"

enum {
    SHOWN = 24,       /* units in the figure */
    LARGEST = 1 << 28 /* maximal bytes of gates.csv: a text of 200,000 tokens */
};

/* --- writing the numbers ---------------------------------------------------------------------------- */

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

/* Chooses the units whose gates vary most, in order of falling variance; returns their number. */
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

typedef struct {
    const GateTrace *trace;
    const Tokenizer *vocab;
    const int *ids;
    int n, unit[SHOWN]; /* the n units that are shown */
} Gates;

static void print_gates(FILE *f, const void *arg)
{
    const Gates *g = arg;
    const GateTrace *t = g->trace;
    fputs("position,token,rank,unit", f);
    for (int k = 0; k < t->gates; k++) fprintf(f, ",%s", t->name[k]);
    fputc('\n', f);
    for (int i = 0; i < t->T; i++) {
        char room[2];
        const char *token = tokenizer_name(g->vocab, g->ids[i], room);
        for (int rank = 0; rank < g->n; rank++) {
            fprintf(f, "%d,", i);
            label_field(f, token);
            fprintf(f, ",%d,%d", rank, g->unit[rank]);
            for (int k = 0; k < t->gates; k++)
                fprintf(f, ",%.4f", (double)t->value[k][(size_t)i * t->H + g->unit[rank]]);
            fputc('\n', f);
        }
    }
}

bool trace_gates_write(const char *dir, const GateTrace *t, const Tokenizer *v, const int *ids,
                       Error *err)
{
    Gates g = {.trace = t, .vocab = v, .ids = ids};
    g.n = choose_units(t, g.unit);
    char *path = xformat("%s/gates.csv", dir);
    noted_add(dir, "gates.csv");
    const bool ok = file_print(path, print_gates, &g, err);
    free(path);
    return ok;
}

/* --- drawing them ----------------------------------------------------------------------------------- */

/* The names and sizes in gates.csv; the strings point into its text. */
typedef struct {
    const char *gate[TRACE_GATES], **token;
    int gates, T, units;
} GateTable;

/* Reads the CSV field at *at, in quotes or not. Moves *at behind the comma or newline that ends the
 * field, and returns that character, or 0 at the end of the text. */
static char take_field(char **at, const char **field)
{
    char *s = *at, *to = s;
    *field = s;
    for (bool quoted = false; *s && (quoted || (*s != ',' && *s != '\n')); s++)
        if (*s != '"')
            *to++ = *s;
        else if (quoted && s[1] == '"')
            *to++ = *s++;
        else
            quoted = !quoted;
    const char end = *s;
    *at = end ? s + 1 : s;
    *to = 0;
    return end;
}

/* The first four columns are position,token,rank,unit. */
enum { TOKEN = 1, RANK = 2, VALUES = 4 };

/* Reads the table. Returns false if the text is not such a table. The caller frees t->token in
 * either case. */
static bool table_of(GateTable *t, char *text)
{
    char *at = text, end = ',';
    for (int i = 0; end == ','; i++) {
        const char *field;
        end = take_field(&at, &field);
        if (i >= VALUES + TRACE_GATES) return false;
        if (i >= VALUES) t->gate[t->gates++] = field;
    }
    for (int room = 0; *at;) {
        const char *field[VALUES] = {"", "", "", ""}, *value;
        for (int i = 0; i < VALUES; i++)
            if (take_field(&at, &field[i]) != ',') return false;
        while (take_field(&at, &value) == ',') continue;
        const bool first = strcmp(field[RANK], "0") == 0;
        if (first && t->T == room)
            t->token = xrealloc(t->token, (size_t)(room = 2 * room + 64) * sizeof *t->token);
        if (first) t->token[t->T++] = field[TOKEN];
        t->units += t->T == 1;
    }
    return t->gates > 0 && t->T > 0;
}

/* Writes the script. The margins are fixed, because gnuplot would otherwise reserve the whole
 * height for a label whose character is in no font. */
static void print_gates_script(FILE *f, const void *arg)
{
    const GateTable *t = arg;
    fprintf(f,
            "set datafile separator comma\n"
            "set multiplot layout %d,1 title 'What do the gates do over a text?' "
            "margins 0.07,0.86,0.07,0.88 spacing 0,0.12\n"
            "set xrange [-0.5:%d.5]\nset yrange [%d.5:-0.5]\nset cbrange [0:1]\n"
            "set palette defined (0 '#0072b2', 0.5 '#ffffff', 1 '#d55e00')\n"
            "set ylabel 'units, liveliest first'\nset cblabel 'closed 0, open 1'\nunset key\n"
            "set tics scale 0 font ',10'\nunset ytics\nset xtics (",
            t->gates, t->T - 1, t->units - 1);
    for (int i = 0; i < t->T; i++) {
        char *quoted = plot_quote(t->token[i]);
        fprintf(f, "%s%s %d", i ? "," : "", quoted, i);
        free(quoted);
    }
    fputs(")\n", f);
    for (int k = 0; k < t->gates; k++) {
        char *title = xformat("%s gate", t->gate[k]), *quoted = plot_quote(title);
        fprintf(f, "set title %s\nplot 'gates.csv' using 1:3:%d every ::1 with image\n", quoted,
                VALUES + 1 + k);
        free(title), free(quoted);
    }
    fputs("unset multiplot\n", f);
}

bool trace_gates_script(const char *dir, Error *err)
{
    char *csv = xformat("%s/gates.csv", dir), *script = xformat("%s/gates.gp", dir), *text = NULL;
    GateTable t = {0};
    size_t len;
    bool ok = file_read_regular(csv, LARGEST, &text, &len, err);
    if (ok && !table_of(&t, text))
        ok = error_set(
            err, "%s: not what --trace or --gates TEXT writes; write it again with one of them",
            csv);
    ok = ok && file_print(script, print_gates_script, &t, err);
    free(csv), free(script), free(text), free(t.token);
    return ok;
}
