/* Lets each system call on files fail, by turns, in training, continuing, replacing and evaluating a run.
 *
 * Errors are ENOSPC, EDQUOT and EIO, once or for all later calls of the kind; and EINTR and a transfer of half of the
 * bytes, which are no errors. A program must end with status 1 and a message, or with status 0 if what it leaves
 * equals the same run without errors; after EINTR and short transfers it must end with status 0. A failure is anything
 * else, and: a checkpoint that does not load afterwards, a run that cannot be finished afterwards with the same bytes
 * and the same log, an old run that --overwrite left neither old nor new, and files of the run that eval changed. */
#include "planned.h"

typedef enum { TRAIN, RESUME, OVERWRITE, EVALUATE, MODES } Mode;
static const char *const mode_name[] = {"train", "train --resume", "train --overwrite", "eval"};
static const int chosen[] = {0, 4, 2, 5, 7}; /* one run of every model folder */
enum { RUNS = LEN(chosen) };

typedef struct {
    int errors, refused, harmless, bad;
} Counts;

typedef struct {
    const Family *model;
    char *old, *whole[MODES],
        *copy;    /* finished runs: another one, and what each mode should leave */
    char *report; /* what eval prints */
} Case;

/* --- the line that is run, and what it should leave ---------------------------------------------------- */

static Line line_of(const Full *f, const Case *c, Mode mode)
{
    const Family *m = c->model;
    switch (mode) {
    case TRAIN: remove_all(c->copy); return train_line(f, m, c->copy, WORDS(NULL));
    case RESUME: copy_run(c->whole[TRAIN], c->copy); return resume_line(f, m, c->copy);
    case OVERWRITE:
        copy_run(c->old, c->copy);
        return train_line(f, m, c->copy, WORDS("--overwrite"));
    default:
        copy_run(c->whole[TRAIN], c->copy);
        return eval_line(f, m, c->copy, WORDS("--plot", "svg"));
    }
}

static Case case_of(const Full *f, const Family *m)
{
    Case c = {.model = m,
              .copy = xformat("%s/copy", f->work),
              .old = xformat("%s/%s-old", f->work, m->name)};
    Outcome o = run_well(f, train_line(f, m, c.old, WORDS("--seed", "99")), "training");
    outcome_free(&o);
    for (Mode mode = TRAIN; mode < MODES; mode++) {
        c.whole[mode] = xformat("%s/%s-%d", f->work, m->name, mode);
        o = run_well(f, line_of(f, &c, mode), mode_name[mode]);
        if (mode == EVALUATE) c.report = xstrdup(o.out);
        outcome_free(&o);
        copy_run(c.copy, c.whole[mode]);
    }
    return c;
}

static void case_free(Case *c)
{
    for (int i = 0; i < MODES; i++) free(c->whole[i]);
    free(c->old), free(c->copy), free(c->report);
}

/* --- what an error left ----------------------------------------------------------------------------- */

static bool is_there(const char *dir, const char *name)
{
    char *path = xformat("%s/%s", dir, name);
    const bool there = file_exists(path);
    free(path);
    return there;
}

static bool loads(const Full *f, const Case *c)
{
    Outcome o = run_line(f, eval_line(f, c->model, c->copy, WORDS(NULL)), NULL);
    const bool ok = o.status == 0;
    outcome_free(&o);
    return ok;
}

/* Finishes a training that an error ended, and returns what differs from the run without errors. */
static const char *finish(const Full *f, const Case *c, Mode mode)
{
    const bool resume = is_there(c->copy, "state.safetensors") &&
                        (mode == RESUME || same_file(c->copy, c->whole[mode], "config.json"));
    Outcome o = run_line(f,
                         mode == RESUME ? resume_line(f, c->model, c->copy)
                                        : train_line(f, c->model, c->copy,
                                                     WORDS(resume ? "--resume" : "--overwrite")),
                         NULL);
    const char *bad =
        o.status == 0 ? differs(c->copy, c->whole[mode]) : "it cannot be finished afterwards";
    outcome_free(&o);
    return bad;
}

/* What is wrong with a run directory after training ended with this status; NULL if nothing is. */
static const char *bad_training(const Full *f, const Case *c, Mode mode, int status)
{
    if (status == 0) return differs(c->copy, c->whole[mode]);
    if (has_temporary(c->copy)) return "a temporary file was left";
    if (mode != TRAIN || is_there(c->copy, "model.safetensors"))
        if (!loads(f, c)) return "the checkpoint does not load afterwards";
    return finish(f, c, mode);
}

static const char *bad_evaluation(const Case *c, const Outcome *o)
{
    static const char *const kept[] = {"config.json", "model.safetensors", "best.safetensors",
                                       "state.safetensors", "log.csv"};
    for (int i = 0; i < LEN(kept); i++)
        if (!same_file(c->copy, c->whole[TRAIN], kept[i])) return "eval changed a file of the run";
    if (has_temporary(c->copy)) return "a temporary file was left";
    return o->status == 0 && strcmp(o->out, c->report) != 0 ? "the report differs" : NULL;
}

/* --- errors ------------------------------------------------------------------------------------------- */

static bool is_harmless(int how)
{
    return how == EINTR || how == FAIL_SHORT;
}

static const char *how_name(int how)
{
    return how == FAIL_SHORT ? "half of the bytes" : strerrorname_np(how);
}

static void fail_call(Full *f, Plan *p, const Case *c, Mode mode, Counts *n)
{
    Outcome o = run_planned(f, p, line_of(f, c, mode));
    const int call = p->kind[p->at - 1];
    const char *bad = bad_end(&o);
    if (!p->fired && !bad) bad = "the call did not come: the program is not deterministic";
    if (!bad && o.status > 1) bad = "its status is neither 0 nor 1";
    if (!bad && is_harmless(p->how) && o.status != 0) bad = "it gave up, although this is no error";
    if (!bad) bad = mode == EVALUATE ? bad_evaluation(c, &o) : bad_training(f, c, mode, o.status);
    n->errors++;
    n->bad += bad != NULL;
    n->refused += !bad && o.status == 1;
    n->harmless += !bad && o.status == 0;
    if (bad)
        full_failed(f, c->copy, "%s of %s, call %d (%s %s): %s%s: %s (status %d, signal %d): %s",
                    mode_name[mode], c->model->name, p->at, call_name(call), p->where,
                    how_name(p->how), p->sticky ? " from then on" : "", bad, o.status, o.signal,
                    said(&o));
    outcome_free(&o);
}

/* The ways in which a call may fail, ended by 0. */
static const int *ways(int call)
{
    static const int read[] = {EIO, EINTR, FAIL_SHORT, 0},
                     write[] = {ENOSPC, EDQUOT, EIO, EINTR, FAIL_SHORT, 0},
                     other[] = {ENOSPC, EIO, EINTR, 0}, name[] = {ENOSPC, EDQUOT, EIO, 0};
    switch (call) {
    case CALL_READ: return read;
    case CALL_WRITE: return write;
    case CALL_OPEN_TO_READ: return other + 1;
    case CALL_RENAME:
    case CALL_MKDIR: return name;
    default: return other;
    }
}

enum {
    KINDS = 1 << CALL_OPEN | 1 << CALL_OPEN_TO_READ | 1 << CALL_READ | 1 << CALL_WRITE |
            1 << CALL_SYNC | 1 << CALL_CLOSE | 1 << CALL_RENAME | 1 << CALL_MKDIR |
            1 << CALL_TRUNCATE
};

/* Lists the failures of all calls of a line, shuffles the list, and tries the first `most`. */
static void fail_calls(Full *f, Plan *p, const Case *c, Mode mode, int most, Rng *rng, Counts *n)
{
    const int calls = count_calls(f, p, KINDS, line_of(f, c, mode));
    int(*list)[3] = xcalloc((size_t)calls * 10, sizeof *list), all = 0;
    for (int at = 1; at <= calls; at++)
        for (const int *how = ways(p->kind[at - 1]); *how; how++)
            for (int sticky = 0; sticky < (is_harmless(*how) ? 1 : 2); sticky++)
                list[all][0] = at, list[all][1] = *how, list[all++][2] = sticky;
    for (int i = 0; i < all && i < most; i++) {
        const int k = i + rng_below(rng, all - i);
        int chosen_now[3];
        memcpy(chosen_now, list[k], sizeof *list);
        memcpy(list[k], list[i], sizeof *list);
        p->at = chosen_now[0], p->how = chosen_now[1], p->sticky = chosen_now[2];
        fail_call(f, p, c, mode, n);
    }
    free(list);
}

int main(int argc, char **argv)
{
    Full f =
        full_begin(argc, argv, "io_errors", "Lets single system calls on files fail.", 64, 1280);
    Counts n = {0};
    plan_or_skip(&f);
    runs_begin(&f);
    Plan *p = plan_open(&f);
    for (int i = 0; i < RUNS; i++) {
        Case c = case_of(&f, &families[chosen[i]]);
        for (Mode mode = TRAIN; mode < MODES; mode++) {
            const int k = i * MODES + (int)mode;
            Rng rng = rng_make(f.seed, RNG_TEST, (uint32_t)k);
            fail_calls(&f, p, &c, mode, (f.count + RUNS * MODES - 1 - k) / (RUNS * MODES), &rng,
                       &n);
        }
        case_free(&c);
    }
    printf("io_errors: %d errors in %d programs: %d refused with a message, %d without effect, %d "
           "failures",
           n.errors, RUNS * MODES, n.refused, n.harmless, n.bad);
    return full_end(&f);
}
