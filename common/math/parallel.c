#include "math/parallel.h"

#include <omp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#ifdef __SSE2__
#include <xmmintrin.h>
#endif

static int max_threads = 1; /* set by parallel_init, never within a parallel region */

enum { WORTH_A_THREAD = 200000 }; /* flops; a parallel region costs about 2 us */

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
    if (threads > 256) threads = 256;
    max_threads = threads;
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
    const double worth = 1 + flops / WORTH_A_THREAD;
    return worth < max_threads ? (int)worth : max_threads;
}
