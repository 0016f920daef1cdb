#include "math/parallel.h"

#include "base/base.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>
#ifdef __SSE2__
#include <xmmintrin.h>
#endif

static int max_threads = 1; /* set by parallel_init, never within a parallel region */

enum { MOST = 256 };              /* threads */
enum { WORTH_A_THREAD = 200000 }; /* flops; a parallel region costs about 2 us */

/* Another program on one of the cores stops a thread for milliseconds, and the region, of some 100 us, waits
 * for it: two threads are then slower than one. So the regions are timed. After every WINDOW seconds in them,
 * the time they took is compared with the time that one thread would have needed, at the rate of the fastest
 * thread of each region. If all threads are less than WORTH_IT times as fast, one thread works for SHORTEST
 * seconds; then all are tried again. Each trial in vain puts the next one off four times as long. Only speed
 * depends on it, no bit of a result. */
static const double WINDOW = 0.01, SHORTEST = 0.01, LONGEST = 0.8, WORTH_IT = 1.1;

typedef struct {
    bool fixed;   /* OMP_DYNAMIC=false */
    double began; /* when the last region began */
    double took,
        alone; /* in this window: seconds in regions; seconds that one thread would have needed */
    double until; /* one thread until then; 0: all threads */
    double
        pause; /* how long the last pause was, a little less after each window that was worth it */
} Load;

static Load load;

static struct {
    _Alignas(64) double at; /* when the thread had done its part of the last region */
} part[MOST];

/* How many threads of all programs run at this moment, this one among them; 0: unknown. */
static int running_now(void)
{
    int running = 0;
    FILE *f = fopen("/proc/loadavg", "r"); /* "0.20 0.18 0.12 1/80 11206" */
    if (f && fscanf(f, "%*f %*f %*f %d/", &running) != 1) running = 0;
    if (f) fclose(f);
    return running;
}

/* Is this program alone? Looks a few times, since whoever started it may not be asleep yet. */
static bool machine_is_idle(void)
{
    bool alone = false;
    for (int i = 0; i < 4 && !alone; i++) {
        if (i) nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
        alone = running_now() == 1;
    }
    return alone;
}

/* Step-by-step networks open a region every 20 to 50 us: threads that spin that long need not be woken,
 * which made additive attention a quarter faster. Two programs that both do so on the same cores are
 * half as fast, hence the question. */
void parallel_start(char **argv)
{
    if (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT")) return;
    char path[4096]; /* its own name, for ps and pkill; /proc/self/exe would become "exe" */
    const ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
    if (len <= 0 || setenv("GOMP_SPINCOUNT", machine_is_idle() ? "8000" : "2000", 1) != 0) return;
    setenv("KMP_BLOCKTIME", "0", 0); /* in ms: the same for LLVM's OpenMP, which clang takes */
    path[len] = '\0';
    execv(path, argv);
    /* Where that does not work the program is only slower on a busy machine. */
}

void parallel_init(int threads)
{
    if (threads <= 0) {
        const char *env = getenv("OMP_NUM_THREADS");
        threads = env ? (int)strtol(env, NULL, 10) : 0;
    }
    if (threads <= 0) threads = omp_get_num_procs();
    if (threads > MOST) threads = MOST;
    max_threads = threads;
    const char *dynamic = getenv("OMP_DYNAMIC");
    load = (Load){.fixed = dynamic && strcasecmp(dynamic, "false") == 0};
#ifdef __SSE2__
    /* Numbers below 1e-38 are 0, read and written: with them arithmetic is many times slower, and vanishing
     * gradients and moments are full of them. Threads made from now on have it from this one. */
    _mm_setcsr(_mm_getcsr() | 0x8040);
#endif
    omp_set_dynamic(0);
    omp_set_num_threads(1); /* a library that asks OpenMP on its own runs on one thread */
}

int parallel_max(void)
{
    return max_threads;
}

int parallel_threads(double flops)
{
    if (max_threads == 1 || flops < WORTH_A_THREAD || omp_in_parallel()) return 1;
    if (load.until > 0 && clock_seconds() < load.until) return 1;
    load.until = 0;
    const double worth = 1 + flops / WORTH_A_THREAD;
    return worth < max_threads ? (int)worth : max_threads;
}

void parallel_begin(void)
{
    load.began = clock_seconds();
}

void parallel_part_done(void)
{
    part[omp_get_thread_num()].at = clock_seconds();
}

/* What one thread would have needed for the last region. Of a static schedule the first threads have the
 * larger shares of the turns. */
static double seconds_alone(int turns, int threads)
{
    double least = INFINITY; /* of a turn */
    for (int i = 0; i < threads && i < turns; i++)
        least = fmin(least, (part[i].at - load.began) / (turns / threads + (i < turns % threads)));
    return turns * least;
}

void parallel_end(int turns, int threads)
{
    const double now = clock_seconds();
    load.took += now - load.began;
    load.alone += seconds_alone(turns, threads);
    if (load.took < WINDOW || load.fixed) return;
    const bool in_vain = load.alone < WORTH_IT * load.took;
    load.pause = in_vain ? fmin(fmax(4 * load.pause, SHORTEST), LONGEST) : 0.875 * load.pause;
    load.until = in_vain ? now + load.pause : 0;
    load.took = load.alone = 0;
}
