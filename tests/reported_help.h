/* Helpers of the tests of reported numbers: random texts, and what an eval program prints about a model. */
#ifndef REPORTED_HELP_H
#define REPORTED_HELP_H

#include <jansson.h>
#include <math.h>
#include <unistd.h>

#include "programs/evaluator.h"
#include "suite.h"
#include "temp_dir.h"

/* Writes a text of n random pieces: several scripts, white space, empty lines, invalid bytes. It begins with two
 * tokens of one byte in every unit. plain: without sequences that
 * NFC changes and without characters that are cut off. */
static inline void write_random(const char *path, int n, bool plain, Rng *rng)
{
    static const char *const piece[] = {
        "a",        "b",        "B",
        "the ",     "of ",      "é",
        "가",       "갃",       "漢",
        "😀",        " ",        "  ",
        "\n",       "\n\n",     "\r\n",
        ".",        "\xFF",     "\x01",
        "0",        "and ",     "\n",
        "나다",     "\xC2\xA0", "aaaa", /* those of `plain` end here */
        "\xE1\x84", "e\u0301",  "\u1102\u1161",
    };
    enum { LAST = 3 };
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    fputs(".a", f);
    for (int i = 0; i < n; i++) fputs(piece[rng_below(rng, LEN(piece) - (plain ? LAST : 0))], f);
    ck_assert_int_eq(fclose(f), 0);
}

/* Returns the JSON object that evaluator_report prints; e has its data open. json_decref it. */
static inline json_t *report_json(Evaluator *e, const Model *m, const Params *ps,
                                  const TempDir *dir)
{
    char path[160];
    temp_name(dir, "report", path);
    const int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
    fflush(stdout);
    ck_assert_ptr_nonnull(freopen(path, "w", stdout));
    ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr)); /* warnings of the data */
    evaluator_report(e, m, ps);
    fflush(stdout), fflush(stderr);
    dup2(out, STDOUT_FILENO), dup2(err, STDERR_FILENO);
    close(out), close(err);
    ck_assert_int_eq(e->status, EXIT_OK);
    json_error_t why;
    json_t *o = json_load_file(path, 0, &why);
    ck_assert_msg(o != NULL, "%s", why.text);
    return o;
}

static inline double number_of(const json_t *o, const char *key)
{
    const json_t *x = json_object_get(o, key);
    ck_assert_msg(json_is_number(x), "no %s", key);
    return json_number_value(x);
}

static inline void ck_number(const json_t *o, const char *key, double want, double tolerance)
{
    const double got = number_of(o, key);
    ck_assert_msg(fabs(got - want) <= tolerance * fmax(1, fabs(want)), "%s: %.9g, must be %.9g",
                  key, got, want);
}

/* Returns -log softmax(z)[y] and, in *best, the first of the largest logits. */
static inline double plain_nats(const real *z, int V, int y, int *best)
{
    double sum = exp((double)z[0]);
    *best = 0;
    for (int k = 1; k < V; k++) {
        sum += exp((double)z[k]);
        if (z[k] > z[*best]) *best = k;
    }
    return log(sum) - (double)z[y];
}

#endif
