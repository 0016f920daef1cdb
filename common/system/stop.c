#include "system/stop.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "base/base.h"

/* timeout(1) sends its signal twice, to the program and to its group: within so many seconds it is one. */
static const double SAME_SIGNAL = 0.25;

static volatile sig_atomic_t caught;
static volatile double caught_at;

static void on_signal(int number)
{
    const double now = clock_seconds();
    if (!caught) caught_at = now;
    if (caught && now - caught_at > SAME_SIGNAL) _exit(EXIT_SIGNAL + number);
    caught = number;
}

/* The handler has a stack of its own: some of oneDNN's kernels use the stack pointer to walk a buffer on
 * the heap, and the frame of a signal, kilobytes of saved registers, would be written over what lies
 * before it. The kernel offers a signal to the main thread first, the one that calls this. */
void stop_catch(void)
{
    static char stack[1 << 16];
    const stack_t own = {.ss_sp = stack, .ss_size = sizeof stack};
    const struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_RESTART | SA_ONSTACK};
    sigaltstack(&own, NULL);
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
}

int stop_requested(void)
{
    return caught;
}
