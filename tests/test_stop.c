/* Signals: the clock that stands still while the program is stopped, and what a second signal removes. */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "system/stop.h"
#include "temp_dir.h"

static void sleep_seconds(double seconds)
{
    const struct timespec t = {(time_t)seconds, (long)(1e9 * (seconds - (double)(time_t)seconds))};
    nanosleep(&t, NULL);
}

/* Stops this process `times` times for 0.3 seconds, from another one. */
static pid_t stopped_by_another(int times)
{
    const pid_t pid = fork();
    if (pid) return pid;
    for (int i = 0; i < times; i++) {
        sleep_seconds(0.2);
        kill(getppid(), SIGSTOP);
        sleep_seconds(0.3);
        kill(getppid(), SIGCONT);
    }
    _exit(0);
}

/* Works until the process has ended. Returns the seconds of stop_clock; *all are those of any clock. */
static double seconds_until(pid_t pid, double *all)
{
    int status;
    const double begin = clock_seconds(), from = stop_clock();
    double last = from;
    while (waitpid(pid, &status, WNOHANG) == 0) {
        const double now = stop_clock();
        ck_assert_msg(now >= last - 0.2, "the clock went back from %f to %f", last, now);
        last = now;
    }
    *all = clock_seconds() - begin;
    return stop_clock() - from;
}

START_TEST(stops_do_not_count)
{
    double all;
    stop_catch();
    for (int times = 0; times <= 3; times += 3) {
        const double seconds = seconds_until(stopped_by_another(times), &all);
        ck_assert_msg(all >= 0.5 * times, "%f seconds", all);
        ck_assert_msg(!times || seconds <= all - 0.25 * times, "%d stops: %f of %f seconds", times,
                      seconds, all);
        ck_assert_msg(times || seconds > all - 0.05, "no stop: %f of %f seconds", seconds, all);
    }
}
END_TEST

/* Two signals while a file is written end the program, and its temporary file is gone. */
START_TEST(nothing_is_left)
{
    const TempDir d = temp_dir();
    char path[160], *temporary;
    int status;
    temp_name(&d, "model.safetensors", path);
    const pid_t pid = fork();
    if (pid == 0) {
        stop_catch();
        if (file_temporary(path, &temporary) < 0 || temp_entries(&d) != 1) _exit(1);
        raise(SIGTERM);
        if (stop_requested() != SIGTERM) _exit(2);
        sleep_seconds(0.3);
        raise(SIGTERM);
        _exit(3);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SIGNAL + SIGTERM, "%x", status);
    ck_assert_int_eq(temp_entries(&d), 0);
    remove_tree(d.path);
}
END_TEST

/* A hang-up asks for an orderly end, unless it was ignored at the start, as nohup does. */
START_TEST(hang_ups)
{
    for (int ignored = 0; ignored < 2; ignored++) {
        int status;
        const pid_t pid = fork();
        if (pid == 0) {
            signal(SIGHUP, ignored ? SIG_IGN : SIG_DFL);
            stop_catch();
            raise(SIGHUP);
            _exit(stop_requested());
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status));
        ck_assert_int_eq(WEXITSTATUS(status), ignored ? 0 : SIGHUP);
    }
}
END_TEST

SUITE("stop", TESTS(stops_do_not_count, nothing_is_left, hang_ups), NO_ABORTS)
