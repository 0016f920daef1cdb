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

static int max_threads = 1; /* set by parallel_init, never inside a parallel region */

enum { MOST = 256 };              /* largest number of threads */
enum { WORTH_A_THREAD = 200000 }; /* flops per thread; a parallel region costs about 2 us */

/* If another program runs on one of the cores, it stops one of our threads for milliseconds. A
 * region of some 100 us then waits for this thread, and two threads are slower than one. So we time
 * the regions. After every WINDOW seconds in regions, we compare their time with the time that one
 * thread would have needed, at the rate of the fastest thread of each region. If all threads are
 * less than WORTH_IT times as fast, one thread works alone for SHORTEST seconds; then we try all
 * threads again. Each failed trial makes the next pause four times as long. Only the speed depends
 * on this, not a bit of any result. */
static const double WINDOW = 0.01, SHORTEST = 0.01, LONGEST = 0.8, WORTH_IT = 1.1;

typedef struct {
    bool fixed;   /* OMP_DYNAMIC=false: never pause */
    double began; /* start of the last region */
    double took,
        alone; /* in this window: seconds in regions; seconds that one thread would have needed */
    double until; /* end of the pause, in which one thread works; 0: no pause */
    double pause; /* seconds of the last pause; shrinks after every window in which threads paid */
} Load;

static Load load;

static struct {
    _Alignas(64) double at; /* time at which the thread finished its part of the last region */
} part[MOST];

/* Returns how many threads of all programs run at this moment, including this one; 0 if unknown. */
static int running_now(void)
{
    int running = 0;
    FILE *f = fopen("/proc/loadavg", "r"); /* "0.20 0.18 0.12 1/80 11206" */
    if (f && fscanf(f, "%*f %*f %*f %d/", &running) != 1) running = 0;
    if (f) fclose(f);
    return running;
}

/* Returns whether no other program runs. Looks several times, because the shell that started this
 * program may not be asleep yet. */
static bool machine_is_idle(void)
{
    bool alone = false;
    for (int i = 0; i < 4 && !alone; i++) {
        if (i) nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
        alone = running_now() == 1;
    }
    return alone;
}

/* Networks that work step by step open a region every 20 to 50 us. Threads that spin that long need
 * not be woken, which made additive attention a quarter faster. But two programs that both spin on
 * the same cores are half as fast, so we ask first whether the machine is idle. */
void parallel_start(char **argv)
{
    if (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT")) return;
    char path[4096]; /* keeps the program's name for ps and pkill; /proc/self/exe would be "exe" */
    const ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
    if (len <= 0 || setenv("GOMP_SPINCOUNT", machine_is_idle() ? "8000" : "2000", 1) != 0) return;
    setenv("KMP_BLOCKTIME", "0", 0); /* ms; the same setting for LLVM's OpenMP, which clang uses */
    path[len] = '\0';
    execv(path, argv);
    /* If execv fails, the program runs on; it is only slower on a busy machine. */
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
    /* Treats subnormal numbers (below 1e-38) as 0, read and written. Arithmetic with them is many
     * times slower, and vanishing gradients and moments contain many. New threads inherit this
     * setting. */
    _mm_setcsr(_mm_getcsr() | 0x8040);
#endif
    omp_set_dynamic(0);
    omp_set_num_threads(1); /* a library that uses OpenMP by itself gets one thread */
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

/* Returns the seconds that one thread would have needed for the last region. A static schedule
 * gives the first threads the larger shares of the turns. */
static double seconds_alone(int turns, int threads)
{
    double least = INFINITY; /* seconds per turn of the fastest thread */
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
