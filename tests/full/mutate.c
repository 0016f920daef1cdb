/* Damages one file of a finished run in a random way, then runs eval (every second time with --best) and train --resume.
 *
 * Files: config.json, the three checkpoints, log.csv, loss.gp; of every kind of run. Damage: bytes, blocks and lines
 * that are changed, inserted, left out or repeated; JSON members with null, "", [], {} or huge values, renamed, left out or
 * repeated, also in headers of checkpoints; files of other runs; links, pipes and directories in place of the file.
 *
 * A failure is: a signal, a time-out, a status that is none of 0 to 3, a failure without a message, a control
 * character in a message, a file outside the run that changed, and a program that accepts (status 0) a damaged file
 * other than config.json and then prints another report or trains another model than with the whole file. */
#include "mutations.h"
#include "runs.h"

static const char *const files[] = {"config.json",      "model.safetensors", "state.safetensors",
                                    "best.safetensors", "log.csv",           "loss.gp"};
static const int weights[] = {40, 20, 20, 8, 10, 2};
enum { FILES = LEN(files), RUNS = FAMILIES };

typedef struct {
    char *run[2], *resumed; /* finished runs with two seeds; the first one continued */
    char *report[2];        /* of eval, without and with --best */
} Base;

typedef struct {
    int mutations, refused, accepted, bad;
} Counts;

static Base base_of(const Full *f, const Family *m)
{
    Base b = {.resumed = xformat("%s/%s-resumed", f->work, m->name)};
    for (int i = 0; i < 2; i++) {
        b.run[i] = xformat("%s/%s-%d", f->work, m->name, i);
        Outcome o = run_well(
            f, train_line(f, m, b.run[i], WORDS("--plot", "svg", "--seed", i ? "77" : "1337")),
            "training");
        outcome_free(&o);
    }
    copy_run(b.run[0], b.resumed);
    Outcome o = run_well(f, resume_line(f, m, b.resumed), "continuing");
    outcome_free(&o);
    for (int best = 0; best < 2; best++) {
        o = run_well(f, eval_line(f, m, b.run[0], best ? WORDS("--best") : WORDS(NULL)),
                     "evaluation");
        b.report[best] = xstrdup(o.out);
        outcome_free(&o);
    }
    return b;
}

/* --- one damage ----------------------------------------------------------------------------------------- */

static int weighted(Rng *rng)
{
    int k = rng_below(rng, 100), i = 0;
    while (k >= weights[i]) k -= weights[i++];
    return i;
}

/* Damages a file of the copy; `what` says how. */
static void damage(const Full *f, const char *copy, int file, const Base *bases, int own, Rng *rng,
                   char what[160])
{
    char *path = xformat("%s/%s", copy, files[file]),
         *precious = xformat("%s/outside/precious", f->work);
    Bytes b = bytes_of(path);
    const bool json = file < 4 && rng_below(rng, 10) < 6;
    const int how = rng_below(rng, 20);
    bool write = true;
    snprintf(what, 160, "no damage");
    if (how == 0) {
        snprintf(what, 160, "%s", mutate_name(path, precious, rng));
        write = false;
    } else if (how < 3) {
        const int other = rng_below(rng, 2) ? own : rng_below(rng, RUNS);
        char *from = xformat("%s/%s", bases[other].run[1], files[file]);
        free(b.data);
        b = bytes_of(from);
        snprintf(what, 160, "the file of another run of %s", families[other].name);
        free(from);
    } else if (!json || !(file == 0 ? mutate_json(&b, rng, what) : mutate_header(&b, rng, what))) {
        snprintf(what, 160, "%s",
                 file == 4 && how < 12 ? mutate_lines(&b, rng) : mutate_bytes(&b, rng));
    }
    if (write) put_bytes(path, b.data, b.len);
    free(b.data), free(path), free(precious);
}

static bool has_control(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' && *text != '\n' && *text != '\t') return true;
    return strchr(text, 127) != NULL;
}

/* Runs one program on the damaged run, and returns what is wrong; NULL if nothing is. */
static const char *attempt(const Full *f, const Family *m, const Base *b, const char *copy,
                           int file, int what, Outcome *o)
{
    char *cwd = xformat("%s/cwd", f->work);
    const Line l = what == 2 ? resume_line(f, m, copy)
                             : eval_line(f, m, copy, what ? WORDS("--best") : WORDS(NULL));
    *o = run_line(f, l, &(Limits){.dir = cwd, .wall = 30});
    free(cwd);
    const char *bad = bad_end(o);
    if (bad) return bad;
    if (has_control(o->err)) return "a control character in a message";
    if (o->status != 0 || file == 0) return NULL;
    if (what < 2)
        return strcmp(o->out, b->report[what]) == 0 ? NULL
                                                    : "it is accepted, and the report differs";
    if (!same_file(copy, b->resumed, "model.safetensors"))
        return "it is accepted, and the trained model differs";
    return file != 4 && !same_log(copy, b->resumed) ? "it is accepted, and the log differs" : NULL;
}

static void mutate(Full *f, const Base *bases, int own, int number, Counts *n)
{
    static const char *const name[] = {"eval", "eval --best", "train --resume"};
    const Family *m = &families[own];
    const Base *b = &bases[own];
    char what[160], *copy = xformat("%s/copy", f->work);
    Rng rng = rng_make(f->seed, RNG_TEST, (uint32_t)number);
    const int file = weighted(&rng);
    copy_run(b->run[0], copy);
    damage(f, copy, file, bases, own, &rng, what);
    const uint64_t before = print_of(f->work, copy);
    n->mutations++;
    for (int part = 0; part < 2; part++) {
        const int program = part ? 2 : file == 3 || (file == 0 && number % 2);
        Outcome o;
        const char *bad = attempt(f, m, b, copy, file, program, &o);
        if (!bad && print_of(f->work, copy) != before) bad = "a file outside the run was changed";
        n->bad += bad != NULL;
        n->refused += !bad && o.status != 0;
        n->accepted += !bad && o.status == 0;
        if (bad)
            full_failed(f, copy, "%s of %s, mutation %d, %s: %s: %s (status %d, signal %d): %s",
                        name[program], m->name, number, files[file], what, bad, o.status, o.signal,
                        said(&o));
        outcome_free(&o);
        if (bad) break;
    }
    free(copy);
}

int main(int argc, char **argv)
{
    Full f = full_begin(argc, argv, "mutate", "Damages files of runs, and tries to read them.", 100,
                        2400);
    Counts n = {0};
    Base base[RUNS];
    runs_begin(&f);
    char *outside = xformat("%s/outside", f.work),
         *precious = xformat("%s/outside/precious", f.work);
    Error err;
    NEED(dir_make(outside, &err), "%s", err.text);
    put_text(precious, "my only copy");
    for (int i = 0; i < RUNS; i++) base[i] = base_of(&f, &families[i]);
    for (int i = 0; i < f.count; i++) mutate(&f, base, i % RUNS, i, &n);
    for (int i = 0; i < RUNS; i++) {
        free(base[i].run[0]), free(base[i].run[1]), free(base[i].resumed);
        free(base[i].report[0]), free(base[i].report[1]);
    }
    free(outside), free(precious);
    printf("mutate: %d mutated files in %d kinds of run, read by two programs each: %d refused, %d "
           "accepted with the "
           "right result, %d failures",
           n.mutations, RUNS, n.refused, n.accepted, n.bad);
    return full_end(&f);
}
