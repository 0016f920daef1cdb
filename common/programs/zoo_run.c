/* Runs the train and eval programs of the model folders, and reads what they report. */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/say.h"
#include "programs/zoo.h"

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

int zoo_command(const char *line, char **out)
{
    int fd[2] = {-1, -1}, status;
    if (out && pipe(fd) != 0) return say("zoo: error: pipe: %s\n", strerror(errno)), -1;
    fflush(NULL);
    const pid_t pid = fork();
    if (pid < 0) return say("zoo: error: fork: %s\n", strerror(errno)), -1;
    if (pid == 0) {
        char **word = split(line);
        if (out) dup2(fd[1], STDOUT_FILENO), close(fd[0]), close(fd[1]);
        execv(word[0], word);
        say("zoo: error: %s: %s; run `make` first\n", word[0], strerror(errno));
        _exit(EXIT_FAILED);
    }
    if (out) {
        close(fd[1]);
        *out = read_all(fd[0]);
        close(fd[0]);
    }
    pid_t got;
    while ((got = waitpid(pid, &status, 0)) < 0 && errno == EINTR) continue;
    if (got != pid) return say("zoo: error: waitpid: %s\n", strerror(errno)), -1;
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
    const int status = zoo_command(line, &out);
    json_t *o = status == 0 ? json_loads(out, 0, NULL) : NULL;
    static const char *const value[] = {"loss", "loss", "value", "exact"};
    static const char *const chance[] = {"loss_chance", "loss_chance", "chance"};
    static const char *const perfect[] = {"loss_perfect", "loss_perfect", "perfect"};
    r->done = o != NULL;
    r->value = number(o, value[job->measure]);
    r->chance = job->measure == EXACT ? 0 : number(o, chance[job->measure]);
    r->perfect = job->measure == EXACT ? 1 : number(o, perfect[job->measure]);
    r->loss_chance = number(o, "loss_chance");
    r->loss_perfect = number(o, "loss_perfect");
    r->parameters = number(o, "parameters");
    json_decref(o);
    free(line), free(out);
    return r->done;
}

int zoo_train_and_evaluate(const Group *g, int job, int arch, Result *r)
{
    const Architecture *a = &g->arch[arch];
    const Job *j = &g->job[job];
    char *line = xformat("./%s/train %s %s --lr %s --overwrite --out runs/zoo/%s-%s", a->folder,
                         a->options, j->options, j->rate[arch], j->name, a->name);
    say("\n== %s on %s: %s\n", a->name, j->name, line);
    const double start = clock_seconds();
    int status = zoo_command(line, NULL);
    r->seconds = clock_seconds() - start;
    if (status == 0 && !evaluate(a, j, r)) status = EXIT_FAILED;
    free(line);
    return status;
}

/* Returns field n, from 0, of a line of CSV as a number, or NAN if it is empty or missing. */
static double field(const char *line, int n)
{
    while (n-- > 0 && (line = strchr(line, ','))) line++;
    char *end = NULL;
    const double x = line ? strtod(line, &end) : NAN;
    return end == line ? NAN : x;
}

Curve zoo_curve(const char *dir)
{
    enum { STEP = 0, VALID_LOSS = 4 }; /* columns of log.csv */
    Curve c = {0};
    char *path = xformat("%s/log.csv", dir), line[512];
    FILE *f = fopen(path, "re");
    for (int room = 0; f && fgets(line, sizeof line, f);) {
        const double step = field(line, STEP), loss = field(line, VALID_LOSS);
        if (isnan(step) || isnan(loss))
            continue; /* the header, or an update without a validation */
        if (c.n == room) {
            room = room ? 2 * room : 32;
            c.step = xrealloc(c.step, (size_t)room * sizeof *c.step);
            c.loss = xrealloc(c.loss, (size_t)room * sizeof *c.loss);
        }
        c.step[c.n] = step;
        c.loss[c.n++] = loss;
    }
    if (f) fclose(f);
    free(path);
    return c;
}

void zoo_curve_free(Curve *c)
{
    free(c->step), free(c->loss);
    *c = (Curve){0};
}
