#include "parallel.h"

#include <omp.h>
#include <stdlib.h>
#include <unistd.h>

static int max_threads = 1; /* set once, before any work; read only afterwards */

enum { WORTH_A_THREAD = 200000 }; /* flops; a parallel region costs about 2 us */

void parallel_start(char **argv)
{
    if (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT")) return;
    char path[4096]; /* its own name, for ps and pkill; /proc/self/exe would become "exe" */
    const ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
    if (len <= 0 || setenv("GOMP_SPINCOUNT", "2000", 1) != 0) return;
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
    return max_threads;
}
