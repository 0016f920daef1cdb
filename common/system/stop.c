#include "system/stop.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"

/* timeout(1) sends its signal twice, to the program and to its group: within so many seconds it is one. */
static const double SAME_SIGNAL = 0.25;

static const int caught_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGCONT};
static volatile sig_atomic_t caught;
static volatile double caught_at;

static char temporary[PATH_MAX]; /* to be removed; only if the flag is set */
static volatile sig_atomic_t has_temporary;

void stop_removes(const char *path)
{
    has_temporary = false;
    if (!path || strlen(path) >= sizeof temporary) return;
    memcpy(temporary, path, strlen(path) + 1);
    has_temporary = true;
}

static void on_signal(int number)
{
    const double now = clock_seconds();
    if (!caught) caught_at = now;
    if (caught && now - caught_at > SAME_SIGNAL) {
        if (has_temporary) unlink(temporary);
        _exit(EXIT_SIGNAL + number);
    }
    caught = number;
}

/* --- the clock -------------------------------------------------------------------------------- */

/* A gap is the time between two looks in which the main thread did not use the processor: it waited for the disk or for
 * its turn, or the program was stopped. SIGCONT tells which. Its handler may run a little before the look that finds the
 * gap, or in another thread a little after it, so the longest gap around it is the stop. */
static const double AROUND = 0.2, LONG_GAP = 0.05; /* seconds */

static clockid_t main_thread; /* its processor time */
static bool has_clock;
static volatile sig_atomic_t continued; /* SIGCONTs so far */
static sig_atomic_t handled;            /* those that a look has found */
static double handled_at = -1e9;        /* when the last one was found */
static double paused;                   /* seconds so far */
static double counted, counted_seen;    /* the gap in `paused` that belongs to the last SIGCONT */
static double seen, seen_cpu;           /* at the last look: time, processor time of the thread */
static double gap, gap_seen;            /* the longest gap of late, and when it was found */

static void on_continue(int number)
{
    (void)number;
    continued = continued + 1;
}

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(main_thread, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Looks at the clocks and returns the gap since the last look. */
static double look(void)
{
    const double now = clock_seconds(), cpu = cpu_seconds();
    const double idle = now - seen - (cpu - seen_cpu);
    seen = now, seen_cpu = cpu;
    return idle;
}

double stop_clock(void)
{
    const struct timespec moment = {.tv_nsec = 2 * 1000 * 1000};
    if (!has_clock) return clock_seconds();
    const double idle = look();
    if (idle > gap || seen - gap_seen > AROUND) gap = idle, gap_seen = seen;
    if (idle > LONG_GAP && continued == handled) nanosleep(&moment, NULL);
    if (continued != handled) {
        if (gap_seen == counted_seen) gap = 0; /* it belongs to the SIGCONT before */
        handled = continued, counted = 0;
        handled_at = clock_seconds(); /* `seen` may be a moment before the stop */
    }
    if (seen - handled_at < AROUND && gap > counted) {
        paused += gap - counted;
        counted = gap, counted_seen = gap_seen;
    }
    return seen - paused;
}

/* --- catching --------------------------------------------------------------------------------- */

static void catch_signal(int number, void (*handler)(int), bool also_ignored)
{
    const struct sigaction act = {.sa_handler = handler, .sa_flags = SA_RESTART | SA_ONSTACK};
    struct sigaction old;
    if (!also_ignored && sigaction(number, NULL, &old) == 0 && old.sa_handler == SIG_IGN) return;
    sigaction(number, &act, NULL);
}

/* The handlers have a stack of their own: some of oneDNN's kernels use the stack pointer to walk a buffer on
 * the heap, and the frame of a signal, kilobytes of saved registers, would be written over what lies
 * before it. Only the main thread, which calls this, has that stack: see stop_blocks_here. */
void stop_catch(void)
{
    static char stack[1 << 16];
    const stack_t own = {.ss_sp = stack, .ss_size = sizeof stack};
    sigaltstack(&own, NULL);
    if (!has_clock && pthread_getcpuclockid(pthread_self(), &main_thread) == 0) {
        look();
        has_clock = true;
        catch_signal(SIGCONT, on_continue, true);
    }
    catch_signal(SIGINT, on_signal, true);
    catch_signal(SIGTERM, on_signal, true);
    catch_signal(SIGHUP, on_signal, false);
}

/* The system gives a signal to the main thread if it can take one at once. While it waits for a core with another
 * signal pending, any thread that does not block the signal gets it: timeout(1) sends four in a row. */
void stop_blocks_here(void)
{
    static _Thread_local bool done;
    sigset_t set;
    if (done) return;
    done = true;
    if (gettid() == getpid()) return;
    sigemptyset(&set);
    for (int i = 0; i < LEN(caught_signals); i++) sigaddset(&set, caught_signals[i]);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

int stop_requested(void)
{
    return caught;
}
