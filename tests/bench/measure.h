/* What the bench measures with: medians, and a process of its own for each measurement. */
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

/* Sorts x, so that x[0] is the least. */
static inline double median(double *x, int n)
{
    qsort(x, (size_t)n, sizeof *x, compare_doubles);
    return (x[(n - 1) / 2] + x[n / 2]) / 2;
}

typedef struct {
    const struct Row *row; /* what to train, where something is trained */
    int threads;
    double seconds; /* about how long to measure */
} Job;

/* Runs work(job, result) in a child, so that its peak memory is its own and nothing that one
 * measurement warms up helps the next. The parent itself must never start a thread. */
static inline void in_child(void (*work)(const Job *, void *), const Job *job, void *result,
                            size_t size)
{
    int fd[2], status;
    fflush(stdout);
    CHECK(pipe(fd) == 0, "bench: no pipe");
    const pid_t pid = fork();
    CHECK(pid >= 0, "bench: no second process");
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
