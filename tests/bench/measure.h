/* Helpers of the bench: medians, and a separate process for each measurement. */
#ifndef MEASURE_H
#define MEASURE_H

#include "base/base.h"
#include "math/parallel.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static inline int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts x in ascending order. */
static inline double median(double *x, int n)
{
    qsort(x, (size_t)n, sizeof *x, compare_doubles);
    return (x[(n - 1) / 2] + x[n / 2]) / 2;
}

typedef struct {
    const struct Row *row; /* the model to train, if the job trains one */
    int threads;
    double seconds; /* approximate length of the measurement */
} Job;

/* Runs work(job, result) in a child process: its peak memory is its own, and one measurement does not warm up
 * the next. The parent must never start a thread. */
static inline void in_child(void (*work)(const Job *, void *), const Job *job, void *result,
                            size_t size)
{
    int fd[2], status;
    fflush(stdout);
    CHECK(pipe(fd) == 0, "bench: no pipe");
    const pid_t pid = fork();
    CHECK(pid >= 0, "bench: cannot start a second process");
    if (pid == 0) {
        parallel_init(job->threads);
        work(job, result);
        _exit(write(fd[1], result, size) == (ssize_t)size ? EXIT_OK : EXIT_FAILED);
    }
    close(fd[1]);
    const bool got = read(fd[0], result, size) == (ssize_t)size;
    close(fd[0]);
    CHECK(waitpid(pid, &status, 0) == pid && got && status == 0, "bench: a measurement failed");
}

#endif
