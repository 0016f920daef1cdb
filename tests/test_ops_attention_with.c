/* Attention with grouped keys, a window and dropout, against the same computation without them. */
#include "by_hand.h"
#include "math/parallel.h"

typedef struct {
    int B, T, S, heads, kv_heads, D;
    AttentionMask mask;
    real dropout;
    bool repeat; /* key heads are repeated by op_cols and op_concat */
    bool made;   /* inputs are made by an op, so that their gradients are overwritten */
} Case;

static Tensor *drawn(Tape *tp, Shape s, uint32_t stream)
{
    Tensor *x = tape_tensor(tp, s);
    x->requires_grad = true;
    Rng rng = rng_make(stream, RNG_TEST, 0);
    for (int i = 0; i < x->len; i++) x->data[i] = (real)rng_normal(&rng);
    return x;
}

/* Repeats each key head for all heads that share it: (B,S,kv D) -> (B,S,heads D). */
static Tensor *repeated(Tape *tp, const Case *c, Tensor *x)
{
    Tensor *y = NULL;
    for (int h = 0; h < c->heads; h++) {
        Tensor *head = op_cols(tp, x, h * c->kv_heads / c->heads * c->D, c->D);
        y = y ? op_concat(tp, y, head) : head;
    }
    return y;
}

/* Writes y, dq, dk and dv one after the other; runs on a tape whose memory is not 0. */
static real *run(const Case *c, size_t *len)
{
    Tape tp = {0};
    memset(tape_save(&tp, 1 << 20), 0xFF, 1 << 20);
    tape_reset(&tp);
    Tensor *in[] = {drawn(&tp, SHAPE(c->B, c->T, c->heads * c->D), 1),
                    drawn(&tp, SHAPE(c->B, c->S, c->kv_heads * c->D), 2),
                    drawn(&tp, SHAPE(c->B, c->S, c->kv_heads * c->D), 3)};
    Tensor *q = in[0], *k = in[1], *v = in[2];
    if (c->made) q = op_scale(&tp, q, 1), k = op_scale(&tp, k, 1), v = op_scale(&tp, v, 1);
    if (c->repeat) k = repeated(&tp, c, k), v = repeated(&tp, c, v);
    Rng rng = rng_make(4, RNG_TEST, 0);
    Tensor *y = op_attention_with(&tp, q, k, v,
                                  &(AttentionOptions){.heads = c->heads,
                                                      .kv_heads = c->repeat ? 0 : c->kv_heads,
                                                      .mask = &c->mask,
                                                      .dropout = c->dropout,
                                                      .rng = &rng});
    tape_backward(&tp, op_dot(&tp, y, drawn(&tp, y->shape, 5)->data));
    *len = (size_t)(y->len + in[0]->len + 2 * in[1]->len);
    real *all = xmalloc(*len * sizeof *all), *to = all;
    memcpy(to, y->data, (size_t)y->len * sizeof *to), to += y->len;
    for (int i = 0; i < 3; i++)
        memcpy(to, in[i]->grad, (size_t)in[i]->len * sizeof *to), to += in[i]->len;
    tape_free(&tp);
    return all;
}

/* Compares two ways to compute one result. Returns the mean size of its numbers, so that the caller
 * can check that it did not only compare zeros. */
static double same(const Case *a, const Case *b, double tolerance)
{
    size_t n, m;
    real *x = run(a, &n), *y = run(b, &m);
    double size = 0;
    ck_assert_uint_eq(n, m);
    for (size_t i = 0; i < n; i++) {
        size += fabs((double)x[i]);
        ck_assert_msg(fabs((double)x[i] - (double)y[i]) <= tolerance,
                      "T %d, S %d, window %d: number %zu is %.9g, not %.9g", a->T, a->S,
                      a->mask.window, i, (double)x[i], (double)y[i]);
    }
    free(x), free(y);
    return size / (double)n;
}

START_TEST(grouped_keys_are_keys_repeated)
{
    const int sizes[][2] = {{1, 1}, {3, 7}, {40, 40}, {70, 70}};
    for (int i = 0; i < LEN(sizes); i++)
        for (int kv = 1; kv <= 6; kv++) {
            if (6 % kv) continue;
            Case a = {
                .B = 2, .T = sizes[i][0], .S = sizes[i][1], .heads = 6, .kv_heads = kv, .D = 5};
            a.mask.causal = kv == 2, a.made = i % 2, a.dropout = i == 2 ? (real).3 : 0;
            Case b = a;
            b.repeat = true;
            ck_assert_double_gt(same(&a, &b, 5e-5), .01);
        }
}
END_TEST

/* A window gives the same result as a mask of single keys. */
START_TEST(a_window_is_a_mask)
{
    const int sizes[][2] = {{1, 1}, {1, 90}, {5, 9}, {40, 40}, {70, 100}, {100, 70}};
    const int windows[] = {1, 2, 9, 40, 1000}, len[] = {13, 60};
    for (int i = 0; i < LEN(sizes); i++)
        for (int w = 0; w < LEN(windows); w++) {
            const int T = sizes[i][0], S = sizes[i][1];
            unsigned char *allowed = xcalloc((size_t)T * S, 1);
            for (int t = 0; t < T; t++)
                for (int s = 0; s < S; s++) allowed[t * S + s] = abs(t + S - T - s) < windows[w];
            Case a = {.B = 2, .T = T, .S = S, .heads = 2, .kv_heads = 1, .D = 3, .made = w % 2};
            a.mask = (AttentionMask){.causal = i % 2, .window = windows[w]};
            if (S > 60) a.mask.len = len;
            Case b = a;
            b.mask.window = 0, b.mask.allowed = allowed;
            const double size = same(&a, &b, 2e-5);
            if (!a.mask.len) ck_assert_double_gt(size, .01); /* padding and a window may hide all */
            free(allowed);
        }
}
END_TEST

/* Computes y from the reported weights and masks drawn by hand; the generator must advance by all
 * of them. */
START_TEST(dropout_by_hand)
{
    enum { B = 2, T = 35, S = 40, H = 2, D = 3 };
    Tape tp = {0};
    Tensor *q = drawn(&tp, SHAPE(B, T, H * D), 1), *k = drawn(&tp, SHAPE(B, S, H * D), 2);
    Tensor *v = drawn(&tp, SHAPE(B, S, H * D), 3);
    const real *p = NULL;
    Rng rng = rng_make(9, RNG_TEST, 0), by_hand = rng;
    const AttentionOptions o = {.heads = H, .dropout = (real).25, .rng = &rng, .weights = &p};
    const Tensor *y = op_attention_with(&tp, q, k, v, &o);
    int dropped = 0;
    for (int i = 0; i < B * H * T; i++) {
        const int b = i / T / H, h = i / T % H, t = i % T;
        double want[D] = {0};
        for (int s = 0; s < S; s++) {
            const bool gone = rng_uniform(&by_hand) < .25;
            dropped += gone;
            for (int c = 0; c < D && !gone; c++)
                want[c] +=
                    (double)p[i * S + s] / .75 * (double)v->data[(b * S + s) * H * D + h * D + c];
        }
        for (int c = 0; c < D; c++)
            ck_assert_double_eq_tol((double)y->data[(b * T + t) * H * D + h * D + c], want[c],
                                    1e-5);
    }
    ck_assert_uint_eq(rng.n, by_hand.n);
    ck_assert_double_eq_tol(dropped / (double)(B * H * T * S), .25, .02);
    tape_free(&tp);
}
END_TEST

/* A tile draws the same random numbers on any thread. */
START_TEST(the_same_bits_on_any_threads)
{
    Case c = {.B = 2, .T = 70, .S = 90, .heads = 6, .kv_heads = 2, .D = 8, .dropout = (real).4};
    c.mask = (AttentionMask){.causal = true, .window = 30};
    size_t n;
    parallel_init(1);
    real *want = run(&c, &n);
    for (int threads = 2; threads <= 4; threads++) {
        parallel_init(threads);
        real *got = run(&c, &n);
        ck_assert_mem_eq(got, want, n * sizeof *got);
        free(got);
    }
    free(want);
}
END_TEST

/* The caller's arrays may change before the backward pass. */
START_TEST(masks_are_copied)
{
    enum { B = 1, T = 2, S = 3 };
    real dq[2][T * 2];
    for (int spoil = 0; spoil < 2; spoil++) {
        int len[] = {2};
        unsigned char allowed[] = {1, 1, 1, 0, 1, 1};
        real slope[] = {(real).5, 1};
        const AttentionMask mask = {.len = len, .allowed = allowed, .slope = slope};
        Tape tp = {0};
        Tensor *q = drawn(&tp, SHAPE(B, T, 2), 1), *k = drawn(&tp, SHAPE(B, S, 2), 2);
        Tensor *y = op_attention(&tp, q, k, drawn(&tp, SHAPE(B, S, 2), 3), 1, &mask, NULL);
        if (spoil) len[0] = 1, slope[0] = slope[1] = 3, memset(allowed, 0, sizeof allowed);
        tape_backward(&tp, op_dot(&tp, y, drawn(&tp, y->shape, 5)->data));
        memcpy(dq[spoil], q->grad, sizeof dq[0]);
        tape_free(&tp);
    }
    ck_assert_mem_eq(dq[1], dq[0], sizeof dq[0]);
    ck_assert(dq[0][0] != 0);
}
END_TEST

SUITE("ops_attention_with",
      TESTS(grouped_keys_are_keys_repeated, a_window_is_a_mask, dropout_by_hand,
            the_same_bits_on_any_threads, masks_are_copied),
      NO_ABORTS)
