/* `make zoo`: trains every architecture on every task of its kind in a short budget, prints tables and
 * draws one picture. A new architecture or task is one line in the tables of its group.
 *
 * Each run is the ordinary train and eval program of its folder, with its options shown: whatever
 * stands in the table can be had again by typing that line. */
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
    const char *name, *folder, *options; /* of the column; of its programs */
} Architecture;

typedef struct {
    const char *name, *options; /* of the row; of ./ARCH/train */
    const char *measure;        /* key of eval's JSON: "loss", "value" or "exact" */
    const char *what;           /* as the table's head says it */
} Job;

/* --- one sequence --- */
static const Architecture readers[] = {
    {"rnn", "rnn", ""},
    {"lstm", "lstm_gru", "--cell lstm --hidden 128 --lr 5e-3"}, /* parameters: about the rnn's */
    {"gru", "lstm_gru", "--cell gru --hidden 152 --lr 5e-3"},
};
/* Sized for about a minute an architecture on two cores. */
static const Job reading[] = {
    {"places", "--lines", "loss", "nats"},
    {"prose", "", "loss", "nats"},
    {"adding", "--task adding --steps 1000 --hidden 64", "loss", "mse"},
    {"agreement", "--task agreement --steps 1200", "loss", "nats"},
    {"parity", "--task parity", "value", "accuracy"},
    {"dyck", "--task dyck --steps 1000", "value", "accuracy"},
    {"copy-memory", "--task copy-memory --steps 300", "loss", "nats"},
};

/* --- pairs of sequences: what is between reading and writing --- */
static const Architecture translators[] = {
    {"vector", "seq2seq_attention", "--attention none --hidden 64 --lr 3e-3"},
    {"additive", "seq2seq_attention", "--attention additive --hidden 64 --lr 3e-3"},
    {"dot", "seq2seq_attention", "--attention dot --hidden 64 --lr 3e-3"},
    {"transformer", "transformer", "--norm pre --channels 64 --ffn 256 --lr 2e-3"},
};
static const Job translating[] = {
    {"reverse", "--task reverse --steps 1500", "exact", "exact"},
    {"sort", "--task sort --steps 1500", "exact", "exact"},
    {"dates", "--task dates --steps 400", "exact", "exact"},
};

/* --- who can look back: a fixed state, or attention to all steps --- */
static const Architecture rememberers[] = {
    {"rnn", "rnn", "--hidden 128"},
    {"lstm", "lstm_gru", "--cell lstm --hidden 96 --lr 3e-3"},
    {"gru", "lstm_gru", "--cell gru --hidden 112 --lr 3e-3"},
    {"transformer", "transformer", "--norm pre --channels 64 --ffn 256 --lr 3e-3"},
};
static const Job remembering[] = {{"recall", "--task recall --steps 1200", "value", "accuracy"}};

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
static const int color[] = {5, 6, 3, 1, 7, 0, 2}; /* of plot_color */

enum { GROUPS = LEN(groups), MAX_ARCHS = 6, MAX_JOBS = 8, MAX_ARGS = 24 };

typedef struct {
    double value, chance, perfect, loss_perfect, seconds, parameters;
    bool done;
} Result;
typedef Result Results[MAX_JOBS][MAX_ARCHS];

/* --- running the programs --------------------------------------------------------------------------- */

typedef struct {
    char *word[MAX_ARGS + 1];
    int n;
    char *text;
} Command;

/* Splits a line at its spaces; nothing here is quoted. */
static Command command_make(const char *line)
{
    Command c = {.text = xstrdup(line)};
    char *rest = NULL;
    for (char *w = strtok_r(c.text, " ", &rest); w && c.n < MAX_ARGS;
         w = strtok_r(NULL, " ", &rest))
        c.word[c.n++] = w;
    return c;
}

/* Runs a command; its standard output is put into *out (free() it) unless out is NULL. Returns the
 * exit status, 128 + the signal's number, or -1 with a message. */
static int run(const char *line, char **out)
{
    int fd[2] = {-1, -1}, status;
    if (out && pipe(fd) != 0) return fprintf(stderr, "zoo: error: pipe: %s\n", strerror(errno)), -1;
    fflush(NULL);
    const pid_t pid = fork();
    if (pid < 0) return fprintf(stderr, "zoo: error: fork: %s\n", strerror(errno)), -1;
    if (pid == 0) {
        Command c = command_make(line);
        if (out) dup2(fd[1], STDOUT_FILENO), close(fd[0]), close(fd[1]);
        execv(c.word[0], c.word);
        fprintf(stderr, "zoo: error: %s: %s; run `make` first\n", c.word[0], strerror(errno));
        _exit(EXIT_FAILED);
    }
    if (out) {
        size_t len = 0;
        ssize_t n;
        close(fd[1]);
        *out = xcalloc(1, 1 << 16);
        while (len < (1 << 16) - 1 && (n = read(fd[0], *out + len, (1 << 16) - 1 - len)) > 0)
            len += (size_t)n;
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
    const bool loss = strcmp(job->measure, "loss") == 0, exact = strcmp(job->measure, "exact") == 0;
    r->done = o != NULL;
    r->value = number(o, job->measure);
    r->chance = exact ? 0 : number(o, loss ? "loss_chance" : "chance");
    r->perfect = exact ? 1 : number(o, loss ? "loss_perfect" : "perfect");
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

static void print_table(const Group *g, Results result)
{
    printf("\n%-11s %-9s %*s %*s |", g->title, "measure", WIDTH, "chance", WIDTH, "perfect");
    for (int a = 0; a < g->archs; a++) printf(" %*s", WIDTH, g->arch[a].name);
    putchar('\n');
    for (int j = 0; j < g->jobs; j++) {
        printf("%-11s %-9s", g->job[j].name, g->job[j].what);
        print_cell(WIDTH, result[j][0].chance, 4);
        print_cell(WIDTH, result[j][0].perfect, 4);
        printf(" |");
        for (int a = 0; a < g->archs; a++)
            print_cell(width_of(&g->arch[a]), result[j][a].done ? result[j][a].value : NAN, 4);
        putchar('\n');
    }
    printf("%-11s %-9s %*s %*s |", "training", "seconds", WIDTH, "", WIDTH, "");
    for (int a = 0; a < g->archs; a++) {
        double seconds = 0;
        for (int j = 0; j < g->jobs; j++) seconds += result[j][a].seconds;
        print_cell(width_of(&g->arch[a]), seconds, 1);
    }
    printf("\n%-11s %-9s %*s %*s |", "parameters", g->job[0].name, WIDTH, "", WIDTH, "");
    for (int a = 0; a < g->archs; a++)
        print_cell(width_of(&g->arch[a]), result[0][a].parameters, 0);
    putchar('\n');
}

/* --- the picture: a panel a task, all architectures on its axis ------------------------------------------ */

static void print_panel(FILE *f, const Group *g, const Job *job, const Result *result)
{
    fprintf(f, "set title '%s'\nset ylabel '%s'\nplot ", job->name,
            strcmp(job->what, "mse") ? "loss (nats per token)" : "mean squared error");
    for (int a = 0; a < g->archs; a++)
        fprintf(f,
                "%s'%s-%s/log.csv' using 1:5 every ::1 with linespoints linewidth 2 pointtype 7 "
                "pointsize 0.6 linecolor rgb '%s' title '%s'",
                a ? ", " : "", job->name, g->arch[a].name, plot_color[color[a % LEN(color)]],
                g->arch[a].name);
    if (result->loss_perfect > 0) /* not a number: not known; 0: the axis itself */
        fprintf(f, ", %.6g with lines dashtype 2 linecolor rgb '%s' title 'best possible'",
                result->loss_perfect, plot_color[0]);
    fputc('\n', f);
}

typedef struct {
    Results *result; /* [GROUPS] */
} Picture;

static void print_script(FILE *f, const void *arg)
{
    const Picture *picture = arg;
    fputs("set datafile separator comma\nset multiplot layout 3,4 title "
          "'The zoo: validation loss against updates' font ',16'\n" PLOT_GRID
          "set key top right\nset offsets 0, 0, graph 0.5, 0\n" /* room for the key */
          "set xlabel 'updates'\n"
          "set tics font ',9'\nset xrange [0:*]\n",
          f);
    for (int g = 0; g < GROUPS; g++)
        for (int j = 0; j < groups[g].jobs; j++)
            print_panel(f, &groups[g], &groups[g].job[j], &picture->result[g][j][0]);
    fputs("unset multiplot\n", f);
}

static bool draw(Results result[GROUPS])
{
    Error err;
    if (file_print("runs/zoo/zoo.gp", print_script, &(Picture){result}, &err))
        return plot_draw("runs/zoo/zoo.gp", "runs/zoo/zoo.png", "png", 1600, 1050);
    fprintf(stderr, "zoo: warning: %s\n", err.text);
    return false;
}

/* What a trained model writes. */
static int show(const char *what, const char *line)
{
    printf("\n%s, from %s:\n", what, line);
    return run(line, NULL);
}

static const Usage usage = {
    .program = "common/programs/zoo",
    .about =
        "Trains every architecture on every task of its kind in a short budget, some minutes in "
        "all, and compares them: tables, and runs/zoo/zoo.png.",
    .operands = "",
    .examples = "  ./common/programs/zoo\n"
                "  make zoo\n",
};

int main(int argc, char **argv)
{
    static Results result[GROUPS];
    Error err;
    int operand;
    const int parsed = args_parse(argc, argv, NULL, 0, &usage, &operand);
    if (parsed >= 0) return parsed;
    if (!dir_make("runs/zoo", &err))
        return fprintf(stderr, "zoo: error: %s\n", err.text), EXIT_FAILED;
    const double start = clock_seconds();
    for (int g = 0; g < GROUPS; g++)
        for (int a = 0; a < groups[g].archs; a++)
            for (int j = 0; j < groups[g].jobs; j++) {
                const int status =
                    train_and_evaluate(&groups[g].arch[a], &groups[g].job[j], &result[g][j][a]);
                if (status)
                    return fprintf(stderr, "zoo: stopped\n"), status < 0 ? EXIT_FAILED : status;
            }
    for (int g = 0; g < GROUPS; g++) print_table(&groups[g], result[g]);
    if (draw(result)) printf("\npicture: runs/zoo/zoo.png\n");
    int status = show("New places", "./lstm_gru/eval runs/zoo/places-gru --samples 8 --plot none");
    if (!status)
        status =
            show("Dates", "./seq2seq_attention/eval runs/zoo/dates-dot --samples 1 --plot none");
    printf("\n%.0f s in all. Go on with lessons/00-start.md.\n", clock_seconds() - start);
    return status;
}
