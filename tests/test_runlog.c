/* A run's directory and its log: who may write there, and what a failure says. */
#include <errno.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runlog.h"
#include "suite.h"

/* Stand before the C library's own: a disk and a lock that fail as the test wants it. 0: all is well. */
static int lock_error, cut_error;

int flock(int fd, int operation)
{
    ck_assert(fd >= 0 && operation == (LOCK_EX | LOCK_NB));
    errno = lock_error;
    return lock_error ? -1 : 0;
}

int ftruncate(int fd, off_t length)
{
    ck_assert(fd >= 0 && length >= 0);
    errno = cut_error;
    return cut_error ? -1 : 0;
}

static char dir[] = "/tmp/lmzoo-runlog-XXXXXX"; /* Check runs each test in a child of its own */
static Error why;

static char *path_of(const char *name)
{
    return xformat("%s/%s", dir, name);
}

static void remove_file(const char *name)
{
    char *path = path_of(name);
    ck_assert_int_eq(remove(path), 0);
    free(path);
}

/* The message of an opening that must fail. */
static const char *refused(void)
{
    RunLog log;
    ck_assert(!runlog_open(&log, dir, false, false, 0, &why));
    ck_assert_msg(strstr(why.text, dir) != NULL, "%s", why.text);
    ck_assert(log.fd < 0 && log.lock < 0);
    return why.text;
}

static void ck_says(const char *message, const char *text, bool said)
{
    ck_assert_msg((strstr(message, text) != NULL) == said, "%s", message);
}

/* Only a lock that somebody holds is somebody's. */
START_TEST(locks)
{
    ck_assert_ptr_nonnull(mkdtemp(dir));
    lock_error = EWOULDBLOCK;
    ck_says(refused(), "another program is training there", true);
    lock_error = ENOLCK;
    ck_says(refused(), "another program", false);
    ck_says(refused(), strerror(ENOLCK), true);
    ck_says(refused(), "local disk", true);
    remove_file(".lock"), rmdir(dir);
}
END_TEST

/* Space is spoken of where it is missing. */
START_TEST(advice)
{
    ck_assert_ptr_nonnull(mkdtemp(dir));
    cut_error = ENOSPC;
    ck_says(refused(), "free some space", true);
    remove_file("log.csv");
    cut_error = EROFS;
    ck_says(refused(), strerror(EROFS), true);
    ck_says(why.text, "free some space", false);
    ck_says(why.text, "choose another --out", true);
    remove_file("log.csv"), remove_file(".lock"), rmdir(dir);
}
END_TEST

SUITE("runlog", TESTS(locks, advice), NO_ABORTS)
