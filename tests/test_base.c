/* The message of a program that needs more memory than there is. */
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "suite.h"

typedef struct {
    char text[512];
} Message;

/* Runs a function that ends the program with status 1, and returns what it prints on stderr. */
static Message message_of(void (*run)(void))
{
    int end[2], status;
    Message m = {""};
    ck_assert_int_eq(pipe(end), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        dup2(end[1], STDERR_FILENO);
        run();
        _exit(EXIT_OK);
    }
    close(end[1]);
    ck_assert_int_ge(read(end[0], m.text, sizeof m.text - 1), 0);
    close(end[0]);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILED);
    return m;
}

static void ask_too_much(void)
{
    too_large("out of memory: %d bytes asked for", 7);
}

/* Training and evaluation have different options, so the advice names what helps in both. */
START_TEST(too_large_says_what_to_do)
{
    ck_assert_ptr_nonnull(strstr(message_of(ask_too_much).text,
                                 ": error: out of memory: 7 bytes asked for; use a smaller model "
                                 "or less data, or train with a smaller --batch or --seq-len\n"));
}
END_TEST

#ifndef __SANITIZE_ADDRESS__ /* which reserves terabytes */
static void ask_under_a_limit(size_t size)
{
    const struct rlimit tight = {1 << 20, 1 << 20};
    setrlimit(RLIMIT_AS, &tight);
    memory_check(size);
}

static void ask_for_nothing(void)
{
    ask_under_a_limit(0);
}

static void ask_for_a_megabyte(void)
{
    ask_under_a_limit(1 << 20);
}

/* A program that does not fit under the limit at all has not asked for 0 bytes. */
START_TEST(a_limit_that_is_too_tight)
{
    ck_assert_ptr_nonnull(strstr(message_of(ask_for_nothing).text,
                                 "(ulimit -v or -d) leaves less than 16 MB; raise the limit\n"));
    ck_assert_ptr_nonnull(
        strstr(message_of(ask_for_a_megabyte).text, "out of memory: 1048576 bytes asked for; use"));
}
END_TEST
#define LIMITED , a_limit_that_is_too_tight
#else
#define LIMITED
#endif

SUITE("base", TESTS(too_large_says_what_to_do LIMITED), NO_ABORTS)
