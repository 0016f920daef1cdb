#include "system/start.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/say.h"
#include "base/base.h"

static const char *name;

void start_named(const char *program)
{
    name = program;
}

/* Opens descriptors 0 to 2 where the caller closed them: the next file would get the number, and what is printed would
 * be written into it. They are opened the wrong way round, so that reading and writing fail as they would
 * have (as gnulib's stdopen does). */
static void open_streams(void)
{
    static const int mode[] = {O_WRONLY, O_RDONLY, O_RDONLY};
    for (int fd = 0; fd < LEN(mode); fd++) {
        if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
        if (open("/dev/null", mode[fd]) < 0) open("/", O_PATH); /* the lowest free number: fd */
    }
}

bool start_flush(void)
{
    errno = 0; /* it stays 0 for a failure of an earlier write */
    if (fflush(stdout) == 0 && !ferror(stdout)) return true;
    say("%s: error: standard output: cannot be written%s%s; %s\n",
        name ? name : program_invocation_name, errno ? ": " : "", errno ? strerror(errno) : "",
        errno && errno != ENOSPC ? "redirect it elsewhere" : "free some space on the disk");
    return false;
}

/* Ends with status 1 if what was printed did not arrive. A program that failed for another reason has said so. */
static void check_output(int status, void *unused)
{
    (void)unused;
    if (status == EXIT_OK && !start_flush()) _exit(EXIT_FAILED);
}

/* A limit on the size of files (ulimit -f) is a write error like a full disk, not a signal that ends the program. */
__attribute__((constructor)) static void start(void)
{
    open_streams();
    signal(SIGXFSZ, SIG_IGN);
    on_exit(check_output, NULL);
}
