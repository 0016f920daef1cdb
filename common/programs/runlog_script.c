#include "programs/runlog_script.h"

#include <math.h>
#include <stdlib.h>

#include "system/file.h"
#include "system/plot.h"

static void print_level(FILE *f, const char *name, double level, const char *color)
{
    if (isnan(level)) return;
    fprintf(
        f, ", \\\n     %.6g with lines dashtype 2 linewidth 1.5 linecolor rgb '%s' title '%s %.4g'",
        level, color, name, level);
}

static void print_script(FILE *f, const void *arg)
{
    const LossFigure *figure = arg;
    const Task *task = &figure->data->task;
    char *title = xformat("%s on %s", figure->model, data_name(figure->config));
    char *quoted = plot_quote(title), counting[16];
    fprintf(f,
            "set datafile separator comma\nset title %s\nset xlabel 'updates'\nset ylabel "
            "'%s'\n" PLOT_GRID PLOT_KEY_BELOW "set xrange [0:*]\n"
            "plot 'log.csv' using 1:4 every ::1 with lines linewidth 1 linecolor rgb '%s' title "
            "'training', \\\n     '' using 1:5 every ::1 with linespoints linewidth 2 pointtype 7 "
            "linecolor rgb '%s' title 'validation'",
            quoted, task->outputs ? "loss (nats per token)" : "mean squared error", plot_color[5],
            plot_color[1]);
    snprintf(counting, sizeof counting, "%d-gram", figure->ngram.n);
    print_level(f, "chance", task->loss_chance, plot_color[7]);
    print_level(f, counting, figure->ngram.loss, plot_color[3]);
    print_level(f, "best possible", task->loss_perfect, plot_color[2]);
    fputc('\n', f);
    free(title), free(quoted);
}

bool runlog_script(const char *dir, const LossFigure *figure, Error *err)
{
    char *path = xformat("%s/loss.gp", dir);
    const bool ok = file_print(path, print_script, figure, err);
    free(path);
    return ok;
}
