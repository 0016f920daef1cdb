/* Kills training with SIGKILL, SIGTERM, SIGINT and SIGHUP, at random moments and at random system calls on files.
 *
 * A run is trained from the start, continued, or put in the place of an older run (--overwrite); a checkpoint is saved
 * after every update. It is killed up to four times and then finished. A failure is: a status other than 128 + n (or 0,
 * if it was finished before); a signal other than SIGKILL that ends it while it saves; an old or new
 * checkpoint that does not load after the kill; a run that --overwrite left neither old nor new; a finished run whose
 * model, best model or log differs from that of an undisturbed run; and a temporary file that is left then. */
#include "planned.h"

static const int signals[] = {SIGKILL, SIGKILL, SIGTERM, SIGINT,
                              SIGHUP}; /* SIGKILL twice as often */
static const int chosen[] = {0, 2, 3, 4, 5, 6, 7};
enum { MOST_KILLS = 4, RUNS = LEN(chosen) };

enum {
    KINDS = 1 << CALL_OPEN | 1 << CALL_OPEN_TO_READ | 1 << CALL_READ | 1 << CALL_WRITE |
            1 << CALL_SYNC | 1 << CALL_CLOSE | 1 << CALL_RENAME | 1 << CALL_MKDIR |
            1 << CALL_TRUNCATE | 1 << CALL_UNLINK
};

typedef struct {
    int kills, came_late, by_signal[65], runs, bad;
} Counts;

typedef struct {
    const Family *model;
    char *old, *whole,
        *copy;      /* another finished run; the undisturbed run; the run that is killed */
    int calls;      /* system calls on files of the undisturbed run */
    double seconds; /* that it takes */
} Case;

static bool is_there(const char *dir, const char *name)
{
    char *path = xformat("%s/%s", dir, name);
    const bool there = file_exists(path);
    free(path);
    return there;
}

static Case case_of(const Full *f, Plan *p, const Family *m)
{
    Case c = {.model = m,
              .copy = xformat("%s/copy", f->work),
              .old = xformat("%s/%s-old", f->work, m->name),
              .whole = xformat("%s/%s", f->work, m->name)};
    Outcome o = run_well(f, train_line(f, m, c.old, WORDS("--seed", "99")), "training");
    outcome_free(&o);
    o = run_well(f, train_line(f, m, c.whole, WORDS("--steps", "12")), "training");
    c.seconds = o.seconds;
    outcome_free(&o);
    remove_all(c.copy);
    c.calls = f->sanitized
                  ? 1
                  : count_calls(f, p, KINDS, train_line(f, m, c.copy, WORDS("--steps", "12")));
    return c;
}

static void case_free(Case *c)
{
    free(c->old), free(c->whole), free(c->copy);
}

/* True if a new run is about to take the place of the old one; the next program finishes that. */
static bool is_replacing(const char *dir)
{
    return is_there(dir, ".run.ready") || is_there(dir, ".run.moving");
}

/* The line that goes on with the run in c->copy: from the start, from its checkpoint, or in place of the old run. */
static Line next_line(const Full *f, const Case *c)
{
    const bool own = is_replacing(c->copy) || (same_file(c->copy, c->whole, "config.json") &&
                                               is_there(c->copy, "state.safetensors"));
    const bool used = is_there(c->copy, "config.json") || is_there(c->copy, "log.csv");
    return train_line(f, c->model, c->copy,
                      own    ? WORDS("--steps", "12", "--resume")
                      : used ? WORDS("--steps", "12", "--overwrite")
                             : WORDS("--steps", "12"));
}

/* What is wrong with the run directory after a kill; NULL if nothing is. *had: it had a checkpoint before; it is set if
 * it has one now. */
static const char *bad_directory(const Full *f, const Case *c, bool *had)
{
    Outcome o = run_line(f, eval_line(f, c->model, c->copy, WORDS(NULL)), NULL);
    const char *bad = bad_end(&o);
    if (!bad && *had && o.status != 0)
        bad = "there is no checkpoint that loads, neither old nor new";
    if (!bad && o.status != 0 && is_there(c->copy, "model.safetensors"))
        bad = "the checkpoint does not load";
    *had |= o.status == 0;
    outcome_free(&o);
    return bad;
}

/* True if the signal came while a checkpoint was written. */
static bool is_saving(const Plan *p)
{
    const int call = p->kind[p->at - 1];
    return strstr(p->where, ".safetensors") && call != CALL_OPEN_TO_READ && call != CALL_READ &&
           call != CALL_CLOSE;
}

/* Starts the run and kills it. Returns what is wrong, or NULL; sets *done if it had finished before. */
static const char *kill_once(const Full *f, Plan *p, const Case *c, Rng *rng, bool *had, bool *done,
                             Counts *n)
{
    const int signal = signals[rng_below(rng, LEN(signals))];
    const bool at_call = !f->sanitized && rng_below(rng, 3) > 0;
    const int after = (int)(c->seconds * 1e6 * rng_uniform(rng));
    *p = (Plan){
        .kinds = KINDS, .at = 1 + rng_below(rng, c->calls), .how = FAIL_SIGNAL, .signal = signal};
    Outcome o = at_call ? run_planned(f, p, next_line(f, c))
                        : run_line(f, next_line(f, c), &(Limits){.signal = signal, .after = after});
    const char *bad = NULL;
    n->kills++;
    n->by_signal[signal]++;
    n->came_late += *done = o.status == 0;
    if (o.late) bad = "it did not end in time";
    if (o.signal && o.signal != SIGKILL && at_call && is_saving(p))
        bad = "the signal ended it without saving";
    if (o.status > 0 && o.status != 128 + signal)
        bad = "its status is not 128 plus the signal's number";
    if (!bad && rng_below(rng, 2)) bad = bad_directory(f, c, had);
    if (bad)
        full_failed((Full *)f, c->copy, "%s, SIG%s %s%s: %s (status %d): %s", c->model->name,
                    sigabbrev_np(signal), at_call ? "at the call on " : "at some moment",
                    at_call ? p->where : "", bad, o.status, said(&o));
    outcome_free(&o);
    return bad;
}

/* Kills one run some times and finishes it. Returns false after a failure. */
static bool disturb(Full *f, Plan *p, const Case *c, Rng *rng, int kills, Counts *n)
{
    const bool replaced = rng_below(rng, 3) == 0;
    bool done = false, had = replaced;
    if (replaced)
        copy_run(c->old, c->copy);
    else
        remove_all(c->copy);
    for (int i = 0; i < kills && !done; i++)
        if (kill_once(f, p, c, rng, &had, &done, n)) return false;
    if (!done) {
        Outcome o = run_line(f, next_line(f, c), NULL);
        if (o.status != 0)
            full_failed(f, c->copy, "%s: it cannot be finished: status %d: %s", c->model->name,
                        o.status, said(&o));
        const bool failed = o.status != 0;
        outcome_free(&o);
        if (failed) return false;
    }
    const char *bad = differs(c->copy, c->whole);
    if (bad)
        full_failed(f, c->copy, "%s: after %d kills the finished run differs: %s", c->model->name,
                    kills, bad);
    return !bad;
}

int main(int argc, char **argv)
{
    Full f = full_begin(argc, argv, "kills", "Kills training at random moments, then finishes it.",
                        12, 240);
    Counts n = {0};
    runs_begin(&f);
    Plan *p = plan_open(&f);
    for (int i = 0; i < RUNS; i++) {
        Case c = case_of(&f, p, &families[chosen[i]]);
        Rng rng = rng_make(f.seed, RNG_TEST, (uint32_t)i);
        while (n.kills < f.count * (i + 1) / RUNS) {
            n.bad += !disturb(&f, p, &c, &rng, 1 + rng_below(&rng, MOST_KILLS), &n);
            n.runs++;
        }
        case_free(&c);
    }
    printf("kills: %d kills (%d KILL, %d TERM, %d INT, %d HUP; %d came after the end) of %d runs: "
           "%d failures",
           n.kills, n.by_signal[SIGKILL], n.by_signal[SIGTERM], n.by_signal[SIGINT],
           n.by_signal[SIGHUP], n.came_late, n.runs, n.bad);
    return full_end(&f);
}
