/* The message of a program that needs more memory than there is. */
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "suite.h"

/* Training and evaluation have different options, so the advice names what helps in both. */
START_TEST(too_large_says_what_to_do)
{
    int end[2], status;
    char text[512] = "";
    ck_assert_int_eq(pipe(end), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        dup2(end[1], STDERR_FILENO);
        too_large("out of memory: %d bytes asked for", 7);
    }
    close(end[1]);
    ck_assert_int_gt(read(end[0], text, sizeof text - 1), 0);
    close(end[0]);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILED);
    ck_assert_ptr_nonnull(strstr(text,
                                 ": error: out of memory: 7 bytes asked for; use a smaller model "
                                 "or less data, or train with a smaller --batch or --seq-len\n"));
}
END_TEST

SUITE("base", TESTS(too_large_says_what_to_do), NO_ABORTS)
