/* Runs a program under test with fail.so and a plan. */
#ifndef PLANNED_H
#define PLANNED_H

#include "plan.h"
#include "runs.h"

static inline const char *call_name(int kind)
{
    static const char *const name[] = CALL_NAMES;
    return name[kind];
}

/* Ends the program as skipped where fail.so cannot be loaded: the sanitizers must be loaded first. */
static inline void plan_or_skip(Full *f)
{
    if (!f->sanitized) return;
    remove_all(f->work);
    printf("skipped: %s needs programs without sanitizers\n", f->name);
    exit(77);
}

/* Maps a plan that the shim of a started program finds. */
static inline Plan *plan_open(const Full *f)
{
    char *path = xformat("%s/plan", f->work);
    const int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0666);
    NEED(fd >= 0 && ftruncate(fd, sizeof(Plan)) == 0, "%s: cannot be made", path);
    Plan *p = mmap(NULL, sizeof *p, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    NEED(p != MAP_FAILED, "%s: cannot be mapped", path);
    close(fd), free(path);
    return p;
}

static inline Outcome run_planned(const Full *f, Plan *p, Line line)
{
    char self[4096], *preload, *where = xformat(PLAN_VARIABLE "=%s/plan", f->work);
    const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    NEED(n > 0, "no path of this program");
    self[n] = 0;
    *strrchr(self, '/') = 0;
    preload = xformat("LD_PRELOAD=%s/fail.so", self);
    p->calls = p->fired = 0;
    memset(p->where, 0, sizeof p->where);
    const Outcome o = run_line(
        f, line, &(Limits){.env = (const char *const[]){preload, where, NULL}, .wall = 60});
    free(preload), free(where);
    return o;
}

/* Counts the calls of the given kinds; the plan's list of kinds is filled in. */
static inline int count_calls(const Full *f, Plan *p, unsigned kinds, Line line)
{
    p->kinds = kinds, p->at = 0;
    Outcome o = run_planned(f, p, line);
    NEED(o.status == 0, "%s: a run without failing calls: status %d: %s", f->name, o.status, o.err);
    outcome_free(&o);
    NEED(p->calls > 3 && p->calls < MOST_CALLS, "%s: fail.so saw %d calls", f->name, p->calls);
    return p->calls;
}

#endif
