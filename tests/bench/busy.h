/* A busy program: a process that keeps one core busy while the bench measures. */
#ifndef BUSY_H
#define BUSY_H

#include "base/base.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Starts the process on the last core that this one may use. It ends with this process at the latest. */
static inline pid_t busy_start(void)
{
    const pid_t pid = fork();
    CHECK(pid >= 0, "bench: cannot start a second process");
    if (pid > 0) return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    cpu_set_t may, last;
    CHECK(sched_getaffinity(0, sizeof may, &may) == 0, "bench: cannot read the list of cores");
    for (int i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &may)) {
            CPU_ZERO(&last);
            CPU_SET(i, &last);
        }
    sched_setaffinity(0, sizeof last, &last);
    for (volatile unsigned i = 0;; i++) {
    }
}

static inline void busy_end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

#endif
