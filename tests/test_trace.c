/* The traces of a network's inside, as tables, and the scripts that draw them. */
#include <unistd.h>

#include "system/file.h"
#include "suite.h"
#include "models/trace.h"

static char dir[] = "/tmp/lmzoo-trace-XXXXXX";
static Error why;

/* Reads a file and removes it; the caller frees the bytes. */
static char *taken(const char *name)
{
    char *path = xformat("%s/%s", dir, name), *text;
    size_t len;
    ck_assert_msg(file_read(path, (size_t)1 << 28, &text, &len, &why), "%s", why.text);
    ck_assert_int_eq(unlink(path), 0);
    free(path);
    return text;
}

static int lines_of(const char *text)
{
    int n = 0;
    for (const char *s = text; (s = strchr(s, '\n')); s++) n++;
    return n;
}

START_TEST(lags)
{
    ck_assert_ptr_nonnull(mkdtemp(dir));
    for (int cell = 0; cell < 2; cell++) {
        LagTrace before = trace_lags_new(3, cell), after = trace_lags_new(3, cell);
        for (int i = 0; i < 3; i++) before.h[i] = 1 / (1. + i), after.h[i] = i;
        ck_assert_msg(trace_lags_write(dir, &before, &after, &why), "%s", why.text);
        ck_assert_msg(trace_lags_script(dir, &why), "%s", why.text);
        char *csv = taken("trace.csv"), *script = taken("trace.gp");
        ck_assert_str_eq(csv, cell ? "lag,initial,trained,initial_cell,trained_cell\n"
                                     "0,1.000000e+00,0.000000e+00,0.000000e+00,0.000000e+00\n"
                                     "1,5.000000e-01,1.000000e+00,0.000000e+00,0.000000e+00\n"
                                     "2,3.333333e-01,2.000000e+00,0.000000e+00,0.000000e+00\n"
                                   : "lag,initial,trained\n0,1.000000e+00,0.000000e+00\n"
                                     "1,5.000000e-01,1.000000e+00\n2,3.333333e-01,2.000000e+00\n");
        ck_assert((strstr(script, "using 1:5") != NULL) == cell);
        trace_lags_free(&before), trace_lags_free(&after);
        free(csv), free(script);
    }
    free(taken(".files"));
    ck_assert_int_eq(rmdir(dir), 0); /* no other file was left */
}
END_TEST

static GateTrace gates_of(int T, int H)
{
    GateTrace t = {.T = T, .H = H, .gates = 2, .name = {"update", "reset"}};
    for (int k = 0; k < t.gates; k++) {
        t.value[k] = xmalloc((size_t)T * H * sizeof(real));
        for (int i = 0; i < T * H; i++) t.value[k][i] = (real)(i % (5 + k)) / 8;
    }
    return t;
}

/* Any token is shown in the form of label.h; the script shows the same tokens as the table. */
START_TEST(tokens_as_labels)
{
    const char text[] = "a \n\t\",'\x7F";
    const char *const field[] = {"\"a\"",    "\"·\"", "\"↵\"", "\"\uFFFD\"",
                                 "\"\"\"\"", "\",\"", "\"'\"", "\"\uFFFD\""};
    const Tokenizer v = tokenizer_of(token_kind("byte"), TOKENS_STREAM, NULL, 0);
    const int n = (int)strlen(text);
    int *ids = tokenizer_encode(&v, text, (size_t)n).ids;
    GateTrace t = gates_of(n, 2);
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_msg(trace_gates_write(dir, &t, &v, ids, &why), "%s", why.text);
    ck_assert_msg(trace_gates_script(dir, &why), "%s", why.text);
    char *csv = taken("gates.csv"), *script = taken("gates.gp");
    ck_assert_int_eq(strncmp(csv, "position,token,rank,unit,update,reset\n", 38), 0);
    ck_assert_int_eq(lines_of(csv), 1 + 2 * n);
    for (int i = 0; i < n; i++) {
        char *row = xformat("\n%d,%s,1,", i, field[i]);
        ck_assert_msg(strstr(csv, row) != NULL, "no row %s in\n%s", row, csv);
        free(row);
    }
    ck_assert_ptr_nonnull(
        strstr(script, "('a' 0,'·' 1,'↵' 2,'\uFFFD' 3,'\"' 4,',' 5,\"\\047\" 6,'\uFFFD' 7)\n"));
    ck_assert_ptr_nonnull(strstr(script, "[-0.5:7.5]\nset yrange [1.5:-0.5]\n"));
    ck_assert_ptr_nonnull(strstr(script, "set title 'reset gate'\nplot 'gates.csv' using 1:3:6 "));
    trace_gates_free(&t);
    free(ids), free(csv), free(script);
    free(taken(".files"));
    ck_assert_int_eq(rmdir(dir), 0); /* no other file was left */
}
END_TEST

/* The units shown first are those that vary most, not those with open gates. */
START_TEST(liveliest_units_first)
{
    enum { TOKENS = 4, UNITS = 3 };
    static const int ids[TOKENS] = {'a', 'b', 'c', 'd'};
    const Tokenizer v = tokenizer_of(token_kind("byte"), TOKENS_STREAM, NULL, 0);
    GateTrace t = gates_of(TOKENS, UNITS);
    for (int k = 0; k < t.gates; k++)
        for (int i = 0; i < TOKENS; i++) {
            real *x = t.value[k] + i * UNITS;
            x[0] = 1, x[1] = i % 2 ? (real).5 : (real).25, x[2] = i % 2 ? (real).75 : 0;
        }
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_msg(trace_gates_write(dir, &t, &v, ids, &why), "%s", why.text);
    char *csv = taken("gates.csv");
    ck_assert_ptr_nonnull(strstr(csv, "\n0,\"a\",0,2,"));
    ck_assert_ptr_nonnull(strstr(csv, "\n0,\"a\",1,1,"));
    ck_assert_ptr_nonnull(strstr(csv, "\n0,\"a\",2,0,1.0000,1.0000\n"));
    trace_gates_free(&t);
    free(csv);
    free(taken(".files"));
    ck_assert_int_eq(rmdir(dir), 0); /* no other file was left */
}
END_TEST

/* Time grows linearly with the text, not with its square. */
START_TEST(a_long_text)
{
    enum { LONG = 20000, UNITS = 30, SHOWN = 24 };
    const Tokenizer v = tokenizer_of(token_kind("byte"), TOKENS_STREAM, NULL, 0);
    int *ids = xmalloc(LONG * sizeof *ids);
    for (int i = 0; i < LONG; i++) ids[i] = 'a' + i % 26;
    GateTrace t = gates_of(LONG, UNITS);
    ck_assert_ptr_nonnull(mkdtemp(dir));
    const double start = clock_seconds();
    ck_assert_msg(trace_gates_write(dir, &t, &v, ids, &why), "%s", why.text);
    ck_assert_msg(trace_gates_script(dir, &why), "%s", why.text);
    ck_assert_double_lt(clock_seconds() - start, 60); /* generous, for the sanitizers */
    char *csv = taken("gates.csv"), *script = taken("gates.gp");
    ck_assert_int_eq(lines_of(csv), 1 + LONG * SHOWN);
    ck_assert_ptr_nonnull(strstr(script, "'f' 19999)\n"));
    trace_gates_free(&t);
    free(ids), free(csv), free(script);
    free(taken(".files"));
    ck_assert_int_eq(rmdir(dir), 0); /* no other file was left */
}
END_TEST

/* Two sequences whose losses are at steps 2 and 1: at lag k, |ds|^2 is the sum of that at step 2-k
 * of the first and at step 1-k of the second sequence. */
START_TEST(lags_of_different_lengths)
{
    enum { T = 3, B = 2, H = 1 };
    real ds[T][B] = {{1, 2}, {3, 4}, {5, 100}};
    int y[] = {-1, 0, -1, 0, 0, -1}; /* (T,B) */
    Tensor s[T], *state[T];
    for (int t = 0; t < T; t++) {
        s[t] = (Tensor){.shape = SHAPE(B, H), .len = B * H, .grad = ds[t]};
        state[t] = &s[t];
    }
    double norm[T];
    Batch batch = {.T = T, .B = B, .y = y};
    trace_lag_norms(&batch, state, norm);
    for (int k = 0; k < T; k++) {
        static const double want[] = {5 * 5 + 4 * 4, 3 * 3 + 2 * 2, 1};
        ck_assert_double_eq_tol(norm[k], sqrt(want[k]), 1e-12);
    }
    batch.y = NULL; /* then both end at step 2 */
    trace_lag_norms(&batch, state, norm);
    ck_assert_double_eq_tol(norm[0], sqrt(25 + 1e4), 1e-9);
    state[1]->grad = NULL;
    trace_lag_norms(&batch, state, norm);
    ck_assert(norm[1] == 0);
}
END_TEST

SUITE("trace",
      TESTS(lags, lags_of_different_lengths, tokens_as_labels, liveliest_units_first, a_long_text),
      NO_ABORTS)
