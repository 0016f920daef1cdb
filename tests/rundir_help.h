/* Helpers of the suites about a run directory: a temporary one with the files of an old and a new run. */
#ifndef RUNDIR_HELP_H
#define RUNDIR_HELP_H

#include <sys/stat.h>

#include "programs/rundir.h"
#include "system/noted.h"
#include "temp_dir.h"

static TempDir tmp;
static Error why;

static inline void write_file(const char *name, const char *text)
{
    char path[160];
    temp_name(&tmp, name, path);
    assert_write(path, text);
}

static inline void ck_file(const char *name, const char *want)
{
    char path[160];
    temp_name(&tmp, name, path);
    assert_content(path, want, strlen(want));
}

static inline bool is_there(const char *name)
{
    struct stat st;
    char path[160];
    temp_name(&tmp, name, path);
    return lstat(path, &st) == 0;
}

static inline void make_dir(const char *name)
{
    char path[160];
    temp_name(&tmp, name, path);
    ck_assert_int_eq(mkdir(path, 0777), 0);
}

static inline void opens(RunDir *d, RunStart start)
{
    ck_assert_msg(rundir_open(d, tmp.path, start, &why), "%s", why.text);
}

/* Opens the directory, which must fail, and checks whether the message has the text. */
static inline void ck_refused(RunStart start, const char *text, bool said)
{
    RunDir d;
    ck_assert(!rundir_open(&d, tmp.path, start, &why));
    ck_assert(d.fd < 0 && d.lock < 0 && strstr(why.text, tmp.path) != NULL);
    ck_assert_msg((strstr(why.text, text) != NULL) == said, "%s", why.text);
}

static const char *const run_files[] = {"config.json", "model.safetensors", "best.safetensors",
                                        "state.safetensors", "log.csv"};

static inline void write_old_run(void)
{
    for (int i = 0; i < LEN(run_files); i++) write_file(run_files[i], "old\n");
    write_file("trace.csv", "old\n"), write_file("loss.gp", "old\n");
    noted_add(tmp.path, "trace.csv");
    write_file("notes.txt", "mine\n");
}

static inline void ck_old_run(void)
{
    for (int i = 0; i < LEN(run_files); i++) ck_file(run_files[i], "old\n");
    ck_file("trace.csv", "old\n"), ck_file("loss.gp", "old\n");
}

/* Writes a run without best.safetensors and with a figure of its own. */
static inline void write_new_run(const char *at)
{
    static const char *const files[] = {"config.json", "model.safetensors", "state.safetensors",
                                        "log.csv", "gates.csv"};
    for (int i = 0; i < LEN(files); i++) {
        char *path = xformat("%s/%s", at, files[i]);
        assert_write(path, "new\n");
        free(path);
    }
    noted_add(at, "gates.csv");
}

static inline void ck_new_run(void)
{
    ck_file("config.json", "new\n"), ck_file("model.safetensors", "new\n");
    ck_file("state.safetensors", "new\n"), ck_file("log.csv", "new\n"),
        ck_file("gates.csv", "new\n");
    ck_assert(!is_there("best.safetensors") && !is_there("trace.csv") && !is_there("loss.gp"));
    ck_assert(noted_has(tmp.path, "gates.csv") && !noted_has(tmp.path, "trace.csv"));
    ck_file("notes.txt", "mine\n");
    ck_assert_int_eq(temp_entries(&tmp), 8); /* .lock, .files, notes.txt and the five of the run */
}

#endif
