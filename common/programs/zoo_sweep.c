/* Finds the learning rate of each architecture on each task.
 *
 * Every architecture is trained with ZOO_SWEPT neighbouring rates, for the task's number of updates. While the lowest
 * of the validation losses after the last update is at an end of the range, the range grows by one rate. A close call is
 * a second loss within 2 % of the lowest: then both rates are trained with two more seeds, and the mean of the three
 * losses decides. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "programs/zoo.h"

enum { SEEDS = 3 };
static const int seed[SEEDS] = {1337, 1, 2}; /* the first is the default of the programs */
static const double close_call = 1.02;

typedef struct {
    double loss[ZOO_RATES][SEEDS]; /* after the last update; NAN: not trained */
    int first, last;               /* the range of rates that were trained with the first seed */
    int chosen;
} Sweep;

/* Trains with one rate and seed. Returns 0, or the status that ends the sweep. */
static int train(const Architecture *a, const Job *j, Sweep *s, int rate, int k)
{
    char *dir = xformat("runs/zoo/sweep/%s-%s-%s-%d", j->name, a->name, zoo_rate[rate], seed[k]);
    char *line =
        xformat("./%s/train %s %s --lr %s --seed %d --quiet --plot none --overwrite --out %s",
                a->folder, a->options, j->options, zoo_rate[rate], seed[k], dir);
    say("%s\n", line);
    const int status = zoo_command(line, NULL);
    Curve c = zoo_curve(dir);
    if (status == EXIT_NUMERIC)
        s->loss[rate][k] = INFINITY; /* the rate is too large */
    else if (status == 0 && c.n > 0)
        s->loss[rate][k] = c.loss[c.n - 1];
    zoo_curve_free(&c);
    free(line), free(dir);
    if (status == EXIT_NUMERIC) return 0;
    return status < 0 || (status == 0 && isnan(s->loss[rate][k])) ? EXIT_FAILED : status;
}

/* Returns the rate of the lowest loss with the first seed, except `but` (-1: none). */
static int lowest(const Sweep *s, int but)
{
    int best = -1;
    for (int r = s->first; r <= s->last; r++)
        if (r != but && (best < 0 || s->loss[r][0] < s->loss[best][0])) best = r;
    return best;
}

static double mean(const Sweep *s, int rate)
{
    double sum = 0;
    for (int k = 0; k < SEEDS; k++) sum += s->loss[rate][k];
    return sum / SEEDS;
}

static int sweep(const Architecture *a, const Job *j, Sweep *s)
{
    int status = 0;
    for (int r = 0; r < ZOO_RATES; r++)
        for (int k = 0; k < SEEDS; k++) s->loss[r][k] = NAN;
    s->first = a->sweep_from;
    s->last = s->first + ZOO_SWEPT - 1;
    for (int r = s->first; r <= s->last && !status; r++) status = train(a, j, s, r, 0);
    while (!status) {
        const int best = lowest(s, -1);
        if (best == s->first && s->first > 0)
            status = train(a, j, s, --s->first, 0);
        else if (best == s->last && s->last < ZOO_RATES - 1)
            status = train(a, j, s, ++s->last, 0);
        else
            break;
    }
    if (status) return status;
    const int best = lowest(s, -1), second = lowest(s, best);
    s->chosen = best;
    if (!(s->loss[second][0] <= close_call * s->loss[best][0])) return 0;
    for (int k = 1; k < SEEDS && !status; k++) {
        status = train(a, j, s, best, k);
        if (!status) status = train(a, j, s, second, k);
    }
    if (mean(s, second) < mean(s, best)) s->chosen = second;
    return status;
}

static void print_row(const Architecture *a, const Job *j, const char *in_use, const Sweep *s)
{
    printf("| %-11s | %-11s |", j->name, a->name);
    for (int r = 0; r < ZOO_RATES; r++)
        if (isnan(s->loss[r][0]))
            printf(" %8s |", "");
        else
            printf(" %8.4g |", s->loss[r][0]);
    char means[80] = "";
    for (int r = 0; r < ZOO_RATES; r++)
        if (!isnan(s->loss[r][1]))
            snprintf(means + strlen(means), sizeof means - strlen(means), "%s%s: %.4g",
                     *means ? ", " : "", zoo_rate[r], mean(s, r));
    printf(" %-30s | %-6s |\n", means, zoo_rate[s->chosen]);
    fflush(stdout);
    if (strcmp(in_use, zoo_rate[s->chosen]) != 0)
        say("zoo: note: %s on %s: zoo_groups.c has the rate %s, the sweep chose %s\n", a->name,
            j->name, in_use, zoo_rate[s->chosen]);
}

static void print_head(void)
{
    printf("| %-11s | %-11s |", "task", "rate:");
    for (int r = 0; r < ZOO_RATES; r++) printf(" %8s |", zoo_rate[r]);
    printf(" %-30s | chosen |\n| --- | --- |", "means of three seeds");
    for (int r = 0; r < ZOO_RATES; r++) printf(" --- |");
    printf(" --- | --- |\n");
}

int zoo_sweep(const char *task)
{
    bool found = false;
    for (int i = 0; i < ZOO_GROUPS; i++) {
        const Group *g = &zoo_groups[i];
        for (int j = 0; j < g->jobs; j++) {
            if (strcmp(task, "all") != 0 && strcmp(task, g->job[j].name) != 0) continue;
            if (!found) print_head();
            found = true;
            for (int a = 0; a < g->archs; a++) {
                Sweep s;
                const int status = sweep(&g->arch[a], &g->job[j], &s);
                if (status) return say("zoo: stopped\n"), status;
                print_row(&g->arch[a], &g->job[j], g->job[j].rate[a], &s);
            }
        }
    }
    if (found) return EXIT_OK;
    say("zoo: error: --sweep %s: there is no such task (expected all", task);
    for (int i = 0; i < ZOO_GROUPS; i++)
        for (int j = 0; j < zoo_groups[i].jobs; j++) say(", %s", zoo_groups[i].job[j].name);
    say(")\n");
    return EXIT_USAGE;
}
