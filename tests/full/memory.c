/* Lets the n-th allocation of memory fail, once or from then on, in training and evaluation of every kind of run.
 *
 * The program must end with status 1 and exactly one message, or with status 0 if the memory was not needed. A failure
 * is a signal, a time-out, another status, no or several messages, and a run directory whose checkpoint does not load
 * afterwards. */
#include "planned.h"

typedef struct {
    int cases, refused, unneeded, bad;
} Counts;

static int messages_in(const char *text)
{
    int n = 0;
    for (const char *at = text; (at = strstr(at, "error: ")); at++) n++;
    return n;
}

/* The line to run in a fresh copy: training anew, continuing, or evaluation. */
static Line line_of(const Full *f, const Family *m, int what, const char *run, const char *copy)
{
    if (what == 0)
        remove_all(copy);
    else
        copy_run(run, copy);
    return what == 0   ? train_line(f, m, copy, WORDS(NULL))
           : what == 1 ? resume_line(f, m, copy)
                       : eval_line(f, m, copy, WORDS(NULL));
}

static void fail_once(Full *f, Plan *p, const Family *m, int what, const char *run,
                      const char *copy, Counts *n)
{
    static const char *const name[] = {"train", "train --resume", "eval"};
    Outcome o = run_planned(f, p, line_of(f, m, what, run, copy));
    const char *bad = bad_end(&o);
    char *model = xformat("%s/model.safetensors", copy);
    if (!p->fired) { /* another thread was faster, so there were fewer calls */
        outcome_free(&o), free(model);
        return;
    }
    if (!bad && o.status > 1) bad = "its status is neither 0 nor 1";
    if (!bad && o.status == 1 && messages_in(o.err) != 1) bad = "not exactly one message";
    if (!bad && o.status == 1 && what < 2 && file_exists(model)) {
        Outcome again = run_line(f, eval_line(f, m, copy, WORDS(NULL)), NULL);
        if (again.status != 0) bad = "the checkpoint does not load afterwards";
        outcome_free(&again);
    }
    n->cases++;
    n->bad += bad != NULL;
    n->refused += !bad && o.status == 1;
    n->unneeded += !bad && o.status == 0;
    if (bad)
        full_failed(f, copy, "%s of %s, allocation %d%s: %s (status %d, signal %d): %s", name[what],
                    m->name, p->at, p->sticky ? " and all later ones" : "", bad, o.status, o.signal,
                    said(&o));
    outcome_free(&o);
    free(model);
}

int main(int argc, char **argv)
{
    Full f = full_begin(argc, argv, "memory", "Lets single allocations fail.", 42, 800);
    Counts n = {0};
    plan_or_skip(&f);
    runs_begin(&f);
    Plan *p = plan_open(&f);
    char *copy = xformat("%s/copy", f.work);
    const int kinds = FAMILIES * 3;
    for (int k = 0; k < kinds; k++) {
        const Family *m = &families[k % FAMILIES];
        const int what = k / FAMILIES;
        char *run = xformat("%s/run-%s", f.work, m->name);
        Rng rng = rng_make(f.seed, RNG_TEST, (uint32_t)k);
        if (what == 0)
            outcome_free(
                &(Outcome[]){run_well(&f, train_line(&f, m, run, WORDS(NULL)), "training")}[0]);
        const int calls = count_calls(&f, p, 1u << CALL_ALLOCATE, line_of(&f, m, what, run, copy));
        for (int i = k; i < f.count; i += kinds) {
            p->at = 1 + rng_below(&rng, calls), p->how = ENOMEM, p->sticky = rng_below(&rng, 2);
            fail_once(&f, p, m, what, run, copy, &n);
        }
        free(run);
    }
    free(copy);
    printf("memory: %d failed allocations in %d programs: %d refused with one message, %d not "
           "needed, %d failures",
           n.cases, kinds, n.refused, n.unneeded, n.bad);
    return full_end(&f);
}
