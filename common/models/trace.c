#include "models/trace.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "system/file.h"
#include "system/noted.h"
#include "system/plot.h"

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
            const int target = batch->y[batch_at(batch, t, b)];
            y[batch_at(batch, t, b)] = found ? -1 : target;
            found |= target >= 0;
        }
    return y;
}

static int last_scored(const Batch *batch, int b)
{
    int t = batch->T - 1;
    while (batch->y && t > 0 && batch->y[batch_at(batch, t, b)] < 0) t--;
    return t;
}

void trace_lag_norms(const Batch *batch, Tensor *const *state, double *norm)
{
    const int H = shape_last(state[0]->shape);
    for (int k = 0; k < batch->T; k++) {
        double sum = 0;
        for (int b = 0; b < batch->B; b++) {
            const int t = last_scored(batch, b) - k;
            const real *ds = t >= 0 && state[t]->grad ? state[t]->grad + (size_t)b * H : NULL;
            for (int j = 0; j < H && ds; j++) sum += (double)ds[j] * (double)ds[j];
        }
        norm[k] = sqrt(sum);
    }
}

typedef struct {
    const LagTrace *before, *after;
} LagPair;

static void print_lags(FILE *f, const void *arg)
{
    const LagTrace *before = ((const LagPair *)arg)->before, *after = ((const LagPair *)arg)->after;
    const bool has_cell = before->c && after->c;
    fprintf(f, "lag,initial,trained%s\n", has_cell ? ",initial_cell,trained_cell" : "");
    for (int k = 0; k < before->T && k < after->T; k++) {
        fprintf(f, "%d,%.6e,%.6e", k, before->h[k], after->h[k]);
        if (has_cell) fprintf(f, ",%.6e,%.6e", before->c[k], after->c[k]);
        fputc('\n', f);
    }
}

bool trace_lags_write(const char *dir, const LagTrace *before, const LagTrace *after, Error *err)
{
    char *path = xformat("%s/trace.csv", dir);
    noted_add(dir, "trace.csv");
    const bool ok = file_print(path, print_lags, &(LagPair){before, after}, err);
    free(path);
    return ok;
}

static void print_lags_script(FILE *f, const void *arg)
{
    const bool *has_cell = arg;
    const struct {
        int column, color, dash;
        const char *title;
    } line[] = {{2, 7, 1, "|dL/dh| before training"},
                {3, 5, 1, "|dL/dh| after"},
                {4, 7, 2, "|dL/dc| before training"},
                {5, 5, 2, "|dL/dc| after"}};
    fputs("set datafile separator comma\nset title 'How far back does the gradient reach?'\n"
          "set xlabel 'lag (steps before the loss)'\nset ylabel 'norm of the gradient'\n"
          "set logscale y\nset format y '%.0e'\n" PLOT_GRID,
          f);
    for (int i = 0; i < (*has_cell ? 4 : 2); i++)
        fprintf(f,
                "%s 'trace.csv' using 1:%d every ::1 with lines linewidth 2 dashtype %d linecolor "
                "rgb '%s' title '%s'",
                i ? ", \\\n    " : "plot", line[i].column, line[i].dash, plot_color[line[i].color],
                line[i].title);
    fputc('\n', f);
}

bool trace_lags_script(const char *dir, Error *err)
{
    char *csv = xformat("%s/trace.csv", dir), *script = xformat("%s/trace.gp", dir), *text = NULL;
    size_t len;
    bool ok = file_read_regular(csv, (size_t)1 << 28, &text, &len, err);
    if (ok) {
        text[strcspn(text, "\n")] = 0; /* keeps the header, the column names */
        const bool has_cell = strstr(text, "cell") != NULL;
        ok = file_print(script, print_lags_script, &has_cell, err);
    }
    free(csv), free(script), free(text);
    return ok;
}
