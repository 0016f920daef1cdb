/* `make zoo`: trains every architecture on every task of its group for a short time, prints tables and draws
 * one figure. The tables of architectures and tasks are in zoo_groups.c.
 *
 * Each run calls the train and eval programs of a model folder and prints its command line, so that a reader
 * can repeat every number of the tables. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/say.h"
#include "programs/zoo.h"
#include "system/args.h"
#include "system/file.h"

/* --- the table ------------------------------------------------------------------------------------------ */

static void print_cell(int width, double x, int digits)
{
    if (isnan(x))
        printf(" %*s", width, "-");
    else
        printf(" %*.*f", width, digits, x);
}

enum { WIDTH = 8 }; /* of a column, or as many as its name has */

static int width_of(const Architecture *a)
{
    const int len = (int)strlen(a->name);
    return len > WIDTH ? len : WIDTH;
}

/* Prints the head of a row that has no chance and perfect levels. */
static void print_name(const char *name, const char *what)
{
    printf("%-11s %-9s %*s %*s |", name, what, WIDTH, "", WIDTH, "");
}

static void print_scores(const Group *g, Result *results)
{
    printf("\n%-11s %-9s %*s %*s |", g->title, "measure", WIDTH, "chance", WIDTH, "perfect");
    for (int a = 0; a < g->archs; a++) printf(" %*s", WIDTH, g->arch[a].name);
    putchar('\n');
    for (int j = 0; j < g->jobs; j++) {
        printf("%-11s %-9s", g->job[j].name, g->job[j].what);
        print_cell(WIDTH, zoo_result(g, results, j, 0)->chance, 4);
        print_cell(WIDTH, zoo_result(g, results, j, 0)->perfect, 4);
        printf(" |");
        for (int a = 0; a < g->archs; a++) {
            const Result *r = zoo_result(g, results, j, a);
            print_cell(width_of(&g->arch[a]), r->done ? r->value : NAN, 4);
        }
        putchar('\n');
    }
}

static void print_costs(const Group *g, Result *results)
{
    for (int j = 0; j < g->jobs; j++) {
        print_name(g->job[j].name, "rate");
        for (int a = 0; a < g->archs; a++) printf(" %*s", width_of(&g->arch[a]), g->job[j].rate[a]);
        putchar('\n');
    }
    for (int j = 0; j < g->jobs; j++) {
        print_name(g->job[j].name, "parameters");
        for (int a = 0; a < g->archs; a++)
            print_cell(width_of(&g->arch[a]), zoo_result(g, results, j, a)->parameters, 0);
        putchar('\n');
    }
    print_name("training", "seconds");
    for (int a = 0; a < g->archs; a++) {
        double seconds = 0;
        for (int j = 0; j < g->jobs; j++) seconds += zoo_result(g, results, j, a)->seconds;
        print_cell(width_of(&g->arch[a]), seconds, 1);
    }
    putchar('\n');
}

/* Runs a command that prints samples of a trained model. Returns its exit status. */
static int show(const char *what, const char *line)
{
    printf("\n%s, from %s:\n", what, line);
    return zoo_command(line, NULL);
}

static const Usage usage = {
    .program = "common/programs/zoo",
    .about =
        "Trains every architecture on every task of its group, some minutes in all, and compares "
        "them in tables and in runs/zoo/zoo.png. Each architecture has its own learning rate on "
        "each "
        "task, found by --sweep.",
    .operands = "",
    .examples = "  ./common/programs/zoo\n"
                "  ./common/programs/zoo --sweep prose\n"
                "  make zoo\n",
};

/* Trains and evaluates the group's architectures on its jobs. Returns 0, or the status that stopped it. */
static int run_group(const Group *g, Result *results)
{
    for (int a = 0; a < g->archs; a++)
        for (int j = 0; j < g->jobs; j++) {
            const int status = zoo_train_and_evaluate(g, j, a, zoo_result(g, results, j, a));
            if (status) return say("zoo: stopped\n"), status < 0 ? EXIT_FAILED : status;
        }
    return 0;
}

/* Trains all groups, prints their tables, draws the picture and shows samples. Returns the exit status. */
static int run_all(Result *results[ZOO_GROUPS])
{
    for (int g = 0; g < ZOO_GROUPS; g++) {
        const int status = run_group(&zoo_groups[g], results[g]);
        if (status) return status;
    }
    for (int g = 0; g < ZOO_GROUPS; g++) {
        print_scores(&zoo_groups[g], results[g]);
        print_costs(&zoo_groups[g], results[g]);
    }
    printf("\nEach rate is the one with the lowest validation loss in a sweep of this architecture "
           "on this "
           "task:\n./common/programs/zoo --sweep all repeats it, and tests/bench/SWEEP.md has its "
           "table.\n");
    if (zoo_draw(results)) printf("\nfigure: runs/zoo/zoo.png\n");
    const int status =
        show("New places", "./lstm_gru/eval runs/zoo/places-gru --samples 8 --plot none");
    if (status) return status;
    return show("Dates", "./seq2seq_attention/eval runs/zoo/dates-dot --samples 1 --plot none");
}

int main(int argc, char **argv)
{
    Result *results[ZOO_GROUPS];
    Error err;
    int operand;
    const char *sweep = NULL;
    Option option[] = {OPTION_STRING(
        "sweep", &sweep,
        "try learning rates on this task instead (all: on every task), some minutes a task")};
    const int parsed = args_parse(argc, argv, option, LEN(option), &usage, &operand);
    if (parsed >= 0) return parsed;
    if (sweep) return zoo_sweep(sweep);
    if (!dir_make("runs/zoo", &err)) return say("zoo: error: %s\n", err.text), EXIT_FAILED;
    const double start = clock_seconds();
    for (int g = 0; g < ZOO_GROUPS; g++)
        results[g] = xcalloc((size_t)zoo_groups[g].jobs * zoo_groups[g].archs, sizeof *results[g]);
    const int status = run_all(results);
    for (int g = 0; g < ZOO_GROUPS; g++) free(results[g]);
    if (status == 0)
        printf("\n%.0f s in all. Continue with lessons/00-start.md.\n", clock_seconds() - start);
    return status;
}
