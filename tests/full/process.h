/* Starts a program under test with limits of time, memory and file size, and collects what it wrote. */
#ifndef PROCESS_H
#define PROCESS_H

#include "full.h"

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

typedef struct {
    int cpu, wall;          /* seconds; 0: 5 and 60 */
    size_t memory, file;    /* bytes; 0: 2 GB and 16 MB */
    const char *dir;        /* the working folder; NULL: that of this process */
    const char *in;         /* the file on standard input; NULL: nothing */
    const char *out;        /* the file on standard output; NULL: it is collected */
    const char *const *env; /* NAME=VALUE, ended by NULL; or NULL */
    int signal, after;      /* this signal is sent after so many microseconds; 0: none */
} Limits;

typedef struct {
    int status;      /* the exit status, or -1 */
    int signal;      /* the signal that ended the program, or 0 */
    bool late;       /* it was killed because its time was over */
    char *out, *err; /* what it wrote, ended by a 0 */
    double seconds;
} Outcome;

static inline void outcome_free(Outcome *o)
{
    free(o->out), free(o->err);
}

static inline void limit(int what, rlim_t most)
{
    setrlimit(what, &(struct rlimit){most, most});
}

/* The child's part: never returns. */
_Noreturn static inline void start_program(const Full *f, const char *const *argv, const Limits *l,
                                           int out, int err)
{
    setpgid(0, 0);
    const int in = open(l->in ? l->in : "/dev/null", O_RDONLY);
    if (l->out) out = open(l->out, O_WRONLY);
    dup2(in, 0), dup2(out, 1), dup2(err, 2);
    if (l->dir && chdir(l->dir) != 0) _exit(126);
    for (const char *const *e = l->env; e && *e; e++) putenv((char *)*e);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, (rlim_t)(l->cpu ? l->cpu : 5) * (f->sanitized ? 10 : 1));
    limit(RLIMIT_FSIZE, l->file ? l->file : 1 << 24);
    if (!f->sanitized) limit(RLIMIT_AS, l->memory ? l->memory : (rlim_t)2 << 30);
    execv(argv[0], (char *const *)argv);
    _exit(127);
}

static inline char *collected(int fd)
{
    struct stat st;
    NEED(fstat(fd, &st) == 0, "no output file");
    char *text = xcalloc((size_t)st.st_size + 1, 1);
    NEED(pread(fd, text, (size_t)st.st_size, 0) == st.st_size, "no output");
    close(fd);
    return text;
}

/* Waits until the process ends, up to so many milliseconds; -1: without limit. */
static inline bool ended_within(int pidfd, int milliseconds)
{
    int got;
    do got = poll(&(struct pollfd){.fd = pidfd, .events = POLLIN}, 1, milliseconds);
    while (got < 0 && errno == EINTR);
    return got > 0;
}

/* Runs argv[0], a path, until it ends. */
static inline Outcome run_program(const Full *f, const char *const *argv, const Limits *l)
{
    static const Limits none;
    if (!l) l = &none;
    const int out = memfd_create("out", MFD_CLOEXEC), err = memfd_create("err", MFD_CLOEXEC);
    NEED(out >= 0 && err >= 0, "no memory for output");
    fflush(stdout);
    const double start = clock_seconds();
    const pid_t pid = fork();
    NEED(pid >= 0, "cannot start a process");
    if (pid == 0) start_program(f, argv, l, out, err);
    const int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    NEED(pidfd >= 0, "cannot wait for a process");
    if (l->signal) {
        usleep((useconds_t)l->after);
        kill(pid, l->signal);
    }
    Outcome o = {.status = -1, .late = !ended_within(pidfd, (l->wall ? l->wall : 60) * 1000)};
    if (o.late) kill(-pid, SIGKILL), kill(pid, SIGKILL);
    int status;
    NEED(waitpid(pid, &status, 0) == pid, "cannot wait for a process");
    kill(-pid, SIGKILL); /* whatever it left behind */
    close(pidfd);
    o.seconds = clock_seconds() - start;
    if (WIFEXITED(status)) o.status = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) o.signal = WTERMSIG(status);
    if (o.signal == SIGXCPU) o.late = true;
    o.out = collected(out), o.err = collected(err);
    return o;
}

/* Returns what is wrong with the way a program ended, whatever it was asked for; NULL if nothing is. */
static inline const char *bad_end(const Outcome *o)
{
    if (o->late) return "it did not end in time";
    if (o->signal) return "a signal ended it";
    if (o->status < 0 || o->status > 3) return "its status is none of 0, 1, 2, 3";
    if (strstr(o->err, "ERROR: AddressSanitizer") || strstr(o->err, "runtime error:") ||
        strstr(o->err, "ERROR: LeakSanitizer"))
        return "a sanitizer reported an error";
    if (o->status && !strstr(o->err, "error: ")) return "it failed without a message";
    return NULL;
}

/* The first error message, or the last line, for a report: at most 300 characters, control characters replaced. */
static inline const char *said(const Outcome *o)
{
    static char line[301];
    const char *at = strstr(o->err, "error: ");
    snprintf(line, sizeof line, "%s", at ? at : o->err);
    line[strcspn(line, "\n")] = 0;
    for (char *c = line; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127) *c = '?';
    return line;
}

#endif
