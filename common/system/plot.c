/* gnuplot starts in the script's directory and writes the picture to its standard output, which is a
 * temporary file of ours. So no gnuplot command contains a file name, and none needs quoting. */
#include "system/plot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/say.h"
#include "system/file.h"
#include "system/stop.h"

extern char **environ;

const char *const plot_color[8] = {"#000000", "#e69f00", "#56b4e9", "#009e73",
                                   "#f0e442", "#0072b2", "#d55e00", "#cc79a7"};

static const struct {
    const char *architecture, *color;
} colors[] = {
    {"rnn", "#0072b2"},         {"lstm", "#d55e00"},     {"gru", "#009e73"}, {"none", "#56b4e9"},
    {"vector", "#56b4e9"},      {"additive", "#cc79a7"}, {"dot", "#e69f00"}, {"concat", "#999933"},
    {"transformer", "#000000"}, {"decoder", "#000000"},  {"gpt", "#882255"},
};

const char *plot_color_of(const char *architecture)
{
    for (int i = 0; i < LEN(colors); i++)
        if (strcmp(colors[i].architecture, architecture) == 0) return colors[i].color;
    CHECK(false, "plot_color_of: \"%s\" is no architecture of the table", architecture);
    return NULL;
}

/* gnuplot cannot read two quotes in a row in a string of single quotes, and it runs what stands between two back quotes
 * in a string of double quotes; these characters are written as octal codes. */
char *plot_quote(const char *s)
{
    char *text = say_escaped(s), *quoted = xmalloc(4 * strlen(text) + 3), *to = quoted;
    const bool plain = !strpbrk(text, "'`");
    *to++ = plain ? '\'' : '"';
    for (const char *c = text; *c; c++)
        if (plain || !strchr("'`\"\\", *c))
            *to++ = *c;
        else
            to += snprintf(to, 5, "\\%03o", (unsigned)*c);
    *to++ = plain ? '\'' : '"';
    *to = 0;
    free(text);
    return quoted;
}

/* Returns the commands before the script, which the caller frees. `noenhanced` keeps underscores in
 * labels from making subscripts. */
static char *prelude(const char *kind, int width, int height)
{
    const char *utf8 = "set encoding utf8; set terminal ";
    if (strcmp(kind, "dumb") == 0) return xformat("%sdumb size 79,24 noenhanced", utf8);
    if (strcmp(kind, "png") == 0)
        return xformat("%spngcairo size %d,%d noenhanced font 'sans,12'", utf8, width, height);
    CHECK(strcmp(kind, "svg") == 0, "plot_draw: kind \"%s\"", kind);
    return xformat("%ssvg size %d,%d noenhanced font 'sans,16' background rgb 'white'", utf8, width,
                   height);
}

/* Starts gnuplot in the script's directory, writing to the file descriptors `out` and `complaints`.
 * Returns an errno. */
static int start(const char *script, const char *commands, int out, int complaints, pid_t *pid)
{
    char *dir = xstrdup(script), *slash = strrchr(dir, '/');
    char *name = xformat("./%s", slash ? slash + 1 : script);
    char *option = xstrdup(commands), program[] = "gnuplot", plain[] = "-d", execute[] = "-e";
    char *argv[] = {program, plain, execute, option, name, NULL}; /* -d: without ~/.gnuplot */
    if (slash) slash[slash == dir] = 0; /* the directory of "/loss.gp" is "/" */

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, complaints, STDERR_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (slash) posix_spawn_file_actions_addchdir_np(&actions, dir);
    posix_spawnattr_t attributes; /* gnuplot has not learned to go without these two signals */
    sigset_t usual;
    sigemptyset(&usual), sigaddset(&usual, SIGXFSZ), sigaddset(&usual, SIGPIPE);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    const int error = posix_spawnp(pid, program, &actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    free(dir), free(name), free(option);
    return error;
}

/* Waits for the child at most 20 s, then kills it. Returns NULL if it succeeded, otherwise how it ended. */
static const char *finish(pid_t pid)
{
    enum { PATIENCE = 20 };
    const struct timespec moment = {.tv_nsec = 5 * 1000 * 1000};
    const double deadline = clock_seconds() + PATIENCE;
    int status;
    for (pid_t got; (got = waitpid(pid, &status, WNOHANG)) != pid; nanosleep(&moment, NULL)) {
        if (got < 0 && errno != EINTR) return "lost";
        if (clock_seconds() < deadline) continue;
        kill(pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        }
        return "took more than 20 s";
    }
    if (WIFSIGNALED(status)) return "was killed";
    return WEXITSTATUS(status) == 0 ? NULL : "failed";
}

/* Copies the last non-empty line of gnuplot's messages, or "". The lines before it quote the script. */
static void last_line(int complaints, char *line, size_t room)
{
    char text[4096];
    *line = 0;
    const off_t end = lseek(complaints, 0, SEEK_END);
    const off_t from = end > (off_t)sizeof text - 1 ? end - (off_t)sizeof text + 1 : 0;
    const ssize_t n = pread(complaints, text, sizeof text - 1, from);
    if (n <= 0) return;
    text[n] = 0;
    char *rest = text;
    for (char *s; (s = strsep(&rest, "\n"));)
        if (*s) snprintf(line, room, ": %s", s);
}

static bool warn(const char *script, const char *what, const char *detail)
{
    const char *slash = strrchr(script, '/');
    say("warning: %s: no picture: %s%s; the numbers are in %.*s\n", script, what, detail,
        slash ? (int)(slash - script) + 1 : 1, slash ? script : ".");
    return false;
}

static bool warn_start(const char *script, int error)
{
    static atomic_flag warned = ATOMIC_FLAG_INIT; /* warn once that gnuplot is missing */
    if (error == ENOENT && atomic_flag_test_and_set(&warned)) return false;
    return error == ENOENT ? warn(script, "gnuplot is not installed (package gnuplot-nox)", "")
                           : warn(script, "cannot start gnuplot: ", strerror(error));
}

/* Runs the script; the picture goes to the file descriptor `out`. */
static bool draw(const char *script, const char *commands, int out)
{
    char why[256];
    pid_t pid;
    if (access(script, R_OK) != 0) return warn(script, "the script: ", strerror(errno));
    const int complaints = memfd_create("gnuplot", MFD_CLOEXEC);
    if (complaints < 0) return warn(script, "memfd_create: ", strerror(errno));
    const int error = start(script, commands, out, complaints, &pid);
    const char *ending = error ? NULL : finish(pid);
    last_line(complaints, why, sizeof why);
    close(complaints);
    if (error) return warn_start(script, error);
    if (ending) {
        char *what = xformat("gnuplot %s", ending);
        warn(script, what, why);
        free(what);
        return false;
    }
    struct stat st;
    if (fstat(out, &st) != 0 || st.st_size == 0) return warn(script, "gnuplot drew nothing", why);
    return true;
}

/* Draws ASCII on stdout, without gnuplot's leading form feed. */
static bool draw_on_terminal(const char *script, const char *commands)
{
    char text[4096];
    const int out = memfd_create("picture", MFD_CLOEXEC);
    if (out < 0) return warn(script, "memfd_create: ", strerror(errno));
    const bool ok = draw(script, commands, out);
    off_t at = 0;
    for (ssize_t n; ok && (n = pread(out, text, sizeof text, at)) > 0; at += n) {
        const size_t feed = at == 0 && text[0] == '\f';
        fwrite(text + feed, 1, (size_t)n - feed, stdout);
    }
    close(out);
    return ok;
}

static bool draw_to_file(const char *script, const char *commands, const char *picture)
{
    char *temporary;
    const int out = file_temporary(picture, &temporary);
    bool ok = out >= 0 ? draw(script, commands, out) : warn(temporary, "", strerror(errno));
    if (out >= 0 && close(out) != 0 && errno != EINTR && ok)
        ok = warn(temporary, "", strerror(errno));
    if (ok && rename(temporary, picture) != 0) ok = warn(picture, "", strerror(errno));
    if (!ok) unlink(temporary);
    stop_removes(NULL);
    free(temporary);
    return ok;
}

bool plot_draw(const char *script, const char *picture, const char *kind, int width, int height)
{
    if (strcmp(kind, "none") == 0) return true;
    char *commands = prelude(kind, width, height);
    const bool ok = strcmp(kind, "dumb") == 0 ? draw_on_terminal(script, commands)
                                              : draw_to_file(script, commands, picture);
    free(commands);
    return ok;
}
