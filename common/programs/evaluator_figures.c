/* The figures of an eval program: the loss of the run, the scores by length, traces of gradients and gates. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/trace.h"
#include "programs/evaluator_report.h"
#include "programs/runlog_script.h"
#include "system/file.h"
#include "system/noted.h"
#include "system/plot.h"

bool evaluator_write(const Evaluator *e, const char *name, void (*print)(FILE *f, const void *arg),
                     const void *arg)
{
    Error err;
    char *path = xformat("%s/%s", e->dir, name);
    noted_add(e->dir, name);
    const bool ok = file_print(path, print, arg, &err);
    if (!ok) evaluator_warn(e, err.text);
    free(path);
    return ok;
}

static void note_figure(const char *dir, const char *name, const char *kind)
{
    char *script = xformat("%s.gp", name), *picture = xformat("%s.%s", name, kind);
    noted_add(dir, script), noted_add(dir, picture);
    free(script), free(picture);
}

void evaluator_draw(Evaluator *e, const char *name, int width, int height)
{
    const char *kind = e->config->plot;
    char *script = xformat("%s/%s.gp", e->dir, name);
    char *picture = xformat("%s/%s.%s", e->dir, name, kind);
    note_figure(e->dir, name, kind);
    if (plot_draw(script, picture, kind, width, height) && file_exists(picture)) {
        char *before = e->pictures;
        e->pictures = xformat("%s %s.%s", before ? before : "", name, kind);
        free(before);
    }
    free(script), free(picture);
}

static void print_lengths(FILE *f, const void *arg)
{
    const Findings *r = arg;
    fputs("length,value,sequence_accuracy\n", f);
    for (int i = 0; i < r->n; i++)
        fprintf(f, "%d,%.6f,%.6f\n", r->length[i], data_metric(r->data, &r->at[i]),
                r->at[i].right / r->at[i].sequences);
}

static void print_lengths_script(FILE *f, const void *arg)
{
    const Findings *r = arg;
    const Task *t = &r->data->task;
    fprintf(f,
            "set datafile separator comma\nset title '%s on %s, trained up to length %d'\n"
            "set xlabel 'length (steps)'\nset ylabel '%s'\nset logscale x 2\n"
            "set yrange [0:1.05]\n" PLOT_GRID PLOT_KEY_BELOW
            "plot 'by_length.csv' using 1:2 every ::1 with linespoints linewidth 2 pointtype 7 "
            "linecolor rgb '%s' title '%s'",
            r->model, t->name, t->length, t->metric, plot_color[5], t->metric);
    /* If even the best predictor makes errors, no sequence is right as a whole. */
    if (!(t->loss_perfect > 0))
        fprintf(f,
                ", \\\n     '' using 1:3 every ::1 with linespoints linewidth 2 pointtype 5 "
                "linecolor rgb '%s' title 'sequence accuracy'",
                plot_color[1]);
    fprintf(f, ", \\\n     %g with lines dashtype 2 linecolor rgb '%s' title 'chance %.3g'\n",
            t->metric_chance, plot_color[7], t->metric_chance);
}

static void draw_lengths(Evaluator *e, const Findings *r)
{
    if (r->n && evaluator_write(e, "by_length.csv", print_lengths, r) &&
        evaluator_write(e, "by_length.gp", print_lengths_script, r))
        evaluator_draw(e, "by_length", 900, 600);
}

/* Returns true if training wrote DIR/name.csv. */
static bool has_csv(const Evaluator *e, const char *name)
{
    char *path = xformat("%s/%s.csv", e->dir, name);
    const bool there = file_exists(path);
    free(path);
    return there;
}

/* Draws the loss again. With --text or --valid it does not: log.csv has the losses on the data of the run,
 * and the levels in the figure would be those of other data. */
static void draw_loss(Evaluator *e, const Findings *r)
{
    if (e->config->text || e->config->valid || !has_csv(e, "log")) return;
    Error err;
    const LossFigure figure = {e->model, &e->run, &e->data, r->ngram};
    if (runlog_script(e->dir, &figure, &err))
        evaluator_draw(e, "loss", 900, 600);
    else
        evaluator_warn(e, err.text);
}

static void draw_trace(Evaluator *e, const char *name, bool (*script)(const char *dir, Error *err))
{
    Error err;
    if (!has_csv(e, name)) return;
    if (script(e->dir, &err))
        evaluator_draw(e, name, 900, 600);
    else
        evaluator_warn(e, err.text);
}

void evaluator_figures(Evaluator *e, const Findings *r)
{
    if (strcmp(e->config->plot, "none") == 0 || !e->dir) return;
    draw_loss(e, r);
    draw_lengths(e, r);
    draw_trace(e, "trace", trace_lags_script);
    draw_trace(e, "gates", trace_gates_script);
}
