/* Draws one panel for each task, with the validation loss of each architecture against updates, and one legend for all
 * panels in the last place.
 *
 * So that every curve can be seen, a panel's axis runs from the lowest loss to the highest loss after the first
 * validations, on a logarithmic scale if these are far apart. Where curves coincide, an earlier curve is wider than a
 * later one, and their markers take turns. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "programs/zoo.h"
#include "system/file.h"
#include "system/plot.h"

enum { COLUMNS = 3, ROWS = 4 };
static const int marker[ZOO_ARCHS] = {7, 5, 9, 13}; /* circle, square, triangle, diamond */
static const double width[ZOO_ARCHS] = {7, 5, 3.5, 2};
static const char level_color[] = "#777777";
static const double least = 1e-6; /* on a logarithmic axis; log.csv has six decimals */

typedef struct {
    double low, high, steps;
    bool log;
} Range;

/* The axes of a panel. The first tenth of a curve may start above the panel. */
static Range range_of(const Group *g, const Job *job)
{
    Range r = {.low = INFINITY, .high = -INFINITY};
    for (int a = 0; a < g->archs; a++) {
        char *dir = xformat("runs/zoo/%s-%s", job->name, g->arch[a].name);
        Curve c = zoo_curve(dir);
        for (int i = 0; i < c.n; i++) {
            r.steps = fmax(r.steps, c.step[i]);
            r.low = fmin(r.low, fmax(c.loss[i], least));
            if (i >= c.n / 10) r.high = fmax(r.high, c.loss[i]);
        }
        zoo_curve_free(&c);
        free(dir);
    }
    if (!(r.low < r.high)) return (Range){0}; /* no curves */
    r.log = r.high / r.low > 12;
    const double room = r.log ? pow(r.high / r.low, 0.06) : 0.06 * (r.high - r.low);
    r.low = r.log ? r.low / room : fmax(r.low - room, 0);
    r.high = r.log ? r.high * room : r.high + room;
    return r;
}

/* Returns the distance of at most four tics. */
static double tics_of(double steps)
{
    for (double unit = 1;; unit *= 10)
        for (int k = 1; k <= 5; k += k == 1 ? 1 : 3) /* 1, 2, 5 */
            if (steps / (k * unit) < 5) return k * unit;
}

static void print_axes(FILE *f, const Job *job, const Range *r)
{
    fprintf(f, "set title '%s'\nset ylabel '%s'\n%s logscale y\n", job->name,
            job->measure == SQUARED ? "squared error" : "nats per token", r->log ? "set" : "unset");
    if (r->steps > 0)
        fprintf(f, "set xrange [0:%g]\nset yrange [%.6g:%.6g]\nset xtics %g\n", r->steps, r->low,
                r->high, tics_of(r->steps));
    else
        fputs("set xrange [*:*]\nset yrange [*:*]\n", f);
}

static void print_level(FILE *f, double level, int dash)
{
    if (level > 0) /* NAN: not known; 0: the axis itself */
        fprintf(f, ", %.6g with lines dashtype %d linewidth 2 linecolor rgb '%s' notitle", level,
                dash, level_color);
}

/* Prints a panel. Validation i of architecture a has a marker if i % archs is a. */
static void print_panel(FILE *f, const Group *g, const Job *job, const Result *result)
{
    enum { VALIDATIONS = 20 }; /* in a run, unless --eval-every says otherwise */
    const Range r = range_of(g, job);
    print_axes(f, job, &r);
    fprintf(f, "turn(step) = int(step * %d / %g + 0.5) %% %d\nplot ", VALIDATIONS, fmax(r.steps, 1),
            g->archs);
    for (int a = 0; a < g->archs; a++) {
        const char *color = plot_color_of(g->arch[a].name);
        fprintf(f,
                "%s'%s-%s/log.csv' using 1:(shown($5)) every ::1 with lines linewidth %g linecolor "
                "rgb '%s' "
                "notitle, "
                "'' using 1:(turn($1) == %d ? shown($5) : NaN) every ::1 with points pointtype %d "
                "pointsize 1.8 "
                "linecolor rgb '%s' notitle",
                a ? ", " : "", job->name, g->arch[a].name, width[a], color, a, marker[a], color);
    }
    print_level(f, result->loss_chance, 3);
    print_level(f, result->loss_perfect, 2);
    fputc('\n', f);
}

/* Prints the legend as a panel without axes. An architecture of several groups occurs once. */
static void print_legend(FILE *f)
{
    fputs("unset title\nunset xlabel\nunset ylabel\nunset tics\nunset border\nunset grid\nunset "
          "logscale\n"
          "set tmargin 0\nset bmargin 0\nset xrange [0:1]\nset yrange [0:1]\n"
          "set key center center Left reverse maxrows 9 samplen 3 spacing 1.2 font ',20'\nplot ",
          f);
    for (int g = 0; g < ZOO_GROUPS; g++)
        for (int a = 0; a < zoo_groups[g].archs; a++) {
            bool before = false;
            for (int k = 0; k < g; k++)
                for (int i = 0; i < zoo_groups[k].archs; i++)
                    before |= strcmp(zoo_groups[k].arch[i].name, zoo_groups[g].arch[a].name) == 0;
            if (!before)
                fprintf(f,
                        "NaN with linespoints linewidth 4 pointtype %d pointsize 2 linecolor rgb "
                        "'%s' title '%s', ",
                        marker[a], plot_color_of(zoo_groups[g].arch[a].name),
                        zoo_groups[g].arch[a].name);
        }
    fprintf(f,
            "NaN with lines dashtype 3 linewidth 2 linecolor rgb '%s' title 'chance', "
            "NaN with lines dashtype 2 linewidth 2 linecolor rgb '%s' title 'best possible'\n",
            level_color, level_color);
}

static void print_script(FILE *f, const void *arg)
{
    Result *const *results = arg; /* (groups), see zoo_result */
    fprintf(
        f,
        "set datafile separator comma\nset datafile missing NaN\nshown(loss) = loss < %g ? %g : "
        "loss\nset multiplot layout %d,%d title '%s' font ',26'\n" PLOT_GRID
        "set title font ',22' offset 0,-0.5\nset ylabel font ',18' offset -1.5,0\n"
        "set xlabel 'updates' font ',18' offset 0,0.3\nset tics font ',17'\nset format y '%%g'\n"
        "set lmargin 13\nset rmargin 4\nset bmargin 4\nset tmargin 3\n",
        least, least, ROWS, COLUMNS, "The zoo: validation loss against updates");
    for (int g = 0; g < ZOO_GROUPS; g++)
        for (int j = 0; j < zoo_groups[g].jobs; j++)
            print_panel(f, &zoo_groups[g], &zoo_groups[g].job[j],
                        zoo_result(&zoo_groups[g], results[g], j, 0));
    print_legend(f);
    fputs("unset multiplot\n", f);
}

bool zoo_draw(Result *const results[ZOO_GROUPS])
{
    Error err;
    if (file_print("runs/zoo/zoo.gp", print_script, results, &err))
        return plot_draw("runs/zoo/zoo.gp", "runs/zoo/zoo.png", "png", 1500, 1700);
    say("zoo: warning: %s\n", err.text);
    return false;
}
