/* Multi-head attention: by hand, against the same computation from primitive ops, and with masks,
 * which must hide keys completely. */
#include "by_hand.h"
#include "math/parallel.h"
#include "nn/params.h"

/* --- against primitive ops -------------------------------------------------------------------- */

typedef struct {
    int B, T, S, C, heads;
    Params ps;
    Tensor *q, *k, *v, *r; /* r: the gradient of the result */
} Problem;

static Problem problem(int B, int T, int S, int C, int heads)
{
    Problem z = {B, T, S, C, heads, .ps = params_init(5)};
    z.q = param(&z.ps, SHAPE(B, T, C), 1, "q");
    z.k = param(&z.ps, SHAPE(B, S, C), 1, "k");
    z.v = param(&z.ps, SHAPE(B, S, C), 1, "v");
    z.r = param(&z.ps, SHAPE(B, T, C), 1, "r");
    return z;
}

static bool hidden(const Problem *z, const AttentionMask *m, int b, int t, int s)
{
    return (m->causal && s > t + z->S - z->T) || (m->len && s >= m->len[b]) ||
           (m->allowed && !m->allowed[t * z->S + s]);
}

/* Returns the term added to each score: 0, or -1e9 for a hidden key. */
static Tensor *added(Tape *tp, const Problem *z, const AttentionMask *m)
{
    Tensor *x = tape_zeros(tp, SHAPE(z->B * z->heads, z->T, z->S));
    for (int i = 0; i < z->B * z->heads; i++)
        for (int t = 0; t < z->T; t++)
            for (int s = 0; s < z->S; s++)
                if (hidden(z, m, i / z->heads, t, s)) x->data[(i * z->T + t) * z->S + s] = -1e9f;
    return x;
}

/* Computes the attention as a chain of primitive ops; sets *p to the attention weights. */
static Tensor *composed(Tape *tp, const Problem *z, const AttentionMask *m, Tensor **p)
{
    Tensor *q = op_split_heads(tp, z->q, z->heads, 0, 1); /* (B*heads,T,D) */
    Tensor *k = op_split_heads(tp, z->k, z->heads, 0, 1); /* (B*heads,S,D) */
    Tensor *v = op_split_heads(tp, z->v, z->heads, 0, 1); /* (B*heads,S,D) */
    const real scale = (real)(1 / sqrt((double)z->C / z->heads));
    Tensor *e = op_scale(tp, op_bmm(tp, q, k, false, true), scale); /* (B*heads,T,S) */
    *p = op_softmax(tp, op_add(tp, e, added(tp, z, m)));
    return op_merge_heads(tp, op_bmm(tp, *p, v, false, false), z->heads);
}

/* Runs op_attention on inputs that another op made, so that it overwrites their gradients. */
static Tensor *of_made(Tape *tp, const Problem *z, const AttentionMask *m, const real **weights)
{
    Tensor *q = op_scale(tp, z->q, 1), *k = op_scale(tp, z->k, 1), *v = op_scale(tp, z->v, 1);
    return op_attention(tp, q, k, v, z->heads, m, weights);
}

static void dirty_memory(Tape *tp)
{
    enum { BYTES = 1 << 22 };
    memset(tape_save(tp, BYTES), 0xFF, BYTES);
    tape_reset(tp);
}

static void near(const char *what, const real *x, const real *want, size_t n, double tolerance)
{
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(fabs((double)x[i] - (double)want[i]) <= tolerance,
                      "%s[%zu] is %.9g, not %.9g", what, i, (double)x[i], (double)want[i]);
}

static void compare(Problem z, const AttentionMask *m)
{
    Tape tp = {0};
    Tensor *p;
    Tensor *slow = composed(&tp, &z, m, &p);
    backward(&tp, slow, z.r->data);
    real *want = xmalloc(z.ps.len * sizeof *want);
    memcpy(want, z.ps.grad, z.ps.len * sizeof *want);
    params_zero_grad(&z.ps);
    const real *weights;
    Tensor *fast = op_attention(&tp, z.q, z.k, z.v, z.heads, m, &weights);
    backward(&tp, fast, z.r->data);
    Tape made = {0};
    real *added_to = xmalloc(z.ps.len * sizeof *added_to);
    memcpy(added_to, z.ps.grad, z.ps.len * sizeof *added_to);
    params_zero_grad(&z.ps);
    dirty_memory(&made);
    backward(&made, of_made(&made, &z, m, NULL), z.r->data);
    ck_assert_mem_eq(z.ps.grad, added_to, z.ps.len * sizeof *added_to);
    free(added_to);
    tape_free(&made);
    near("y", fast->data, slow->data, (size_t)slow->len, 3e-6);
    near("p", weights, p->data, (size_t)p->len, 1e-6);
    near("gradient", z.ps.grad, want, z.ps.len, 2e-5);
    free(want);
    params_free(&z.ps);
    tape_free(&tp);
}

/* Sizes that fill no vector and no tile, both, or one of them; and T of 1 and of 3. */
static const int sizes[][5] = {{2, 5, 7, 12, 3},    {1, 70, 83, 10, 2}, {2, 64, 128, 32, 2},
                               {3, 1, 9, 16, 1},    {2, 3, 3, 48, 2},   {2, 130, 130, 6, 1},
                               {1, 20, 20, 128, 4}, {1, 1, 1, 1, 1}};

START_TEST(equals_its_composition)
{
    parallel_init(1);
    for (int i = 0; i < LEN(sizes); i++) {
        const int B = sizes[i][0], T = sizes[i][1], S = sizes[i][2];
        unsigned char *allowed = xmalloc((size_t)T * S);
        for (int j = 0; j < T * S; j++) allowed[j] = (j * j + j / S) % 3 != 1;
        for (int t = 0; t < T; t++) allowed[t * S] = 1; /* every query sees a key */
        const int len[] = {(S + 1) / 2, S, 1};
        for (int kind = 0; kind < 8; kind++) {
            const AttentionMask m = {.causal = kind & 1,
                                     .len = kind & 2 ? len : NULL,
                                     .allowed = kind & 4 ? allowed : NULL};
            compare(problem(B, T, S, sizes[i][3], sizes[i][4]), &m);
        }
        free(allowed);
    }
}
END_TEST

/* --- masks ------------------------------------------------------------------------------------ */

/* Runs forward and backward. Returns y, then all gradients; the caller frees the buffer. */
static real *results(Problem *z, const AttentionMask *m, size_t *n)
{
    Tape tp = {0};
    params_zero_grad(&z->ps);
    dirty_memory(&tp);
    Tensor *y = of_made(&tp, z, m, NULL);
    backward(&tp, y, z->r->data);
    *n = (size_t)y->len + z->ps.len;
    real *all = xmalloc(*n * sizeof *all);
    memcpy(all, y->data, (size_t)y->len * sizeof *all);
    memcpy(all + y->len, z->ps.grad, z->ps.len * sizeof *all);
    tape_free(&tp);
    return all;
}

/* Values in the padding of k and v, even NaN, change no bit and get no gradient. */
START_TEST(padding_is_not_seen)
{
    for (int i = 0; i < LEN(sizes) - 1; i++) {
        const int S = sizes[i][2], C = sizes[i][3], len[] = {S / 2, S - 1, 0};
        Problem z = problem(sizes[i][0], sizes[i][1], S, C, sizes[i][4]);
        size_t n;
        for (int causal = 0; causal < 2; causal++) {
            const AttentionMask m = {.causal = causal, .len = len};
            real *clean = results(&z, &m, &n);
            for (int b = 0; b < z.B; b++)
                for (int j = len[b] * C; j < S * C; j++)
                    z.k->data[b * S * C + j] = z.v->data[b * S * C + j] = NAN;
            real *dirty = results(&z, &m, &n);
            ck_assert_mem_eq(clean, dirty, n * sizeof *clean);
            real sum = 0; /* of the gradients that must be 0 */
            for (int b = 0; b < z.B; b++)
                for (int j = len[b] * C; j < S * C; j++)
                    sum += (real)fabs((double)z.k->grad[b * S * C + j]) +
                           (real)fabs((double)z.v->grad[b * S * C + j]);
            ck_assert(sum == 0);
            for (size_t j = 0; j < n; j++) sum += clean[j];
            ck_assert(isfinite((double)sum));
            free(clean), free(dirty);
        }
        params_free(&z.ps);
    }
}
END_TEST

/* Under a causal mask the keys and values after t change no bit of the results up to t. */
START_TEST(the_future_is_not_seen)
{
    enum { B = 2, T = 80, C = 24, NOW = 67 };
    Problem z = problem(B, T, T, C, 3);
    const AttentionMask m = {.causal = true};
    size_t n;
    real *before = results(&z, &m, &n);
    for (int b = 0; b < B; b++)
        for (int j = (NOW + 1) * C; j < T * C; j++)
            z.k->data[b * T * C + j] *= -3, z.v->data[b * T * C + j] += 100;
    real *after = results(&z, &m, &n);
    for (int b = 0; b < B; b++) {
        const size_t at = (size_t)b * T * C, seen = (NOW + 1) * C;
        ck_assert_mem_eq(before + at, after + at, seen * sizeof *before);
        ck_assert(before[at + seen] != after[at + seen]);
    }
    free(before), free(after);
    params_free(&z.ps);
}
END_TEST

/* A query whose keys are all hidden, by any mask, gets 0 and passes on no gradient; the other
 * queries are not affected. If there are more queries than keys, a causal mask hides all keys from
 * the first ones. */
START_TEST(nothing_to_look_at)
{
    Tape tp = {0};
    const real *p;
    const int len[] = {0};
    const unsigned char allowed[] = {0, 0, 1, 0, 0, 0};
    const AttentionMask masks[] = {{.allowed = allowed}, {.causal = true}, {.len = len}};
    const real want[][3] = {{0, 5, 0}, {0, 5, 6}, {0, 0, 0}};
    for (int i = 0; i < LEN(masks); i++) {
        Tensor *q = GIVEN(&tp, SHAPE(1, 3, 1), 1, 0, 0), *k = GIVEN(&tp, SHAPE(1, 2, 1), 1, 2);
        Tensor *v = GIVEN(&tp, SHAPE(1, 2, 1), 5, 7);
        Tensor *y = op_attention(&tp, q, k, v, 1, &masks[i], &p);
        ck_close("y", y->data, want[i], 3);
        ck_assert(p[0] == 0 && p[1] == 0);
        BACKWARD(&tp, y, 1, 1, 1);
        ck_assert(q->grad[0] == 0 && isfinite((double)k->grad[0]));
        ck_assert((v->grad[0] == 0) == (i == 2) && v->grad[1] == (i == 1 ? 0.5f : 0));
    }
    tape_free(&tp);
}
END_TEST

/* With 24 more queries than keys under a causal mask, the last 16 queries get the same result as
 * without the others. */
START_TEST(more_steps_than_keys)
{
    enum { T = 40, S = 16, C = 8 };
    const AttentionMask m = {.causal = true};
    Problem z = problem(1, T, S, C, 2), last = problem(1, S, S, C, 2);
    memcpy(last.q->data, z.q->data + (T - S) * C, S * C * sizeof(real));
    memcpy(last.k->data, z.k->data, S * C * sizeof(real));
    memcpy(last.v->data, z.v->data, S * C * sizeof(real));
    memcpy(last.r->data, z.r->data + (T - S) * C, S * C * sizeof(real));
    size_t n, n_last;
    real *y = results(&z, &m, &n), *want = results(&last, &m, &n_last);
    for (int i = 0; i < (T - S) * C; i++) ck_assert(y[i] == 0 && z.q->grad[i] == 0);
    near("y", y + (T - S) * C, want, S * C, 1e-6);
    near("dq", z.q->grad + (T - S) * C, last.q->grad, S * C, 3e-6);
    near("dk", z.k->grad, last.k->grad, S * C, 3e-6);
    near("dv", z.v->grad, last.v->grad, S * C, 3e-6);
    free(y), free(want);
    params_free(&z.ps), params_free(&last.ps);
}
END_TEST

/* One query at a time over a growing cache gives the rows of causal attention over the whole
 * sequence. */
START_TEST(a_cache_gives_the_same)
{
    enum { B = 2, T = 21, C = 32, H = 4 };
    Problem z = problem(B, T, T, C, H);
    const AttentionMask m = {.causal = true};
    Tape tp = {.frozen = true};
    const Tensor *whole = op_attention(&tp, z.q, z.k, z.v, H, &m, NULL);
    for (int t = 0; t < T; t++) {
        Tensor *q = tape_tensor(&tp, SHAPE(B, 1, C)), *k = tape_tensor(&tp, SHAPE(B, t + 1, C));
        Tensor *v = tape_tensor(&tp, SHAPE(B, t + 1, C));
        const size_t row = C * sizeof(real), n = (size_t)(t + 1) * row;
        for (int b = 0; b < B; b++) {
            memcpy(q->data + b * C, z.q->data + (b * T + t) * C, row);
            memcpy(k->data + b * (t + 1) * C, z.k->data + b * T * C, n);
            memcpy(v->data + b * (t + 1) * C, z.v->data + b * T * C, n);
        }
        const Tensor *y = op_attention(&tp, q, k, v, H, &m, NULL);
        for (int b = 0; b < B; b++)
            near("y", y->data + b * C, whole->data + (b * T + t) * C, C, 2e-6);
    }
    tape_free(&tp);
    params_free(&z.ps);
}
END_TEST

/* --- threads, memory -------------------------------------------------------------------------- */

START_TEST(same_bits_on_any_threads)
{
    const int len[] = {70, 33, 50};
    const AttentionMask m = {.causal = true, .len = len};
    Problem z = problem(3, 70, 70, 60, 5);
    size_t n;
    parallel_init(1);
    real *first = results(&z, &m, &n);
    for (int threads = 2; threads <= 4; threads++) {
        parallel_init(threads);
        real *now = results(&z, &m, &n);
        ck_assert_mem_eq(first, now, n * sizeof *now);
        free(now);
    }
    free(first);
    params_free(&z.ps);
    parallel_init(1);
}
END_TEST

/* Returns the bytes that one training step holds at length T. */
static size_t held(int T)
{
    enum { C = 8 };
    Tape tp = {0};
    Problem z = problem(1, T, T, C, 1);
    backward(&tp, op_attention(&tp, z.q, z.k, z.v, z.heads, &(AttentionMask){.causal = true}, NULL),
             z.r->data);
    const size_t used = tp.arena.used;
    tape_free(&tp);
    params_free(&z.ps);
    return used;
}

START_TEST(memory_is_linear_in_length)
{
    parallel_init(1);
    const size_t at_512 = held(512), at_2048 = held(2048);
    ck_assert_msg((double)at_2048 < 4.1 * (double)at_512, "%zu bytes at 512, %zu at 2048", at_512,
                  at_2048);
    ck_assert_uint_lt(at_2048, (size_t)2048 * 2048 * sizeof(real) / 4);
}
END_TEST

SUITE("ops_heads",
      TESTS(equals_its_composition, padding_is_not_seen, the_future_is_not_seen, nothing_to_look_at,
            more_steps_than_keys, a_cache_gives_the_same, same_bits_on_any_threads,
            memory_is_linear_in_length),
      NO_ABORTS)
