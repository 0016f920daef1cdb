/* `make zoo`: trains every architecture on every task of its group for a short time, prints tables and draws
 * one figure. A new architecture or task is one line in the tables of its group.
 *
 * Each run calls the train and eval programs of a model folder and prints its command line, so that a reader
 * can repeat every number of the tables. */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "system/args.h"
#include "system/file.h"
#include "system/plot.h"

typedef struct {
    const char *name, *folder, *options; /* of the column; of the programs */
} Architecture;

/* The key of eval's JSON object that the table shows. */
typedef enum { LOSS, VALUE, EXACT } Measure;

typedef struct {
    const char *name, *options; /* of the row; for train */
    Measure measure;
    const char *what; /* unit of the measure, for the table */
    bool squared;     /* the loss is a mean squared error, not nats per token */
} Job;

/* --- group 1: one sequence --- */
static const Architecture readers[] = {
    {"rnn", "rnn", ""},
    {"lstm", "lstm_gru", "--cell lstm --hidden 128 --lr 5e-3"}, /* as many parameters as the rnn */
    {"gru", "lstm_gru", "--cell gru --hidden 152 --lr 5e-3"},
};
/* The tasks take about a minute per architecture on two cores. */
static const Job reading[] = {
    {"places", "--lines", LOSS, "nats", false},
    {"prose", "", LOSS, "nats", false},
    {"adding", "--task adding --steps 1000 --hidden 64", LOSS, "mse", true},
    {"agreement", "--task agreement --steps 1200", LOSS, "nats", false},
    {"parity", "--task parity", VALUE, "accuracy", false},
    {"dyck", "--task dyck --steps 1000", VALUE, "accuracy", false},
    {"copy-memory", "--task copy-memory --steps 300", LOSS, "nats", false},
};

/* --- group 2: pairs of sequences, with a fixed vector or attention between them --- */
static const Architecture translators[] = {
    {"vector", "seq2seq_attention", "--attention none --hidden 64 --lr 3e-3"},
    {"additive", "seq2seq_attention", "--attention additive --hidden 64 --lr 3e-3"},
    {"dot", "seq2seq_attention", "--attention dot --hidden 64 --lr 3e-3"},
    {"transformer", "transformer", "--norm pre --channels 64 --ffn 256 --lr 2e-3"},
};
static const Job translating[] = {
    {"reverse", "--task reverse --steps 1500", EXACT, "exact", false},
    {"sort", "--task sort --steps 1500", EXACT, "exact", false},
    {"dates", "--task dates --steps 400", EXACT, "exact", false},
};

/* --- group 3: recall, with a fixed-size state or attention to all steps --- */
static const Architecture rememberers[] = {
    {"rnn", "rnn", "--hidden 128"},
    {"lstm", "lstm_gru", "--cell lstm --hidden 96 --lr 3e-3"},
    {"gru", "lstm_gru", "--cell gru --hidden 112 --lr 3e-3"},
    {"transformer", "transformer", "--norm pre --channels 64 --ffn 256 --lr 3e-3"},
};
static const Job remembering[] = {
    {"recall", "--task recall --steps 1200", VALUE, "accuracy", false}};

typedef struct {
    const char *title;
    const Architecture *arch;
    const Job *job;
    int archs, jobs;
} Group;
static const Group groups[] = {
    {"sequences", readers, reading, LEN(readers), LEN(reading)},
    {"pairs", translators, translating, LEN(translators), LEN(translating)},
    {"memory", rememberers, remembering, LEN(rememberers), LEN(remembering)},
};
static const int color[] = {5, 6, 3, 1, 7, 0, 2}; /* indices of plot_color */

enum { GROUPS = LEN(groups) };

typedef struct {
    double value, chance, perfect, loss_perfect, seconds, parameters;
    bool done;
} Result;

/* Returns one result of a group; results is (jobs,archs), row major. */
static Result *result_of(const Group *g, Result *results, int job, int arch)
{
    return &results[job * g->archs + arch];
}

/* --- running the programs --------------------------------------------------------------------------- */

/* Splits a line at its spaces (nothing here is quoted) into a NULL-terminated list. The list and its words
 * are never freed: the process that splits a line becomes another program. */
static char **split(const char *line)
{
    char *copy = xstrdup(line), *rest = NULL;
    char **word = xcalloc(strlen(line) / 2 + 2, sizeof *word);
    int n = 0;
    for (char *w = strtok_r(copy, " ", &rest); w; w = strtok_r(NULL, " ", &rest)) word[n++] = w;
    return word;
}

/* Reads fd to its end; the caller frees the string. */
static char *read_all(int fd)
{
    char *text = NULL, chunk[4096];
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    CHECK(f, "zoo: no memory for the output of a program");
    for (ssize_t n; (n = read(fd, chunk, sizeof chunk)) > 0;) fwrite(chunk, 1, (size_t)n, f);
    fclose(f);
    return text;
}

/* Runs a command. Its standard output goes into *out, which the caller frees, unless out is NULL. Returns the
 * exit status, 128 + the signal's number, or -1 with a message. */
static int run(const char *line, char **out)
{
    int fd[2] = {-1, -1}, status;
    if (out && pipe(fd) != 0) return fprintf(stderr, "zoo: error: pipe: %s\n", strerror(errno)), -1;
    fflush(NULL);
    const pid_t pid = fork();
    if (pid < 0) return fprintf(stderr, "zoo: error: fork: %s\n", strerror(errno)), -1;
    if (pid == 0) {
        char **word = split(line);
        if (out) dup2(fd[1], STDOUT_FILENO), close(fd[0]), close(fd[1]);
        execv(word[0], word);
        fprintf(stderr, "zoo: error: %s: %s; run `make` first\n", word[0], strerror(errno));
        _exit(EXIT_FAILED);
    }
    if (out) {
        close(fd[1]);
        *out = read_all(fd[0]);
        close(fd[0]);
    }
    pid_t got;
    while ((got = waitpid(pid, &status, 0)) < 0 && errno == EINTR) continue;
    if (got != pid) return fprintf(stderr, "zoo: error: waitpid: %s\n", strerror(errno)), -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_SIGNAL + WTERMSIG(status);
}

static double number(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    return json_is_number(v) ? json_number_value(v) : NAN;
}

static bool evaluate(const Architecture *arch, const Job *job, Result *r)
{
    char *line = xformat("./%s/eval runs/zoo/%s-%s --json", arch->folder, job->name, arch->name);
    char *out = NULL;
    const int status = run(line, &out);
    json_t *o = status == 0 ? json_loads(out, 0, NULL) : NULL;
    static const char *const value[] = {"loss", "value", "exact"};
    static const char *const chance[] = {"loss_chance", "chance"};
    static const char *const perfect[] = {"loss_perfect", "perfect"};
    r->done = o != NULL;
    r->value = number(o, value[job->measure]);
    r->chance = job->measure == EXACT ? 0 : number(o, chance[job->measure]);
    r->perfect = job->measure == EXACT ? 1 : number(o, perfect[job->measure]);
    r->loss_perfect = number(o, "loss_perfect");
    r->parameters = number(o, "parameters");
    json_decref(o);
    free(line), free(out);
    return r->done;
}

static int train_and_evaluate(const Architecture *arch, const Job *job, Result *r)
{
    char *line = xformat("./%s/train %s %s --overwrite --out runs/zoo/%s-%s", arch->folder,
                         arch->options, job->options, job->name, arch->name);
    fprintf(stderr, "\n== %s on %s: %s\n", arch->name, job->name, line);
    const double start = clock_seconds();
    int status = run(line, NULL);
    r->seconds = clock_seconds() - start;
    if (status == 0 && !evaluate(arch, job, r)) status = EXIT_FAILED;
    free(line);
    return status;
}

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

static void print_table(const Group *g, Result *results)
{
    printf("\n%-11s %-9s %*s %*s |", g->title, "measure", WIDTH, "chance", WIDTH, "perfect");
    for (int a = 0; a < g->archs; a++) printf(" %*s", WIDTH, g->arch[a].name);
    putchar('\n');
    for (int j = 0; j < g->jobs; j++) {
        printf("%-11s %-9s", g->job[j].name, g->job[j].what);
        print_cell(WIDTH, result_of(g, results, j, 0)->chance, 4);
        print_cell(WIDTH, result_of(g, results, j, 0)->perfect, 4);
        printf(" |");
        for (int a = 0; a < g->archs; a++) {
            const Result *r = result_of(g, results, j, a);
            print_cell(width_of(&g->arch[a]), r->done ? r->value : NAN, 4);
        }
        putchar('\n');
    }
    printf("%-11s %-9s %*s %*s |", "training", "seconds", WIDTH, "", WIDTH, "");
    for (int a = 0; a < g->archs; a++) {
        double seconds = 0;
        for (int j = 0; j < g->jobs; j++) seconds += result_of(g, results, j, a)->seconds;
        print_cell(width_of(&g->arch[a]), seconds, 1);
    }
    printf("\n%-11s %-9s %*s %*s |", "parameters", g->job[0].name, WIDTH, "", WIDTH, "");
    for (int a = 0; a < g->archs; a++)
        print_cell(width_of(&g->arch[a]), result_of(g, results, 0, a)->parameters, 0);
    putchar('\n');
}

/* --- the figure: one panel for each task, one curve for each architecture ------------------------------------------ */

static void print_panel(FILE *f, const Group *g, const Job *job, const Result *result)
{
    fprintf(f, "set title '%s'\nset ylabel '%s'\nplot ", job->name,
            job->squared ? "mean squared error" : "loss (nats per token)");
    for (int a = 0; a < g->archs; a++)
        fprintf(f,
                "%s'%s-%s/log.csv' using 1:5 every ::1 with linespoints linewidth 2 pointtype 7 "
                "pointsize 0.6 linecolor rgb '%s' title '%s'",
                a ? ", " : "", job->name, g->arch[a].name, plot_color[color[a % LEN(color)]],
                g->arch[a].name);
    if (result->loss_perfect > 0) /* NAN: not known; 0: the axis itself */
        fprintf(f, ", %.6g with lines dashtype 2 linecolor rgb '%s' title 'best possible'",
                result->loss_perfect, plot_color[0]);
    fputc('\n', f);
}

static void print_script(FILE *f, const void *arg)
{
    Result *const *results = arg; /* (groups), see result_of */
    fputs("set datafile separator comma\nset multiplot layout 3,4 title "
          "'The zoo: validation loss against updates' font ',16'\n" PLOT_GRID
          "set key top right\nset offsets 0, 0, graph 0.5, 0\n" /* room for the key */
          "set xlabel 'updates'\n"
          "set tics font ',9'\nset xrange [0:*]\n",
          f);
    for (int g = 0; g < GROUPS; g++)
        for (int j = 0; j < groups[g].jobs; j++)
            print_panel(f, &groups[g], &groups[g].job[j], result_of(&groups[g], results[g], j, 0));
    fputs("unset multiplot\n", f);
}

static bool draw(Result *const results[GROUPS])
{
    Error err;
    if (file_print("runs/zoo/zoo.gp", print_script, results, &err))
        return plot_draw("runs/zoo/zoo.gp", "runs/zoo/zoo.png", "png", 1600, 1050);
    fprintf(stderr, "zoo: warning: %s\n", err.text);
    return false;
}

/* Runs a command that prints samples of a trained model. Returns its exit status. */
static int show(const char *what, const char *line)
{
    printf("\n%s, from %s:\n", what, line);
    return run(line, NULL);
}

static const Usage usage = {
    .program = "common/programs/zoo",
    .about =
        "Trains every architecture on every task of its group, some minutes in all, and compares "
        "them in tables and in runs/zoo/zoo.png.",
    .operands = "",
    .examples = "  ./common/programs/zoo\n"
                "  make zoo\n",
};

/* Trains and evaluates the group's architectures on its jobs. Returns 0, or the status that stopped it. */
static int run_group(const Group *g, Result *results)
{
    for (int a = 0; a < g->archs; a++)
        for (int j = 0; j < g->jobs; j++) {
            const int status =
                train_and_evaluate(&g->arch[a], &g->job[j], result_of(g, results, j, a));
            if (status) return fprintf(stderr, "zoo: stopped\n"), status < 0 ? EXIT_FAILED : status;
        }
    return 0;
}

/* Trains all groups, prints their tables, draws the picture and shows samples. Returns the exit status. */
static int run_all(Result *results[GROUPS])
{
    for (int g = 0; g < GROUPS; g++) {
        const int status = run_group(&groups[g], results[g]);
        if (status) return status;
    }
    for (int g = 0; g < GROUPS; g++) print_table(&groups[g], results[g]);
    if (draw(results)) printf("\nfigure: runs/zoo/zoo.png\n");
    const int status =
        show("New places", "./lstm_gru/eval runs/zoo/places-gru --samples 8 --plot none");
    if (status) return status;
    return show("Dates", "./seq2seq_attention/eval runs/zoo/dates-dot --samples 1 --plot none");
}

int main(int argc, char **argv)
{
    Result *results[GROUPS];
    Error err;
    int operand;
    const int parsed = args_parse(argc, argv, NULL, 0, &usage, &operand);
    if (parsed >= 0) return parsed;
    if (!dir_make("runs/zoo", &err))
        return fprintf(stderr, "zoo: error: %s\n", err.text), EXIT_FAILED;
    const double start = clock_seconds();
    for (int g = 0; g < GROUPS; g++)
        results[g] = xcalloc((size_t)groups[g].jobs * groups[g].archs, sizeof *results[g]);
    const int status = run_all(results);
    for (int g = 0; g < GROUPS; g++) free(results[g]);
    if (status == 0)
        printf("\n%.0f s in all. Continue with lessons/00-start.md.\n", clock_seconds() - start);
    return status;
}
