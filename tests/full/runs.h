/* Small runs of every model folder, and comparisons of what they leave. */
#ifndef RUNS_H
#define RUNS_H

#include "process.h"

enum { MOST_ARGS = 64, STEPS = 3, STEPS_RESUMED = 5 };

typedef struct {
    const char *name, *folder;
    const char *train[20], *eval[8];
} Family;

/* Tiny models: a program takes some 30 ms. TEXT, LINES and PAIRS are files that runs_begin makes. */
static const Family families[] = {
    {"task", "rnn", {"--task", "parity", "--seq-len", "8", "--hidden", "4"}, {"--examples", "8"}},
    {"text",
     "rnn",
     {"--text", "TEXT", "--seq-len", "8", "--hidden", "4", "--layers", "2"},
     {"--samples", "1", "--sample-len", "8"}},
    {"lines",
     "lstm_gru",
     {"--lines", "--text", "LINES", "--hidden", "4", "--dropout", "0.1"},
     {"--samples", "1", "--sample-len", "8"}},
    {"words",
     "lstm_gru",
     {"--text", "TEXT", "--unit", "word", "--cell", "gru", "--seq-len", "8", "--stream", "--hidden",
      "4"},
     {"--samples", "1", "--sample-len", "8"}},
    {"pairs",
     "seq2seq_attention",
     {"--pairs", "PAIRS", "--hidden", "4"},
     {"--examples", "4", "--samples", "1"}},
    {"numbers",
     "transformer",
     {"--pairs", "PAIRS", "--heads", "2", "--ffn", "8", "--layers", "1"},
     {"--examples", "4", "--samples", "1"}},
    {"recall",
     "transformer",
     {"--task", "recall", "--seq-len", "8", "--heads", "2", "--ffn", "8", "--layers", "1"},
     {"--examples", "4"}},
    {"gpt",
     "gpt",
     {"--text", "TEXT", "--heads", "2", "--layers", "1", "--seq-len", "8"},
     {"--samples", "1", "--sample-len", "8"}},
};
enum { FAMILIES = LEN(families) };

/* A command line under construction. */
typedef struct {
    const char *argv[MOST_ARGS];
    int n;
    char *owned[MOST_ARGS];
    int n_owned;
} Line;

static inline void add_word(Line *l, const char *word)
{
    NEED(l->n + 1 < MOST_ARGS, "a command line is too long");
    l->argv[l->n++] = word;
    l->argv[l->n] = NULL;
}

static inline char *add_owned(Line *l, char *word)
{
    add_word(l, word);
    return l->owned[l->n_owned++] = word;
}

static inline void add_words(Line *l, const Full *f, const char *const *word)
{
    for (; *word; word++)
        if (strcmp(*word, "TEXT") == 0 || strcmp(*word, "LINES") == 0 ||
            strcmp(*word, "PAIRS") == 0)
            add_owned(l, xformat("%s/data/%s", f->work, *word));
        else
            add_word(l, *word);
}

static inline void line_free(Line *l)
{
    for (int i = 0; i < l->n_owned; i++) free(l->owned[i]);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static inline Line train_line(const Full *f, const Family *m, const char *dir,
                              const char *const *more)
{
    Line l = {0};
    add_owned(&l, xformat("%s%s/train", f->bin, m->folder));
    add_words(&l, f, m->train);
    add_words(&l, f,
              WORDS("--channels", "4", "--batch", "4", "--steps", "3", "--save-every", "1",
                    "--eval-every", "1", "--quiet", "--plot", "none", "--threads", "1", "--out"));
    add_word(&l, dir);
    add_words(&l, f, more);
    return l;
}

/* Continues a run: only the number of steps and where it is are given. */
static inline Line resume_line(const Full *f, const Family *m, const char *dir)
{
    Line l = {0};
    add_owned(&l, xformat("%s%s/train", f->bin, m->folder));
    add_words(
        &l, f,
        WORDS("--resume", "--steps", "5", "--quiet", "--plot", "none", "--threads", "1", "--out"));
    add_word(&l, dir);
    return l;
}

static inline Line eval_line(const Full *f, const Family *m, const char *dir,
                             const char *const *more)
{
    Line l = {0};
    add_owned(&l, xformat("%s%s/eval", f->bin, m->folder));
    add_word(&l, dir);
    add_words(&l, f, m->eval);
    add_words(&l, f, WORDS("--plot", "none", "--threads", "1"));
    add_words(&l, f, more);
    return l;
}

static inline Outcome run_line(const Full *f, Line l, const Limits *limits)
{
    const Outcome o = run_program(f, l.argv, limits);
    line_free(&l);
    return o;
}

/* Runs a command that must succeed. */
static inline Outcome run_well(const Full *f, Line l, const char *what)
{
    const Outcome o = run_line(f, l, NULL);
    NEED(o.status == 0, "%s: %s: status %d, signal %d: %s", f->name, what, o.status, o.signal,
         o.err);
    return o;
}

/* --- the data --------------------------------------------------------------------------------- */

static inline void print_text(FILE *to, const void *arg)
{
    (void)arg;
    static const char *const word[] = {"the", "cat", "sat", "on", "a", "mat", "and", "ran"};
    for (int i = 0; i < 400; i++)
        fprintf(to, "%s%s", word[(i * i + i / 7) % 8], i % 9 == 8 ? ".\n" : " ");
}

static inline void print_lines(FILE *to, const void *arg)
{
    (void)arg;
    for (int i = 0; i < 60; i++)
        fprintf(to, "%c%c%c%c\n", 'a' + i % 5, 'a' + i / 5 % 4, 'a' + i % 7, 'a' + i / 20);
}

static inline void print_pairs(FILE *to, const void *arg)
{
    (void)arg;
    for (int i = 0; i < 120; i++)
        fprintf(to, "a%d b%d c%d\tx%d y%d z%d\n", i % 4, i / 4 % 5, i / 20, i % 4, i / 4 % 5,
                i / 20);
}

/* Makes the data of all families in work/data, and an empty folder work/cwd to work in. */
static inline void runs_begin(const Full *f)
{
    static void (*const print[])(FILE *, const void *) = {print_text, print_lines, print_pairs};
    static const char *const name[] = {"TEXT", "LINES", "PAIRS"};
    for (int i = 0; i < 3; i++) {
        char *path = xformat("%s/data/%s", f->work, name[i]);
        Error err;
        if (i == 0) {
            char *dir = xformat("%s/data", f->work), *cwd = xformat("%s/cwd", f->work);
            NEED(dir_make(dir, &err) && dir_make(cwd, &err), "%s", err.text);
            free(dir), free(cwd);
        }
        NEED(file_print(path, print[i], NULL, &err), "%s", err.text);
        free(path);
    }
}

/* --- comparisons ------------------------------------------------------------------------------ */

/* Returns log.csv without its columns of time: seconds and tokens_per_second. */
static inline char *log_without_time(const char *dir)
{
    char *path = xformat("%s/log.csv", dir), *text = NULL;
    size_t len;
    Error err;
    if (!file_read(path, 1 << 24, &text, &len, &err)) text = xstrdup("");
    free(path);
    char *to = text;
    int column = 1;
    for (const char *at = text; *at; at++) {
        if (column != 3 && column != 9) *to++ = *at;
        if (*at == '\n' && column == 9) *to++ = '\n';
        column = *at == '\n' ? 1 : column + (*at == ',');
    }
    *to = 0;
    return text;
}

/* True if two folders have the same bytes in this file. */
static inline bool same_file(const char *a, const char *b, const char *name)
{
    char *x = xformat("%s/%s", a, name), *y = xformat("%s/%s", b, name);
    bool same = file_exists(x) && file_exists(y);
    if (same) {
        const Bytes p = bytes_of(x), q = bytes_of(y);
        same = p.len == q.len && memcmp(p.data, q.data, p.len) == 0;
        free(p.data), free(q.data);
    }
    free(x), free(y);
    return same;
}

static inline bool same_log(const char *a, const char *b)
{
    char *x = log_without_time(a), *y = log_without_time(b);
    const bool same = strcmp(x, y) == 0;
    free(x), free(y);
    return same;
}

static inline bool has_temporary(const char *dir)
{
    DIR *d = opendir(dir);
    bool found = false;
    for (const struct dirent *e; d && (e = readdir(d));) found |= strstr(e->d_name, ".tmp") != NULL;
    if (d) closedir(d);
    return found;
}

/* The first file of a finished run that differs from the same run without interruptions, or NULL. */
static inline const char *differs(const char *dir, const char *whole)
{
    if (!same_file(dir, whole, "model.safetensors")) return "model.safetensors";
    if (!same_file(dir, whole, "best.safetensors")) return "best.safetensors";
    if (!same_log(dir, whole)) return "log.csv";
    return has_temporary(dir) ? "a temporary file" : NULL;
}

#endif
