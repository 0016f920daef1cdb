/* Trains, evaluates and translates with random texts and files of pairs.
 *
 * A file is made of pieces: random bytes, broken UTF-8, long lines, separators alone, marks, carriage returns, composed
 * and decomposed letters, or a good file with some bytes changed. It serves as training data, as held-out data, or as
 * lines that are typed. A failure is: a signal, a time-out, status 3, a failure without a message, output of --json that
 * is no JSON, a number of lines that is not that of the input, an unknown token in a sample or translation, and bytes
 * that are not UTF-8 without a word about them. */
#include "runs.h"

#include "system/utf8.h"

enum { FEW_INPUTS = 60, MANY_INPUTS = 1500, MOST_BYTES = 200000 };

typedef struct {
    char *data;
    size_t len, room;
} Data;

typedef struct {
    int train, eval, typed, status[4], bad;
} Counts;

/* --- random files --------------------------------------------------------------------------------- */

static void put(Data *d, const char *bytes, size_t len)
{
    if (d->len + len > MOST_BYTES) return;
    if (d->len + len + 1 > d->room) d->data = xrealloc(d->data, d->room = 2 * (d->len + len) + 64);
    memcpy(d->data + d->len, bytes, len);
    d->len += len;
    d->data[d->len] = 0;
}

static void put_string(Data *d, const char *s)
{
    put(d, s, strlen(s));
}

/* Adds n times one of these, or one of them each time. */
static void put_some(Data *d, Rng *rng, const char *const *word, int words, int n, bool same)
{
    int k = rng_below(rng, words);
    for (int i = 0; i < n; i++, k = same ? k : rng_below(rng, words)) put_string(d, word[k]);
}

static void put_piece(Data *d, Rng *rng)
{
    static const char *const good[] = {"a", "b ", "the ", "\n", "\t", "1", ".", "a b\tc d\n"};
    static const char *const separators[] = {"\n", "\t", " ",      "\r",      "\r\n",
                                             "\v", "\f", "\u2028", "\xC2\x85"};
    static const char *const odd[] = {
        "\uFEFF", "\uFFFD", "\u0301",  "e\u0301", "\u00e9", "\u1100\u1161", "\uac00", "\U0001F600",
        "\u200d", "\u202e", "\x1b[2J", "\x7f",    "<unk>",  "<pad>",        "\"",     "\\"};
    static const char *const broken[] = {"\xE9",         "\xC7\xD1", "\xE2\x82",
                                         "\xF0\x9F\x98", "\x80",     "\xC0\x80",
                                         "\xED\xA0\x80", "\xFF\xFE", "\xF8\x88"};
    const int n = 1 << rng_below(rng, 10);
    switch (rng_below(rng, 8)) {
    case 0: put_some(d, rng, separators, LEN(separators), n, rng_below(rng, 2)); break;
    case 1: put_some(d, rng, odd, LEN(odd), n, rng_below(rng, 2)); break;
    case 2: put_some(d, rng, broken, LEN(broken), 1 + n / 16, false); break;
    case 3: put(d, "\0\0\0\0", (size_t)(1 + rng_below(rng, 4))); break;
    case 4: put_some(d, rng, good, 1, n * 32, true); break; /* a long line */
    case 5:
        for (int i = 0; i < n; i++) put(d, &(char){(char)rng_below(rng, 256)}, 1);
        break;
    default: put_some(d, rng, good, LEN(good), n, false);
    }
}

/* A good file with some bytes changed, removed, or doubled. */
static void change(Data *d, Rng *rng)
{
    for (int i = 1 + rng_below(rng, 8); i > 0 && d->len; i--) {
        const size_t at = (size_t)rng_below(rng, (int)d->len);
        if (rng_below(rng, 3))
            d->data[at] = (char)rng_below(rng, 256);
        else
            d->len = at + (d->len - at) / 2;
    }
}

static Data random_data(const Full *f, const char *base, Rng *rng)
{
    Data d = {0};
    put_string(&d, "");
    const int way = rng_below(rng, 4);
    if (way > 0) { /* pieces after a good file, in it, or no good file */
        char *path = xformat("%s/data/%s", f->work, base);
        const Bytes b = bytes_of(path);
        put(&d, b.data, b.len);
        free(b.data), free(path);
    }
    if (way == 1) change(&d, rng);
    if (way != 1)
        for (int i = rng_below(rng, 6); i > 0; i--) put_piece(&d, rng);
    return d;
}

/* --- what must hold --------------------------------------------------------------------------------- */

static int lines_of(const char *text)
{
    int n = 0;
    for (; *text; text++) n += *text == '\n';
    return n;
}

/* Every line must be a JSON object. */
static const char *bad_json(const char *out)
{
    for (const char *at = out; *at;) {
        const size_t len = strcspn(at, "\n");
        json_t *o = json_loadb(at, len, JSON_REJECT_DUPLICATES, NULL);
        if (!o) return "a line of --json is no JSON";
        json_decref(o);
        at += len + (at[len] == '\n');
    }
    return NULL;
}

static const char *silent(const Outcome *o, const Data *d, bool bytes)
{
    const Utf8Faults faults = utf8_faults(d->data, d->len);
    if (o->status || bytes || faults.first < 0) return NULL;
    return strstr(o->err, "not UTF-8") || strstr(o->err, "zero byte") || strstr(o->err, "0 byte")
               ? NULL
               : "it says nothing of bytes that are not UTF-8";
}

static void check(Full *f, Counts *n, const char *what, const char *file, Outcome *o,
                  const char *bad)
{
    if (!bad) bad = bad_end(o);
    if (!bad && o->status == 3) bad = "status 3";
    if (o->status >= 0 && o->status < 4) n->status[o->status]++;
    n->bad += bad != NULL;
    if (bad) {
        char *dir = xformat("%s/input", f->work);
        full_failed(f, dir, "%s %s: %s (status %d, signal %d): %s", what, file, bad, o->status,
                    o->signal, said(o));
        free(dir);
    }
    outcome_free(o);
}

/* --- the three uses ----------------------------------------------------------------------------------- */

static bool is_pairs(const Family *m)
{
    return strcmp(m->train[0], "--pairs") == 0;
}

/* Trains on the file, or with it as held-out data, in one of the units. */
static void train(Full *f, const Family *m, const Data *d, const char *path, const char *dir,
                  Rng *rng, Counts *n)
{
    static const char *const units[] = {"char", "byte", "word", "jamo"};
    const char *unit = units[rng_below(rng, LEN(units))];
    static const char *const held[2][2] = {{"--valid", "--valid"}, {"--valid", "--test"}};
    const char *option = rng_below(rng, 2) ? is_pairs(m) ? "--pairs" : "--text"
                                           : held[is_pairs(m)][rng_below(rng, 2)];
    const char *const more[] = {"--overwrite", "--steps", "1", "--unit", unit, option, path, NULL};
    Outcome o = run_line(f, train_line(f, m, dir, more), NULL);
    n->train++;
    const char *bad = silent(&o, d, strcmp(unit, "byte") == 0);
    check(f, n, m->folder, option, &o, bad);
}

/* Scores the file with a good run. */
static void evaluate(Full *f, const Family *m, const Data *d, const char *path, const char *dir,
                     Rng *rng, Counts *n)
{
    const bool json = rng_below(rng, 2);
    const char *option = is_pairs(m) ? "--pairs" : rng_below(rng, 2) ? "--text" : "--valid";
    const char *const more[] = {option, path, json ? "--json" : NULL, NULL};
    Outcome o = run_line(f, eval_line(f, m, dir, more), NULL);
    n->eval++;
    const char *bad = silent(&o, d, false);
    if (!bad && json && o.status == 0) bad = bad_json(o.out);
    const char *samples = strstr(o.out, "samples (");
    if (!bad && samples && strstr(samples, "\uFFFD")) bad = "the unknown character is drawn";
    check(f, n, m->folder, option, &o, bad);
}

/* Translates the lines of the file. */
static void type(Full *f, const Family *m, const Data *d, const char *path, const char *dir,
                 Rng *rng, Counts *n)
{
    const bool json = rng_below(rng, 2);
    const char *const more[] = {"--interactive", json ? "--json" : NULL, NULL};
    Line l = {0};
    add_owned(&l, xformat("%s%s/eval", f->bin, m->folder));
    add_word(&l, dir);
    add_words(&l, f, more);
    Outcome o = run_line(f, l, &(Limits){.in = path, .cpu = 20});
    int lines = d->len && d->data[d->len - 1] != '\n';
    for (size_t i = 0; i < d->len; i++) lines += d->data[i] == '\n';
    n->typed++;
    const char *bad = lines_of(o.out) != lines ? "not one line for each line"
                      : json                   ? bad_json(o.out)
                                               : NULL;
    if (!bad && !json && strstr(o.out, "<unk>")) bad = "the unknown token is in a translation";
    const bool columns = memchr(d->data, '\t', d->len) != NULL; /* only the first is read */
    if (!bad && !columns) bad = silent(&o, d, false);
    check(f, n, m->folder, "--interactive", &o, bad);
}

int main(int argc, char **argv)
{
    Full f = full_begin(argc, argv, "inputs",
                        "Trains, evaluates and translates with random texts and pairs.", FEW_INPUTS,
                        MANY_INPUTS);
    runs_begin(&f);
    Counts n = {0};
    char *dir[FAMILIES], *fresh = xformat("%s/fresh", f.work), *input = xformat("%s/input", f.work),
                         *path = xformat("%s/input/file", f.work);
    Error err;
    NEED(dir_make(input, &err), "%s", err.text);
    for (int i = 0; i < FAMILIES; i++) {
        dir[i] = xformat("%s/%s", f.work, families[i].name);
        Outcome o = run_well(&f, train_line(&f, &families[i], dir[i], WORDS("--seed", "7")),
                             families[i].name);
        outcome_free(&o);
    }
    for (int i = 0; i < f.count; i++) {
        Rng rng = rng_make(f.seed, RNG_TEST, (uint32_t)i);
        const int k = rng_below(&rng, FAMILIES);
        const Family *m = &families[k];
        if (strcmp(m->train[0], "--task") == 0) continue;
        const bool pairs = is_pairs(m);
        Data d = random_data(&f,
                             pairs                                 ? "PAIRS"
                             : strcmp(m->train[0], "--lines") == 0 ? "LINES"
                                                                   : "TEXT",
                             &rng);
        put_bytes(path, d.data, d.len);
        const int use = rng_below(&rng, pairs ? 3 : 2);
        (use == 0   ? train
         : use == 1 ? evaluate
                    : type)(&f, m, &d, path, use == 0 ? fresh : dir[k], &rng, &n);
        free(d.data);
    }
    printf("%d files for training, %d scored, %d typed: status 0 %d, 1 %d, 2 %d, 3 %d; %d wrong",
           n.train, n.eval, n.typed, n.status[0], n.status[1], n.status[2], n.status[3], n.bad);
    for (int i = 0; i < FAMILIES; i++) free(dir[i]);
    free(fresh), free(input), free(path);
    return full_end(&f);
}
